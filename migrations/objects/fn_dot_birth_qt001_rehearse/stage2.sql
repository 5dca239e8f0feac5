-- The rehearsal through the register core: registers up to p_max_rows missing codes in a sub-transaction that always rolls back.
-- SECURITY DEFINER: it writes, for a moment, what only birth_definer may write.
-- Returns: the writer's row and rerun_delta, what a fresh plan would still find missing.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_refuse, fn_birth_plan_examine, fn_birth_plan_blockers, fn_birth_identity_definition, fn_birth_register, fn_birth_measure, fn_birth_scan
-- Writes: birth_registry (rolled back)
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint DEFAULT 10000)
  RETURNS TABLE (run_id uuid, status text, expected_delta bigint, actual_inserted bigint, skipped bigint, blocked bigint, resume_marker text[], rerun_delta bigint)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET lock_timeout = '1s'
AS $fn_dot_birth_qt001_rehearse$
DECLARE
  r_count record;
  r_identity record;
  v_blocker jsonb;
  v_codes text[];
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_rehearse');
  IF p_max_rows IS NULL OR p_max_rows NOT BETWEEN 1 AND 100000 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL')), 'a rehearsal writes 1 to 100000 rows');
  END IF;
  SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_collection, 0, 0);
  v_blocker := birth.fn_birth_plan_blockers(p_collection, r_count.blockers, r_count.missing) -> 0;
  PERFORM birth.fn_birth_refuse(v_blocker);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  BEGIN
    run_id := gen_random_uuid();
    expected_delta := least(r_count.missing, p_max_rows);
    SELECT s.codes INTO v_codes FROM birth.fn_birth_scan(format('SELECT array_agg(s.code) FROM (SELECT c.code FROM %s t CROSS JOIN LATERAL (SELECT %s AS code) c'
      ' LEFT JOIN birth.birth_registry b ON b.entity_code = c.code WHERE c.code IS NOT NULL AND b.entity_code IS NULL LIMIT $6) s',
      r_identity.source_sql, r_identity.code_sql), p_rows := p_max_rows) AS s(codes text[]);
    SELECT r.codes INTO actual_inserted FROM birth.fn_birth_register(p_collection, v_codes, 'rehearsal', run_id, false) r WHERE r.outcome = 'born';
    skipped := 0;
    blocked := 0;
    status := CASE WHEN actual_inserted = expected_delta THEN 'done' ELSE 'failed' END;
    SELECT m.missing INTO rerun_delta FROM birth.fn_birth_measure(p_collection, 0, 0) m;
    PERFORM birth.fn_birth_raise('rehearsal_over', format('run %s', run_id));
  EXCEPTION WHEN SQLSTATE 'NB317' THEN
    -- Code of the source table can raise it too.
    IF rerun_delta IS NULL THEN
      RAISE;
    END IF;
  END;
  RETURN NEXT;
END;
$fn_dot_birth_qt001_rehearse$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_rehearse(text, bigint) IS
  'Registers up to p_max_rows missing codes and rolls back: the writer''s row and the rerun delta. Operator. Specification: 3, 6.';

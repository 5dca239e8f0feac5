-- The rehearsal: the writer's own work, inside a sub-transaction that always rolls back. It plans, opens a permit,
-- pins, writes, proves and measures, and then undoes all of it by raising; what it learned survives in variables. It
-- needs no permit and waits for nobody; it is capped, because its uncommitted codes hold up live inserts of the same
-- codes. That it was rehearsed, and with what result, is an act: reviewers read it, and may rehearse themselves.
-- SECURITY DEFINER: it writes, for a moment, what only birth_definer may write.
-- Returns: the writer's row and rerun_delta, what a fresh plan would still find missing.
-- Calls: fn_birth_actor, fn_birth_is_member, fn_birth_raise, fn_birth_source_lock, fn_birth_plan, fn_birth_run_lock,
--        fn_birth_clock, fn_birth_run_claim, fn_birth_run_batch, fn_birth_measure, fn_birth_act_record
-- Writes: birth_admission_permit_v2 (rolled back)
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint DEFAULT 10000)
  RETURNS TABLE (run_id uuid, status text, expected_delta bigint, actual_inserted bigint, skipped bigint,
    blocked bigint, resume_marker text[], rerun_delta bigint)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET lock_timeout = '1s'
AS $fn_dot_birth_qt001_rehearse$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_now birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor(
    CASE WHEN birth.fn_birth_is_member(session_user, 'birth_reviewer') THEN 'birth_reviewer' ELSE 'birth_operator' END,
    'fn_dot_birth_qt001_rehearse');
  IF p_max_rows IS NULL OR p_max_rows NOT BETWEEN 1 AND 100000 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL')),
      'a rehearsal writes 1 to 100000 rows');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  BEGIN
    SELECT (p.run).run_id INTO run_id FROM birth.fn_birth_plan('APPLY', p_collection, false) p;
    r_run := birth.fn_birth_run_lock(run_id);
    r_now := r_run;
    r_now.expected_delta := least(r_run.planned_rows, p_max_rows);
    r_now.max_rows := p_max_rows;
    r_now.dot_origin := 'rehearsal';
    INSERT INTO birth.birth_admission_permit_v2 AS p (collection_name, run_id, purpose, max_rows, reason, opened_at,
      opened_by, expires_at,
      confirmed_by, confirmed_at)
    VALUES (p_collection, r_run.run_id, r_run.purpose, p_max_rows, 'rehearsal', birth.fn_birth_clock(), 'rehearsal',
      birth.fn_birth_clock() + interval '1 hour',
      'rehearsal reviewer', birth.fn_birth_clock())
    RETURNING p.permit_id INTO r_now.permit_id;
    r_run := birth.fn_birth_run_claim(r_run, r_now, r_run.purpose, false);
    r_run := birth.fn_birth_run_batch(r_run, 2147483647);
    r_run := birth.fn_birth_run_batch(r_run, 1);
    SELECT m.missing INTO rerun_delta FROM birth.fn_birth_measure(p_collection, r_run.seed_a, r_run.seed_b) m;
    PERFORM birth.fn_birth_raise('rehearsal_over', format('run %s', r_run.run_id));
  EXCEPTION WHEN SQLSTATE 'NB317' THEN
    -- Code of the source table can raise it too.
    IF rerun_delta IS NULL THEN
      RAISE;
    END IF;
  END;
  PERFORM birth.fn_birth_act_record('rehearse', p_collection := p_collection,
    p_detail := jsonb_build_object('status', r_run.status, 'planned', r_run.planned_rows,
      'expected', r_run.expected_delta, 'written', r_run.actual_inserted, 'rerun_delta', rerun_delta));
  RETURN QUERY SELECT r_run.run_id, r_run.status, r_run.expected_delta, r_run.actual_inserted, r_run.skipped,
    r_run.blocked, r_run.resume_marker, rerun_delta;
END;
$fn_dot_birth_qt001_rehearse$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_rehearse(text, bigint) IS
  'Runs the writer''s own work for up to p_max_rows births and rolls it back: the writer''s row and the rerun delta. '
  'Operator or reviewer. NB102 and what a plan or a run refuses. Specification: 6, R15.';

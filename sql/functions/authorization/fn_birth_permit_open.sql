-- Opens a permit for one run, on a current verdict SAFE: for the run's own purpose, or with p_purpose COMPENSATE to
-- undo it. It admits nothing until a reviewer confirms it.
-- SECURITY DEFINER: permit owners write permits through routines only.
-- Returns: one row: permit_id, next_step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_refuse, fn_birth_checks, fn_birth_permit_settle, fn_birth_act_record,
--        fn_birth_run_next_step, fn_birth_clock
-- Writes: birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_permit_open(
    p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamptz, p_reason text,
      p_purpose text DEFAULT NULL)
  RETURNS TABLE (permit_id bigint, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '5s'
AS $fn_birth_permit_open$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_now timestamptz := birth.fn_birth_clock();
  v_purpose text;
  v_fault text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_permit_owner', 'fn_birth_permit_open');
  v_fault := CASE
    WHEN p_max_rows IS NULL OR p_max_rows <= 0 THEN format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL'))
    -- Not before the newest act on record, and at most seven days ahead of the real time: where that is behind the
    -- record, a permit lasts no longer.
    WHEN p_expires_at IS NULL OR p_expires_at <= v_now OR p_expires_at > clock_timestamp() + interval '168 hours' THEN
      format('p_expires_at is %s; the time on record is %s, this server''s clock says %s',
        coalesce(p_expires_at::text, 'NULL'), v_now, clock_timestamp())
    WHEN p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN 'p_reason is required'
  END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('permit_terms', v_fault);
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  v_purpose := coalesce(p_purpose, r_run.purpose);
  IF v_purpose NOT IN (r_run.purpose, 'COMPENSATE') THEN
    PERFORM birth.fn_birth_raise('permit_terms', format('p_purpose is %L; run %s is for %s', p_purpose, p_run_id,
      r_run.purpose));
  END IF;
  IF r_run.collection_name IS DISTINCT FROM p_collection THEN
    PERFORM birth.fn_birth_raise('permit_scope', format('run %s is of collection %s, not %L', p_run_id,
      r_run.collection_name, p_collection));
  END IF;
  IF r_run.status = 'compensated' OR (v_purpose <> 'COMPENSATE'
    AND (r_run.status = 'done' OR r_run.compensating_since IS NOT NULL))
     OR (v_purpose = 'COMPENSATE' AND r_run.actual_inserted = 0) THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s, %s rows written', p_run_id, r_run.status,
      r_run.actual_inserted));
  END IF;
  PERFORM birth.fn_birth_refuse(c.blocker) FROM birth.fn_birth_checks('permit', r_run, v_purpose, r_run) c
    WHERE NOT c.pass ORDER BY c.number;
  PERFORM birth.fn_birth_permit_settle(p_run_id);

  INSERT INTO birth.birth_admission_permit_v2 AS p (collection_name, run_id, purpose, max_rows, reason, opened_at,
    opened_by, expires_at)
  VALUES (p_collection, p_run_id, v_purpose, p_max_rows, p_reason, v_now, session_user, p_expires_at)
  ON CONFLICT DO NOTHING
  RETURNING p.permit_id INTO permit_id;
  IF permit_id IS NULL THEN
    PERFORM birth.fn_birth_raise('permit_in_the_way',
      (SELECT format('permit %s, opened by %s, expires at %s', p.permit_id, p.opened_by, p.expires_at)
      FROM birth.birth_admission_permit_v2 p WHERE p.run_id = p_run_id AND p.purpose = v_purpose
        AND p.status = 'OPEN'));
  END IF;
  PERFORM birth.fn_birth_act_record('permit_open', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_permit_id := permit_id,
    p_collection := p_collection, p_reason := p_reason,
      p_detail := jsonb_build_object('purpose', v_purpose, 'max_rows', p_max_rows, 'expires_at', p_expires_at));
  next_step := birth.fn_birth_run_next_step(p_run_id, v_purpose);
  RETURN NEXT;
END;
$fn_birth_permit_open$;

COMMENT ON FUNCTION birth.fn_birth_permit_open(text, uuid, bigint, timestamptz, text, text) IS
  'Opens a permit on a current verdict SAFE; returns its id and the next step. Permit owner. NB110, NB111, NB204, '
  'NB207 to NB210, NB301, NB302. Specification: 6.';

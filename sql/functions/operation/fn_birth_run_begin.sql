-- Begins or continues a run: every check in full, the target set pinned when it begins, the attempt on record. A check that fails here raises and
-- leaves everything as it was. sp_dot_birth_qt001_apply commits it before the first batch; the writer alone begins and ends in one call.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: the run's row.
-- Calls: fn_birth_actor, fn_birth_run_input, fn_birth_run_lock, fn_birth_source_lock, fn_birth_run_startable, fn_birth_people_check, fn_birth_run_examine, fn_birth_raise, fn_birth_refuse, fn_birth_run_pin, fn_birth_run_claim
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_run_begin(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text,
    p_session boolean DEFAULT true)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET lock_timeout = '5s'
AS $fn_birth_run_begin$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_state record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', CASE WHEN p_session IS NOT FALSE THEN 'sp_dot_birth_qt001_apply' ELSE 'fn_dot_birth_qt001_apply' END);
  PERFORM birth.fn_birth_run_input(p_collection, p_run_id, p_permit_id, p_expected_delta, p_max_rows, p_batch, p_dot_origin);
  r_run := birth.fn_birth_run_lock(p_run_id);
  PERFORM birth.fn_birth_source_lock(p_collection);
  PERFORM birth.fn_birth_run_startable(r_run, p_collection, 'APPLY', p_session IS NOT FALSE);
  PERFORM birth.fn_birth_people_check(p_run_id, r_run.lineage);
  IF r_run.dot_origin <> p_dot_origin THEN
    PERFORM birth.fn_birth_raise('delta_mismatch', format('p_dot_origin is %L, the run began with %L', p_dot_origin, r_run.dot_origin),
      'pass what the first CALL of the run passed');
  END IF;
  SELECT * INTO r_state FROM birth.fn_birth_run_examine(r_run, p_permit_id, p_expected_delta, p_max_rows);
  PERFORM birth.fn_birth_refuse(r_state.blockers -> 0);
  IF r_run.started_at IS NULL THEN
    r_run := birth.fn_birth_run_pin(r_run, p_expected_delta, p_max_rows, p_dot_origin);
  END IF;
  r_run := birth.fn_birth_run_claim(r_run, p_permit_id, 'APPLY', p_session IS NOT FALSE);
  -- An attempt that is rolled back leaves this line in the server's log, and nothing else.
  RAISE LOG 'birth: run %, attempt % begins, by %, backend %', r_run.run_id, r_run.epoch, session_user, pg_backend_pid();
  RETURN r_run;
END;
$fn_birth_run_begin$;

COMMENT ON FUNCTION birth.fn_birth_run_begin(text, uuid, bigint, bigint, bigint, integer, text, boolean) IS
  'Checks everything, pins the target set and claims the run for this session; a refusal changes nothing. Called by sp_dot_birth_qt001_apply. Operator. Specification: 6, R8, R10, R14.';

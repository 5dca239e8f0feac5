-- Checks everything a compensation needs, and with p_execute claims the run: its own verdict, its own permit, and births that nothing has touched since.
-- Granted to nobody.
-- Returns: the run's row.
-- Calls: fn_birth_raise, fn_birth_refuse, fn_birth_run_lock, fn_birth_run_startable, fn_birth_contract_blocker, fn_birth_verdict_blocker, fn_birth_permit_blocker,
--        fn_birth_run_touched, fn_birth_run_claim
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_compensation_begin(p_run_id uuid, p_permit_id bigint, p_batch integer, p_execute boolean)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_compensation_begin$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_touched text;
BEGIN
  IF p_run_id IS NULL OR p_permit_id IS NULL OR p_batch IS NULL OR p_batch <= 0 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('run %s, permit %s, batch %s', coalesce(p_run_id::text, 'NULL'),
      coalesce(p_permit_id::text, 'NULL'), coalesce(p_batch::text, 'NULL')));
  END IF;
  r_run := birth.fn_birth_run_lock(p_run_id);
  PERFORM birth.fn_birth_run_startable(r_run, r_run.collection_name, 'COMPENSATE', true);
  PERFORM birth.fn_birth_refuse(coalesce(birth.fn_birth_contract_blocker(), birth.fn_birth_verdict_blocker(r_run, 'COMPENSATE'),
    birth.fn_birth_permit_blocker(r_run, p_permit_id, 'COMPENSATE', r_run.actual_inserted - r_run.compensated_rows)));
  SELECT string_agg(concat_ws(' ', t.entity_code, t.why), '; ') INTO v_touched
  FROM (SELECT * FROM birth.fn_birth_run_touched(r_run) LIMIT 20) t;
  IF v_touched IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('births_touched', v_touched);
  END IF;
  IF NOT p_execute THEN
    RETURN r_run;
  END IF;
  r_run := birth.fn_birth_run_claim(r_run, p_permit_id, 'COMPENSATE', true);
  RAISE LOG 'birth: run %, attempt % begins, by %, backend %', r_run.run_id, r_run.epoch, session_user, pg_backend_pid();
  RETURN r_run;
END;
$fn_birth_compensation_begin$;

COMMENT ON FUNCTION birth.fn_birth_compensation_begin(uuid, bigint, integer, boolean) IS
  'Checks a compensation in full and claims the run. Granted to nobody. NB102, NB201 to NB206, NB210, NB301 to NB303, NB313, NB401, NB404, NB405. Specification: 6, R6.';

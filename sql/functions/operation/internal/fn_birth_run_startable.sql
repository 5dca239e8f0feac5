-- Whether a locked run may be begun or continued by this session: its status, its holder, the freeze, the databases home.
-- Returns: nothing; NB102, NB212, NB302, NB303, NB312, NB401.
-- Calls: fn_birth_raise, fn_birth_run_holder, fn_birth_dot_frozen, fn_birth_home_check
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_startable(p_run birth.birth_backfill_ledger_v2, p_collection text, p_purpose text, p_session boolean)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_startable$
DECLARE
  v_holder integer := birth.fn_birth_run_holder(p_run.run_id, p_run.epoch);
BEGIN
  IF p_run.collection_name <> p_collection THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('run %s is of collection %s, not %s', p_run.run_id, p_run.collection_name, p_collection));
  END IF;
  IF p_run.status <> ALL (CASE p_purpose WHEN 'APPLY' THEN ARRAY['planned', 'running', 'stopped', 'failed'] ELSE ARRAY['done', 'running', 'stopped', 'failed'] END)
     OR p_purpose = 'APPLY' AND p_run.compensating_since IS NOT NULL
     OR p_purpose = 'COMPENSATE' AND p_run.actual_inserted = 0 THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s%s; %s births written', p_run.run_id, p_run.status,
      CASE WHEN p_run.compensating_since IS NOT NULL THEN ' and being compensated' ELSE '' END, p_run.actual_inserted));
  END IF;
  -- A session that was cut off behind the last COMMIT of a run still has its lock: what is over is held by nobody.
  -- Any login can take such a lock: only the backend that the ledger names holds the run.
  IF v_holder <> pg_backend_pid() AND v_holder = p_run.holder_pid AND p_run.status = 'running' THEN
    PERFORM birth.fn_birth_raise('run_held', format('run %s is held by backend %s, executed by %s', p_run.run_id, v_holder, p_run.executed_by));
  END IF;
  IF NOT p_session AND p_run.batches > 0 THEN
    PERFORM birth.fn_birth_raise('driver_required', format('run %s has %s committed batches', p_run.run_id, p_run.batches));
  END IF;
  IF birth.fn_birth_dot_frozen('dot-birth-backfill-apply') THEN
    PERFORM birth.fn_birth_raise('dot_frozen', 'dot-birth-backfill-apply');
  END IF;
  PERFORM birth.fn_birth_home_check();
END;
$fn_birth_run_startable$;

COMMENT ON FUNCTION birth.fn_birth_run_startable(birth.birth_backfill_ledger_v2, text, text, boolean) IS
  'Refuses a run whose status, holder, freeze or home forbids it: NB102, NB212, NB302, NB303, NB312, NB401. Specification: 6, R4, R8, R14.';

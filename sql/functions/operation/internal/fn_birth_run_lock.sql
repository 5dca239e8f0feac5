-- Takes the locks of a batch, always in this order: the release lock (shared), the run's row, the collection's. Who
-- comes second never waits: it is told who holds the run. The holder itself waits for the row, or any rival's attempt
-- would end its run.
-- Returns: the run's row, as committed now and locked.
-- Calls: fn_birth_lock_key, fn_birth_lock_owner, fn_birth_raise, fn_birth_run_holder, fn_birth_run_wait,
--        fn_birth_lock_holder
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_lock(p_run_id uuid)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_lock$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_owner record;
  v_undone integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock_shared(birth.fn_birth_lock_key('release')) THEN
    SELECT o.* INTO r_owner FROM birth.fn_birth_lock_owner(p_name := 'release') o;
    PERFORM birth.fn_birth_raise('release_in_progress',
      format('the release lock is held by %s', coalesce(r_owner.who, 'a session that has just ended')),
      'wait until alembic has finished; if it is no release, end it: ' || r_owner.remedy);
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
    IF NOT FOUND THEN
      PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
    END IF;
    IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) IS DISTINCT FROM pg_backend_pid() THEN
      SELECT o.* INTO r_owner FROM birth.birth_backfill_ledger_v2 l,
        birth.fn_birth_lock_owner(p_table := 'birth.birth_backfill_ledger_v2', p_xmax := l.xmax,
          p_pid := birth.fn_birth_run_holder(l.run_id, l.epoch)) o WHERE l.run_id = p_run_id;
      PERFORM birth.fn_birth_raise('run_held', format('run %s is locked by %s', p_run_id,
        coalesce(r_owner.who, format('another session; last executed by %s, backend %s',
          coalesce(r_run.executed_by, 'nobody'), coalesce(r_run.holder_pid::text, 'unknown')))),
        'wait for it; if it hangs, end it: ' || r_owner.remedy);
    END IF;
    -- A rival on its way to be refused, or a takeover, has the row for a moment.
    r_run := birth.fn_birth_run_wait(p_run_id);
  END IF;
  -- A session of the executor still says that a check failed in this attempt, and the ledger does not: it was rolled
  -- back.
  v_undone := birth.fn_birth_lock_holder(format('failed:%s:%s', p_run_id, r_run.epoch));
  IF r_run.status <> 'failed' AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = v_undone
    AND a.usename = r_run.executed_by) THEN
    PERFORM birth.fn_birth_raise('outcome_undone',
      format('run %s, attempt %s, in the session of %s, backend %s', p_run_id, r_run.epoch,
      r_run.executed_by, v_undone),
        format('end that session: SELECT pg_catalog.pg_terminate_backend(%s); the next CALL then begins an '
      'attempt that checks everything', v_undone));
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = r_run.collection_name FOR SHARE;
  RETURN r_run;
END;
$fn_birth_run_lock$;

COMMENT ON FUNCTION birth.fn_birth_run_lock(uuid) IS
  'Locks a run for a batch and returns its row. NB301, NB303, NB318, NB406. Specification: 6.1 R5, R9, R14.';

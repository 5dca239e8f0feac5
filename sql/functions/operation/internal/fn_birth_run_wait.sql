-- Locks a run's row, and waits for it as long as the caller's lock_timeout allows: whoever writes to the run has
-- committed or given up then. Who waits in vain is told for whom, and what ends that.
-- Returns: the run's row, locked; NULLs for an unknown run.
-- Calls: fn_birth_lock_owner, fn_birth_run_holder, fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_wait(p_run_id uuid)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_wait$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_owner record;
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id FOR NO KEY UPDATE;
  RETURN r_run;
EXCEPTION WHEN lock_not_available THEN
  SELECT o.* INTO r_owner FROM birth.birth_backfill_ledger_v2 l,
    birth.fn_birth_lock_owner(p_table := 'birth.birth_backfill_ledger_v2', p_xmax := l.xmax,
      p_pid := birth.fn_birth_run_holder(l.run_id, l.epoch)) o WHERE l.run_id = p_run_id;
  PERFORM birth.fn_birth_raise('run_held', format('run %s is locked by %s', p_run_id,
    coalesce(r_owner.who, 'a session that has just ended')),
    coalesce('if it hangs, end it, which loses what it has not committed, then send the same statement again: '
      || r_owner.remedy,
      'send the same statement again'));
END;
$fn_birth_run_wait$;

COMMENT ON FUNCTION birth.fn_birth_run_wait(uuid) IS
  'Locks a run, waiting up to lock_timeout; NB303 names who keeps it. Granted to nobody. Specification: 6.1 R14.';

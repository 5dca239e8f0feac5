-- Which session has a run's row locked, to take it over or to write a batch: whoever locks a row writes its transaction into it, also before anything of it is
-- committed.
-- Returns: the backend's process id, or NULL when nobody has it or several share it.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_locker(p_run_id uuid)
  RETURNS integer
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_locker$
  SELECT k.pid
  FROM birth.birth_backfill_ledger_v2 l
  JOIN pg_locks k ON k.locktype = 'transactionid' AND k.granted AND k.transactionid = l.xmax
  WHERE l.run_id = p_run_id;
$fn_birth_run_locker$;

COMMENT ON FUNCTION birth.fn_birth_run_locker(uuid) IS
  'Process id of the session that has a run''s row locked, or NULL. Specification: 6.1 R14.';

-- Which live session holds an attempt of a run: a session lock keyed by run and epoch, which dies with its session.
-- Returns: the backend's process id, or NULL.
-- Calls: fn_birth_lock_holder
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_holder(p_run_id uuid, p_epoch bigint)
  RETURNS integer
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_holder$
  SELECT birth.fn_birth_lock_holder(format('run:%s:%s', p_run_id, p_epoch));
$fn_birth_run_holder$;

COMMENT ON FUNCTION birth.fn_birth_run_holder(uuid, bigint) IS
  'Process id of the session that holds this attempt of a run, or NULL when none lives. Specification: 6.1 R14.';

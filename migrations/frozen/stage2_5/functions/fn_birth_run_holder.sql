-- Which live session holds an attempt of a run: a session lock keyed by run and epoch, which dies with its session.
-- Returns: the backend's process id, or NULL.
-- Calls: fn_birth_lock_key
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_holder(p_run_id uuid, p_epoch bigint)
  RETURNS integer
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_holder$
  SELECT l.pid
  FROM pg_locks l, birth.fn_birth_lock_key(format('run:%s:%s', p_run_id, p_epoch)) AS k(key)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.classid::bigint = (k.key >> 32) & 4294967295 AND l.objid::bigint = k.key & 4294967295;
$fn_birth_run_holder$;

COMMENT ON FUNCTION birth.fn_birth_run_holder(uuid, bigint) IS
  'Process id of the session that holds this attempt of a run, or NULL when none lives. Specification: 6.1 R14.';

-- Which backend holds the advisory lock of a name, for its session or for its transaction.
-- Returns: the backend's process ID, or NULL.
-- Calls: fn_birth_lock_key
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_lock_holder(p_name text)
  RETURNS integer
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_lock_holder$
  SELECT l.pid
  FROM pg_locks l, birth.fn_birth_lock_key(p_name) AS k(key)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.classid::bigint = (k.key >> 32) & 4294967295 AND l.objid::bigint = k.key & 4294967295;
$fn_birth_lock_holder$;

COMMENT ON FUNCTION birth.fn_birth_lock_holder(text) IS
  'Process ID of the backend that holds the advisory lock of a name, or NULL. Specification: 6.1 R14.';

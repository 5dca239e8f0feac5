-- Who has the advisory lock of a name, and the statement that ends that. Any login can take these locks: the keys are no secret.
-- Returns: one row; NULLs when nobody has it any more: who; remedy, the statement.
-- Calls: fn_birth_lock_key, fn_birth_lock_owner
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_name_owner(p_name text)
  RETURNS TABLE (who text, remedy text)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_name_owner$
BEGIN
  RETURN QUERY
  SELECT string_agg(o.who, '; '), string_agg(o.remedy, E'\n')
  FROM birth.fn_birth_lock_key(p_name) AS k(key)
  JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.classid::bigint = (k.key >> 32) & 4294967295 AND l.objid::bigint = k.key & 4294967295
  CROSS JOIN LATERAL birth.fn_birth_lock_owner(l.pid, l.virtualtransaction) o
  WHERE l.pid IS DISTINCT FROM pg_backend_pid();
END;
$fn_birth_name_owner$;

COMMENT ON FUNCTION birth.fn_birth_name_owner(text) IS
  'Who else has the advisory lock of a name, and the statement that ends that. Specification: 6.1 R14.';

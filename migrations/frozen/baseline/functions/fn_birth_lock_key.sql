-- The key of the advisory lock of a name. Defined once, because all sessions must compute the same key.
-- Returns: the key.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_lock_key(p_name text)
  RETURNS bigint
  LANGUAGE sql
  IMMUTABLE
  STRICT
  PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_lock_key$
  SELECT hashtextextended('birth.' || p_name, 0);
$fn_birth_lock_key$;

COMMENT ON FUNCTION birth.fn_birth_lock_key(text) IS
  'Advisory lock key of a name: release, run:<run_id>:<epoch>. Specification: 6.1 R9, R14.';

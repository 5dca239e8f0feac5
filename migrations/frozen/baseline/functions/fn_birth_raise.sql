-- Raises an error of the catalogue (errors.toml) with its SQLSTATE and message, the given detail, and a hint.
-- Returns: never.
-- Calls: fn_birth_error, fn_birth_refuse
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_raise$
BEGIN
  PERFORM birth.fn_birth_refuse(birth.fn_birth_error(p_error, p_detail, p_hint));
END;
$fn_birth_raise$;

COMMENT ON FUNCTION birth.fn_birth_raise(text, text, text) IS
  'Raises the named error of the catalogue with its SQLSTATE and message, the given detail and hint. Specification: 8.';

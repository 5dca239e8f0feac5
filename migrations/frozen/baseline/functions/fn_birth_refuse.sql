-- Raises an error that fn_birth_error built. NULL raises nothing, so a caller can pass on the result of its checks.
-- Returns: nothing if p_error is NULL, else never.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_refuse(p_error jsonb)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_refuse$
BEGIN
  IF p_error IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = p_error ->> 'code',
      MESSAGE = p_error ->> 'message',
      DETAIL = coalesce(p_error ->> 'detail', ''),
      HINT = p_error ->> 'hint';
  END IF;
END;
$fn_birth_refuse$;

COMMENT ON FUNCTION birth.fn_birth_refuse(jsonb) IS
  'Raises an error that fn_birth_error built, with its SQLSTATE, message, detail and hint; NULL raises nothing. '
  'Specification: 8.';

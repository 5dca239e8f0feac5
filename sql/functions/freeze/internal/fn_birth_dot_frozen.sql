-- Whether a DOT is frozen. Every batch calls it.
-- Returns: true or false; NB402 for an unregistered DOT: a misspelt name would never be frozen.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_dot_frozen(p_dot text)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_dot_frozen$
DECLARE
  v_frozen boolean;
BEGIN
  SELECT d.frozen INTO v_frozen FROM birth.v_birth_dot_status d WHERE d.dot_name = p_dot OR d.dot_code = p_dot;
  IF v_frozen IS NULL THEN
    PERFORM birth.fn_birth_raise('dot_unknown', format('DOT %L', p_dot));
  END IF;
  RETURN v_frozen;
END;
$fn_birth_dot_frozen$;

COMMENT ON FUNCTION birth.fn_birth_dot_frozen(text) IS
  'Whether a DOT, by name or number, is frozen. NB402 if it is unknown. Specification: 1, R4.';

-- The comparison of a row's key with a key given as text[] parameter: the one place where keyset paging is written.
-- Returns: SQL over a row t.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_key_condition(p_key_columns text[], p_key_types text[], p_operator text, p_parameter text)
  RETURNS text
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_key_condition$
BEGIN
  RETURN (
    SELECT format('ROW(%s) %s ROW(%s)',
      string_agg(format('t.%I', k.name), ', ' ORDER BY k.position), p_operator,
      string_agg(format('(%s)[%s]::%s', p_parameter, k.position, k.type), ', ' ORDER BY k.position))
    FROM unnest(p_key_columns, p_key_types) WITH ORDINALITY AS k(name, type, position));
END;
$fn_birth_key_condition$;

COMMENT ON FUNCTION birth.fn_birth_key_condition(text[], text[], text, text) IS
  'SQL that compares the key of row t with a text[] parameter. Specification: 6.';

-- The code of one row, given as JSON. Only the identity columns are read; no other value of the row is converted.
-- Returns: one row: the identity status, the code (NULL when unresolvable) and why.
-- Calls: fn_birth_identity_definition, fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_resolve_identity(p_collection text, p_row jsonb)
  RETURNS TABLE (collection_name text, identity_status text, entity_code text, reason text)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_resolve_identity$
DECLARE
  r_identity record;
  v_columns text;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  collection_name := p_collection;
  identity_status := r_identity.status;
  reason := r_identity.reason;
  IF jsonb_typeof(p_row) IS DISTINCT FROM 'object' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_row is not a JSON object');
  END IF;
  IF r_identity.code_sql IS NOT NULL THEN
    -- A type of the owner's is never named: its code would run as the caller. A value of a domain is read as one of the
    -- type that it is made of, and the text of an enum is its label.
    SELECT string_agg(format('%I %s', a.attname, CASE
             WHEN a.atttypid < 10000 THEN format_type(a.atttypid, a.atttypmod)
             WHEN c.type = 'anyenum'::regtype THEN 'text'
             ELSE format_type(c.type, -1) END), ', ') INTO v_columns
    FROM unnest(r_identity.columns, r_identity.types) AS c(name, type)
    JOIN pg_attribute a ON a.attname = c.name
    WHERE a.attrelid = r_identity.relation AND a.attnum > 0 AND NOT a.attisdropped;
    BEGIN
      EXECUTE format('SELECT %s FROM jsonb_to_record($1) AS t(%s)', r_identity.code_sql, v_columns)
      INTO entity_code USING p_row;
    EXCEPTION WHEN data_exception THEN
      PERFORM birth.fn_birth_raise('bad_argument', format('p_row is no row of the table: %s', sqlerrm));
    END;
    reason := CASE WHEN entity_code IS NULL THEN 'the code is null, blank or longer than 512 bytes'
                   ELSE r_identity.reason END;
  END IF;
  RETURN NEXT;
END;
$fn_birth_resolve_identity$;

COMMENT ON FUNCTION birth.fn_birth_resolve_identity(text, jsonb) IS
  'The entity code of one row given as JSON: status, code (NULL if unresolvable), reason. NB102: not a row of the '
  'table; NB103: unknown collection. Specification: 4.';

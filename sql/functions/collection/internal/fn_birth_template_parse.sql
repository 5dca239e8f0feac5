-- The template grammar: literal text, {column}, {column:0N} (an integer padded with zeros to N digits), {{ and }} for
-- braces. The code is one expression over all pieces, and the parser's stack bounds its depth: hence 100 pieces at
-- most.
-- Returns: the pieces in order; NB106 if the text is no template, names no column, or has more than 100 pieces.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_template_parse(p_template text)
  RETURNS TABLE (ordinal integer, literal text, column_name text, width integer)
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_template_parse$
DECLARE
  v_rest text := p_template;
  v_piece text;
  v_columns integer := 0;
BEGIN
  ordinal := 0;
  WHILE v_rest <> '' LOOP
    ordinal := ordinal + 1;
    IF ordinal > 100 THEN
      PERFORM birth.fn_birth_raise('identity_malformed',
        format('template %L has more than 100 pieces', left(p_template, 80)));
    END IF;
    v_piece := substring(v_rest FROM '^(?:[^{}]|[{][{]|[}][}])+');
    IF v_piece IS NOT NULL THEN
      literal := replace(replace(v_piece, '{{', '{'), '}}', '}');
      column_name := NULL;
      width := NULL;
    ELSE
      v_piece := substring(v_rest FROM '^[{][^{}:]+(?::0[1-9][0-9]?)?[}]');
      IF v_piece IS NULL THEN
        PERFORM birth.fn_birth_raise('identity_malformed',
          format('template %L cannot be read from %L on', left(p_template, 80), left(v_rest, 80)));
      END IF;
      literal := NULL;
      column_name := substring(v_piece FROM '^[{]([^{}:]+)');
      width := substring(v_piece FROM ':0([0-9]+)[}]$')::integer;
      v_columns := v_columns + 1;
    END IF;
    RETURN NEXT;
    v_rest := substr(v_rest, length(v_piece) + 1);
  END LOOP;
  IF v_columns = 0 THEN
    PERFORM birth.fn_birth_raise('identity_malformed', format('template %L names no column', left(p_template, 80)));
  END IF;
END;
$fn_birth_template_parse$;

COMMENT ON FUNCTION birth.fn_birth_template_parse(text) IS
  'The pieces of a template such as APR-{id:06} or {tenant}/{no}, in order; NB106 if it is malformed. Specification: '
  '4.';

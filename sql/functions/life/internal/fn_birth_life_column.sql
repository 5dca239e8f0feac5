-- Whether rows can retire by a column: its values are compared as text, so the text may depend on nothing but the
-- value, and a dead value has to be a text that the column can have.
-- Returns: the fault in words, or NULL.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_life_column(p_relation oid, p_column text, p_dead text[])
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_column$
DECLARE
  v_id oid;
  v_type text;
  v_dead text;
  v_text text;
BEGIN
  SELECT a.atttypid, format_type(a.atttypid, a.atttypmod) INTO v_id, v_type FROM pg_attribute a
  WHERE a.attrelid = p_relation AND a.attname = p_column AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated <> 'v';
  IF v_id IS NULL THEN
    RETURN format('column %s does not exist or is virtual', p_column);
  ELSIF v_id NOT IN ('bool'::regtype, '"char"'::regtype, 'name'::regtype, 'int2'::regtype, 'int4'::regtype,
                     'int8'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'numeric'::regtype,
                     'uuid'::regtype) THEN
    RETURN format('the text of column %s depends on settings or code (type %s): a generated column can tell it',
      p_column, v_type);
  END IF;
  FOREACH v_dead IN ARRAY p_dead LOOP
    BEGIN
      EXECUTE format('SELECT %L::%s::text', v_dead, v_type) INTO v_text;
    EXCEPTION WHEN data_exception THEN
      v_text := NULL;
    END;
    IF v_text COLLATE "C" IS DISTINCT FROM v_dead COLLATE "C" THEN
      RETURN format('no value of column %s (type %s) reads %L%s', p_column, v_type, v_dead,
        CASE WHEN v_text IS NOT NULL THEN format('; it would read %L', v_text) END);
    END IF;
  END LOOP;
  RETURN NULL;
END;
$fn_birth_life_column$;

COMMENT ON FUNCTION birth.fn_birth_life_column(oid, text, text[]) IS
  'Why rows cannot retire by a column with these dead values; NULL when they can. Specification: 5.2.';

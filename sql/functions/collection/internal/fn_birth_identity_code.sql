-- The code of a collection as SQL over a row t. Columns are written t."name": (t)."name" would first read a column t.
-- A code has at most 512 bytes and is not blank, else it is NULL. A test that the types rule out is left out. A code
-- that sorts behind the white space does not start with it and need not be trimmed, which would cost more than all the
-- rest.
-- Generic plans: constants fold so well into the pieces of a strategy that the server would plan anew at each call.
-- Returns: the expression in the registry's collation; the identity columns; their types, with one name for types of
-- the same text (fn_birth_type_text); those of them that a code tells (fn_birth_code_tells); fault, the status
-- BLOCKED_... and its reason, or NULL.
-- Calls: fn_birth_template_parse, fn_birth_type_text, fn_birth_code_tells
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_code(
    p_collection birth.collection_registry, p_relation oid,
    OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text)
  RETURNS record
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_identity_code$
DECLARE
  v_may_be_blank boolean;
  v_may_be_long boolean;
  v_tests text;
BEGIN
  -- Every strategy is a template: a column alone, a prefix and a column, or the pieces as written.
  WITH piece AS (
    SELECT v.position, v.literal, v.name, NULL::integer AS width
    FROM (VALUES (1, p_collection.birth_code_prefix, NULL), (2, NULL, p_collection.birth_code_column))
      AS v(position, literal, name)
    WHERE p_collection.birth_code_strategy <> 'legacy' AND coalesce(v.literal, v.name) IS NOT NULL
    UNION ALL
    SELECT p.ordinal, p.literal, p.column_name, p.width
    FROM birth.fn_birth_template_parse(p_collection.birth_code_template) p
    WHERE p_collection.birth_code_strategy = 'legacy'
  ), typed AS (
    SELECT p.*, a.attname IS NOT NULL AS present, a.atttypid::regtype AS written, a.attgenerated = 'v' AS is_virtual,
           y.type, format(y.text_sql, 't.' || quote_ident(p.name)) AS text_sql, y.fault
    FROM piece p
    LEFT JOIN pg_attribute a
      ON a.attrelid = p_relation AND a.attname = p.name AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y ON a.attname IS NOT NULL
  )
  SELECT
    string_agg(CASE
      WHEN t.literal IS NOT NULL THEN format('%L', t.literal)
      WHEN t.width IS NULL THEN t.text_sql
      ELSE format(
        '(CASE WHEN t.%1$I < 0 THEN ''-'' ELSE '''' END || lpad(ltrim(t.%1$I::text, ''-''),'
        ' greatest(%2$s - (t.%1$I < 0)::integer, length(ltrim(t.%1$I::text, ''-''))), ''0''))', t.name, t.width)
    END, ' || ' ORDER BY t.position),
    array_agg(DISTINCT t.name) FILTER (WHERE t.name IS NOT NULL),
    (SELECT array_agg(d.type ORDER BY d.name)
     FROM (SELECT DISTINCT n.name, n.type FROM typed n WHERE n.name IS NOT NULL) d),
    birth.fn_birth_code_tells(array_agg(t.literal ORDER BY t.position), array_agg(t.name ORDER BY t.position),
      array_agg(t.type ORDER BY t.position)),
    bool_and(coalesce(btrim(t.literal, E' \t\n\r\f\x0b') = '',
                      t.type IN ('text'::regtype, 'bpchar'::regtype, 'anyenum'::regtype))),
    bool_or(coalesce(t.type IN ('text'::regtype, 'bpchar'::regtype, 'numeric'::regtype), false))
      -- A date or time has up to 29 characters, a label of an enum up to 63 bytes.
      OR sum(coalesce(octet_length(t.literal), CASE t.type WHEN 'int8'::regtype THEN greatest(t.width, 20)
                                                 WHEN 'uuid'::regtype THEN 36 ELSE 63 END)) > 512,
    min(CASE
      WHEN t.name IS NULL THEN NULL
      WHEN NOT t.present THEN format('BLOCKED_NO_COLUMN column %s does not exist', t.name)
      WHEN t.is_virtual
        THEN format('BLOCKED_TYPE column %s is a virtual generated column, which a trigger cannot read', t.name)
      WHEN t.type IS NULL THEN format('BLOCKED_TYPE column %s, of type %s, %s', t.name, t.written, t.fault)
      WHEN t.width IS NOT NULL AND t.type <> 'int8'::regtype
        THEN format('BLOCKED_TYPE only an integer is padded, column %s is %s', t.name, t.written)
    END)
  INTO code_sql, columns, types, told, v_may_be_blank, v_may_be_long, fault
  FROM typed t;
  v_tests := concat_ws(' AND ',
    CASE WHEN v_may_be_long THEN format('octet_length(%s) <= 512', code_sql) END,
    CASE WHEN v_may_be_blank THEN format(
      E'((%1$s) COLLATE "C" >= ''!'' OR btrim(%1$s, E'' \\t\\n\\r\\f\\x0b'') COLLATE "C" <> '''')', code_sql) END);
  code_sql := format(CASE v_tests WHEN '' THEN '(%1$s) COLLATE "C"'
    ELSE '(CASE WHEN %2$s THEN %1$s END) COLLATE "C"' END, code_sql, v_tests);
END;
$fn_birth_identity_code$;

COMMENT ON FUNCTION birth.fn_birth_identity_code(birth.collection_registry, oid) IS
  'The code of a collection as SQL over a row t, its columns, their types, those that a code tells; or the fault. '
  'Specification: 4, R3.';

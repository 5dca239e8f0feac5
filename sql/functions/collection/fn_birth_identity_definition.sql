-- The one definition of a collection's identity. Gateway, planner, writer and fn_birth_resolve_identity all derive from it:
-- the code as SQL over a table or subquery called t (columns are written t."name": (t)."name" would read a column called t first),
-- and the unique key to scan by. All columns of that key are identity columns, so a row with a NULL key has a NULL code.
-- Identifiers are quoted where they need it, whoever asks: what the gateway was given is held against this, text against text.
-- Generic plans: constants fold so well into the pieces of a strategy that the server would plan them anew at every call, which every batch makes.
-- Returns: one row; status ELIGIBLE_… or BLOCKED_… with the reason.
-- Calls: fn_birth_raise, fn_birth_template_parse, fn_birth_source_status, fn_birth_identity_key, fn_birth_code_tells, fn_birth_code_checked
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_definition(p_collection text)
  RETURNS TABLE (status text, reason text, relation oid, source_sql text, code_sql text, columns text[],
                 key_columns text[], key_types text[], codes_distinct boolean)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET quote_all_identifiers = off
AS $fn_birth_identity_definition$
DECLARE
  r_collection birth.collection_registry;
  v_may_be_blank boolean;
  v_may_be_long boolean;
  v_literals text[];
  v_names text[];
  v_types regtype[];
  v_fault text;
BEGIN
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  source_sql := format('%I.%I', r_collection.schema_name, r_collection.table_name);
  SELECT s.status, s.reason, s.relation INTO status, reason, relation
  FROM birth.fn_birth_source_status(p_collection, r_collection.schema_name, r_collection.table_name) s;
  -- The catalogue as the parser sees it, which an old snapshot does not show.
  IF status IS NULL AND (CASE WHEN has_schema_privilege(r_collection.schema_name::text, 'USAGE') THEN to_regclass(source_sql)::oid <> relation END) IS TRUE THEN
    status := 'BLOCKED_NO_TABLE';
    reason := format('table %s was replaced a moment ago', source_sql);
  END IF;
  IF status IS NULL AND r_collection.birth_code_strategy IS NULL THEN
    status := 'BLOCKED_UNCLASSIFIED';
    reason := 'no identity was decided';
  END IF;
  IF status IS NOT NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;

  -- Every strategy is a template: a column alone, a prefix and a column, or the pieces as written.
  WITH piece AS (
    SELECT 1 AS position, NULL::text AS literal, r_collection.birth_code_column AS name, NULL::integer AS width
    WHERE r_collection.birth_code_strategy = 'column'
    UNION ALL
    SELECT v.position, v.literal, v.name, NULL
    FROM (VALUES (1, r_collection.birth_code_prefix, NULL), (2, NULL, r_collection.birth_code_column)) AS v(position, literal, name)
    WHERE r_collection.birth_code_strategy = 'synthetic_id'
    UNION ALL
    SELECT p.ordinal, p.literal, p.column_name, p.width
    FROM birth.fn_birth_template_parse(r_collection.birth_code_template) p
    WHERE r_collection.birth_code_strategy = 'legacy'
  ), typed AS (
    SELECT p.*, a.attname IS NOT NULL AS present, a.atttypid::regtype AS type, a.attgenerated = 'v' AS is_virtual,
           a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) AS whole_number
    FROM piece p LEFT JOIN pg_attribute a
      ON a.attrelid = fn_birth_identity_definition.relation AND a.attname = p.name AND a.attnum > 0 AND NOT a.attisdropped
  )
  SELECT
    string_agg(CASE
      WHEN t.literal IS NOT NULL THEN format('%L', t.literal)
      WHEN t.width IS NULL THEN format('t.%I::text', t.name)
      ELSE format(
        '(CASE WHEN t.%1$I < 0 THEN ''-'' ELSE '''' END || lpad(ltrim(t.%1$I::text, ''-''),'
        ' greatest(%2$s - (t.%1$I < 0)::integer, length(ltrim(t.%1$I::text, ''-''))), ''0''))', t.name, t.width)
    END, ' || ' ORDER BY t.position),
    array_agg(DISTINCT t.name) FILTER (WHERE t.name IS NOT NULL),
    array_agg(t.literal ORDER BY t.position), array_agg(t.name ORDER BY t.position), array_agg(t.type ORDER BY t.position),
    bool_and(coalesce(btrim(t.literal, E' \t\n\r\f\x0b') = '', t.type IN ('text'::regtype, 'varchar'::regtype))),
    bool_or(coalesce(t.type IN ('text'::regtype, 'varchar'::regtype, 'numeric'::regtype), false))
      OR sum(coalesce(octet_length(t.literal), CASE t.type WHEN 'uuid'::regtype THEN 36 ELSE greatest(t.width, 20) END)) > 512,
    min(CASE
      WHEN t.name IS NULL THEN NULL
      WHEN NOT t.present THEN format('BLOCKED_NO_COLUMN column %s does not exist', t.name)
      WHEN t.is_virtual THEN format('BLOCKED_TYPE column %s is generated when it is read, which a trigger cannot', t.name)
      WHEN t.type NOT IN ('text'::regtype, 'varchar'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype,
                          'numeric'::regtype)
        THEN format('BLOCKED_TYPE the text of column %s depends on settings or code (type %s)', t.name, t.type)
      WHEN t.width IS NOT NULL AND NOT t.whole_number
        THEN format('BLOCKED_TYPE only an integer is padded, column %s is %s', t.name, t.type)
    END)
  INTO code_sql, columns, v_literals, v_names, v_types, v_may_be_blank, v_may_be_long, v_fault
  FROM typed t;

  IF v_fault IS NULL THEN
    SELECT k.key_columns, k.key_types INTO key_columns, key_types FROM birth.fn_birth_identity_key(relation, columns) k;
    IF key_columns IS NULL THEN
      v_fault := format('BLOCKED_NO_UNIQUE_KEY no unique, immediate, complete index over %s', array_to_string(columns, ', '));
    END IF;
  END IF;
  IF v_fault IS NOT NULL THEN
    status := split_part(v_fault, ' ', 1);
    reason := substr(v_fault, strpos(v_fault, ' ') + 1);
    code_sql := NULL;
  ELSE
    code_sql := birth.fn_birth_code_checked(code_sql, v_may_be_blank, v_may_be_long);
    -- The key holds while the table is locked: fn_birth_source_lock before this is asked. One column is told however often it stands there.
    codes_distinct := cardinality(columns) = 1 OR key_columns <@ birth.fn_birth_code_tells(v_literals, v_names, v_types);
    -- A child that is attached in this moment is not of the table that was checked.
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind = 'r') THEN
      source_sql := 'ONLY ' || source_sql;
    END IF;
    status := 'ELIGIBLE_' || upper(r_collection.birth_code_strategy);
    reason := format('scanned by %s', array_to_string(key_columns, ', '));
  END IF;
  RETURN NEXT;
END;
$fn_birth_identity_definition$;

COMMENT ON FUNCTION birth.fn_birth_identity_definition(text) IS
  'The identity of a collection: ELIGIBLE_COLUMN, ELIGIBLE_SYNTHETIC_ID, ELIGIBLE_LEGACY or BLOCKED_…, its code as SQL over a row t, and its scan key. NB103 when unknown. Specification: 4, R2, R3.';

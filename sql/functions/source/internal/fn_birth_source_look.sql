-- Which codes have rows of the collection now: looked for by columns that have an index, and by code, because a
-- collation can call two keys equal. As birth_scanner, because the planner may run code of the table's owner.
-- p_keys: the text of p_columns for each code. p_condition: which rows t count. p_beyond: how many of them do not.
-- Returns: those codes; what fn_birth_scan raises.
-- Calls: fn_birth_type_text, fn_birth_scan
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_look(
    p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[],
    p_condition text, p_beyond integer)
  RETURNS text[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_look$
DECLARE
  v_root CONSTANT oid := coalesce(
    (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = p_collection.schema_name AND c.relname = p_collection.table_name),
    pg_partition_root(p_relation), p_relation);
  v_types CONSTANT text[] := ARRAY(
    SELECT (birth.fn_birth_type_text(a.atttypid)).base
    FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)
    JOIN pg_attribute a ON a.attrelid = v_root AND a.attname = k.name ORDER BY k.position);
  v_found text[];
BEGIN
  SELECT s.found INTO v_found
  FROM birth.fn_birth_scan(format(
    'SELECT array_agg(c.code) FROM (SELECT k.code, %s FROM ROWS FROM (unnest($8), %s) AS k(code, %s)) c'
    ' WHERE EXISTS (SELECT FROM %s%s t WHERE %s AND %s = c.code AND %s%s)',
    (SELECT string_agg(format('k.key_%s::%s AS key_%1$s', k.position, v_types[k.position]), ', ')
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    -- Slices: of each element by its number, PostgreSQL would look for it from the first one on.
    (SELECT string_agg(format('unnest(($4)[:][%1$s:%1$s])', k.position), ', ' ORDER BY k.position)
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    (SELECT string_agg(format('key_%s', k.position), ', ' ORDER BY k.position)
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    (SELECT CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END FROM pg_class r WHERE r.oid = v_root), v_root::regclass,
    (SELECT string_agg(format('t.%I = c.key_%s', k.name, k.position), ' AND ')
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    p_collection.birth_code_sql, p_condition, CASE WHEN p_beyond > 0 THEN format(' OFFSET %s', p_beyond) END),
    p_after := p_keys, p_codes := p_codes) AS s(found text[]);
  RETURN coalesce(v_found, '{}');
END;
$fn_birth_source_look$;

COMMENT ON FUNCTION birth.fn_birth_source_look(
  birth.collection_registry, oid, text[], text[], text[], text, integer) IS
  'Those of the codes that have more than so many rows now, looked up by columns. NB119. Specification: 5, 5.2.';

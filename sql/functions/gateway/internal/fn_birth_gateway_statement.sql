-- The statements over a trigger's new rows, which only the trigger function itself can read: written here once for the
-- two gateway functions, which send them.
-- typed, typed row: whether the rows have the identity columns with the types of the classification, true or false.
-- Under an old snapshot the catalogue shows the columns as they were; the rows have them as they are. It asks the
-- values and names no table and no type, so that no other table or type of that name can take their place.
-- apart: whether no birth lies between the least and the greatest code of the rows, by one look into the index.
-- insert: one birth for each row with a code. unborn: rows without a code, births written after all, codes of another
-- collection, and some of these; births of this transaction need no second look, the others go 10,000 at a time through
-- fn_birth_gateway_again.
-- shared, shared row: the refusal of rows whose code another row has (fn_birth_gateway_shared), 10,000 at a time; $2 is
-- the collection's row, $3 the table.
-- keys, keys row: how many of the rows without a code have one that is too long, and the primary keys of up to three.
-- As in an error of PostgreSQL's, a key is named only to a login that may read it, and not under row security. Only
-- columns of built-in types are read, and under an old snapshot, which may show another type, none.
-- Returns: SQL over birth_new_rows (typed: over p_rows; typed row, keys row: over one row $1); $1 of insert and
-- unborn is the collection.
-- Calls: fn_birth_type_text
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_statement(
    p_what text, p_collection birth.collection_registry, p_relation oid DEFAULT NULL,
    p_rows text DEFAULT 'birth_new_rows')
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_statement$
DECLARE
  v_column text;
  v_key text[];
BEGIN
  IF p_what = 'insert' THEN
    RETURN format(
      'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
      ' SELECT s.code, $1, ''QT-002'' FROM (SELECT %s AS code FROM birth_new_rows t) s'
      ' WHERE s.code IS NOT NULL ORDER BY s.code', p_collection.birth_code_sql);
  ELSIF p_what = 'apart' THEN
    RETURN format(
      'SELECT coalesce((SELECT b.entity_code FROM birth.birth_registry b WHERE b.entity_code >= c.first'
      ' ORDER BY b.entity_code LIMIT 1) > c.last, true)'
      ' FROM (SELECT min(s.code) AS first, max(s.code) AS last FROM (SELECT %s AS code FROM birth_new_rows t) s) c',
      p_collection.birth_code_sql);
  ELSIF p_what = 'unborn' THEN
    RETURN format(
      'SELECT coalesce(sum(k.unresolved), 0)::bigint AS unresolved, coalesce(sum(a.born), 0)::bigint AS born,'
      ' coalesce(sum(a.taken), 0)::bigint AS taken, min(a.examples) AS examples,'
      ' min(a.refusal::text)::jsonb AS refusal'
      ' FROM ('
      'SELECT array_agg(c.code) FILTER (WHERE c.code IS NOT NULL) AS codes,'
      ' count(*) FILTER (WHERE c.code IS NULL) AS unresolved FROM ('
      'SELECT s.code, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (SELECT %s AS code FROM birth_new_rows t) s'
      ' LEFT JOIN birth.birth_registry b ON b.entity_code = s.code AND b.xmin = pg_current_xact_id()::xid'
      ' AND b.collection_name = $1 WHERE b.entity_code IS NULL) c'
      ' GROUP BY c.chunk ORDER BY c.chunk) k CROSS JOIN LATERAL birth.fn_birth_gateway_again($1, k.codes) a',
      p_collection.birth_code_sql);
  ELSIF p_what IN ('shared', 'shared row') THEN
    RETURN format(
      'SELECT min(birth.fn_birth_gateway_shared($2, $3, k.codes, k.keys)::text)::jsonb'
      ' FROM (SELECT array_agg(c.code) AS codes, array_agg(c.keys) AS keys FROM ('
      'SELECT s.*, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (SELECT DISTINCT %s AS code, ARRAY[%s] AS keys FROM %s t) s WHERE s.code IS NOT NULL) c'
      ' GROUP BY c.chunk ORDER BY c.chunk) k',
      p_collection.birth_code_sql,
      (SELECT string_agg(format((birth.fn_birth_type_text(k.type)).text_sql, 't.' || quote_ident(k.name)), ', ')
       FROM unnest(p_collection.birth_code_columns, p_collection.birth_code_types) AS k(name, type)),
      CASE p_what WHEN 'shared' THEN 'birth_new_rows' ELSE (
        SELECT format('(SELECT %s)', string_agg(format('($1).%1$I AS %1$I', n.name), ', '))
        FROM unnest(p_collection.birth_code_columns) AS n(name)) END);
  ELSIF p_what IN ('keys', 'keys row') THEN
    IF p_collection.birth_code_sql = 'NULL::text' THEN
      RETURN 'SELECT 0, NULL::text[]';
    END IF;
    SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO v_key
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
      AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
    WHERE i.indrelid = p_relation AND i.indisprimary AND current_setting('transaction_isolation') = 'read committed'
      AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relrowsecurity AND (
        c.oid = p_relation OR c.oid IN (SELECT p.relid FROM pg_partition_ancestors(p_relation) p)))
    HAVING bool_and(a.atttypid < 16384 AND has_column_privilege(
      session_user, coalesce(pg_partition_root(p_relation), p_relation), a.attname::text, 'SELECT'));
    RETURN format(
      E'SELECT count(*) FILTER (WHERE r.long), (array_agg(r.key) FILTER (WHERE r.key IS NOT NULL))[1:3] FROM (SELECT'
      ' num_nulls(%1$s) = 0 AND btrim(concat(%1$s), E'' \\t\\n\\r\\f\\x0b'') COLLATE "C" <> '''' AS long, %2$s AS key'
      ' FROM %3$s t WHERE %4$s IS NULL) r',
      (SELECT string_agg(format('t.%I', n.name), ', ') FROM unnest(p_collection.birth_code_columns) AS n(name)),
      coalesce((SELECT format('format(''(%%s)=(%%s)'', %L, left(concat_ws('', '', %s), 60))',
                  string_agg(n.name, ', '), string_agg(format('t.%I', n.name), ', '))
                FROM unnest(v_key) AS n(name) HAVING count(*) > 0), 'NULL::text'),
      CASE p_what WHEN 'keys' THEN 'birth_new_rows' ELSE (
        SELECT format('(SELECT %s)', string_agg(format('($1).%1$I AS %1$I', n.name), ', '))
        FROM (SELECT unnest(p_collection.birth_code_columns) UNION SELECT unnest(v_key)) AS n(name)) END,
      p_collection.birth_code_sql);
  END IF;
  BEGIN
    FOREACH v_column IN ARRAY p_collection.birth_code_columns LOOP
      -- Raises if there is no such column, whatever the snapshot: (row).name would call a function of that name.
      PERFORM has_column_privilege(p_relation, v_column, 'SELECT');
    END LOOP;
  EXCEPTION WHEN undefined_column THEN
    RETURN 'SELECT false';
  END;
  RETURN format(CASE p_what WHEN 'typed row' THEN 'SELECT %s' ELSE 'SELECT %s FROM %I t LIMIT 1' END,
    (SELECT coalesce(string_agg(format(
              '%3$s IN (pg_typeof(%1$s.%2$I)::oid, coalesce((birth.fn_birth_type_text(pg_typeof(%1$s.%2$I))).type, 0))',
              CASE p_what WHEN 'typed row' THEN '($1)' ELSE 't' END, k.name, k.type), ' AND '),
            'false')
     FROM ROWS FROM (unnest(p_collection.birth_code_columns), unnest(p_collection.birth_code_types::oid[]))
       AS k(name, type)), p_rows);
END;
$fn_birth_gateway_statement$;

COMMENT ON FUNCTION birth.fn_birth_gateway_statement(text, birth.collection_registry, oid, text) IS
  'A statement of a gateway function over its new rows: typed, typed row, apart, insert, unborn, shared, shared row, '
  'keys or keys row. Specification: 5, 6.1 R2, 8.';

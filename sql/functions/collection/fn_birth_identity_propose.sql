-- The identities that the classifier suggests, best first, with reasons. It proposes and never applies. Where nothing
-- is eligible it says why, and the way out.
-- SECURITY DEFINER: readers may call it, but not its part. It reads catalogues and the registry, and no source.
-- Returns: rows: strategy, column, template (for synthetic_id: prefix and column), reason, next_step; one without a
-- strategy where nothing is eligible.
-- Calls: fn_birth_source_status, fn_birth_source_keys, fn_birth_type_text, fn_birth_type_way_out
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_propose(p_schema text, p_table text)
  RETURNS TABLE (strategy text, "column" text, template text, reason text, next_step text)
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_propose$
  WITH named AS (
    SELECT n.collection, s.*
    FROM (SELECT coalesce((SELECT r.collection_name FROM birth.collection_registry r
                           WHERE r.schema_name = p_schema AND r.table_name = p_table), p_table) AS collection) n
    CROSS JOIN LATERAL birth.fn_birth_source_status(n.collection, coalesce(p_schema, '')::name,
      coalesce(p_table, '')::name) s
  ), source AS (
    -- Tables of one name in two schemas get two prefixes.
    SELECT c.oid, r.collection,
           CASE WHEN EXISTS (SELECT FROM pg_class o JOIN pg_namespace m ON m.oid = o.relnamespace
                             WHERE o.relname = c.relname AND o.oid <> c.oid AND o.relkind IN ('r', 'p')
                               AND o.relpersistence <> 't'
                               AND m.nspname NOT IN ('birth', 'pg_catalog', 'information_schema'))
             THEN p_schema || '-' ELSE '' END || c.relname AS prefix
    FROM named r JOIN pg_class c ON c.oid = r.relation
    WHERE r.status IS NULL
  ), key AS (
    SELECT k.is_primary, k.columns AS names, t.complete, t.textual, t.eligible
    FROM source s
    CROSS JOIN LATERAL birth.fn_birth_source_keys(s.oid) k
    CROSS JOIN LATERAL (
      SELECT bool_and(a.attnotnull) AS complete,
             bool_and(y.type IN ('text'::regtype, 'bpchar'::regtype)) AS textual,
             bool_and(a.attgenerated <> 'v' AND y.type IS NOT NULL) AS eligible
      FROM unnest(k.columns) AS n(name) JOIN pg_attribute a ON a.attrelid = s.oid AND a.attname = n.name
      CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
    ) t
  ), gateway AS (
    -- The arguments of a birth trigger; the catalogue keeps them as bytes, each ended by zero. After the collection
    -- come a column, a template, or a prefix and a column.
    SELECT t.tgname, a.arguments, p.proname = 'fn_birth_registry_auto_id' OR cardinality(a.arguments) > 2 AS by_id
    FROM source s
    JOIN pg_trigger t ON t.tgrelid = s.oid
    JOIN pg_proc p ON p.oid = t.tgfoid AND p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
    CROSS JOIN LATERAL (SELECT ARRAY(
      SELECT convert_from(decode(replace(b.hex, ' ', ''), 'hex'), getdatabaseencoding())
      FROM string_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', E'\\1 ', 'g'), '00 ')
        WITH ORDINALITY AS b(hex, position)
      WHERE b.position <= t.tgnargs
      ORDER BY b.position)) AS a(arguments)
    WHERE t.tgnargs > 1
  ), proposal AS (
    SELECT 1 AS rank, false AS is_primary,
           CASE WHEN g.by_id THEN 'synthetic_id' WHEN g.arguments[2] ~ '[{}]' THEN 'legacy'
                ELSE 'column' END AS strategy,
           CASE WHEN g.by_id THEN coalesce(g.arguments[3], 'id')
                WHEN g.arguments[2] !~ '[{}]' THEN g.arguments[2] END AS name,
           g.arguments[2] AS extra,
           format('from the arguments of trigger %s', g.tgname) AS reason
    FROM gateway g
    UNION ALL
    SELECT 2, k.is_primary, 'column', k.names[1], NULL, format('%s is unique, not null and text', k.names[1])
    FROM key k WHERE cardinality(k.names) = 1 AND k.complete AND k.textual AND k.eligible
    UNION ALL
    SELECT 3, k.is_primary, 'synthetic_id', k.names[1], s.prefix || '-',
           format('%s is a key of one column', k.names[1])
    FROM key k, source s WHERE cardinality(k.names) = 1 AND k.eligible AND NOT k.textual
    UNION ALL
    SELECT 4, k.is_primary, 'legacy', NULL,
           replace(replace(s.prefix, '{', '{{'), '}', '}}') || '-{' || array_to_string(k.names, '}/{') || '}',
           format('%s are a key', array_to_string(k.names, ', '))
    FROM key k, source s WHERE cardinality(k.names) > 1 AND k.eligible AND array_to_string(k.names, '') !~ '[{}:]'
    UNION ALL
    -- A key of a partitioned table has the columns that it is partitioned by. What is left of it may be unique too.
    SELECT 5, k.is_primary, CASE WHEN cardinality(r.names) = 1 THEN 'synthetic_id' ELSE 'legacy' END,
           CASE WHEN cardinality(r.names) = 1 THEN r.names[1] END,
           CASE WHEN cardinality(r.names) = 1 THEN s.prefix || '-'
                ELSE replace(replace(s.prefix, '{', '{{'), '}', '}}') || '-{' || array_to_string(r.names, '}/{') || '}'
           END,
           format('%s are a part of the key (%s): only where no two rows share them', array_to_string(r.names, ', '),
             array_to_string(k.names, ', '))
    FROM key k CROSS JOIN source s
    CROSS JOIN LATERAL (
      SELECT array_agg(n.name ORDER BY n.position) AS names
      FROM unnest(k.names) WITH ORDINALITY AS n(name, position)
      WHERE NOT EXISTS (
        SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid
          AND a.attnum = ANY (p.partattrs::smallint[])
        WHERE p.partrelid = s.oid AND a.attname = n.name)
    ) r
    WHERE r.names <> k.names AND k.eligible AND k.complete AND array_to_string(k.names, '') !~ '[{}:]'
  )
  (SELECT p.strategy, p.name,
         CASE p.strategy WHEN 'legacy' THEN p.extra WHEN 'synthetic_id' THEN format('%s{%s}', p.extra, p.name) END,
         p.reason,
         format('SELECT birth.fn_birth_identity_classify(p_collection := %L, p_strategy := %L%s);',
           s.collection, p.strategy,
           CASE p.strategy
             WHEN 'column' THEN format(', p_column := %L', p.name)
             WHEN 'synthetic_id' THEN format(', p_column := %L, p_prefix := %L', p.name, p.extra)
             ELSE format(', p_template := %L', p.extra)
           END || CASE p.rank WHEN 5 THEN ', p_part_of_key := true' ELSE '' END)
  FROM proposal p CROSS JOIN source s
  -- A name may change, the key of the table seldom does.
  ORDER BY p.rank > 1, p.is_primary DESC, p.rank, p.name, p.extra)
  UNION ALL
  SELECT NULL, NULL, NULL, f.reason, f.step
  FROM (
    SELECT CASE WHEN r.status IS NOT NULL THEN r.reason
                WHEN k.named IS NULL THEN 'no unique, immediate, complete index over columns'
                ELSE format('the keys (%s) have columns that may be NULL, whose type is refused, or that a template '
                            'cannot name', k.named) END AS reason,
           CASE WHEN r.relation IS NULL THEN 'create the table, or correct schema and table'
                WHEN r.status IS NOT NULL THEN coalesce(r.next_step, 'choose another table')
                ELSE coalesce(k.way_out, 'let the owner add a unique constraint over columns NOT NULL of an eligible '
                              'type; a stored generated column can be one') END AS step
    FROM named r
    CROSS JOIN (SELECT string_agg(array_to_string(k.names, ', '), '; ') AS named,
                       min(birth.fn_birth_type_way_out(s.oid, k.names)) AS way_out
                FROM key k CROSS JOIN source s) k
  ) f
  WHERE NOT EXISTS (SELECT FROM proposal p CROSS JOIN source s);
$fn_birth_identity_propose$;

COMMENT ON FUNCTION birth.fn_birth_identity_propose(text, text) IS
  'Proposed identities of a table, best first: strategy, column, template, reason, ready statement. From trigger '
  'arguments, unique text columns, keys. Specification: 4.';

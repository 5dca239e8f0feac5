-- The side doors of a collection that the catalogue shows: ways by which rows may have bypassed the gateway.
-- Returns: one row per side door, also if it is closed (rows 0).
-- Calls: fn_birth_replicated_tables
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_side_doors(p_collection text, p_relation oid)
  RETURNS TABLE (side_door text, rows bigint, examples text[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_side_doors$
  WITH gateway AS (SELECT * FROM birth.v_birth_gateway_trigger t WHERE t.collection_name = p_collection),
  tree AS (SELECT t.relid, t.isleaf FROM pg_partition_tree(p_relation) t WHERE t.relid <> p_relation),
  door AS (
    SELECT 1 AS position, 'no gateway on the table' AS side_door, p_relation::regclass::text AS example
    WHERE p_relation IS NOT NULL AND NOT EXISTS (SELECT FROM gateway g WHERE g.relation = p_relation)
    UNION ALL
    SELECT 2, 'gateway trigger disabled or not firing in every role',
           format('%s on %s', g.trigger_name, g.relation::regclass)
    FROM gateway g WHERE g.state NOT IN ('O', 'A')
    UNION ALL
    SELECT 3, 'gateway trigger that does not fire for every row',
           format('%s on %s', g.trigger_name, g.relation::regclass)
    FROM gateway g WHERE NOT g.every_row
    UNION ALL
    SELECT 4, 'gateway on another table than registered (renamed or moved)',
           format('%s on %s', g.trigger_name, g.relation::regclass)
    FROM gateway g WHERE g.relation IS DISTINCT FROM p_relation
    UNION ALL
    SELECT 5, 'partition past the gateway', t.relid::text
    FROM tree t
    WHERE EXISTS (SELECT FROM gateway g WHERE g.relation = p_relation)
      AND NOT EXISTS (SELECT FROM pg_trigger c
                      WHERE c.tgrelid = t.relid AND c.tgenabled IN ('O', 'A') AND c.tgtype = 5 AND c.tgqual IS NULL
                        AND c.tgfoid IN (to_regprocedure('birth.fn_birth_registry_auto()'),
                                         to_regprocedure('birth.fn_birth_registry_auto_id()')))
    UNION ALL
    SELECT 6, 'replicated table without an ALWAYS gateway', r.relation::regclass::text
    FROM birth.fn_birth_replicated_tables(p_relation) r WHERE NOT r.born
    UNION ALL
    SELECT 7, 'births written by replication', s.srrelid::regclass::text
    FROM pg_subscription_rel s WHERE s.srrelid = 'birth.birth_registry'::regclass
  )
  SELECT v.side_door, count(d.example),
         coalesce((array_agg(d.example ORDER BY d.example) FILTER (WHERE d.example IS NOT NULL))[1:10], '{}')
  FROM (VALUES (1, 'no gateway on the table'), (2, 'gateway trigger disabled or not firing in every role'),
               (3, 'gateway trigger that does not fire for every row'),
               (4, 'gateway on another table than registered (renamed or moved)'),
               (5, 'partition past the gateway'), (6, 'replicated table without an ALWAYS gateway'),
               (7, 'births written by replication')) AS v(position, side_door)
  LEFT JOIN door d ON d.position = v.position
  GROUP BY v.position, v.side_door
  ORDER BY v.position;
$fn_birth_side_doors$;

COMMENT ON FUNCTION birth.fn_birth_side_doors(text, oid) IS
  'Ways past the gateway that the catalogue shows for a collection: side door, rows, examples. Specification: 5, 7.';

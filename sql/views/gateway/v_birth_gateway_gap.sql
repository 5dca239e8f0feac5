-- The partitions whose rows get no birth although the root of their tree has a gateway: the clone of its trigger is
-- missing, disabled, or does not fire for each row.
CREATE OR REPLACE VIEW birth.v_birth_gateway_gap AS
SELECT r.collection_name, t.relid AS partition
FROM birth.collection_registry r
JOIN pg_catalog.pg_namespace n ON n.nspname = r.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = r.table_name AND c.relkind = 'p'
CROSS JOIN LATERAL pg_partition_tree(c.oid) t
WHERE t.isleaf AND t.relid <> c.oid
  AND EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
              WHERE g.relation = c.oid AND g.collection_name = r.collection_name AND g.enabled)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_trigger g
    WHERE g.tgrelid = t.relid AND g.tgenabled IN ('O', 'A') AND g.tgtype = 5 AND g.tgqual IS NULL
      AND g.tgfoid = ANY (ARRAY[to_regprocedure('birth.fn_birth_registry_auto()')::oid,
                                to_regprocedure('birth.fn_birth_registry_auto_id()')::oid]));

COMMENT ON VIEW birth.v_birth_gateway_gap IS
  'Partitions of a collection with a gateway whose rows get no birth. Specification: 5.';

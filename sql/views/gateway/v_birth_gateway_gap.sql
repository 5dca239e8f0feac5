-- The partitions whose rows get no birth although the root of their tree has a gateway: the clone of its trigger is
-- missing, disabled, or does not fire for each row.
-- repair: the statement that makes it fire, or makes room for one that does.
CREATE OR REPLACE VIEW birth.v_birth_gateway_gap AS
SELECT r.collection_name, t.relid AS partition,
       coalesce(
         (SELECT format('ALTER TABLE %I.%I ENABLE TRIGGER %I;  -- its owner', s.nspname, p.relname, g.tgname)
          FROM pg_catalog.pg_trigger g
          JOIN pg_catalog.pg_class p ON p.oid = g.tgrelid
          JOIN pg_catalog.pg_namespace s ON s.oid = p.relnamespace
          WHERE g.tgrelid = t.relid AND g.tgenabled NOT IN ('O', 'A') AND g.tgtype = 5 AND g.tgqual IS NULL
            AND g.tgfoid = ANY (f.routines)
          ORDER BY g.tgname LIMIT 1),
         (SELECT format('DROP TRIGGER %I ON %I.%I;  -- its owner', g.trigger_name, g.schema_name, g.table_name)
          FROM birth.v_birth_gateway_trigger g
          WHERE g.relation = c.oid AND g.collection_name = r.collection_name
          ORDER BY g.trigger_name LIMIT 1)) AS repair
FROM birth.collection_registry r
JOIN pg_catalog.pg_namespace n ON n.nspname = r.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = r.table_name AND c.relkind = 'p'
CROSS JOIN LATERAL pg_partition_tree(c.oid) t
CROSS JOIN (SELECT ARRAY[to_regprocedure('birth.fn_birth_registry_auto()')::oid,
                         to_regprocedure('birth.fn_birth_registry_auto_id()')::oid] AS routines) f
WHERE t.isleaf AND t.relid <> c.oid
  AND EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
              WHERE g.relation = c.oid AND g.collection_name = r.collection_name AND g.enabled)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_trigger g
    WHERE g.tgrelid = t.relid AND g.tgenabled IN ('O', 'A') AND g.tgtype = 5 AND g.tgqual IS NULL
      AND g.tgfoid = ANY (f.routines));

COMMENT ON VIEW birth.v_birth_gateway_gap IS
  'Partitions of a collection with a gateway whose rows get no birth, and what mends it. Specification: 5.';

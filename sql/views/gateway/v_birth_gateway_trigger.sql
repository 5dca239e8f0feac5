-- Every gateway trigger, on whatever table it is and whatever its name. The collection is the first argument of the
-- trigger: it does not change when the table is renamed. Clones of a trigger on partitions are not listed.
--
-- enabled: the trigger fires for every inserted row. It is not disabled, the table's relhastriggers is true, and it is
-- an AFTER INSERT trigger without WHEN. A statement trigger counts only outside a partition tree: in a tree the
-- statement may name the root or another partition, and then the trigger of this table does not fire.
-- repair: the statement that makes it fire, or makes room for one that does; NULL where it fires.
CREATE OR REPLACE VIEW birth.v_birth_gateway_trigger AS
SELECT t.tgrelid AS relation, n.nspname AS schema_name, c.relname AS table_name, t.tgname AS trigger_name,
       p.proname AS routine,
       CASE WHEN t.tgnargs > 0
            THEN convert_from(substring(t.tgargs FOR position('\x00'::bytea IN t.tgargs) - 1), getdatabaseencoding())
                 COLLATE "C"
       END AS collection_name,
       t.tgenabled IN ('O', 'A') AND c.relhastriggers AND s.every_row AS enabled,
       t.tgenabled AS state, c.relowner AS owner, s.every_row,
       CASE WHEN NOT s.every_row
              THEN format('DROP TRIGGER %I ON %I.%I;  -- its owner', t.tgname, n.nspname, c.relname)
            WHEN t.tgenabled NOT IN ('O', 'A')
              THEN format('ALTER TABLE %I.%I ENABLE TRIGGER %I;  -- its owner', n.nspname, c.relname, t.tgname)
       END AS repair
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'birth'
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  -- tgtype 5 is AFTER INSERT FOR EACH ROW, 4 is AFTER INSERT FOR EACH STATEMENT.
  SELECT t.tgqual IS NULL AND (t.tgtype = 5 OR t.tgtype = 4 AND c.relkind = 'r' AND NOT c.relispartition) AS every_row
) s
WHERE p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
  AND t.tgparentid = 0::oid;

COMMENT ON VIEW birth.v_birth_gateway_trigger IS
  'Every gateway trigger: its table under its current name, the collection it names, and whether it fires for every '
  'inserted row (enabled). Specification: 5.';

-- Every gateway trigger, wherever its table is and whatever it is called now. The collection is the trigger's first argument, which a
-- renamed table keeps. What PostgreSQL cloned onto a partition has a parent and is not listed.
-- Enabled is one that fires for every inserted row: not switched off, neither itself nor by the table's relhastriggers, after INSERT, without WHEN; by
-- statement only outside a partition tree, where the statement names the root or another table.
CREATE OR REPLACE VIEW birth.v_birth_gateway_trigger AS
SELECT t.tgrelid AS relation, n.nspname AS schema_name, c.relname AS table_name, t.tgname AS trigger_name, p.proname AS routine,
       CASE WHEN t.tgnargs > 0
            THEN convert_from(substring(t.tgargs FOR position('\x00'::bytea IN t.tgargs) - 1), getdatabaseencoding()) COLLATE "C" END
         AS collection_name,
       t.tgenabled IN ('O', 'A') AND c.relhastriggers AND s.every_row AS enabled,
       t.tgenabled AS state, c.relowner AS owner, s.every_row
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'birth'
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT t.tgqual IS NULL AND (t.tgtype = 5 OR t.tgtype = 4 AND c.relkind = 'r' AND NOT c.relispartition) AS every_row
) s
WHERE p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
  AND t.tgparentid = 0::oid;

COMMENT ON VIEW birth.v_birth_gateway_trigger IS
  'Every gateway trigger: its table as it is called now, the collection it names, whether it is enabled and fires for every inserted row. Specification: 5.';

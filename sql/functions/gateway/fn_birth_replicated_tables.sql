-- The tables of a source into which logical replication writes rows: the table itself, or the leaves of its partition
-- tree, whichever member of the tree a subscription names. The apply worker fires no statement trigger, and a row
-- trigger only if it is ENABLE ALWAYS. If the births are replicated too, they arrive with the rows and a gateway would
-- conflict.
-- Returns: one row per table: whether replicated rows get a birth there.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_replicated_tables(p_relation oid)
  RETURNS TABLE (relation oid, born boolean)
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_replicated_tables$
  SELECT t.relation,
         EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = 'birth.birth_registry'::regclass)
         OR EXISTS (SELECT FROM pg_trigger g
                    WHERE g.tgrelid = t.relation AND g.tgenabled = 'A' AND g.tgtype = 5 AND g.tgqual IS NULL
                      AND g.tgfoid = to_regprocedure('birth.fn_birth_registry_auto()'))
  FROM (
    SELECT p.relid::oid AS relation FROM pg_partition_tree(p_relation) p WHERE p.isleaf
    UNION
    SELECT c.oid FROM pg_class c WHERE c.oid = p_relation AND c.relkind = 'r'
  ) t
  WHERE EXISTS (SELECT FROM pg_subscription_rel s
                WHERE s.srrelid = t.relation
                   OR s.srrelid IN (SELECT a.relid FROM pg_partition_ancestors(t.relation) a));
$fn_birth_replicated_tables$;

COMMENT ON FUNCTION birth.fn_birth_replicated_tables(oid) IS
  'The tables of a source into which a subscription writes, and whether their rows get births: by a row trigger that '
  'is ENABLE ALWAYS, or because the births are replicated too. Specification: 5, 7.';

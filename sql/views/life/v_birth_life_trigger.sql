-- The life triggers, on whatever table they are and whatever their name. The first argument is the collection, the
-- second what they were made for: identity columns, life column and dead values. Clones on partitions are not listed.
--
-- current: the collection still has these columns and values.
CREATE OR REPLACE VIEW birth.v_birth_life_trigger AS
SELECT t.tgrelid AS relation, n.nspname AS schema_name, c.relname AS table_name, t.tgname AS trigger_name,
       r.collection_name, t.tgenabled IN ('O', 'A') AND c.relhastriggers AS enabled, t.tgenabled AS state,
       c.relowner AS owner, a.made_for = birth.fn_birth_life_shape(r) AS current,
       CASE t.tgtype & 60 WHEN 4 THEN 'INSERT' WHEN 8 THEN 'DELETE' WHEN 16 THEN 'UPDATE' WHEN 32 THEN 'TRUNCATE' END
         AS event
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
  SELECT convert_from(substring(t.tgargs FOR p.first - 1), getdatabaseencoding()) COLLATE "C" AS collection_name,
         encode(substring(t.tgargs FROM p.first + 1 FOR 32), 'escape') AS made_for
  FROM (SELECT position('\x00'::bytea IN t.tgargs) AS first WHERE t.tgnargs > 0) p
) a ON true
LEFT JOIN birth.collection_registry r ON r.collection_name = a.collection_name
WHERE t.tgfoid = to_regprocedure('birth.fn_birth_life_auto()') AND t.tgparentid = 0::oid;

COMMENT ON VIEW birth.v_birth_life_trigger IS
  'Every life trigger: its table, its collection, whether it fires (enabled), and whether it was made for the columns '
  'that the collection has now (current). Specification: 5.2.';

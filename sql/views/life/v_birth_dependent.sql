-- The declared dependents of births: every foreign key to birth_registry. A death takes nothing from them, as the birth
-- stays; they are where to look for what still names a dead code.
CREATE OR REPLACE VIEW birth.v_birth_dependent AS
SELECT n.nspname AS schema_name, c.relname AS table_name, a.attname AS column_name, k.conname AS constraint_name,
       k.convalidated AS validated
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.confrelid = to_regclass('birth.birth_registry') AND k.conparentid = 0;

COMMENT ON VIEW birth.v_birth_dependent IS
  'Every foreign key to birth_registry: its table and column, and whether it is validated. Specification: 5.2.';

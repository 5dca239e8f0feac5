-- The gate's columns; gate_closed, which the gateway reads, is there. A collection that is registered already is
-- GRANDFATHERED: it goes on as it is.
ALTER TABLE birth.collection_registry
  ADD COLUMN gate_relation oid,
  ADD COLUMN admitted_at timestamptz,
  ADD COLUMN admitted_by text,
  ADD COLUMN admitted_how text CONSTRAINT collection_registry_admission CHECK (
    CASE WHEN admitted_how IS NULL THEN admitted_at IS NULL AND admitted_by IS NULL
         ELSE admitted_how IN ('EMPTY', 'PROVEN', 'EXEMPT', 'DEFERRED', 'GRANDFATHERED')
           AND admitted_at IS NOT NULL AND admitted_by IS NOT NULL AND NOT gate_closed END);
UPDATE birth.collection_registry c
SET gate_relation = (SELECT t.oid FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                     WHERE n.nspname = c.schema_name AND t.relname = c.table_name),
    admitted_at = clock_timestamp(), admitted_by = session_user, admitted_how = 'GRANDFATHERED';
COMMENT ON COLUMN birth.collection_registry.gate_relation IS
  'OID of the table that was admitted, or got the gateway, last. On another table an admission does not count.';
COMMENT ON COLUMN birth.collection_registry.admitted_at IS 'When the collection was admitted; NULL: it is not.';
COMMENT ON COLUMN birth.collection_registry.admitted_by IS 'Login that admitted it.';
COMMENT ON COLUMN birth.collection_registry.admitted_how IS
  'EMPTY: its table had no row (QT-003); PROVEN: every row had its birth (QT-003R); EXEMPT, DEFERRED: by its policy; '
  'GRANDFATHERED: registered before the gate existed.';

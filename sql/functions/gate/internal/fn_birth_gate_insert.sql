-- Trigger function of birth_gate, the BEFORE INSERT trigger that the optional event trigger puts on each table made in
-- a gated schema. Refuses every insert until the table's collection is admitted; a partition's is that of its root.
-- SECURITY DEFINER: the login that inserts may not read birthdb.
-- Returns: NULL (statement trigger); NB508.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gate_insert()
  RETURNS trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gate_insert$
BEGIN
  IF EXISTS (SELECT FROM birth.birth_gate_scope s WHERE s.schema_name = TG_TABLE_SCHEMA AND s.mode = 'enforce')
    AND NOT EXISTS (
      SELECT FROM birth.collection_registry c
      WHERE c.admitted_at IS NOT NULL AND c.schema_name = TG_TABLE_SCHEMA AND c.table_name = TG_TABLE_NAME)
    AND NOT EXISTS (
      SELECT FROM pg_partition_ancestors(TG_RELID) a
      JOIN pg_class t ON t.oid = a.relid
      JOIN pg_namespace n ON n.oid = t.relnamespace
      JOIN birth.collection_registry c ON c.schema_name = n.nspname AND c.table_name = t.relname
      WHERE c.admitted_at IS NOT NULL) THEN
    PERFORM birth.fn_birth_raise('not_admitted', format('table %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME));
  END IF;
  RETURN NULL;
END;
$fn_birth_gate_insert$;

COMMENT ON FUNCTION birth.fn_birth_gate_insert() IS
  'Trigger birth_gate of a table that the optional event trigger saw created: NB508 until its collection is admitted. '
  'Specification: 5.1.';

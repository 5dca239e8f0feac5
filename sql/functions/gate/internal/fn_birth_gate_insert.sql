-- Trigger function of birth_gate, the BEFORE INSERT trigger that the optional event trigger puts on each table made in
-- a gated schema. Refuses every insert until the table's collection is admitted; a partition is under the gate, and
-- admitted, with any table above it.
-- SECURITY DEFINER: the login that inserts may not read birthdb.
-- Returns: the row (a row trigger that returned NULL would leave it out); NB508.
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
  IF (SELECT bool_or(s.mode = 'enforce') AND bool_and(c.admitted_at IS NULL)
      FROM (SELECT TG_RELID AS relid UNION SELECT a.relid FROM pg_partition_ancestors(TG_RELID) a) f
      JOIN pg_class t ON t.oid = f.relid
      JOIN pg_namespace n ON n.oid = t.relnamespace
      LEFT JOIN birth.birth_gate_scope s ON s.schema_name = n.nspname
      LEFT JOIN birth.collection_registry c ON c.schema_name = n.nspname AND c.table_name = t.relname) THEN
    PERFORM birth.fn_birth_raise('not_admitted', format('table %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME));
  END IF;
  RETURN NEW;
END;
$fn_birth_gate_insert$;

COMMENT ON FUNCTION birth.fn_birth_gate_insert() IS
  'Trigger birth_gate of a table that the optional event trigger saw created: NB508 until its collection is admitted. '
  'Specification: 5.1.';

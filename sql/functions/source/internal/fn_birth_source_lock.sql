-- Takes ACCESS SHARE on a source table. The caller checks and reads the table in a later statement, so that what it
-- checks stays as it is. A snapshot older than the lock would show an earlier state.
-- Returns: nothing; NB112.
-- Calls: fn_birth_raise, fn_birth_scan_lock
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_lock(p_collection text)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_lock$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM birth.fn_birth_raise('isolation_level',
      format('this transaction is %s', current_setting('transaction_isolation')));
  END IF;
  -- A table that birth_scanner may not read is refused by name later.
  PERFORM birth.fn_birth_scan_lock(c.schema_name, c.table_name)
  FROM birth.collection_registry c
  JOIN pg_namespace n ON n.nspname = c.schema_name
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
  WHERE c.collection_name = p_collection AND has_schema_privilege('birth_scanner', n.oid, 'USAGE')
    AND has_table_privilege('birth_scanner', t.oid, 'SELECT');
END;
$fn_birth_source_lock$;

COMMENT ON FUNCTION birth.fn_birth_source_lock(text) IS
  'Takes ACCESS SHARE on the source table of a collection, before it is checked and read. NB112 unless READ COMMITTED. '
  'Specification: 6.1 R2, R9.';

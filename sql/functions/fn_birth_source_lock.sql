-- Holds a source table as it is until the transaction ends. Locked first and checked after, in a later statement: whoever swaps the table for a view of the same
-- name in between would have the view's functions run with birth_definer's rights. A snapshot older than the lock would check what is no more.
-- Returns: nothing; NB112.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_lock(p_collection text)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_lock$
DECLARE
  v_source text;
  v_relation oid;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM birth.fn_birth_raise('isolation_level', format('this transaction is %s', current_setting('transaction_isolation')));
  END IF;
  SELECT format('%I.%I', c.schema_name, c.table_name), t.oid INTO v_source, v_relation
  FROM birth.collection_registry c
  JOIN pg_namespace n ON n.nspname = c.schema_name
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
  WHERE c.collection_name = p_collection AND has_schema_privilege(n.oid, 'USAGE');
  -- What birth_definer may not read is refused by name later.
  IF has_table_privilege(v_relation, 'SELECT') THEN
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE', v_source);
  END IF;
END;
$fn_birth_source_lock$;

COMMENT ON FUNCTION birth.fn_birth_source_lock(text) IS
  'Locks the source table of a collection (ACCESS SHARE) before it is checked and read; NB112 unless READ COMMITTED. Specification: 6.1 R2, R9.';

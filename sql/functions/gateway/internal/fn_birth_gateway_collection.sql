-- What a gateway trigger has to know, once for a statement: its collection, with a code where the table can give one. The
-- trigger has to stand where the collection is, and the identity columns have to be there with the types they were
-- classified with, or with ones of the same text: so a renamed or retyped column is a refusal of ours (or a finding), and
-- neither foreign code run with birth_definer's rights nor a wrong code.
-- Returns: the collection; birth_code_sql and birth_code_row_sql yield NULL where the table can give no code. NB503, NB507;
-- 40001 where a transaction's snapshot shows the collection as it no longer is.
-- Calls: fn_birth_raise, fn_birth_gateway_covers
-- Writes: collection_registry (tried, never done)
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text)
  RETURNS birth.collection_registry
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_collection$
DECLARE
  r_collection birth.collection_registry;
  v_usable boolean;
BEGIN
  -- A trigger that names no transition table would read the session's own relation of that name, and run what hangs on it
  -- with birth_definer's rights.
  IF to_regclass('pg_temp.birth_new_rows') IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('gateway_shadowed', format('pg_temp.birth_new_rows, of backend %s', pg_backend_pid()));
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('gateway_unregistered', format('the trigger on %I.%I names %L', p_schema, p_table, p_collection));
  END IF;
  -- An old snapshot may show a mode, policy or identity of before. To insert the row again does nothing, but where the row
  -- was changed since the snapshot it raises 40001. Unlike a row lock it writes nothing and holds up no steward.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    INSERT INTO birth.collection_registry SELECT r_collection.* ON CONFLICT DO NOTHING;
    IF FOUND THEN
      RAISE serialization_failure USING MESSAGE = 'could not serialize access due to concurrent delete';
    END IF;
  END IF;
  SELECT count(*) > 0 AND count(*) = cardinality(r_collection.birth_code_columns) INTO v_usable
  FROM pg_attribute a
  WHERE a.attrelid = p_relation AND a.attname = ANY (r_collection.birth_code_columns::name[]) AND a.attnum > 0 AND NOT a.attisdropped
    AND CASE WHEN a.atttypid IN (20, 21, 23) THEN 20 WHEN a.atttypid = 1043 THEN 25 ELSE a.atttypid END
        = r_collection.birth_code_types[array_position(r_collection.birth_code_columns, a.attname::text)];
  -- The table that bears the registered name is the registered one; of any other the catalogue is asked.
  IF NOT v_usable OR NOT (p_table = r_collection.table_name AND p_schema = r_collection.schema_name
                          OR birth.fn_birth_gateway_covers(p_relation, r_collection)) THEN
    r_collection.birth_code_sql := 'NULL::text';
    r_collection.birth_code_row_sql := 'SELECT NULL::text';
  END IF;
  RETURN r_collection;
END;
$fn_birth_gateway_collection$;

COMMENT ON FUNCTION birth.fn_birth_gateway_collection(text, oid, text, text) IS
  'The collection of a gateway trigger; its code yields NULL where the trigger stands elsewhere or an identity column is missing or of another type (int8 stands for every integer, text for varchar). NB503, NB507; 40001 where the snapshot shows the collection as it no longer is. Specification: 5, 6.1 R2.';

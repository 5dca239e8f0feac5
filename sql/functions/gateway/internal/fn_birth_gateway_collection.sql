-- What a gateway trigger has to know, once per statement: its collection, and whether the table can give a code. The
-- identity columns must be there with the types of the classification, or with types of the same text: a renamed or
-- retyped column is refused (or a finding), and neither runs code of the owner nor gives a wrong code. And the trigger
-- must be where its collection is: on the registered table, on a partition of it, or on a renamed table that nothing
-- replaced. A renamed table is known by its owner, who could insert into the registered one too; a temporary table
-- never counts. Otherwise a trigger on a table of one's own would give births to another's collection.
-- A collection that the gate closed takes no row, a deferred one neither, on the table that was closed. A table that it
-- had before, and that is in use, keeps its trigger and is not closed by the next one, nor when it comes back. Where no
-- table of that OID has the gateway any more (it was dropped, or this is a restored copy), the table in its place is
-- closed, unless the collection has births.
-- Returns: the collection; birth_code_sql and birth_code_row_sql yield NULL if the table can give no code. NB503,
-- NB507, NB508; 40001 if the transaction's snapshot shows an earlier state of the collection.
-- Calls: fn_birth_type_text, fn_birth_error
-- Writes: collection_registry (tried, never done)
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_collection(
    p_collection text, p_relation oid, p_schema text, p_table text)
  RETURNS birth.collection_registry
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_collection$
DECLARE
  r_collection birth.collection_registry;
  v_usable boolean;
  v_covered boolean;
  v_registered oid;
  v_error jsonb;
BEGIN
  -- A trigger without a transition table would read the session's own relation of that name, and run its code with
  -- birth_definer's rights.
  IF to_regclass('pg_temp.birth_new_rows') IS NOT NULL THEN
    v_error := birth.fn_birth_error('gateway_shadowed', format('pg_temp.birth_new_rows, of backend %s',
      pg_backend_pid()));
  ELSE
    SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
    IF NOT FOUND THEN
      v_error := birth.fn_birth_error('gateway_unregistered',
        format('the trigger on %I.%I names %L', p_schema, p_table, p_collection));
    END IF;
  END IF;
  IF v_error IS NULL THEN
    -- An old snapshot may show an earlier mode, policy or identity. Inserting the row again does nothing, but if the
    -- row was changed since the snapshot it raises 40001. Unlike a row lock it writes nothing and blocks no steward.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      INSERT INTO birth.collection_registry SELECT r_collection.* ON CONFLICT DO NOTHING;
      IF FOUND THEN
        RAISE serialization_failure USING MESSAGE = 'could not serialize access due to concurrent delete';
      END IF;
    END IF;
    SELECT count(*) > 0 AND count(*) = cardinality(r_collection.birth_code_columns) INTO v_usable
    FROM pg_attribute a
    WHERE a.attrelid = p_relation AND a.attname = ANY (r_collection.birth_code_columns::name[])
      AND a.attnum > 0 AND NOT a.attisdropped
      -- The usual types first: each row of a partition comes here.
      AND CASE WHEN a.atttypid IN (20, 21, 23) THEN 20 WHEN a.atttypid = 1043 THEN 25 WHEN a.atttypid < 10000
          THEN a.atttypid ELSE (SELECT y.type FROM birth.fn_birth_type_text(a.atttypid) y) END
          = r_collection.birth_code_types[array_position(r_collection.birth_code_columns, a.attname::text)];
    v_covered := p_table = r_collection.table_name AND p_schema = r_collection.schema_name;
    IF NOT v_covered THEN
      SELECT c.oid INTO v_registered FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = r_collection.schema_name AND c.relname = r_collection.table_name;
      -- A partition, the usual case, is asked first: each of its rows comes here.
      v_covered := (p_relation = v_registered OR pg_partition_root(p_relation) = v_registered) IS TRUE;
      IF NOT v_covered THEN
        v_covered := EXISTS (
          SELECT FROM (SELECT p_relation AS relid UNION ALL SELECT p.relid FROM pg_partition_ancestors(p_relation) p) a
          JOIN pg_class c ON c.oid = a.relid
          WHERE CASE WHEN v_registered IS NULL
                     THEN c.relpersistence <> 't' AND pg_get_userbyid(c.relowner) = r_collection.gateway_owner
                     ELSE c.oid = v_registered END);
      END IF;
    END IF;
    IF r_collection.gate_closed
       AND (r_collection.gate_relation = p_relation
            OR r_collection.gate_relation IN (SELECT a.relid FROM pg_partition_ancestors(p_relation) a)
            OR v_covered
               AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                               WHERE g.relation = r_collection.gate_relation AND g.collection_name = p_collection)
               AND NOT EXISTS (SELECT FROM birth.birth_registry b WHERE b.collection_name = p_collection)) THEN
      v_error := birth.fn_birth_error('not_admitted', format('collection %s, table %I.%I', p_collection, p_schema,
        p_table));
    END IF;
  END IF;
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_error ->> 'code', MESSAGE = v_error ->> 'message', DETAIL = v_error ->> 'detail',
      HINT = v_error ->> 'hint', SCHEMA = p_schema, TABLE = p_table,
      CONSTRAINT = coalesce((SELECT min(g.tgname) FROM pg_trigger g
                             WHERE g.tgrelid = p_relation
                               AND g.tgfoid IN (to_regprocedure('birth.fn_birth_registry_auto()'),
                                                to_regprocedure('birth.fn_birth_registry_auto_id()'))), ''),
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  IF NOT v_usable OR NOT v_covered THEN
    r_collection.birth_code_sql := 'NULL::text';
    r_collection.birth_code_row_sql := 'SELECT NULL::text';
  END IF;
  RETURN r_collection;
END;
$fn_birth_gateway_collection$;

COMMENT ON FUNCTION birth.fn_birth_gateway_collection(text, oid, text, text) IS
  'The collection of a gateway trigger; its code yields NULL if the trigger is on another table, or an identity column '
  'is missing or of another type (int8 stands for every integer, text for varchar). NB503, NB507, NB508; 40001 if '
  'the snapshot shows an earlier state of the collection. Specification: 5, 6.1 R2.';

-- The gateway: records births in the transaction that inserts the rows. On a plain table it is a statement trigger and writes the whole
-- transition table in one statement, where it stands; on a partitioned or replicated table it is a row trigger.
-- The trigger's first argument names the collection, so that a renamed table goes on working.
-- SECURITY DEFINER: whoever inserts a row may not write births. It reads identity columns only, of built-in types only.
-- Returns: NULL (AFTER trigger); NB501, NB502, NB503.
-- Calls: fn_birth_raise, fn_birth_gateway_covers, fn_birth_gateway_identity_usable, fn_birth_register_set, fn_birth_gateway_report
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_registry_auto()
  RETURNS trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_registry_auto$
DECLARE
  r_collection birth.collection_registry;
  r_set record;
  v_code text;
  v_rows bigint := 1;
  v_born bigint := 0;
  v_unresolved bigint;
  v_foreign text[];
BEGIN
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = TG_ARGV[0];
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('gateway_unregistered', format('trigger %s on %I.%I names %L', TG_NAME, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]));
  END IF;
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  IF NOT birth.fn_birth_gateway_covers(TG_RELID, r_collection)
     OR NOT birth.fn_birth_gateway_identity_usable(TG_RELID, r_collection.birth_code_columns, r_collection.birth_code_types) THEN
    r_collection.birth_code_sql := 'NULL::text';
    r_collection.birth_code_row_sql := 'SELECT NULL::text';
  END IF;

  IF TG_LEVEL = 'ROW' THEN
    EXECUTE r_collection.birth_code_row_sql INTO v_code USING NEW;
    IF v_code IS NOT NULL THEN
      r_set := birth.fn_birth_register_set(r_collection.collection_name, ARRAY[v_code], 'QT-002', NULL);
      v_foreign := nullif(r_set.foreign_codes, '{}');
    END IF;
    v_unresolved := (v_code IS NULL)::integer;
  ELSE
    SELECT count(*) INTO v_rows FROM birth_new_rows;
    EXECUTE format(
      'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
      ' SELECT s.code, $1, ''QT-002'' FROM (SELECT %s AS code FROM birth_new_rows t) s WHERE s.code IS NOT NULL ORDER BY s.code'
      ' ON CONFLICT (entity_code) DO NOTHING', r_collection.birth_code_sql) USING r_collection.collection_name;
    GET DIAGNOSTICS v_born = ROW_COUNT;
    IF v_born = v_rows THEN
      RETURN NULL;
    END IF;
    EXECUTE format(
      'SELECT count(*) FILTER (WHERE s.code IS NULL), array_agg(s.code) FILTER (WHERE b.collection_name <> $1)'
      ' FROM (SELECT %s AS code FROM birth_new_rows t) s LEFT JOIN birth.birth_registry b ON b.entity_code = s.code',
      r_collection.birth_code_sql) INTO v_unresolved, v_foreign USING r_collection.collection_name;
  END IF;

  IF v_unresolved > 0 OR v_foreign IS NOT NULL THEN
    PERFORM birth.fn_birth_gateway_report(r_collection, v_unresolved, v_foreign);
  END IF;
  RETURN NULL;
END;
$fn_birth_registry_auto$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto() IS
  'Gateway trigger: a birth for each inserted row, in the same transaction. Argument: the collection. NB501, NB502 in mode enforce; NB503. Specification: 5.';

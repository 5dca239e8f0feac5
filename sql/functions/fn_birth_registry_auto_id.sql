-- The gateway for a synthetic identity over a column called id: the same rules, but the statement that inserts stays prepared for the life of the session. A statement trigger only. Has the exempt guard that the documents found missing.
-- SECURITY DEFINER: whoever inserts a row may not write births.
-- Returns: NULL (AFTER trigger); NB501, NB502, NB503.
-- Calls: fn_birth_raise, fn_birth_gateway_covers, fn_birth_gateway_identity_usable, fn_birth_gateway_report
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_registry_auto_id()
  RETURNS trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_registry_auto_id$
DECLARE
  r_collection birth.collection_registry;
  v_rows bigint;
  v_born bigint;
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
  END IF;

  SELECT count(*) INTO v_rows FROM birth_new_rows;
  IF r_collection.birth_code_sql = format('(%L || t.id::text) COLLATE "C"', r_collection.birth_code_prefix) THEN
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT s.code, r_collection.collection_name, 'QT-002'
    FROM (SELECT (r_collection.birth_code_prefix || t.id::text) COLLATE "C" AS code FROM birth_new_rows t) s
    WHERE s.code IS NOT NULL
    ORDER BY s.code
    ON CONFLICT (entity_code) DO NOTHING;
  ELSE
    -- The collection was classified otherwise since the trigger was made: the statement of fn_birth_registry_auto.
    EXECUTE format(
      'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
      ' SELECT s.code, $1, ''QT-002'' FROM (SELECT %s AS code FROM birth_new_rows t) s WHERE s.code IS NOT NULL ORDER BY s.code'
      ' ON CONFLICT (entity_code) DO NOTHING', r_collection.birth_code_sql) USING r_collection.collection_name;
  END IF;
  GET DIAGNOSTICS v_born = ROW_COUNT;
  IF v_born < v_rows THEN
    EXECUTE format(
      'SELECT count(*) FILTER (WHERE s.code IS NULL), array_agg(s.code) FILTER (WHERE b.collection_name <> $1)'
      ' FROM (SELECT %s AS code FROM birth_new_rows t) s LEFT JOIN birth.birth_registry b ON b.entity_code = s.code',
      r_collection.birth_code_sql) INTO v_unresolved, v_foreign USING r_collection.collection_name;
    IF v_unresolved > 0 OR v_foreign IS NOT NULL THEN
      PERFORM birth.fn_birth_gateway_report(r_collection, v_unresolved, v_foreign);
    END IF;
  END IF;
  RETURN NULL;
END;
$fn_birth_registry_auto_id$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto_id() IS
  'Gateway trigger for a synthetic identity over column id. Argument: the collection. NB501, NB502 in mode enforce; NB503. Specification: 5.';

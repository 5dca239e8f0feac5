-- The gateway for a synthetic identity over a column called id: the same rules, and of a single row nothing is planned. A statement trigger only.
-- Has the exempt guard that the documents found missing.
-- SECURITY DEFINER: whoever inserts a row may not write births.
-- Returns: NULL (AFTER trigger); NB501, NB502, NB503, NB507.
-- Calls: fn_birth_gateway_collection, fn_birth_gateway_report
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_registry_auto_id()
  RETURNS trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_registry_auto_id$
DECLARE
  r_collection birth.collection_registry := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  v_rows bigint;
  v_code text;
  v_insert text;
  v_born bigint;
  v_unresolved bigint;
  v_foreign text[];
BEGIN
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  SELECT count(*) INTO v_rows FROM birth_new_rows;
  IF v_rows = 1 THEN
    IF r_collection.birth_code_sql = format('(%L || t.id::text) COLLATE "C"', r_collection.birth_code_prefix) THEN
      SELECT r_collection.birth_code_prefix || t.id::text INTO v_code FROM birth_new_rows t;
    ELSE
      -- The collection was classified otherwise since the trigger was made.
      EXECUTE format('SELECT %s FROM birth_new_rows t', r_collection.birth_code_sql) INTO v_code;
    END IF;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT v_code, r_collection.collection_name, 'QT-002' WHERE v_code IS NOT NULL
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  ELSIF v_rows > 1 THEN
    v_insert := format(
      'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
      ' SELECT s.code, $1, ''QT-002'' FROM (SELECT %s AS code FROM birth_new_rows t) s WHERE s.code IS NOT NULL ORDER BY s.code',
      r_collection.birth_code_sql);
    -- As in fn_birth_register_set: of many rows nobody is expected to have been first. Few are not worth a subtransaction, which others would feel.
    IF v_rows >= 10000 THEN
      BEGIN
        EXECUTE v_insert USING r_collection.collection_name;
        GET DIAGNOSTICS v_born = ROW_COUNT;
      EXCEPTION WHEN unique_violation THEN
        v_born := NULL;
      END;
    END IF;
    IF v_born IS NULL THEN
      EXECUTE format('%s ON CONFLICT (entity_code) DO NOTHING', v_insert) USING r_collection.collection_name;
      GET DIAGNOSTICS v_born = ROW_COUNT;
    END IF;
  END IF;
  IF v_rows = 0 OR v_born = v_rows THEN
    RETURN NULL;
  END IF;

  IF v_rows = 1 THEN
    v_unresolved := (v_code IS NULL)::integer;
    SELECT ARRAY[b.entity_code] INTO v_foreign
    FROM birth.birth_registry b WHERE b.entity_code = v_code AND b.collection_name <> r_collection.collection_name;
  ELSE
    EXECUTE format(
      'SELECT count(*) FILTER (WHERE s.code IS NULL), array_agg(s.code) FILTER (WHERE b.collection_name <> $1)'
      ' FROM (SELECT %s AS code FROM birth_new_rows t) s LEFT JOIN birth.birth_registry b ON b.entity_code = s.code',
      r_collection.birth_code_sql) INTO v_unresolved, v_foreign USING r_collection.collection_name;
  END IF;
  -- A code of one column that was there already is of a row that comes again; one of several may be another row's.
  IF v_unresolved > 0 OR v_foreign IS NOT NULL OR cardinality(r_collection.birth_code_columns) > 1 THEN
    PERFORM birth.fn_birth_gateway_report(r_collection, v_rows - v_born, v_unresolved, v_foreign);
  END IF;
  RETURN NULL;
END;
$fn_birth_registry_auto_id$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto_id() IS
  'Gateway trigger for a synthetic identity over column id. Argument: the collection. NB501, NB502 in mode enforce; NB503, NB507. Specification: 5.';

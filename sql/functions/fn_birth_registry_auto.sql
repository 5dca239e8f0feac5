-- The gateway: records births in the transaction that inserts the rows. On a plain table it is a statement trigger and writes the whole
-- transition table in one statement, where it stands; on a partitioned or replicated table it is a row trigger.
-- A single row costs no planning where its code is made of one of the table's first three columns; every other statement is planned for its rows.
-- The trigger's first argument names the collection, so that a renamed table goes on working.
-- SECURITY DEFINER: whoever inserts a row may not write births. It reads identity columns only, of built-in types only.
-- Returns: NULL (AFTER trigger); NB501, NB502, NB503.
-- Calls: fn_birth_raise, fn_birth_gateway_identity_position, fn_birth_gateway_covers, fn_birth_gateway_report
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
  v_position integer;
  v_rows bigint := 1;
  v_code text;
  v_insert text;
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
  v_position := birth.fn_birth_gateway_identity_position(TG_RELID, r_collection.birth_code_columns, r_collection.birth_code_types);
  -- The table that bears the registered name is the registered one; of any other the catalogue is asked.
  IF v_position IS NULL OR NOT (TG_TABLE_NAME = r_collection.table_name AND TG_TABLE_SCHEMA = r_collection.schema_name
                                OR birth.fn_birth_gateway_covers(TG_RELID, r_collection)) THEN
    v_position := 0;
    r_collection.birth_code_sql := 'NULL::text';
    r_collection.birth_code_row_sql := 'SELECT NULL::text';
  END IF;

  IF TG_LEVEL = 'STATEMENT' THEN
    SELECT count(*) INTO v_rows FROM birth_new_rows;
  END IF;
  IF v_rows = 0 THEN
    RETURN NULL;
  ELSIF v_rows = 1 THEN
    IF v_position > 0 AND r_collection.birth_code_sql NOT IN (
        format('(t.%I::text) COLLATE "C"', r_collection.birth_code_columns[1]),
        format('(%L || t.%I::text) COLLATE "C"', r_collection.birth_code_prefix, r_collection.birth_code_columns[1]),
        format('(CASE WHEN octet_length(t.%1$I::text) <= 512 AND btrim(t.%1$I::text, E'' \t\n\r\f\x0b'') COLLATE "C" <> '''' THEN t.%1$I::text END) COLLATE "C"',
          r_collection.birth_code_columns[1])) THEN
      v_position := 0;
    END IF;
    -- These three identities stay prepared, with a name of ours for the column; any other is planned as it was stored.
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE r_collection.birth_code_row_sql INTO v_code USING NEW;
    ELSIF v_position = 1 THEN
      SELECT coalesce(r_collection.birth_code_prefix, '') || t.birth_gateway_code::text INTO v_code FROM birth_new_rows AS t (birth_gateway_code);
    ELSIF v_position = 2 THEN
      SELECT coalesce(r_collection.birth_code_prefix, '') || t.birth_gateway_code::text INTO v_code FROM birth_new_rows AS t (c1, birth_gateway_code);
    ELSIF v_position = 3 THEN
      SELECT coalesce(r_collection.birth_code_prefix, '') || t.birth_gateway_code::text INTO v_code FROM birth_new_rows AS t (c1, c2, birth_gateway_code);
    ELSE
      EXECUTE format('SELECT %s FROM birth_new_rows t', r_collection.birth_code_sql) INTO v_code;
    END IF;
    IF octet_length(v_code) > 512 OR btrim(v_code, E' \t\n\r\f\x0b') COLLATE "C" = '' THEN
      v_code := NULL;
    END IF;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT v_code, r_collection.collection_name, 'QT-002' WHERE v_code IS NOT NULL
    ON CONFLICT (entity_code) DO NOTHING;
    IF FOUND THEN
      RETURN NULL;
    END IF;
    v_unresolved := (v_code IS NULL)::integer;
    SELECT ARRAY[b.entity_code] INTO v_foreign
    FROM birth.birth_registry b WHERE b.entity_code = v_code AND b.collection_name <> r_collection.collection_name;
  ELSE
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

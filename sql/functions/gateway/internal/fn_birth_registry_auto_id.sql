-- The gateway for a synthetic identity over a column called id: the rules of fn_birth_registry_auto, but nothing is
-- planned for a single row, wherever the column stands. A statement trigger only. It has the exempt guard that the
-- documents found missing.
-- SECURITY DEFINER: the login that inserts a row may not write births. Why it is safe: see fn_birth_registry_auto.
-- Returns: NULL (AFTER trigger); NB109, NB501, NB502, NB503, NB507; 40001 under a snapshot older than the collection's
-- rule.
-- Calls: fn_birth_gateway_collection, fn_birth_gateway_statement, fn_birth_gateway_again, fn_birth_gateway_report
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
  r_collection birth.collection_registry;
  v_rows bigint;
  v_code text;
  v_prefix text;
  v_type oid;
  v_column text;
  v_seen oid;
  v_insert text;
  v_born bigint;
  v_typed boolean;
  v_apart boolean;
  r_again record;
  v_unresolved bigint;
  v_long bigint;
  v_keys text[];
  v_refusal jsonb;
BEGIN
  -- As in fn_birth_registry_auto.
  IF to_regclass('pg_temp.birth_new_rows') IS NULL AND current_setting('transaction_isolation') = 'read committed' THEN
    SELECT c.birth_code_types[1], coalesce(c.birth_code_prefix, ''), c.birth_code_column INTO v_type, v_prefix, v_column
    FROM birth.collection_registry c
    WHERE c.collection_name = TG_ARGV[0] AND NOT c.gate_closed AND NOT starts_with(c.coverage_status, 'BIRTH_EXEMPT_')
      AND c.schema_name = TG_TABLE_SCHEMA AND c.table_name = TG_TABLE_NAME
      AND c.birth_code_types[1] IN (20, 25, 1700, 2950) AND c.birth_code_distinct;
    IF v_column = (pg_identify_object_as_address('pg_class'::regclass, TG_RELID, 1)).object_names[3]
       AND NOT starts_with(v_column, '........pg.dropped.') THEN
      SELECT count(*), min(concat(s."birth first")), min(pg_typeof(s."birth first")::oid) INTO v_rows, v_code, v_seen
      FROM (SELECT t."birth first" FROM birth_new_rows t("birth first") LIMIT 2) s;
      v_code := v_prefix || nullif(v_code, '');
      IF v_rows = 1 AND v_type = (CASE v_seen WHEN 21 THEN 20 WHEN 23 THEN 20 WHEN 1043 THEN 25 ELSE v_seen END)
         AND v_code COLLATE "C" >= '!' AND octet_length(v_code) <= 512 THEN
        INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
        VALUES (v_code, TG_ARGV[0], 'QT-002') ON CONFLICT (entity_code) DO NOTHING;
        IF FOUND THEN
          RETURN NULL;
        END IF;
        r_again := birth.fn_birth_gateway_again(TG_ARGV[0], ARRAY[v_code]);
        IF r_again.taken = 0 AND r_again.refusal IS NULL THEN
          RETURN NULL;
        END IF;
        v_born := 0;
      END IF;
    END IF;
  END IF;

  r_collection := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  -- Under an old snapshot the catalogue shows the columns as they were, and the rows have them as they are.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    EXECUTE birth.fn_birth_gateway_statement('typed', r_collection, TG_RELID) INTO v_typed;
    IF v_typed IS NOT TRUE THEN
      r_collection.birth_code_sql := 'NULL::text';
    END IF;
  END IF;
  SELECT count(*) INTO v_rows FROM birth_new_rows;
  IF v_rows = 1 AND v_born IS NULL THEN
    IF r_collection.birth_code_sql = format('(%L || t.id::text) COLLATE "C"', r_collection.birth_code_prefix) THEN
      SELECT r_collection.birth_code_prefix || t.id::text INTO v_code FROM birth_new_rows t;
    ELSE
      -- The collection was classified otherwise since the trigger was created.
      EXECUTE format('SELECT %s FROM birth_new_rows t', r_collection.birth_code_sql) INTO v_code;
    END IF;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT v_code, r_collection.collection_name, 'QT-002' WHERE v_code IS NOT NULL
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  ELSIF v_rows > 1 THEN
    v_insert := birth.fn_birth_gateway_statement('insert', r_collection);
    IF v_rows >= 10000 THEN
      EXECUTE birth.fn_birth_gateway_statement('apart', r_collection) INTO v_apart;
    END IF;
    IF v_apart THEN
      BEGIN
        EXECUTE v_insert USING r_collection.collection_name;
        GET DIAGNOSTICS v_born = ROW_COUNT;
      EXCEPTION WHEN unique_violation THEN
        v_born := NULL;
      END;
    END IF;
    IF v_born IS NULL THEN
      EXECUTE v_insert || ' ON CONFLICT (entity_code) DO NOTHING' USING r_collection.collection_name;
      GET DIAGNOSTICS v_born = ROW_COUNT;
    END IF;
  END IF;
  IF v_rows = 0 OR v_born = v_rows THEN
    RETURN NULL;
  END IF;

  -- Rows that this statement gave no birth: their code was there already, or they have none.
  IF v_rows > 1 THEN
    EXECUTE birth.fn_birth_gateway_statement('unborn', r_collection) INTO r_again USING r_collection.collection_name;
    v_unresolved := r_again.unresolved;
  ELSE
    IF r_again IS NULL THEN
      r_again := birth.fn_birth_gateway_again(r_collection.collection_name, ARRAY[v_code]);
    END IF;
    v_unresolved := (v_code IS NULL)::integer;
  END IF;
  v_refusal := r_again.refusal;
  IF r_collection.birth_code_part AND r_collection.birth_code_sql <> 'NULL::text' AND v_refusal IS NULL THEN
    EXECUTE birth.fn_birth_gateway_statement('shared', r_collection) INTO v_refusal
    USING NULL::text, r_collection, TG_RELID;
  END IF;
  IF v_unresolved > 0 AND r_collection.gateway_mode = 'enforce' THEN
    EXECUTE birth.fn_birth_gateway_statement('keys', r_collection, TG_RELID) INTO v_long, v_keys;
  END IF;
  v_refusal := coalesce(v_refusal, birth.fn_birth_gateway_report(r_collection, TG_RELID,
    v_rows - v_born - r_again.born, v_unresolved, r_again.taken, r_again.examples, v_long, v_keys));
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  RETURN NULL;
END;
$fn_birth_registry_auto_id$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto_id() IS
  'Gateway trigger for a synthetic identity over column id. Argument: the collection. NB109, NB501, NB502 in mode '
  'enforce; NB503, NB507. Specification: 5.';

-- The gateway: records births in the transaction that inserts the rows. On a plain table it is a statement trigger and
-- reads the transition table in one statement; on a partitioned or replicated table it is a row trigger. For a single
-- row only the code is planned, and nothing where the first column of the registered table is the identity: it is known
-- by name and type, and is named by position as no other column is likely to be; of a type whose text is its output.
-- The trigger's first argument names the collection, so that a renamed table goes on working.
-- SECURITY DEFINER: the login that inserts a row may not write births. This routine and fn_birth_registry_auto_id alone
-- read rows of a source with birth_definer's rights. That is safe: they read their transition table and NEW, which have
-- no index, constraint, statistics, policy or view for the planner to run; of these only the identity columns, whose
-- type has a text without code of the owner at this moment (fn_birth_gateway_collection; under an old snapshot
-- fn_birth_gateway_statement), and for a refusal such columns of the primary key, by an expression of built-in
-- functions and literals; and no statement names a source table or a type of one. The first column is read by concat,
-- before its type is known: the planner would run what is constant in a cast of the owner's.
-- Returns: NULL (AFTER trigger); NB109, NB501, NB502, NB503, NB507; 40001 under a snapshot older than the collection's
-- rule.
-- Calls: fn_birth_gateway_collection, fn_birth_gateway_statement, fn_birth_gateway_again, fn_birth_gateway_report
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_registry_auto()
  RETURNS trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_registry_auto$
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
  IF TG_LEVEL = 'STATEMENT' AND to_regclass('pg_temp.birth_new_rows') IS NULL
     AND current_setting('transaction_isolation') = 'read committed' THEN
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
        -- No two rows can have the code, so it is of the same row: there is nothing to report.
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
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_statement('typed row', r_collection, TG_RELID) INTO v_typed USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('typed', r_collection, TG_RELID) INTO v_typed;
    END IF;
    IF v_typed IS NOT TRUE THEN
      r_collection.birth_code_sql := 'NULL::text';
      r_collection.birth_code_row_sql := 'SELECT NULL::text';
    END IF;
  END IF;
  IF TG_LEVEL = 'ROW' THEN
    v_rows := 1;
  ELSE
    SELECT count(*) INTO v_rows FROM birth_new_rows;
  END IF;
  IF v_rows = 1 AND v_born IS NULL THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE r_collection.birth_code_row_sql INTO v_code USING NEW;
    ELSE
      EXECUTE format('SELECT %s FROM birth_new_rows t', r_collection.birth_code_sql) INTO v_code;
    END IF;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT v_code, r_collection.collection_name, 'QT-002' WHERE v_code IS NOT NULL
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  ELSIF v_rows > 1 THEN
    v_insert := birth.fn_birth_gateway_statement('insert', r_collection);
    -- For 10,000 rows or more a plain INSERT is tried in a subtransaction, if no birth lies between the least and the
    -- greatest of their codes. So it fails only beside another session, or where two of the rows have one code. What
    -- a failed attempt wrote stays as dead rows. For fewer rows the subtransaction would cost more than it saves.
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
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_statement('shared row', r_collection) INTO v_refusal
      USING NEW, r_collection, TG_RELID;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('shared', r_collection) INTO v_refusal
      USING NULL::text, r_collection, TG_RELID;
    END IF;
  END IF;
  IF v_unresolved > 0 AND r_collection.gateway_mode = 'enforce' THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_statement('keys row', r_collection, TG_RELID) INTO v_long, v_keys USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('keys', r_collection, TG_RELID) INTO v_long, v_keys;
    END IF;
  END IF;
  v_refusal := coalesce(v_refusal, birth.fn_birth_gateway_report(r_collection, TG_RELID,
    v_rows - v_born - r_again.born, v_unresolved, r_again.taken, r_again.examples, v_long, v_keys));
  -- Raised here: the error names the table as one of PostgreSQL's own constraints does, and its CONTEXT is one line.
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  RETURN NULL;
END;
$fn_birth_registry_auto$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto() IS
  'Gateway trigger: one birth for each inserted row, in the same transaction. Argument: the collection. NB501, NB502 '
  'in mode enforce; NB503, NB507. Specification: 5.';

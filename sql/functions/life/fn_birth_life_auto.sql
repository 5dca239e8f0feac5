-- The life triggers: they record deaths in the transaction that takes the rows, and refuse in mode enforce what would
-- take a code for another entity. A statement trigger reads its transition table, a row trigger (partitioned and
-- replicated tables, and every UPDATE) its row; both only the identity columns, the key among them and the life column,
-- whose types are built-in (fn_birth_gateway_collection; PostgreSQL refuses to change the type of a column that a
-- trigger's WHEN names). Rows of the table itself are read as birth_scanner alone. AFTER triggers run when the
-- statement is complete, so what they find is what it left. A single row that is deleted by its first column, with a
-- birth that nothing touched, has a path without a dynamic plan: the column is known by name and type, and is named by
-- position as no other column is likely to be.
-- SECURITY DEFINER: the login that deletes a row may not write deaths.
-- Returns: NULL; in mode enforce NB511 to NB514, NB517, NB502; NB501, NB503, NB507; 40001 under an old snapshot.
-- Calls: fn_birth_error, fn_birth_gateway_collection, fn_birth_type_text, fn_birth_gateway_statement,
--        fn_birth_gateway_report, fn_birth_life_row, fn_birth_finding_record, fn_birth_life_report, fn_birth_life_end,
--        fn_birth_life_return, fn_birth_life_change, fn_birth_life_truncate
-- Writes: birth_death
CREATE OR REPLACE FUNCTION birth.fn_birth_life_auto()
  RETURNS trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_life_auto$
DECLARE
  r_collection birth.collection_registry;
  r_before record;
  r_after record;
  v_rows bigint;
  v_key text;
  v_type oid;
  v_prefix text;
  r_typed birth.collection_registry;
  v_typed boolean;
  v_living bigint;
  v_examples text[];
  v_long bigint;
  v_named text[];
  v_refusal jsonb;
  v_new CONSTANT text := CASE TG_OP WHEN 'INSERT' THEN 'birth_new_rows' ELSE 'birth_old_rows' END;
BEGIN
  IF to_regclass('pg_temp.birth_old_rows') IS NOT NULL THEN
    v_refusal := birth.fn_birth_error('gateway_shadowed', format('pg_temp.birth_old_rows, of backend %s',
      pg_backend_pid()));
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  IF TG_OP = 'DELETE' AND TG_LEVEL = 'STATEMENT' THEN
    -- Without a child table, whose rows the transition table has too.
    SELECT c.birth_code_types[1], coalesce(c.birth_code_prefix, '') INTO v_type, v_prefix
    FROM birth.collection_registry c
    WHERE c.collection_name = TG_ARGV[0] AND c.schema_name = TG_TABLE_SCHEMA AND c.table_name = TG_TABLE_NAME
      AND c.birth_code_column = (pg_identify_object_as_address('pg_class'::regclass, TG_RELID, 1)).object_names[3]
      AND NOT starts_with(c.birth_code_column, '........pg.dropped.')
      AND c.life_mode <> 'off' AND c.life_column IS NULL AND NOT starts_with(c.coverage_status, 'BIRTH_EXEMPT_')
      AND c.life_key = c.birth_code_columns AND NOT c.birth_code_part AND c.birth_code_types[1] IN (20, 25, 1700, 2950)
      AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = TG_RELID);
    IF v_type IS NULL THEN
      IF NOT EXISTS (SELECT FROM birth_old_rows) THEN
        RETURN NULL;
      END IF;
    ELSE
      -- Not cast to text: the planner would run what is constant in a cast of the owner's.
      SELECT count(*), min(CASE WHEN v_type = CASE pg_typeof(s."birth first")::oid WHEN 21 THEN 20 WHEN 23 THEN 20
                                                WHEN 1043 THEN 25 ELSE pg_typeof(s."birth first")::oid END
                           THEN nullif(format('%s', s."birth first"), '') END)
      INTO v_rows, v_key FROM (SELECT t."birth first" FROM birth_old_rows t("birth first") LIMIT 2) s;
      IF v_rows = 0 THEN
        RETURN NULL;
      END IF;
    END IF;
    IF v_rows = 1 AND v_key IS NOT NULL AND current_setting('transaction_isolation') = 'read committed' THEN
      INSERT INTO birth.birth_death AS d (entity_code, collection_name, manner)
      SELECT b.entity_code, b.collection_name, 'DELETE' FROM birth.birth_registry b
      WHERE b.entity_code = v_prefix || v_key AND b.collection_name = TG_ARGV[0]
        AND b.xmax = 0 AND b.born_at < now()
      ON CONFLICT (entity_code) DO UPDATE
      SET died_at = excluded.died_at, died_xid = excluded.died_xid, manner = excluded.manner, successor = NULL,
          returned_at = NULL
      WHERE d.returned_at IS NOT NULL;
      IF FOUND THEN
        RETURN NULL;
      END IF;
    END IF;
  END IF;

  -- A closed table takes no row; that one goes is nothing to refuse.
  IF TG_OP IN ('DELETE', 'TRUNCATE')
     AND EXISTS (SELECT FROM birth.collection_registry c WHERE c.collection_name = TG_ARGV[0] AND c.gate_closed) THEN
    RETURN NULL;
  END IF;
  r_collection := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  IF r_collection.life_mode = 'off' OR starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  -- Columns that were renamed, replaced or classified anew since.
  SELECT count(*) = cardinality(r_collection.birth_code_columns || r_collection.life_column)
           - (r_collection.life_column IS NULL)::integer AND r_collection.life_key <@ r_collection.birth_code_columns,
         min(a.atttypid) FILTER (WHERE a.attname = r_collection.life_column)
  INTO v_typed, v_type
  FROM (SELECT unnest(r_collection.birth_code_columns || r_collection.life_column)) AS n(name)
  JOIN pg_attribute a ON a.attrelid = TG_RELID AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
    AND (a.atttypid < 16384 OR (birth.fn_birth_type_text(a.atttypid)).type IS NOT NULL);
  -- Under an old snapshot the catalogue shows the columns as they were, and the rows have them as they are.
  IF v_typed AND TG_OP <> 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    r_typed := r_collection;
    IF v_type IS NOT NULL THEN
      r_typed.birth_code_columns := r_typed.birth_code_columns || r_typed.life_column;
      r_typed.birth_code_types := r_typed.birth_code_types || v_type::regtype;
    END IF;
    IF TG_LEVEL = 'STATEMENT' THEN
      EXECUTE birth.fn_birth_gateway_statement('typed', r_typed, TG_RELID, v_new) INTO v_typed;
    ELSIF TG_OP = 'INSERT' THEN
      EXECUTE birth.fn_birth_gateway_statement('typed row', r_typed, TG_RELID) INTO v_typed USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('typed row', r_typed, TG_RELID) INTO v_typed USING OLD;
    END IF;
  END IF;
  IF NOT v_typed THEN
    v_refusal := birth.fn_birth_life_report(r_collection, 'life_unread', 1,
      ARRAY[format('columns of %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)]);
  ELSIF TG_OP = 'TRUNCATE' THEN
    v_refusal := birth.fn_birth_life_truncate(r_collection, TG_RELID);
  ELSIF TG_LEVEL = 'STATEMENT' THEN
    EXECUTE format(
      'SELECT coalesce(sum(k.living), 0), min(k.examples),'
      ' coalesce(min(birth.fn_birth_life_end($1, $2, k.codes, k.keys, $3)::text), min(CASE WHEN k.back IS NOT NULL'
      ' THEN birth.fn_birth_life_return(($1).collection_name, k.back)::text END))::jsonb'
      ' FROM (SELECT array_agg(r.code) FILTER (WHERE r.ends) AS codes, array_agg(r.keys) FILTER (WHERE r.ends) AS keys,'
      ' array_agg(r.code) FILTER (WHERE NOT r.ends AND r.code IS NOT NULL) AS back,'
      ' count(*) FILTER (WHERE r.living AND r.code IS NOT NULL) AS living,'
      ' (array_agg(r.code) FILTER (WHERE r.living))[1:3] AS examples'
      ' FROM (SELECT s.*, s.code IS NOT NULL AND ($4 OR NOT s.living) AS ends,'
      ' (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (%s FROM %s t) s) r GROUP BY r.chunk ORDER BY r.chunk) k',
      birth.fn_birth_life_row(r_collection, false), v_new)
    INTO v_living, v_examples, v_refusal
    USING r_collection, TG_RELID, CASE TG_OP WHEN 'INSERT' THEN 'STATUS' ELSE 'DELETE' END, TG_OP = 'DELETE';
  ELSIF TG_OP = 'INSERT' THEN
    EXECUTE birth.fn_birth_life_row(r_collection, true) INTO r_after USING NEW;
    IF r_after.living THEN
      v_refusal := birth.fn_birth_life_return(TG_ARGV[0], ARRAY[r_after.code]);
    ELSIF r_after.code IS NOT NULL THEN
      v_refusal := birth.fn_birth_life_end(r_collection, TG_RELID, ARRAY[r_after.code], ARRAY[r_after.keys],
        'STATUS');
    END IF;
  ELSE
    EXECUTE birth.fn_birth_life_row(r_collection, true) INTO r_before USING OLD;
    IF TG_OP = 'UPDATE' THEN
      EXECUTE birth.fn_birth_life_row(r_collection, true) INTO r_after USING NEW;
      -- A row that loses its code is told like one that comes without.
      IF r_after.code IS NULL AND r_before.code IS NOT NULL THEN
        EXECUTE birth.fn_birth_gateway_statement('keys row', r_collection, TG_RELID) INTO v_long, v_named USING NEW;
        v_refusal := birth.fn_birth_gateway_report(r_collection, TG_RELID, 1, 1, 0, '{}', v_long, v_named);
      END IF;
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_change(r_collection, TG_RELID, r_before.code, r_before.keys,
        r_before.living, r_after.code, r_after.keys, r_after.living));
    ELSIF r_before.code IS NOT NULL THEN
      v_refusal := birth.fn_birth_life_end(r_collection, TG_RELID, ARRAY[r_before.code], ARRAY[r_before.keys],
        'DELETE');
      v_living := r_before.living::integer;
      v_examples := ARRAY[r_before.code];
    END IF;
  END IF;
  -- Where things retire by status, a row that was not retired is not deleted. A row that moves to another partition
  -- cannot be told from one that is deleted there, so it is recorded alone.
  IF TG_OP = 'DELETE' AND r_collection.life_column IS NOT NULL THEN
    IF TG_LEVEL = 'ROW' THEN
      PERFORM birth.fn_birth_finding_record(TG_ARGV[0], 'not_retired', v_living, v_examples);
    ELSE
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_report(r_collection, 'not_retired', v_living, v_examples));
    END IF;
  END IF;
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  RETURN NULL;
END;
$fn_birth_life_auto$;

COMMENT ON FUNCTION birth.fn_birth_life_auto() IS
  'Life trigger: records the deaths of rows that are deleted, retired, given another code or truncated. Argument: the '
  'collection. In mode enforce NB502, NB511 to NB514, NB517; NB501, NB503, NB507. Specification: 5.2.';

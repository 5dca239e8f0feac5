-- The gateway: records births in the transaction that inserts the rows. On a plain table it is a statement trigger and writes the whole
-- transition table in one statement, where it stands; on a partitioned or replicated table it is a row trigger. Of a single row only the code is planned.
-- The trigger's first argument names the collection, so that a renamed table goes on working.
-- SECURITY DEFINER: whoever inserts a row may not write births. The gateway alone of birth_definer's routines reads rows of
-- a stranger's table, and it is safe: it reads its transition table and NEW, which have no index, constraint, statistics,
-- policy or view of their own that the planner could run; of these it reads the identity columns only, which have a built-in
-- type at this moment (fn_birth_gateway_collection, under an old snapshot fn_birth_gateway_typed), by an expression of
-- built-in functions and literals; and it names no source table and no type of one in any statement.
-- Returns: NULL (AFTER trigger); NB501, NB502, NB503, NB507; 40001 under a snapshot that is older
-- than what the gateway has to know.
-- Calls: fn_birth_gateway_collection, fn_birth_gateway_typed, fn_birth_gateway_again, fn_birth_gateway_report
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
  v_rows bigint := 1;
  v_code text;
  v_insert text;
  v_born bigint;
  v_typed boolean;
  v_unresolved bigint;
  v_late bigint;
  v_taken bigint;
  v_examples text[];
BEGIN
  r_collection := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  -- Under an old snapshot the catalogue shows the columns as they were, and the rows have them as they are.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_typed(r_collection, TG_RELID, true) INTO v_typed USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_typed(r_collection, TG_RELID, false) INTO v_typed;
    END IF;
    IF v_typed IS NOT TRUE THEN
      r_collection.birth_code_sql := 'NULL::text';
      r_collection.birth_code_row_sql := 'SELECT NULL::text';
    END IF;
  END IF;
  IF TG_LEVEL = 'STATEMENT' THEN
    SELECT count(*) INTO v_rows FROM birth_new_rows;
  END IF;
  IF v_rows = 1 THEN
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
    v_insert := format(
      'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
      ' SELECT s.code, $1, ''QT-002'' FROM (SELECT %s AS code FROM birth_new_rows t) s WHERE s.code IS NOT NULL ORDER BY s.code',
      r_collection.birth_code_sql);
    -- As in fn_birth_register: of many rows nobody is expected to have been first. Few are not worth a subtransaction, which others would feel.
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

  -- Rows that this statement gave no birth: their code was there already, or they have none. Births of this transaction's
  -- own are certain; of the others as many at a time as an array holds well.
  IF v_rows = 1 THEN
    SELECT (v_code IS NULL)::integer, a.* INTO v_unresolved, v_late, v_taken, v_examples
    FROM birth.fn_birth_gateway_again(r_collection.collection_name, ARRAY[v_code]) a;
  ELSE
    EXECUTE format(
      'SELECT coalesce(sum(k.unresolved), 0), coalesce(sum(a.born), 0), coalesce(sum(a.taken), 0), min(a.examples)'
      ' FROM (SELECT array_agg(c.code) FILTER (WHERE c.code IS NOT NULL) AS codes, count(*) FILTER (WHERE c.code IS NULL) AS unresolved'
      ' FROM (SELECT s.code, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk FROM (SELECT %s AS code FROM birth_new_rows t) s'
      ' LEFT JOIN birth.birth_registry b ON b.entity_code = s.code AND b.xmin = pg_current_xact_id()::xid AND b.collection_name = $1'
      ' WHERE b.entity_code IS NULL) c'
      ' GROUP BY c.chunk ORDER BY c.chunk) k CROSS JOIN LATERAL birth.fn_birth_gateway_again($1, k.codes) a',
      r_collection.birth_code_sql)
    INTO v_unresolved, v_late, v_taken, v_examples USING r_collection.collection_name;
  END IF;
  PERFORM birth.fn_birth_gateway_report(r_collection, v_rows - v_born - v_late, v_unresolved, v_taken, v_examples);
  RETURN NULL;
END;
$fn_birth_registry_auto$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto() IS
  'Gateway trigger: a birth for each inserted row, in the same transaction. Argument: the collection. NB501, NB502 in mode enforce; NB503, NB507. Specification: 5.';

-- The gateway for a synthetic identity over a column called id: the same rules, but nothing dynamic, so that the statements stay prepared
-- for the life of the session. A statement trigger only. Has the exempt guard that the documents found missing.
-- SECURITY DEFINER: whoever inserts a row may not write births.
-- Returns: NULL (AFTER trigger); NB501, NB502, NB503.
-- Calls: fn_birth_raise, fn_birth_gateway_identity_usable, fn_birth_gateway_report
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
  v_foreign text[];
BEGIN
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = TG_ARGV[0];
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('gateway_unregistered', format('trigger %s on %I.%I names %L', TG_NAME, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]));
  END IF;
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  SELECT count(*) INTO v_rows FROM birth_new_rows;
  IF r_collection.birth_code_strategy IS DISTINCT FROM 'synthetic_id' OR r_collection.birth_code_column <> 'id'
     OR NOT birth.fn_birth_gateway_identity_usable(TG_RELID, r_collection.birth_code_columns, r_collection.birth_code_types) THEN
    PERFORM birth.fn_birth_gateway_report(r_collection, v_rows, NULL);
    RETURN NULL;
  END IF;

  INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
  SELECT s.code, r_collection.collection_name, 'QT-002'
  FROM (SELECT (r_collection.birth_code_prefix || n.id::text) COLLATE "C" AS code FROM birth_new_rows n) s
  WHERE s.code IS NOT NULL AND octet_length(s.code) <= 512
  ORDER BY s.code
  ON CONFLICT (entity_code) DO NOTHING;
  GET DIAGNOSTICS v_born = ROW_COUNT;
  IF v_born < v_rows THEN
    SELECT count(*) FILTER (WHERE s.code IS NULL OR octet_length(s.code) > 512),
           array_agg(s.code) FILTER (WHERE b.collection_name <> r_collection.collection_name)
    INTO v_rows, v_foreign
    FROM (SELECT (r_collection.birth_code_prefix || n.id::text) COLLATE "C" AS code FROM birth_new_rows n) s
    LEFT JOIN birth.birth_registry b ON b.entity_code = s.code;
    IF v_rows > 0 OR v_foreign IS NOT NULL THEN
      PERFORM birth.fn_birth_gateway_report(r_collection, v_rows, v_foreign);
    END IF;
  END IF;
  RETURN NULL;
END;
$fn_birth_registry_auto_id$;

COMMENT ON FUNCTION birth.fn_birth_registry_auto_id() IS
  'Gateway trigger for a synthetic identity over column id. Argument: the collection. NB501, NB502 in mode enforce; NB503. Specification: 5.';

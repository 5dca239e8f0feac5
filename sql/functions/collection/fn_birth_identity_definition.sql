-- The one definition of a collection's identity. Gateway, planner, writer and fn_birth_resolve_identity derive from it.
-- The scan key is the best key of the table over identity columns only, so a row with a NULL key has a NULL code. On a
-- steward's word (birth_code_part) it may have further columns NOT NULL.
-- Identifiers are quoted only where needed, whatever the caller set: the text that the gateway keeps is compared
-- with this one.
-- SECURITY DEFINER: readers may call it, but none of its parts. It reads catalogues and the registry, and no source.
-- Returns: one row; status ELIGIBLE_... or BLOCKED_... with the reason.
-- Calls: fn_birth_raise, fn_birth_source_status, fn_birth_identity_code, fn_birth_source_keys, fn_birth_type_text
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_definition(p_collection text)
  RETURNS TABLE (status text, reason text, relation oid, source_sql text, code_sql text, columns text[],
                 types regtype[], key_columns text[], key_types text[], codes_distinct boolean)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET quote_all_identifiers = off
AS $fn_birth_identity_definition$
DECLARE
  r_collection birth.collection_registry;
  r_code record;
BEGIN
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  source_sql := format('%I.%I', r_collection.schema_name, r_collection.table_name);
  SELECT s.status, s.reason, s.relation INTO status, reason, relation
  FROM birth.fn_birth_source_status(p_collection, r_collection.schema_name, r_collection.table_name) s;
  -- The catalogue as the parser sees it, which an old snapshot does not show.
  IF status IS NULL AND (CASE WHEN has_schema_privilege(r_collection.schema_name::text, 'USAGE')
                              THEN to_regclass(source_sql)::oid <> relation END) IS TRUE THEN
    status := 'BLOCKED_NO_TABLE';
    reason := format('table %s was replaced after this snapshot was taken', source_sql);
  END IF;
  IF status IS NULL AND r_collection.birth_code_strategy IS NULL THEN
    status := 'BLOCKED_UNCLASSIFIED';
    reason := 'no identity was decided';
  END IF;
  IF status IS NOT NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;

  SELECT i.* INTO r_code FROM birth.fn_birth_identity_code(r_collection, relation) i;
  columns := r_code.columns;
  types := r_code.types;
  -- The same expression over a column of another type is another code. Until it is classified there are no types.
  IF r_code.fault IS NULL AND r_collection.birth_code_columns = columns AND r_collection.birth_code_types <> types THEN
    r_code.fault := format('BLOCKED_TYPE %s were %s when they were classified, and are %s',
      array_to_string(columns, ', '), array_to_string(r_collection.birth_code_types, ', '),
      array_to_string(types, ', '));
  END IF;
  IF r_code.fault IS NOT NULL THEN
    status := split_part(r_code.fault, ' ', 1);
    reason := substr(r_code.fault, strpos(r_code.fault, ' ') + 1);
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT k.columns, k.types INTO key_columns, key_types
  FROM birth.fn_birth_source_keys(fn_birth_identity_definition.relation) WITH ORDINALITY
    AS k(name, is_primary, columns, types, place)
  WHERE k.columns <@ r_code.columns
  ORDER BY k.place LIMIT 1;
  IF key_columns IS NULL AND r_collection.birth_code_part THEN
    -- A row that a NULL or an unreadable column hides from the key would be left out of a run.
    SELECT k.columns, k.types INTO key_columns, key_types
    FROM birth.fn_birth_source_keys(fn_birth_identity_definition.relation) WITH ORDINALITY
      AS k(name, is_primary, columns, types, place)
    WHERE r_code.columns <@ k.columns AND NOT EXISTS (
      SELECT FROM pg_attribute a CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
      WHERE a.attrelid = fn_birth_identity_definition.relation AND a.attname = ANY (k.columns::name[])
        AND (NOT a.attnotnull OR y.type IS NULL))
    ORDER BY k.place LIMIT 1;
  END IF;
  IF key_columns IS NULL THEN
    status := 'BLOCKED_NO_UNIQUE_KEY';
    reason := format('no unique, immediate, complete index over %s', array_to_string(columns, ', '));
    RETURN NEXT;
    RETURN;
  END IF;

  code_sql := r_code.code_sql;
  -- The key holds while the table is locked: fn_birth_source_lock comes first. A single column is always told. An
  -- identity that is a part of the key is on a steward's word.
  codes_distinct := key_columns <@ columns AND (cardinality(columns) = 1 OR key_columns <@ r_code.told);
  -- A child that is attached at this moment does not belong to the table that was checked.
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind = 'r') THEN
    source_sql := 'ONLY ' || source_sql;
  END IF;
  status := 'ELIGIBLE_' || upper(r_collection.birth_code_strategy COLLATE "C");
  reason := format('scanned by %s', array_to_string(key_columns, ', '));
  RETURN NEXT;
END;
$fn_birth_identity_definition$;

COMMENT ON FUNCTION birth.fn_birth_identity_definition(text) IS
  'The identity of a collection: ELIGIBLE_COLUMN, ELIGIBLE_SYNTHETIC_ID, ELIGIBLE_LEGACY or BLOCKED_..., its code as '
  'SQL over a row t, and its scan key. NB103 for an unknown collection. Specification: 4, R2, R3.';

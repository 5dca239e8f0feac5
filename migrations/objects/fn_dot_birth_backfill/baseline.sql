-- DOT-118, as stage 0 found it: writes births directly. No permit, no bound, no proof; what another collection owns is skipped
-- silently. Only birth_definer may execute it; stage 0 replaces it by a refusal.
-- Returns: births written.
-- Calls: fn_birth_identity_definition
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_backfill(p_collection text)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_dot_birth_backfill$
DECLARE
  r_identity record;
  v_born bigint;
BEGIN
  SELECT d.source_sql, d.code_sql INTO r_identity FROM birth.fn_birth_identity_definition(p_collection) d;
  EXECUTE format(
    'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
    ' SELECT %s, $1, ''DOT-118'' FROM %s t ON CONFLICT DO NOTHING',
    r_identity.code_sql, r_identity.source_sql) USING p_collection;
  GET DIAGNOSTICS v_born = ROW_COUNT;
  RETURN v_born;
END;
$fn_dot_birth_backfill$;

COMMENT ON FUNCTION birth.fn_dot_birth_backfill(text) IS 'DOT-118: writes births directly, without permit, bound or proof; frozen by stage0. Specification: 2, 3.';

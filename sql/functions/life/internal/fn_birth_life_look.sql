-- Which codes have a living row of the collection now.
-- Returns: those codes; what fn_birth_scan raises.
-- Calls: fn_birth_source_look, fn_birth_life_living
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_life_look(
    p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[])
  RETURNS text[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_look$
DECLARE
  v_living CONSTANT text[] := birth.fn_birth_source_look(p_collection, p_relation, p_collection.life_key, p_codes,
    p_keys, birth.fn_birth_life_living(p_collection), 0);
BEGIN
  RETURN coalesce(v_living, '{}');
END;
$fn_birth_life_look$;

COMMENT ON FUNCTION birth.fn_birth_life_look(birth.collection_registry, oid, text[], text[]) IS
  'Those of the codes that have a living row now, looked up by key. NB119. Specification: 5.2.';

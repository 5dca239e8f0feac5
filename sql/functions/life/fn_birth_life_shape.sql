-- What the life triggers of a collection are made for: its identity columns, its life column and its dead values. Kept
-- as an argument of each, so that a trigger of an earlier identity is told.
-- Returns: a hash.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_life_shape(p_collection birth.collection_registry)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_shape$
  SELECT md5(jsonb_build_array(p_collection.birth_code_columns, p_collection.life_column,
    p_collection.life_dead)::text);
$fn_birth_life_shape$;

COMMENT ON FUNCTION birth.fn_birth_life_shape(birth.collection_registry) IS
  'A hash of what the life triggers of a collection depend on. Specification: 5.2.';

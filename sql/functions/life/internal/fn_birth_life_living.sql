-- Whether a row t is living, as SQL: it is there, and its life column, if there is one, is not among the dead values.
-- Values are compared as text, byte by byte.
-- Returns: an expression that is true or false.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_life_living(p_collection birth.collection_registry)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_living$
  SELECT CASE WHEN p_collection.life_column IS NULL THEN 'true'
    ELSE format('((t.%I::text COLLATE "C" = ANY (%L::text[])) IS NOT TRUE)', p_collection.life_column,
           p_collection.life_dead) END;
$fn_birth_life_living$;

COMMENT ON FUNCTION birth.fn_birth_life_living(birth.collection_registry) IS
  'The condition, over a row t, under which it is living. Specification: 5.2.';

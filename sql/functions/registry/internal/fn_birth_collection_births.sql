-- How many births a collection has, by the ranges of pages that the index says may hold some: so a small collection in
-- a registry of millions of other births costs little. The planner does not trust such an index on values that lie
-- anyhow; where the whole registry is the collection's, the index costs nothing more.
-- Returns: a count, from the caller's snapshot.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_collection_births(p_collection text)
  RETURNS bigint
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET jit = off
AS $fn_birth_collection_births$
DECLARE
  v_births bigint;
BEGIN
  -- Dynamic, because PL/pgSQL runs a static SELECT INTO in one process.
  EXECUTE 'SELECT count(*) FROM birth.birth_registry b WHERE b.collection_name = $1' INTO v_births USING p_collection;
  RETURN v_births;
END;
$fn_birth_collection_births$;

COMMENT ON FUNCTION birth.fn_birth_collection_births(text) IS
  'How many births a collection has. Specification: 6, R10.';

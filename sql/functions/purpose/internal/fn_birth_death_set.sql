-- DEATH: counts what would end. All of it needs to be accepted by the verdict, by its exact number: an empty or
-- half-restored source must not end everything.
-- Returns: one row; none where the source cannot be read by its identity, which the list of checks explains.
-- Calls: fn_birth_death_codes, fn_birth_collection_births
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint)
  RETURNS TABLE (source_rows bigint, existing_births bigint, orphans bigint, dead bigint, unresolvable bigint,
                 duplicates bigint, collisions bigint, foreign_codes text[], missing bigint, fingerprint numeric[],
                 range_fingerprint numeric[], upper text[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_set$
  SELECT c.source_rows, birth.fn_birth_collection_births(p_run.collection_name), c.visited, 0::bigint, 0::bigint,
         0::bigint, 0::bigint, NULL::text[], c.visited, c.fingerprint, c.fingerprint, c.last_key
  FROM birth.fn_birth_death_codes(p_run, NULL, p_rows, false) c;
$fn_birth_death_set$;

COMMENT ON FUNCTION birth.fn_birth_death_set(birth.birth_backfill_ledger_v2, bigint) IS
  'Purpose DEATH: counts and fingerprint of the births that would end. Specification: 5.2.';

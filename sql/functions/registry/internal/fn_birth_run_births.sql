-- What birth_registry itself holds of a run, counted and fingerprinted anew: never what was accumulated.
-- Returns: a fingerprint.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_births(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_run_births$
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(b.entity_code, p_run.seed_a)), 0),
    coalesce(sum(hashtextextended(b.entity_code, p_run.seed_b)), 0)]
  FROM birth.birth_registry b
  WHERE b.run_id = p_run.run_id AND b.collection_name = p_run.collection_name;
$fn_birth_run_births$;

COMMENT ON FUNCTION birth.fn_birth_run_births(birth.birth_backfill_ledger_v2) IS
  'Fingerprint of the births that carry the run, measured from birth_registry. Specification: 6 step 9, R11.';

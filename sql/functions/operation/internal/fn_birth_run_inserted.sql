-- Which of a chunk's codes carry the run, when some were there before: found in the registry, after the insert, in a statement of its own.
-- Returns: a fingerprint.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_inserted(p_run birth.birth_backfill_ledger_v2, p_codes text[])
  RETURNS numeric[]
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_inserted$
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(b.entity_code, p_run.seed_a)), 0), coalesce(sum(hashtextextended(b.entity_code, p_run.seed_b)), 0)]
  FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c
  JOIN birth.birth_registry b ON b.entity_code = c.code AND b.run_id = p_run.run_id;
$fn_birth_run_inserted$;

COMMENT ON FUNCTION birth.fn_birth_run_inserted(birth.birth_backfill_ledger_v2, text[]) IS
  'Fingerprint of those of the codes whose birth carries the run. Specification: 6 step 8.';

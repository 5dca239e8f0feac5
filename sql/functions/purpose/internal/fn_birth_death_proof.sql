-- DEATH: what the records hold of a run: the deaths that carry it, whether they returned or not, and those that a later
-- run found again.
-- Returns: a fingerprint.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_proof$
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(d.code, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(d.code, p_run.seed_b)), 0)]
  FROM (
    SELECT d.entity_code AS code FROM birth.birth_death d
    WHERE d.run_id = p_run.run_id AND d.collection_name = p_run.collection_name
    UNION ALL
    SELECT c.code COLLATE "C" FROM birth.birth_act a
    CROSS JOIN LATERAL jsonb_array_elements_text(a.detail -> 'codes') AS c(code)
    WHERE a.act = 'refound' AND a.collection_name = p_run.collection_name
      AND a.detail ->> 'run_id' = p_run.run_id::text
  ) d;
$fn_birth_death_proof$;

COMMENT ON FUNCTION birth.fn_birth_death_proof(birth.birth_backfill_ledger_v2) IS
  'Purpose DEATH: fingerprint of the deaths that the records hold of a run. Specification: 9.';

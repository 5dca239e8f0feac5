-- DEATH: what the records hold of a run: the deaths that carry it, whether they returned or not; those that a later run
-- found again; and what a downgrade dropped after it was acknowledged, by the fingerprint that it kept. A death without
-- a birth of the collection is none.
-- Returns: a fingerprint.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_proof$
  WITH held AS (
    SELECT d.entity_code FROM birth.birth_death d
    WHERE d.run_id = p_run.run_id AND d.collection_name = p_run.collection_name
    UNION ALL
    SELECT c.code COLLATE "C"
    FROM birth.birth_act a
    CROSS JOIN LATERAL jsonb_array_elements_text(
      CASE jsonb_typeof(a.detail -> 'codes') WHEN 'array' THEN a.detail -> 'codes' ELSE '[]' END) AS c(code)
    WHERE a.act = 'refound' AND a.collection_name = p_run.collection_name
      AND a.detail ->> 'run_id' = p_run.run_id::text
  ), part AS (
    SELECT count(*)::numeric AS births, sum(hashtextextended(h.entity_code, p_run.seed_a)) AS a,
           sum(hashtextextended(h.entity_code, p_run.seed_b)) AS b
    FROM held h
    JOIN birth.birth_registry r ON r.entity_code = h.entity_code AND r.collection_name = p_run.collection_name
    UNION ALL
    SELECT k.sums[1], k.sums[2], k.sums[3]
    FROM birth.birth_act a
    CROSS JOIN LATERAL (SELECT translate(a.detail ->> 'fingerprint', '[]', '{}')::numeric[] AS sums
                        WHERE a.detail ->> 'fingerprint' ~ '^[[][0-9]+(, -?[0-9]+){2}[]]$') k
    WHERE a.act = 'deaths_dropped' AND a.lineage = p_run.lineage AND a.run_id = p_run.run_id
  )
  SELECT ARRAY[sum(p.births), coalesce(sum(p.a), 0), coalesce(sum(p.b), 0)] FROM part p;
$fn_birth_death_proof$;

COMMENT ON FUNCTION birth.fn_birth_death_proof(birth.birth_backfill_ledger_v2) IS
  'Purpose DEATH: fingerprint of the deaths that the records hold of a run. Specification: 5.2.';

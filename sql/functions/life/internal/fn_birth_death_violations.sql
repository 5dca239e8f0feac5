-- What a death says that another record contradicts. That a dead code has no living row is for the census to say: here
-- no source is read.
-- Returns: as fn_birth_constraint_violations: the run that the death carries, what is violated, how many deaths.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_violations()
  RETURNS TABLE (run_id uuid, violated text, violations bigint)
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_violations$
  SELECT d.run_id, 'birth_death: a birth of its collection', count(*)
  FROM birth.birth_death d
  WHERE NOT EXISTS (SELECT FROM birth.birth_registry b
                    WHERE b.entity_code = d.entity_code AND b.collection_name = d.collection_name)
  GROUP BY d.run_id
  UNION ALL
  SELECT d.run_id, 'birth_death: a death run of its collection', count(*)
  FROM birth.birth_death d
  WHERE d.run_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l
                    WHERE l.run_id = d.run_id AND l.collection_name = d.collection_name AND l.purpose = 'DEATH')
  GROUP BY d.run_id
  UNION ALL
  -- What a run found has the time of one of its receipts, and nothing else has.
  SELECT d.run_id, 'birth_death: the time of a receipt', count(*)
  FROM birth.birth_death d
  LEFT JOIN (SELECT DISTINCT r.run_id, r.born_at FROM birth.birth_receipt r WHERE r.purpose = 'DEATH') r
    ON r.run_id = d.run_id AND r.born_at = d.died_at
  WHERE d.run_id IS NOT NULL AND (r.run_id IS NOT NULL) <> (d.manner = 'FOUND')
  GROUP BY d.run_id
  UNION ALL
  -- The triggers see a successor where a code is changed in place; any other was said by a steward.
  SELECT d.run_id, 'birth_death: the act of its successor', count(*)
  FROM birth.birth_death d
  WHERE d.successor IS NOT NULL AND d.manner <> 'REKEY'
    AND NOT EXISTS (SELECT FROM birth.birth_act a
                    WHERE a.act = 'succeed' AND a.detail ->> 'entity_code' = d.entity_code
                      AND a.detail ->> 'successor' = d.successor)
  GROUP BY d.run_id
  UNION ALL
  SELECT d.run_id, 'birth_death: the act of its return', count(*)
  FROM birth.birth_death d
  WHERE d.return_allowed_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_act a
                    WHERE a.act = 'return' AND a.detail ->> 'entity_code' = d.entity_code
                      AND a.actor = d.return_allowed_by)
  GROUP BY d.run_id;
$fn_birth_death_violations$;

COMMENT ON FUNCTION birth.fn_birth_death_violations() IS
  'Deaths that births, receipts, the ledger or acts contradict: run, what is violated, how many. Specification: 9.';

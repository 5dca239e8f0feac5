-- TRANSITION: what the records hold of a run: its change, unless it was undone. A record of another change than the
-- planned one, or of a moment in which no attempt was on, is none of the run's.
-- Returns: its fingerprint, or that of nothing; NULL, which agrees with nothing, where the record contradicts another.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_proof$
  SELECT CASE WHEN t.run_id IS NULL THEN CASE WHEN p_run.actual_inserted = 0 THEN '{0,0,0}'::numeric[] END
              WHEN x.fingerprint = p_run.planned_fingerprint
                AND (t.to_status, t.to_governed)
                  = (p_run.wanted ->> 'p_to_status', (p_run.wanted ->> 'p_to_governed')::boolean)
                AND NOT EXISTS (
                  -- The last that was said of who works on the run before this moment is an attempt to do it.
                  SELECT FROM (VALUES (t.executed_at, 'TRANSITION'), (t.undone_at, 'COMPENSATE')) AS m(at, purpose)
                  WHERE m.at IS NOT NULL AND m.purpose IS DISTINCT FROM (
                    SELECT a.detail ->> 'purpose' FROM birth.birth_act a
                    WHERE a.lineage = p_run.lineage AND a.run_id = t.run_id
                      AND a.act IN ('attempt', 'outcome', 'takeover') AND a.acted_at < m.at
                    ORDER BY a.acted_at DESC LIMIT 1))
                THEN CASE WHEN t.undone_at IS NULL THEN x.fingerprint ELSE '{0,0,0}' END END
  FROM (SELECT) AS one
  LEFT JOIN birth.birth_transition t ON t.run_id = p_run.run_id
  CROSS JOIN LATERAL (
    SELECT jsonb_build_array(t.collection_name, t.from_status, t.from_governed, t.from_version, t.to_status,
                             t.to_governed)::text AS change
  ) c
  CROSS JOIN LATERAL (
    SELECT ARRAY[1::numeric, hashtextextended(c.change, p_run.seed_a),
                 hashtextextended(c.change, p_run.seed_b)] AS fingerprint
  ) x;
$fn_birth_transition_proof$;

COMMENT ON FUNCTION birth.fn_birth_transition_proof(birth.birth_backfill_ledger_v2) IS
  'Purpose TRANSITION: fingerprint of the change that the records hold of a run; NULL where its record contradicts '
  'plan or acts. Specification: 4.1.';

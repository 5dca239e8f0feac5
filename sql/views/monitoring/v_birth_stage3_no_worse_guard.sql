-- The later stages left the guarantees of stage 3 intact: what is closed is held by a gateway, every admission has its
-- act, or was there when stage 3 was released, and the gateway is the one of stage 0.
CREATE OR REPLACE VIEW birth.v_birth_stage3_no_worse_guard AS
WITH closed AS (
  SELECT count(*) AS collections, string_agg(r.collection_name, ', ' ORDER BY r.collection_name) AS names
  FROM birth.collection_registry r
  WHERE r.gate_closed
    AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                    WHERE g.collection_name = r.collection_name AND g.enabled)
), unrecorded AS (
  SELECT count(*) AS collections, string_agg(r.collection_name, ', ' ORDER BY r.collection_name) AS names
  FROM birth.collection_registry r
  WHERE CASE r.admitted_how
    WHEN 'GRANDFATHERED' THEN NOT EXISTS (
      SELECT FROM birth.birth_stage_anchor a
      WHERE a.stage = 'stage3' AND a.subject = 'gate.grandfathered' AND a.value::jsonb ? r.collection_name)
    ELSE NOT EXISTS (
      SELECT FROM birth.birth_act a
      WHERE a.act = 'admit' AND a.collection_name = r.collection_name AND a.detail ->> 'how' = r.admitted_how) END
    AND r.admitted_how IS NOT NULL
)
SELECT 'closed collections without an enabled gateway' AS check_name, coalesce(c.names, '0') AS found, '0' AS expected,
       c.collections = 0 AS pass
FROM closed c
UNION ALL
SELECT 'admissions without a record', coalesce(u.names, '0'), '0',
       u.collections = 0
         AND EXISTS (SELECT FROM birth.birth_stage_anchor s
                     WHERE s.stage = 'stage3' AND s.subject = 'gate.grandfathered')
FROM unrecorded u
UNION ALL
SELECT 'gateway functions unchanged since stage 0', count(*) FILTER (WHERE g.pass)::text, '2',
       count(*) FILTER (WHERE g.pass) = 2
FROM birth.v_birth_gateway_ssot_drift_detector g;

COMMENT ON VIEW birth.v_birth_stage3_no_worse_guard IS
  'Guard of stage 3, three checks: what is closed is held, admissions are on record, the gateway is that of stage 0. '
  'Specification: 2, 3.';

-- The later stages left the guarantees of stage 4 intact: the policy of each collection is what its last transition
-- since the release wrote, or what stage 4 recorded, or what it was registered with since; and every transition has its
-- receipt.
CREATE OR REPLACE VIEW birth.v_birth_stage4_no_worse_guard AS
WITH withdrawn AS (
  SELECT b.collection_name, max(b.acted_at) AS at FROM birth.birth_act b WHERE b.act = 'withdraw'
  GROUP BY b.collection_name
), anchor AS (
  SELECT p.key AS collection_name, p.value ->> 0 AS status, (p.value ->> 1)::boolean AS governed, a.recorded_at
  FROM birth.birth_stage_anchor a
  CROSS JOIN LATERAL jsonb_each(a.value::jsonb) p
  WHERE a.stage = 'stage4' AND a.subject = 'policies'
    AND NOT EXISTS (SELECT FROM withdrawn w WHERE w.collection_name = p.key AND w.at > a.recorded_at)
), other AS (
  SELECT c.collection_name
  FROM birth.collection_registry c
  LEFT JOIN anchor a ON a.collection_name = c.collection_name
  LEFT JOIN LATERAL (
    -- An undoing wrote what was there before.
    SELECT w.status, w.governed
    FROM birth.birth_transition t
    CROSS JOIN LATERAL (VALUES (t.executed_at, t.to_status, t.to_governed),
                               (t.undone_at, t.from_status, t.from_governed)) AS w(at, status, governed)
    WHERE t.collection_name = c.collection_name AND w.at > coalesce(a.recorded_at, '-infinity')
    ORDER BY w.at DESC LIMIT 1
  ) t ON true
  LEFT JOIN LATERAL (
    SELECT b.detail FROM birth.birth_act b
    WHERE b.act = 'register' AND b.collection_name = c.collection_name
      AND NOT EXISTS (SELECT FROM withdrawn w WHERE w.collection_name = c.collection_name AND w.at > b.acted_at)
    ORDER BY b.acted_at LIMIT 1
  ) r ON a.collection_name IS NULL AND t.status IS NULL
  WHERE (c.coverage_status, c.governed) IS DISTINCT FROM
        (coalesce(t.status, a.status, r.detail ->> 'coverage_status'),
         coalesce(t.governed, a.governed, (r.detail ->> 'governed')::boolean))
)
SELECT 'collections whose policy no transition wrote' AS check_name,
       coalesce(string_agg(o.collection_name, ', ' ORDER BY o.collection_name), '0') AS found, '0' AS expected,
       count(o.collection_name) = 0
         AND EXISTS (SELECT FROM birth.birth_stage_anchor s WHERE s.stage = 'stage4' AND s.subject = 'policies') AS pass
FROM other o
UNION ALL
SELECT 'transitions without a receipt', coalesce(string_agg(t.run_id::text, ', '), '0'), '0', count(*) = 0
FROM birth.birth_transition t
WHERE NOT EXISTS (SELECT FROM birth.birth_receipt r WHERE r.run_id = t.run_id AND r.purpose = 'TRANSITION')
   OR t.undone_at IS NOT NULL AND NOT EXISTS (
     SELECT FROM birth.birth_receipt r WHERE r.run_id = t.run_id AND r.purpose = 'COMPENSATE')
UNION ALL
SELECT 'gateway functions unchanged since stage 0', count(*) FILTER (WHERE g.pass)::text, '2',
       count(*) FILTER (WHERE g.pass) = 2
FROM birth.v_birth_gateway_ssot_drift_detector g;

COMMENT ON VIEW birth.v_birth_stage4_no_worse_guard IS
  'Guard of stage 4, three checks: every policy is on record, every transition has its receipt, the gateway is that of '
  'stage 0. Specification: 3, 4.1.';

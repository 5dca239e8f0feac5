-- The later stages left the guarantees of stage 0 and stage 1 intact: gateway functions and frozen operations are as
-- stage 0 recorded them; coverage, permits and alerts are no worse than stage 1 recorded them.
CREATE OR REPLACE VIEW birth.v_birth_stage1_no_worse_proof AS
WITH coverage AS (
  SELECT min(c.now) FILTER (WHERE c.policy = 'BIRTH_REQUIRED') AS required_now,
         min(c.now) FILTER (WHERE c.policy = 'BIRTH_EXEMPT_') AS exempt_now,
         min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_REQUIRED') AS required,
         min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_EXEMPT_') AS exempt,
         bool_and(CASE c.policy WHEN 'BIRTH_REQUIRED' THEN c.now >= c.recorded
                                WHEN 'BIRTH_EXEMPT_' THEN c.now <= c.recorded
                                ELSE true END) AS kept
  FROM birth.v_birth_coverage_since_anchor c
  WHERE c.stage = 'stage1'
)
SELECT 'gateway functions unchanged since stage 0' AS check_name, count(*) FILTER (WHERE g.pass)::text AS found,
       '2' AS expected,
       count(*) FILTER (WHERE g.pass) = 2 AS pass
FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
SELECT 'dangerous operations frozen', count(*) FILTER (WHERE f.pass)::text, coalesce(min(a.value), 'not recorded'),
       count(*) FILTER (WHERE f.pass)::text = min(a.value)
         AND count(*) FILTER (WHERE NOT f.pass) = 0
FROM birth.birth_stage_anchor a
LEFT JOIN birth.v_birth_stage0_freeze_no_go_guard f ON true
WHERE a.stage = 'stage0' AND a.subject = 'dots.frozen'
UNION ALL
-- Coverage is lost when a required collection goes back to review, or when a collection becomes exempt.
SELECT 'coverage not reduced since stage 1', format('%s required, %s exempt', c.required_now, c.exempt_now),
       format('at least %s required, at most %s exempt', c.required, c.exempt),
       coalesce(c.kept, false)
FROM coverage c
UNION ALL
SELECT 'open permits in birth_admission_permit', count(p.permit_id)::text, coalesce(min(a.value), 'not recorded'),
       coalesce(count(p.permit_id)::text = min(a.value), false)
FROM birth.birth_stage_anchor a
LEFT JOIN birth.birth_admission_permit p ON p.status = 'OPEN'
WHERE a.stage = 'stage1' AND a.subject = 'permits.open'
UNION ALL
SELECT 'trigger guard alerts since stage 1', count(t.raised_at)::text, coalesce(min(a.value), 'not recorded'),
       coalesce(count(t.raised_at) <= min(a.value::bigint), false)
FROM birth.birth_stage_anchor a
LEFT JOIN birth.fn_birth_alerts() t ON true
WHERE a.stage = 'stage1' AND a.subject = 'alerts';

COMMENT ON VIEW birth.v_birth_stage1_no_worse_proof IS
  'Guard of stage 1, five checks: gateway functions, frozen operations, coverage, permits and alerts are no worse than '
  'recorded. Specification: 2, 3.';

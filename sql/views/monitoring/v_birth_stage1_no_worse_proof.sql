-- Stage 1 left stage 0's guarantees intact, and they still are: gateway and frozen operations as stage 0 recorded them, policies, permits and
-- alerts as stage 1 did.
CREATE OR REPLACE VIEW birth.v_birth_stage1_no_worse_proof AS
SELECT 'gateway functions unchanged since stage 0' AS check_name, count(*) FILTER (WHERE g.pass)::text AS found, '2' AS expected,
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
-- A required collection that is reviewed again, or a reviewed one that is exempted, is covered less than before.
SELECT 'no collection is covered less', format('%s required, %s exempt', min(c.now) FILTER (WHERE c.policy = 'BIRTH_REQUIRED'), min(c.now) FILTER (WHERE c.policy = 'BIRTH_EXEMPT_')),
       format('at least %s required, at most %s exempt', min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_REQUIRED'), min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_EXEMPT_')),
       coalesce(bool_and(CASE c.policy WHEN 'BIRTH_REQUIRED' THEN c.now >= c.recorded WHEN 'BIRTH_EXEMPT_' THEN c.now <= c.recorded ELSE true END), false)
FROM birth.v_birth_coverage_since_anchor c
WHERE c.stage = 'stage1'
UNION ALL
SELECT 'no open permit of the first kind', count(p.permit_id)::text, coalesce(min(a.value), 'not recorded'), coalesce(count(p.permit_id)::text = min(a.value), false)
FROM birth.birth_stage_anchor a
LEFT JOIN birth.birth_admission_permit p ON p.status = 'OPEN'
WHERE a.stage = 'stage1' AND a.subject = 'permits.open'
UNION ALL
SELECT 'no trigger guard alert since', count(t.raised_at)::text, coalesce(min(a.value), 'not recorded'), coalesce(count(t.raised_at) <= min(a.value::bigint), false)
FROM birth.birth_stage_anchor a
LEFT JOIN birth.fn_birth_alerts() t ON true
WHERE a.stage = 'stage1' AND a.subject = 'alerts';

COMMENT ON VIEW birth.v_birth_stage1_no_worse_proof IS
  'Guard of stage 1, five checks: gateway, frozen operations, coverage, permits and alerts are no worse than recorded. Specification: 2, 3.';

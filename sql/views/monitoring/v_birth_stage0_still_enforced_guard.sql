-- Stage 1, and a condition of every apply: what stage 0 brought still holds, guard by guard.
CREATE OR REPLACE VIEW birth.v_birth_stage0_still_enforced_guard AS
WITH frozen AS MATERIALIZED (
  SELECT f.check_name, f.found, f.expected, f.pass FROM birth.v_birth_stage0_freeze_no_go_guard f
)
SELECT 'frozen: ' || f.check_name AS check_name, f.found, f.expected, f.pass FROM frozen f
UNION ALL
SELECT 'no old function: ' || o.check_name, o.found, o.expected, o.pass FROM birth.v_birth_stage0_no_old_function_guard o
UNION ALL
SELECT 'gateway unchanged: ' || g.check_name, g.found, g.expected, g.pass FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
-- Guards without rows would all pass.
SELECT 'dangerous operations known', count(*)::text, coalesce(min(a.value), 'not recorded'), count(*)::text = coalesce(min(a.value), 'not recorded')
FROM frozen f
LEFT JOIN birth.birth_stage_anchor a ON a.stage = 'stage0' AND a.subject = 'dots.frozen';

COMMENT ON VIEW birth.v_birth_stage0_still_enforced_guard IS
  'Guard of stage 1: every guard of stage 0, still. Apply asks that every row passes. Specification: 2, 6.';

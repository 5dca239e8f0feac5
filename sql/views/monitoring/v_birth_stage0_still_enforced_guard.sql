-- Stage 1: all guards of stage 0 still pass. Every apply requires this.
CREATE OR REPLACE VIEW birth.v_birth_stage0_still_enforced_guard AS
WITH frozen AS MATERIALIZED (
  SELECT f.check_name, f.found, f.expected, f.pass FROM birth.v_birth_stage0_freeze_no_go_guard f
)
SELECT 'frozen: ' || f.check_name AS check_name, f.found, f.expected, f.pass FROM frozen f
UNION ALL
SELECT 'no old function: ' || o.check_name, o.found, o.expected, o.pass
FROM birth.v_birth_stage0_no_old_function_guard o
UNION ALL
SELECT 'gateway unchanged: ' || g.check_name, g.found, g.expected, g.pass
FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
-- If the dangerous DOTs were missing, the guard above would have no rows and pass: so they are counted.
SELECT 'dangerous operations registered', count(*)::text, coalesce(min(a.value), 'not recorded'),
       count(*)::text = coalesce(min(a.value), 'not recorded')
FROM frozen f
LEFT JOIN birth.birth_stage_anchor a ON a.stage = 'stage0' AND a.subject = 'dots.frozen';

COMMENT ON VIEW birth.v_birth_stage0_still_enforced_guard IS
  'Guard of stage 1: the guards of stage 0, one row per check. Apply requires that all rows pass. Specification: 2, 6.';

-- Per stage and policy: how many collections there were when the stage was released, and how many of those known then there are now.
-- Collections that a steward registered since are left out: they make nothing worse.
CREATE OR REPLACE VIEW birth.v_birth_coverage_since_anchor AS
SELECT a.stage, substr(a.subject, 10) AS policy, a.value::bigint AS recorded, count(c.collection_name) AS now
FROM birth.birth_stage_anchor a
LEFT JOIN birth.collection_registry c
  ON starts_with(c.coverage_status, substr(a.subject, 10)) AND c.registered_at <= a.recorded_at
WHERE starts_with(a.subject, 'coverage.')
GROUP BY a.stage, a.subject, a.value;

COMMENT ON VIEW birth.v_birth_coverage_since_anchor IS
  'Collections of each policy when a stage was released, and how many of those known then there are now. Specification: 3.';

-- Per stage and policy: the number of collections when the stage was released, and how many of those collections have
-- the policy now. Collections registered after the release are not counted: they take nothing away from the coverage.
CREATE OR REPLACE VIEW birth.v_birth_coverage_since_anchor AS
SELECT a.stage, substr(a.subject, 10) AS policy, a.value::bigint AS recorded, count(c.collection_name) AS now
FROM birth.birth_stage_anchor a
LEFT JOIN birth.collection_registry c
  ON starts_with(c.coverage_status, substr(a.subject, 10)) AND c.registered_at <= a.recorded_at
WHERE starts_with(a.subject, 'coverage.')
GROUP BY a.stage, a.subject, a.value;

COMMENT ON VIEW birth.v_birth_coverage_since_anchor IS
  'Per stage and policy: collections when the stage was released, and how many of those collections have the policy '
  'now. Specification: 3.';

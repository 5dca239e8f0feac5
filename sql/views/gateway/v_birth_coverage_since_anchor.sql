-- Per stage and policy: the number of collections when the stage was released, and how many of those collections have
-- the policy now. Collections registered after the release are not counted: they take nothing away from the coverage.
-- A collection whose policy is what its last governance transition wrote counts with the policy from before the first
-- one since then: a transition was judged and permitted, and is no loss. What an UPDATE by hand wrote is.
CREATE OR REPLACE VIEW birth.v_birth_coverage_since_anchor AS
SELECT a.stage, substr(a.subject, 10) AS policy, a.value::bigint AS recorded, count(c.collection_name) AS now
FROM birth.birth_stage_anchor a
LEFT JOIN birth.collection_registry c
  ON c.registered_at <= a.recorded_at
     AND starts_with(
       coalesce((SELECT CASE WHEN c.coverage_status = (array_agg(t.to_status ORDER BY t.from_version DESC))[1]
                             THEN (array_agg(t.from_status ORDER BY t.from_version))[1] END
                 FROM birth.birth_transition t
                 WHERE t.collection_name = c.collection_name AND t.executed_at > a.recorded_at
                   AND t.undone_at IS NULL), c.coverage_status),
       substr(a.subject, 10))
WHERE starts_with(a.subject, 'coverage.')
GROUP BY a.stage, a.subject, a.value;

COMMENT ON VIEW birth.v_birth_coverage_since_anchor IS
  'Per stage and policy: collections when the stage was released, and how many of those collections have the policy '
  'now. Specification: 3.';

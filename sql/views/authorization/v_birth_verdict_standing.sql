-- The verdicts that stand: no other verdict on the run and purpose names them. A verdict is taken back by name; neither
-- a clock nor an identity, which both can give a wrong order, plays a part.
CREATE OR REPLACE VIEW birth.v_birth_verdict_standing AS
SELECT v.review_id, v.run_id, v.purpose, v.verdict, v.findings, v.accept_orphans, v.reviewed_at, v.reviewed_by,
       v.planned_fingerprint, v.contract_hash, v.identity_hash, v.failures_seen
FROM birth.birth_review v
LEFT JOIN birth.birth_review s ON s.run_id = v.run_id AND s.purpose = v.purpose AND v.review_id = ANY (s.supersedes)
WHERE s.review_id IS NULL;

COMMENT ON VIEW birth.v_birth_verdict_standing IS
  'The verdicts that no other verdict takes back. A run goes on while a SAFE stands and no NOT_SAFE_NEEDS_FIX does. '
  'Specification: 6, R5.';

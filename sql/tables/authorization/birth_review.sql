-- Verdicts. Each stands until another one names it. A SAFE that stands counts only while no NOT_SAFE_NEEDS_FIX stands
-- and what it was bound to is unchanged.
CREATE TABLE birth.birth_review (
  review_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id              uuid NOT NULL REFERENCES birth.birth_backfill_ledger_v2,
  purpose             text NOT NULL,
  verdict             text NOT NULL,
  findings            text NOT NULL,
  accept_orphans      bigint NOT NULL,
  reviewed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  reviewed_by         text NOT NULL,
  planned_fingerprint numeric[] NOT NULL,
  contract_hash       text NOT NULL,
  identity_hash       text NOT NULL,
  alerts_seen         bigint NOT NULL,
  failures_seen       bigint NOT NULL,
  supersedes          bigint[] NOT NULL DEFAULT '{}',
  -- A verdict is about one of four purposes.
  CONSTRAINT birth_review_purpose CHECK (purpose IN ('APPLY', 'COMPENSATE', 'TRANSITION', 'DEATH')),
  -- Safe or not: nothing in between.
  CONSTRAINT birth_review_verdict CHECK (verdict IN ('SAFE', 'NOT_SAFE_NEEDS_FIX')),
  -- A verdict says what was found.
  CONSTRAINT birth_review_findings CHECK (findings ~ '\S'),
  -- Orphans are accepted by number.
  CONSTRAINT birth_review_orphans CHECK (accept_orphans >= 0),
  -- A verdict takes back others: known ones, never itself.
  CONSTRAINT birth_review_supersedes CHECK ((review_id = ANY (supersedes)) IS FALSE)
);

CREATE INDEX birth_review_run ON birth.birth_review (run_id, purpose);

COMMENT ON TABLE birth.birth_review IS
  'Verdicts, bound to run, planned set, contract and identity; each stands until another names it. Specification: 6, '
  'R5.';
COMMENT ON COLUMN birth.birth_review.review_id IS 'Identity; gives no order.';
COMMENT ON COLUMN birth.birth_review.run_id IS 'The run reviewed.';
COMMENT ON COLUMN birth.birth_review.purpose IS 'The purpose of its run, or COMPENSATE.';
COMMENT ON COLUMN birth.birth_review.verdict IS 'SAFE or NOT_SAFE_NEEDS_FIX.';
COMMENT ON COLUMN birth.birth_review.findings IS 'What was found, in the reviewer''s words.';
COMMENT ON COLUMN birth.birth_review.accept_orphans IS 'Exact number of orphans accepted.';
COMMENT ON COLUMN birth.birth_review.reviewed_at IS 'When; gives no order.';
COMMENT ON COLUMN birth.birth_review.reviewed_by IS 'By which reviewer.';
COMMENT ON COLUMN birth.birth_review.planned_fingerprint IS 'The planned set it is bound to.';
COMMENT ON COLUMN birth.birth_review.contract_hash IS 'The contract it is bound to.';
COMMENT ON COLUMN birth.birth_review.identity_hash IS 'The policy, identity and table it is bound to.';
COMMENT ON COLUMN birth.birth_review.alerts_seen IS
  'Rows of trigger_guard_alerts when it was given: what the reviewer could see.';
COMMENT ON COLUMN birth.birth_review.failures_seen IS
  'How often the run had failed when it was given: after another failure it is void.';
COMMENT ON COLUMN birth.birth_review.supersedes IS
  'The verdicts it takes back: those NOT_SAFE_NEEDS_FIX that the reviewer named, and the SAFE that stood before it.';

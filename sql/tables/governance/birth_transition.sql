-- Changes of policy: what a run of QT-005 wrote, one row a run, and whether it was undone.
CREATE TABLE birth.birth_transition (
  run_id          uuid PRIMARY KEY REFERENCES birth.birth_backfill_ledger_v2,
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  from_status     text NOT NULL,
  from_governed   boolean NOT NULL,
  from_version    bigint NOT NULL,
  to_status       text NOT NULL,
  to_governed     boolean NOT NULL,
  direction       text NOT NULL,
  executed_at     timestamptz NOT NULL,
  undone_at       timestamptz,
  -- A transition changes something.
  CONSTRAINT birth_transition_change CHECK ((from_status, from_governed) <> (to_status, to_governed)),
  -- It is called a loosening where it asks less in any respect, and nowhere else.
  CONSTRAINT birth_transition_direction CHECK (direction = CASE
    WHEN to_status <> from_status AND (starts_with(to_status, 'BIRTH_EXEMPT_') OR from_status = 'BIRTH_REQUIRED')
      OR from_governed AND NOT to_governed THEN 'loosening' ELSE 'tightening' END),
  -- It is undone after it was done.
  CONSTRAINT birth_transition_undone CHECK (undone_at >= executed_at)
);

CREATE INDEX birth_transition_collection ON birth.birth_transition (collection_name, executed_at);

COMMENT ON TABLE birth.birth_transition IS
  'Changes of policy, one row for each run of QT-005 that wrote one. Specification: 4.1.';
COMMENT ON COLUMN birth.birth_transition.run_id IS 'The run.';
COMMENT ON COLUMN birth.birth_transition.collection_name IS 'The collection.';
COMMENT ON COLUMN birth.birth_transition.from_status IS 'coverage_status before.';
COMMENT ON COLUMN birth.birth_transition.from_governed IS 'governed before.';
COMMENT ON COLUMN birth.birth_transition.from_version IS 'policy_version before; after it is one more.';
COMMENT ON COLUMN birth.birth_transition.to_status IS 'coverage_status after.';
COMMENT ON COLUMN birth.birth_transition.to_governed IS 'governed after.';
COMMENT ON COLUMN birth.birth_transition.direction IS
  'loosening: to a weaker policy, another reason of exemption, or governed false; tightening: everything else.';
COMMENT ON COLUMN birth.birth_transition.executed_at IS 'When it was written, by fn_birth_clock.';
COMMENT ON COLUMN birth.birth_transition.undone_at IS 'When a compensation wrote its inverse; NULL: it was not undone.';

-- The permit: an expiring, collection-scoped, row-bounded authorisation to execute one run, usable once.
CREATE TABLE birth.birth_admission_permit_v2 (
  permit_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  run_id          uuid NOT NULL,
  purpose         text NOT NULL,
  status          text NOT NULL DEFAULT 'OPEN',
  max_rows        bigint NOT NULL,
  spent_rows      bigint NOT NULL DEFAULT 0,
  reason          text NOT NULL,
  opened_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  opened_by       text NOT NULL,
  expires_at      timestamptz NOT NULL,
  confirmed_at    timestamptz,
  confirmed_by    text,
  closed_at       timestamptz,
  -- A permit is for one of four purposes, never for two.
  CONSTRAINT birth_admission_permit_v2_purpose CHECK (purpose IN ('APPLY', 'COMPENSATE', 'TRANSITION', 'DEATH')),
  -- Open once, then over for good.
  CONSTRAINT birth_admission_permit_v2_status CHECK (
    status IN ('OPEN', 'CONSUMED', 'REVOKED', 'EXPIRED') AND (status = 'OPEN') = (closed_at IS NULL)),
  -- What is spent never exceeds what was granted, whoever writes the row.
  CONSTRAINT birth_admission_permit_v2_bound CHECK (max_rows > 0 AND spent_rows BETWEEN 0 AND max_rows),
  -- A permit does not lie around: seven days at most.
  CONSTRAINT birth_admission_permit_v2_expiry CHECK (expires_at > opened_at
    AND expires_at <= opened_at + interval '168 hours'),
  -- A permit says why.
  CONSTRAINT birth_admission_permit_v2_reason CHECK (reason ~ '\S'),
  -- Nobody confirms their own permit; nothing is spent of one that nobody confirmed.
  CONSTRAINT birth_admission_permit_v2_confirmed CHECK (
    (confirmed_by IS NULL) = (confirmed_at IS NULL)
    AND confirmed_by IS DISTINCT FROM opened_by
    AND (spent_rows = 0 OR confirmed_by IS NOT NULL))
);

-- At most one open permit for a run and purpose.
CREATE UNIQUE INDEX birth_admission_permit_v2_open ON birth.birth_admission_permit_v2 (run_id, purpose)
  WHERE status = 'OPEN';

COMMENT ON TABLE birth.birth_admission_permit_v2 IS
  'Permits: expiring, scoped to one run, bounded in rows, usable once. Specification: 6.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.permit_id IS 'Identity.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.collection_name IS 'The collection it is scoped to.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.run_id IS 'The one plan it is scoped to.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.purpose IS 'The purpose of its run, or COMPENSATE.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.status IS
  'OPEN once, then CONSUMED, REVOKED or EXPIRED; an OPEN one past expires_at admits nothing.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.max_rows IS 'Births it admits at most.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.spent_rows IS 'Births committed under it.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.reason IS 'Why it was opened.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.opened_at IS 'When.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.opened_by IS 'By which permit owner.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.expires_at IS 'From when on it admits nothing, by the real clock.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.confirmed_at IS 'When it was confirmed.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.confirmed_by IS 'By which reviewer.';
COMMENT ON COLUMN birth.birth_admission_permit_v2.closed_at IS 'When it was over.';

-- The first permit: no expiry, no row bound, which is why an independent review refused it. Nothing ever wrote here;
-- stage2_5 closes it and birth_admission_permit_v2 takes its place.
CREATE TABLE birth.birth_admission_permit (
  permit_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  status          text NOT NULL DEFAULT 'OPEN',
  reason          text NOT NULL,
  opened_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  opened_by       text NOT NULL DEFAULT session_user,
  -- A permit is open or it is over.
  CONSTRAINT birth_admission_permit_status CHECK (status IN ('OPEN', 'CONSUMED', 'REVOKED'))
);

COMMENT ON TABLE birth.birth_admission_permit IS
  'The first permit, without expiry or bound; superseded by birth_admission_permit_v2. Specification: 2.';
COMMENT ON COLUMN birth.birth_admission_permit.permit_id IS 'Identity.';
COMMENT ON COLUMN birth.birth_admission_permit.collection_name IS 'The collection it admits.';
COMMENT ON COLUMN birth.birth_admission_permit.status IS 'OPEN, CONSUMED or REVOKED.';
COMMENT ON COLUMN birth.birth_admission_permit.reason IS 'Why it was opened.';
COMMENT ON COLUMN birth.birth_admission_permit.opened_at IS 'When.';
COMMENT ON COLUMN birth.birth_admission_permit.opened_by IS 'By which login.';

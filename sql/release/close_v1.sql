-- Closes the stage 1 permit and ledger tables for writing: CHECK (false) refuses every new or changed row.
-- NOT VALID keeps the existing rows, which are evidence.
ALTER TABLE birth.birth_admission_permit
  ADD CONSTRAINT birth_admission_permit_closed CHECK (false) NOT VALID;
ALTER TABLE birth.birth_backfill_ledger
  ADD CONSTRAINT birth_backfill_ledger_closed CHECK (false) NOT VALID;
COMMENT ON CONSTRAINT birth_admission_permit_closed ON birth.birth_admission_permit IS
  'Closed for writing: see birth_admission_permit_v2.';
COMMENT ON CONSTRAINT birth_backfill_ledger_closed ON birth.birth_backfill_ledger IS
  'Closed for writing: see birth_backfill_ledger_v2.';

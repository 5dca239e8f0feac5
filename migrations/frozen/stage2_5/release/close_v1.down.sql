-- Opens the first permit and the first ledger again, as stage2 knew them.
ALTER TABLE birth.birth_admission_permit DROP CONSTRAINT birth_admission_permit_closed;
ALTER TABLE birth.birth_backfill_ledger DROP CONSTRAINT birth_backfill_ledger_closed;

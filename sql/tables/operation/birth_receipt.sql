-- What each committed batch did. Never changed, never removed; chained by SHA-256 per run.
CREATE TABLE birth.birth_receipt (
  run_id      uuid NOT NULL REFERENCES birth.birth_backfill_ledger_v2,
  batch_no    bigint NOT NULL,
  purpose     text NOT NULL,
  epoch       bigint NOT NULL,
  permit_id   bigint,
  key_after   text[],
  key_to      text[],
  visited     bigint NOT NULL,
  written     bigint NOT NULL,
  skipped     bigint NOT NULL,
  fingerprint numeric[] NOT NULL,
  born_at     timestamptz NOT NULL DEFAULT now(),
  written_by  text NOT NULL,
  dot_origin  text COLLATE "C" NOT NULL,
  sha256      text COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, batch_no),
  -- A batch belongs to one of four purposes.
  CONSTRAINT birth_receipt_purpose CHECK (purpose IN ('APPLY', 'COMPENSATE', 'TRANSITION', 'DEATH')),
  -- Counts are counts, and the fingerprint counts the same.
  CONSTRAINT birth_receipt_counts CHECK (
    (least(batch_no, visited, written, skipped) >= 0 AND cardinality(fingerprint) = 3
     AND array_position(fingerprint, NULL) IS NULL AND fingerprint[1] = written) IS TRUE)
);

COMMENT ON TABLE birth.birth_receipt IS
  'One row a committed batch: range, counts, fingerprint, chained by SHA-256. Receipts, births and ledger always '
  'agree. Specification: 6.';
COMMENT ON COLUMN birth.birth_receipt.run_id IS 'The run.';
COMMENT ON COLUMN birth.birth_receipt.batch_no IS 'Number of the batch in the run, from 1.';
COMMENT ON COLUMN birth.birth_receipt.purpose IS
  'APPLY: the batch wrote births. COMPENSATE: it undid what the run wrote.';
COMMENT ON COLUMN birth.birth_receipt.epoch IS 'The attempt it belongs to.';
COMMENT ON COLUMN birth.birth_receipt.permit_id IS 'The permit it was spent from.';
COMMENT ON COLUMN birth.birth_receipt.key_after IS 'The batch began after this key; NULL at the start.';
COMMENT ON COLUMN birth.birth_receipt.key_to IS 'The last key visited.';
COMMENT ON COLUMN birth.birth_receipt.visited IS 'Source rows visited.';
COMMENT ON COLUMN birth.birth_receipt.written IS 'Births written, or removed.';
COMMENT ON COLUMN birth.birth_receipt.skipped IS 'Rows that had a birth, or no code.';
COMMENT ON COLUMN birth.birth_receipt.fingerprint IS 'Fingerprint of the births written, or removed.';
COMMENT ON COLUMN birth.birth_receipt.born_at IS 'Transaction time of the batch: its births carry the same.';
COMMENT ON COLUMN birth.birth_receipt.written_by IS 'Login that executed the batch.';
COMMENT ON COLUMN birth.birth_receipt.dot_origin IS 'Origin that the births of the run carry.';
COMMENT ON COLUMN birth.birth_receipt.sha256 IS 'SHA-256 of this receipt and the one before it.';

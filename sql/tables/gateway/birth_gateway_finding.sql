-- Rows that the gateway let through without a birth of their own:
-- in mode observe, the rows that enforce would refuse;
-- of a deferred collection, the rows that have no identity yet;
-- in each mode, rows that may share the birth of another row.
--
-- One row per transaction, collection and reason. Each transaction writes its own row, so no insert waits for another
-- one. No sequence is used, so lastval() of the inserting session does not change. fn_birth_finding_acknowledge sums
-- the rows up in one act and deletes them.
CREATE TABLE birth.birth_gateway_finding (
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  error           text COLLATE "C" NOT NULL,
  found_at        timestamptz NOT NULL DEFAULT now(),
  found_xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
  inserted_by     text NOT NULL DEFAULT session_user,
  row_count       bigint NOT NULL,
  times           integer NOT NULL DEFAULT 1,
  examples        text[] NOT NULL DEFAULT '{}',
  -- In the order of time, so that the index finds the oldest rows. The time is part of the key because transaction ids
  -- may repeat in a restored database.
  CONSTRAINT birth_gateway_finding_pkey PRIMARY KEY (collection_name, error, found_at, found_xid),
  -- Only the reasons that the triggers record: v_birth_gateway_finding looks up each of them.
  CONSTRAINT birth_gateway_finding_error CHECK (error IN (
    'gateway_no_identity', 'gateway_foreign', 'code_duplicate', 'code_dead', 'code_taken', 'truncate_refused',
    'not_retired', 'life_unread', 'birth_absent')),
  -- A finding without rows would mean nothing.
  CONSTRAINT birth_gateway_finding_rows CHECK (row_count > 0)
);

COMMENT ON TABLE birth.birth_gateway_finding IS
  'Rows that the gateway let through without a birth (mode observe, or a deferred collection), or that may share the '
  'birth of another row. One row per transaction, collection and reason, until it is acknowledged. Specification: 5.';
COMMENT ON COLUMN birth.birth_gateway_finding.collection_name IS 'The collection.';
COMMENT ON COLUMN birth.birth_gateway_finding.error IS
  'Name in the catalogue of errors: the error that enforce would raise; or code_duplicate, which a plan raises if two '
  'rows share a birth.';
COMMENT ON COLUMN birth.birth_gateway_finding.found_at IS 'Start of the transaction that inserted the rows.';
COMMENT ON COLUMN birth.birth_gateway_finding.found_xid IS 'Id of that transaction.';
COMMENT ON COLUMN birth.birth_gateway_finding.inserted_by IS 'Login that inserted the rows.';
COMMENT ON COLUMN birth.birth_gateway_finding.row_count IS 'Number of rows; no longer increased once times is 1000.';
COMMENT ON COLUMN birth.birth_gateway_finding.times IS
  'Number of statements (on a partitioned table: rows) that were added up here, at most 1000.';
COMMENT ON COLUMN birth.birth_gateway_finding.examples IS 'Up to ten of the codes.';

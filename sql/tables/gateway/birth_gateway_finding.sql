-- What the gateway let pass without a birth: in mode observe what enforce would have refused, of a deferred collection
-- what has no identity yet, and in each mode what may share the birth of another row.
-- One row a transaction, collection and reason. Each transaction writes a row of its own, so no insert waits for another
-- one; no sequence is used, so lastval() of the inserting session stays as it is. fn_birth_finding_acknowledge folds the
-- rows into one act and removes them.
CREATE TABLE birth.birth_gateway_finding (
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  error           text COLLATE "C" NOT NULL,
  found_at        timestamptz NOT NULL DEFAULT now(),
  found_xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
  inserted_by     text NOT NULL DEFAULT session_user,
  row_count       bigint NOT NULL,
  times           integer NOT NULL DEFAULT 1,
  examples        text[] NOT NULL DEFAULT '{}',
  -- In the order of time, so that a look at the oldest is one at the index. With the time the key is unique in a
  -- restored database too, where transaction numbers may come again.
  CONSTRAINT birth_gateway_finding_pkey PRIMARY KEY (collection_name, error, found_at, found_xid),
  -- The reasons that fn_birth_gateway_report records; v_birth_gateway_finding looks each of them up.
  CONSTRAINT birth_gateway_finding_error CHECK (error IN ('gateway_no_identity', 'gateway_foreign', 'code_duplicate')),
  -- A finding is about rows.
  CONSTRAINT birth_gateway_finding_rows CHECK (row_count > 0)
);

COMMENT ON TABLE birth.birth_gateway_finding IS
  'Rows the gateway let pass without a birth (mode observe, or deferred), or maybe without one of their own: one row a transaction, collection and reason, until it is acknowledged. Specification: 5.';
COMMENT ON COLUMN birth.birth_gateway_finding.collection_name IS 'The collection.';
COMMENT ON COLUMN birth.birth_gateway_finding.error IS 'By its name in the catalogue: the refusal that enforce would have raised, or code_duplicate, that a plan will raise if two rows share a birth.';
COMMENT ON COLUMN birth.birth_gateway_finding.found_at IS 'Start of the transaction that inserted the rows.';
COMMENT ON COLUMN birth.birth_gateway_finding.found_xid IS 'That transaction.';
COMMENT ON COLUMN birth.birth_gateway_finding.inserted_by IS 'Login that inserted the rows.';
COMMENT ON COLUMN birth.birth_gateway_finding.row_count IS 'How many rows; from the thousandth time on the further ones are not added.';
COMMENT ON COLUMN birth.birth_gateway_finding.times IS 'How many statements (on a partitioned table: rows) added to it, 1000 at most.';
COMMENT ON COLUMN birth.birth_gateway_finding.examples IS 'Up to ten of the codes concerned.';

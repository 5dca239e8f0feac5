-- What the gateway let pass without a birth: in mode observe what it would have refused, of a deferred collection what has
-- no identity yet, and in each mode what may share the birth of another row. One row a statement and reason, so that a bulk load leaves one finding and not
-- a million; of a partitioned table, whose triggers are by row, one a row.
CREATE TABLE birth.birth_gateway_finding (
  finding_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  found_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  inserted_by     text NOT NULL DEFAULT session_user,
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  error           text NOT NULL,
  row_count       bigint NOT NULL,
  examples        text[] NOT NULL DEFAULT '{}',
  -- A finding is about rows.
  CONSTRAINT birth_gateway_finding_rows CHECK (row_count > 0)
);

COMMENT ON TABLE birth.birth_gateway_finding IS
  'Rows the gateway let pass without a birth (mode observe, or deferred), or maybe without one of their own: one row a statement and reason, of a partitioned table one a row. Specification: 5.';
COMMENT ON COLUMN birth.birth_gateway_finding.finding_id IS 'Identity; gives no order.';
COMMENT ON COLUMN birth.birth_gateway_finding.found_at IS 'When.';
COMMENT ON COLUMN birth.birth_gateway_finding.inserted_by IS 'Login that inserted the rows.';
COMMENT ON COLUMN birth.birth_gateway_finding.collection_name IS 'The collection.';
COMMENT ON COLUMN birth.birth_gateway_finding.error IS 'By its name in the catalogue: the refusal that enforce would have raised, or code_duplicate, that a plan will raise if two rows share a birth.';
COMMENT ON COLUMN birth.birth_gateway_finding.row_count IS 'How many rows of the statement.';
COMMENT ON COLUMN birth.birth_gateway_finding.examples IS 'Up to ten of the codes concerned.';

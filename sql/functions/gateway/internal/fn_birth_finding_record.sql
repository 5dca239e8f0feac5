-- Records what a trigger let pass. A transaction writes one finding per reason and adds to it up to a thousand times:
-- each addition leaves a dead version, which the next one reads.
-- Returns: nothing.
-- Calls: nothing
-- Writes: birth_gateway_finding
CREATE OR REPLACE FUNCTION birth.fn_birth_finding_record(
    p_collection text, p_error text, p_rows bigint, p_examples text[] DEFAULT '{}')
  RETURNS void
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_finding_record$
  INSERT INTO birth.birth_gateway_finding AS f (collection_name, error, row_count, examples)
  SELECT p_collection, p_error, p_rows, coalesce(p_examples[1:10], '{}')
  WHERE p_rows > 0
  ON CONFLICT ON CONSTRAINT birth_gateway_finding_pkey DO UPDATE
  SET row_count = f.row_count + excluded.row_count, times = f.times + 1,
      examples = (f.examples || excluded.examples)[1:10]
  WHERE f.times < 1000;
$fn_birth_finding_record$;

COMMENT ON FUNCTION birth.fn_birth_finding_record(text, text, bigint, text[]) IS
  'Records rows that a trigger let pass, one finding per transaction, collection and reason. Specification: 5, 5.2.';

-- What becomes of rows that cannot be born: refused where the collection is required and enforced, else recorded as a finding.
-- Returns: nothing; NB501, NB502.
-- Calls: fn_birth_raise
-- Writes: birth_gateway_finding
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_report(p_collection birth.collection_registry, p_unresolved bigint, p_foreign text[])
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_report$
BEGIN
  IF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.gateway_mode = 'enforce' THEN
    IF p_unresolved > 0 THEN
      PERFORM birth.fn_birth_raise('gateway_no_identity', format('collection %s: %s rows', p_collection.collection_name, p_unresolved));
    END IF;
    PERFORM birth.fn_birth_raise('gateway_foreign', format('collection %s: %s codes, such as %L',
      p_collection.collection_name, cardinality(p_foreign), p_foreign[1]));
  END IF;
  INSERT INTO birth.birth_gateway_finding (collection_name, error, row_count, examples)
  SELECT p_collection.collection_name, v.error, v.row_count, v.examples
  FROM (VALUES ('gateway_no_identity', p_unresolved, '{}'::text[]),
               ('gateway_foreign', cardinality(p_foreign), p_foreign[1:10])) AS v(error, row_count, examples)
  WHERE v.row_count > 0;
END;
$fn_birth_gateway_report$;

COMMENT ON FUNCTION birth.fn_birth_gateway_report(birth.collection_registry, bigint, text[]) IS
  'Refuses rows without a birth (required and enforced: NB501, NB502) or records them as findings. Specification: 5.';

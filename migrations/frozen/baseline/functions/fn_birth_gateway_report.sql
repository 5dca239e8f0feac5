-- What becomes of rows that were not born: those that cannot be are refused where the collection is required and enforced, else recorded as a finding. The others
-- have a code that their own collection has already. As a rule they come again; where the identity does not tell two rows apart they may share another row's
-- birth, which only a look at every row could rule out: they are recorded, and the census tells.
-- Returns: nothing; NB501, NB502.
-- Calls: fn_birth_raise, fn_birth_identity_definition
-- Writes: birth_gateway_finding
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_report(p_collection birth.collection_registry, p_unborn bigint, p_unresolved bigint, p_foreign text[])
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_report$
DECLARE
  v_foreign bigint := coalesce(cardinality(p_foreign), 0);
  v_again bigint := p_unborn - p_unresolved - v_foreign;
BEGIN
  IF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.gateway_mode = 'enforce' THEN
    IF p_unresolved > 0 THEN
      PERFORM birth.fn_birth_raise('gateway_no_identity', format('collection %s: %s rows', p_collection.collection_name, p_unresolved));
    ELSIF v_foreign > 0 THEN
      PERFORM birth.fn_birth_raise('gateway_foreign', format('collection %s: %s codes, such as %L',
        p_collection.collection_name, v_foreign, p_foreign[1]));
    END IF;
  END IF;
  IF v_again > 0 AND (SELECT i.codes_distinct FROM birth.fn_birth_identity_definition(p_collection.collection_name) i) THEN
    v_again := 0;
  END IF;
  INSERT INTO birth.birth_gateway_finding (collection_name, error, row_count, examples)
  SELECT p_collection.collection_name, v.error, v.row_count, v.examples
  FROM (VALUES ('gateway_no_identity', p_unresolved, '{}'::text[]),
               ('gateway_foreign', v_foreign, p_foreign[1:10]),
               ('code_duplicate', v_again, '{}'::text[])) AS v(error, row_count, examples)
  WHERE v.row_count > 0;
END;
$fn_birth_gateway_report$;

COMMENT ON FUNCTION birth.fn_birth_gateway_report(birth.collection_registry, bigint, bigint, text[]) IS
  'Refuses rows without a birth (required and enforced: NB501, NB502) or records them as findings; records rows that may share another''s birth. Specification: 5, 6.1 R3.';

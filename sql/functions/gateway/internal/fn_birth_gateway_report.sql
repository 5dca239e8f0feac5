-- Rows that this statement gave no birth. A row without a code, or with a code of another collection, is refused if the
-- collection is required and enforced, else recorded as a finding. The other rows have a code that their own collection
-- has already: as a rule the row was there before. If two rows can have one code, they may share another row's birth,
-- which only reading every row could rule out; they are recorded, and the census decides. Whether they can was decided
-- when the collection was classified: to ask again for each row would cost more than all the rest.
-- Returns: the refusal, which the trigger raises (NB501, NB502; it names up to three rows), or NULL.
-- Calls: fn_birth_error, fn_birth_gateway_no_code, fn_birth_finding_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_report(
    p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint,
    p_examples text[], p_long bigint, p_keys text[])
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_report$
DECLARE
  v_again bigint := p_unborn - p_unresolved - p_taken;
BEGIN
  IF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.gateway_mode = 'enforce' THEN
    IF p_unresolved > 0 THEN
      RETURN birth.fn_birth_gateway_no_code(p_collection, p_relation, p_unresolved, p_long, p_keys);
    ELSIF p_taken > 0 THEN
      RETURN birth.fn_birth_error('gateway_foreign',
        format('collection %s: %s codes, such as %s', p_collection.collection_name, p_taken,
          (SELECT string_agg(format('%L, which belongs to collection %s', b.entity_code, b.collection_name), '; '
                    ORDER BY b.entity_code)
           FROM birth.birth_registry b WHERE b.entity_code = ANY (p_examples[1:3]))));
    END IF;
  END IF;
  -- A code that was there already may be of another row. For a part of the key the trigger has looked.
  IF p_collection.birth_code_distinct OR p_collection.birth_code_part THEN
    v_again := 0;
  END IF;
  IF p_unresolved + p_taken + v_again = 0 THEN
    RETURN NULL;
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, v.error, v.row_count, v.examples)
  FROM (VALUES ('gateway_no_identity', p_unresolved, '{}'::text[]),
               ('gateway_foreign', p_taken, p_examples),
               ('code_duplicate', v_again, '{}'::text[])) AS v(error, row_count, examples)
  WHERE v.row_count > 0;
  RETURN NULL;
END;
$fn_birth_gateway_report$;

COMMENT ON FUNCTION birth.fn_birth_gateway_report(
  birth.collection_registry, oid, bigint, bigint, bigint, text[], bigint, text[]) IS
  'The refusal of rows without a birth (required and enforced: NB501, NB502); or NULL, and they are findings, one row '
  'per transaction and reason. Records rows that may share another row''s birth. Specification: 5, 6.1 R3, 8.';

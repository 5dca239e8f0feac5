-- What a life trigger found: refused if the collection is required and its life enforced, else recorded.
-- Returns: nothing; the error that is named.
-- Calls: fn_birth_raise, fn_birth_finding_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_life_report(
    p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[] DEFAULT '{}')
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_report$
BEGIN
  IF p_rows > 0 AND p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.life_mode = 'enforce' THEN
    PERFORM birth.fn_birth_raise(p_error, format('collection %s: %s rows%s', p_collection.collection_name, p_rows,
      CASE WHEN p_examples[1] IS NOT NULL THEN format(', such as %L', p_examples[1]) END));
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, p_error, p_rows, p_examples);
END;
$fn_birth_life_report$;

COMMENT ON FUNCTION birth.fn_birth_life_report(birth.collection_registry, text, bigint, text[]) IS
  'Refuses what a life trigger found (required and enforced), or records it as a finding. Specification: 5.2.';

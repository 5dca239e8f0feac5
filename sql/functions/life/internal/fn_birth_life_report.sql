-- What a life trigger found: refused if the collection is required and its life enforced, else recorded.
-- Returns: the refusal, which the trigger raises, or NULL.
-- Calls: fn_birth_error, fn_birth_finding_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_life_report(
    p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[] DEFAULT '{}')
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_report$
BEGIN
  IF p_rows > 0 AND p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.life_mode = 'enforce' THEN
    RETURN birth.fn_birth_error(p_error, format('collection %s: %s', p_collection.collection_name, CASE
      -- Of these the example is no code: it names the table, or says what could not be read.
      WHEN p_error IN ('truncate_refused', 'life_unread') THEN p_examples[1]
      ELSE format('%s rows%s', p_rows, (
        SELECT ', such as ' || string_agg(format('%L', e.example) || CASE p_error WHEN 'gateway_foreign'
                 THEN coalesce((SELECT ', which belongs to collection ' || b.collection_name
                                FROM birth.birth_registry b WHERE b.entity_code = e.example), '') ELSE '' END, ', ')
        FROM unnest(p_examples[1:3]) AS e(example) WHERE e.example IS NOT NULL)) END));
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, p_error, p_rows, p_examples);
  RETURN NULL;
END;
$fn_birth_life_report$;

COMMENT ON FUNCTION birth.fn_birth_life_report(birth.collection_registry, text, bigint, text[]) IS
  'The refusal of what a life trigger found (required and enforced), naming up to three; or NULL, and it is a finding. '
  'Specification: 5.2, 8.';

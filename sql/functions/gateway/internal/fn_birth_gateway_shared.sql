-- Where an identity is a part of the table's key, two rows can have one code. A row whose code was there already may be
-- one that moved to another partition or came again; here it is looked whether another row has the code now. Who
-- inserts the code at the same time waits for the birth, which is locked against it, and looks after that transaction
-- has ended; under REPEATABLE READ it looks at its old snapshot, and the census finds what it did not see.
-- A row that an open transaction has deleted still counts: the insert is refused, and may be sent again later.
-- Returns: the refusal NB109, which the trigger raises (required and enforced), also where the rows cannot be looked
-- at; or NULL, and they are findings.
-- Calls: fn_birth_source_look, fn_birth_error, fn_birth_finding_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_shared(
    p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[])
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_shared$
DECLARE
  v_shared text[];
  v_fault text;
BEGIN
  PERFORM FROM birth.birth_registry b WHERE b.entity_code = ANY (p_codes) ORDER BY b.entity_code FOR NO KEY UPDATE;
  BEGIN
    v_shared := birth.fn_birth_source_look(p_collection, p_relation, p_collection.birth_code_columns, p_codes, p_keys,
      'true', 1);
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR query_canceled OR lock_not_available
      OR insufficient_resources THEN
      RAISE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_fault = MESSAGE_TEXT;
      v_shared := p_codes;
  END;
  IF v_shared = '{}' THEN
    RETURN NULL;
  ELSIF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.gateway_mode = 'enforce' THEN
    RETURN birth.fn_birth_error('code_duplicate',
      format('collection %s: %s codes that another row has, such as %s%s', p_collection.collection_name,
        cardinality(v_shared), (SELECT string_agg(format('%L', e.code), ', ') FROM unnest(v_shared[1:3]) AS e(code)),
        '; the rows could not be read: ' || v_fault),
      CASE WHEN v_fault IS NULL
        THEN 'give the row another code, or delete the other row first and commit; a steward can set the gateway of '
             'the collection back to observe'
        ELSE 'let the owner of the table grant SELECT on it to birth_scanner, and switch row level security off' END);
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, 'code_duplicate', cardinality(v_shared),
    v_shared);
  RETURN NULL;
END;
$fn_birth_gateway_shared$;

COMMENT ON FUNCTION birth.fn_birth_gateway_shared(birth.collection_registry, oid, text[], text[]) IS
  'The refusal of rows whose code another row has, where an identity is a part of the key: NB109; or NULL, and they '
  'are findings. Specification: 4, 5.';

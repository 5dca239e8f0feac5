-- Why rows have no code: the table is not the one of the collection any more (it was replaced, and kept its trigger);
-- its columns are not those that were classified; or the rows themselves, which have no value or one that is too long.
-- Returns: the refusal NB501.
-- Calls: fn_birth_error, fn_birth_identity_definition
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_no_code(
    p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[])
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_no_code$
DECLARE
  v_table CONSTANT text := coalesce(pg_partition_root(p_relation), p_relation)::regclass;
  v_reason text;
BEGIN
  -- As fn_birth_gateway_collection says it.
  IF p_collection.birth_code_sql <> 'NULL::text' THEN
    RETURN birth.fn_birth_error('gateway_no_identity',
      format('collection %s: %s', p_collection.collection_name, concat_ws(', ',
        CASE WHEN p_rows > p_long THEN format('%s rows with no value, or a blank one, in %s', p_rows - p_long,
          array_to_string(p_collection.birth_code_columns, ', ')) END,
        CASE WHEN p_long > 0 THEN format('%s rows with a code of more than 512 bytes', p_long) END,
        'such as ' || array_to_string(p_keys, ', '))),
      CASE WHEN p_long = p_rows THEN format('shorten %s: a code has at most 512 bytes',
        array_to_string(p_collection.birth_code_columns, ', ')) END);
  END IF;
  IF NOT EXISTS (
      SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = p_collection.schema_name AND c.relname = p_collection.table_name
        AND (c.oid = p_relation OR c.oid IN (SELECT p.relid FROM pg_partition_ancestors(p_relation) p))) THEN
    RETURN birth.fn_birth_error('gateway_no_identity',
      format('collection %s: %s rows for table %s, but its table is %I.%I', p_collection.collection_name, p_rows,
        v_table, p_collection.schema_name, p_collection.table_name),
      format('insert into the table of the collection, and ask the owner of the other one to send: DROP TRIGGER '
        'birth_gateway ON %s; if it is the right one, a steward registers it with birth.fn_birth_collection_register',
        v_table));
  END IF;
  SELECT i.reason INTO v_reason FROM birth.fn_birth_identity_definition(p_collection.collection_name) i
  WHERE starts_with(i.status, 'BLOCKED_');
  RETURN birth.fn_birth_error('gateway_no_identity',
    format('collection %s: %s rows for table %s, whose columns are not those that were classified: %s',
      p_collection.collection_name, p_rows, v_table,
      coalesce(v_reason, 'they were changed after the snapshot of this transaction was taken')),
    'send the transaction again; if it is refused again, a steward decides the identity anew with '
    'birth.fn_birth_identity_classify, or switches the gateway to observe');
END;
$fn_birth_gateway_no_code$;

COMMENT ON FUNCTION birth.fn_birth_gateway_no_code(birth.collection_registry, oid, bigint, bigint, text[]) IS
  'The refusal of rows without a code, with the reason: another table, other columns, no value, or a code that is too '
  'long. NB501. Specification: 5, 8.';

-- The hash that plans, verdicts and runs are bound to: policy, identity and table of a collection.
-- Returns: SHA-256 in hexadecimal; NULL for an unknown collection.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_hash(p_collection text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_hash$
  SELECT encode(sha256(convert_to(jsonb_build_array(
    c.collection_name, c.schema_name, c.table_name, c.coverage_status, c.governed, c.policy_version,
    c.birth_code_strategy, c.birth_code_column,
    c.birth_code_prefix, c.birth_code_template, c.birth_code_sql)::text, 'UTF8')), 'hex')
  FROM birth.collection_registry c
  WHERE c.collection_name = p_collection;
$fn_birth_identity_hash$;

COMMENT ON FUNCTION birth.fn_birth_identity_hash(text) IS
  'SHA-256 over policy, identity and table of a collection, to which verdicts and runs are bound. '
  'Specification: 6.1 R5.';

-- Generated from pgcontract/sql/hash.sql by python -m birthdb.release render: edit that, or contract.toml.
-- The contract in one value. It covers what was recorded, not what is there now; the drift check compares the two.
-- SECURITY DEFINER: the caller does not need SELECT on the registry.
-- Returns: SHA-256 over kind, object and hash of every object in force, without claims; NULL if nothing was recorded.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_hash()
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_hash$
BEGIN
  RETURN (
    SELECT encode(sha256(convert_to(string_agg(concat_ws(E'\t', r.kind, r.object, r.exact_sha256), E'\n'
      ORDER BY r.kind, r.object), 'UTF8')), 'hex')
    FROM birth.v_birth_contract_recorded r
    WHERE r.kind <> 'claim');
END;
$fn_birth_contract_hash$;

COMMENT ON FUNCTION birth.fn_birth_contract_hash() IS
  'SHA-256 of the contract in force; NULL when nothing was recorded. Specification: 7.';

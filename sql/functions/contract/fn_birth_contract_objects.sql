-- Generated from pgcontract/sql/objects.sql by python -m birthdb.release render: edit that, or contract.toml.
-- The objects of a manifest as this server writes them: what all servers write alike, and in its place what this
-- major writes differently.
-- Returns: the contract by "kind object": parts, exact and semantic hash; NULL for a manifest without objects, or
-- without this major.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_objects(p_manifest jsonb)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_objects$
  SELECT (p_manifest -> 'objects') || coalesce(p_manifest #> ARRAY['on', m.major], '{}')
  FROM (SELECT (current_setting('server_version_num')::integer / 10000)::text AS major) m
  WHERE p_manifest -> 'servers' ? m.major;
$fn_birth_contract_objects$;

COMMENT ON FUNCTION birth.fn_birth_contract_objects(jsonb) IS
  'The contract that the manifest of a release has for the major version of this server; NULL when it has none. '
  'Specification: 7.';

-- The objects of a manifest as this server writes them down: what every server agrees on, with what this major writes otherwise in its place.
-- Returns: the contract by "kind object": parts, exact and semantic hash; NULL for a manifest that knows no objects, or none for this major.
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
  'The contract that a release''s manifest has for this server''s major version; NULL when it has none. Specification: 7.';

-- Generated from pgcontract/sql/recorded.sql by python -m birthdb.release render: edit that, or contract.toml.
-- The contract in force: of each object the newest recorded row, unless that row records a removal.
CREATE OR REPLACE VIEW birth.v_birth_contract_recorded AS
SELECT n.kind, n.object, n.parts, n.definition, n.exact_sha256, n.semantic_sha256, n.normalized_md5,
       n.release, n.generation, n.server_major, n.released_at
FROM (
  SELECT DISTINCT ON (r.kind, r.object)
         r.kind, r.object, r.parts, r.definition, r.exact_sha256, r.semantic_sha256, r.normalized_md5,
         r.release, r.generation, r.server_major, r.released_at
  FROM birth.birth_gateway_release_registry r
  ORDER BY r.kind, r.object, r.generation DESC
) n
WHERE n.exact_sha256 IS NOT NULL;

COMMENT ON VIEW birth.v_birth_contract_recorded IS
  'The contract in force: the newest recorded row of each object that was not removed. Specification: 7.';

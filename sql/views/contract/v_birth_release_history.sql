-- Who released what, when. One row per recording that changed the contract.
CREATE OR REPLACE VIEW birth.v_birth_release_history AS
SELECT r.generation, r.release, min(r.released_at) AS released_at, min(r.released_by) AS released_by,
       min(r.server_major) AS server_major,
       min(r.algorithm) AS algorithm,
       count(*) FILTER (WHERE r.exact_sha256 IS NOT NULL) AS recorded,
       count(*) FILTER (WHERE r.exact_sha256 IS NULL) AS removed
FROM birth.birth_gateway_release_registry r
GROUP BY r.generation, r.release
ORDER BY r.generation;

COMMENT ON VIEW birth.v_birth_release_history IS
  'Who released what, when, and how many objects the release recorded or removed. Specification: 2, 7.';

-- The contract in force: of each object the newest recorded row, unless that row records a removal.
CREATE OR REPLACE VIEW @schema@.@recorded@ AS
SELECT n.kind, n.object, n.parts, n.definition, n.exact_sha256, n.semantic_sha256, n.normalized_md5,
       n.release, n.generation, n.server_major, n.released_at
FROM (
  SELECT DISTINCT ON (r.kind, r.object)
         r.kind, r.object, r.parts, r.definition, r.exact_sha256, r.semantic_sha256, r.normalized_md5,
         r.release, r.generation, r.server_major, r.released_at
  FROM @schema@.@registry@ r
  ORDER BY r.kind, r.object, r.generation DESC
) n
WHERE n.exact_sha256 IS NOT NULL;

COMMENT ON VIEW @schema@.@recorded@ IS
  'The contract in force: the newest recorded row of each object that was not removed.@see@';

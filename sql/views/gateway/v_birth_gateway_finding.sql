-- Findings that are not acknowledged, by collection and reason. The time is bounded: of each collection and reason only
-- the oldest 1000 rows are added up.
CREATE OR REPLACE VIEW birth.v_birth_gateway_finding AS
SELECT c.collection_name, e.error, s.row_count, s.at_least, s.first_at,
       l.found_at AS last_at, l.inserted_by AS last_by, l.examples
FROM birth.collection_registry c
CROSS JOIN (VALUES ('gateway_no_identity'), ('gateway_foreign'), ('code_duplicate'), ('code_dead'), ('code_taken'),
                   ('truncate_refused'), ('not_retired'), ('life_unread'), ('birth_absent')) AS e(error)
CROSS JOIN LATERAL (
  SELECT f.found_at, f.inserted_by, f.examples
  FROM birth.birth_gateway_finding f
  WHERE f.collection_name = c.collection_name AND f.error = e.error COLLATE "C"
  ORDER BY f.found_at DESC, f.found_xid DESC
  LIMIT 1
) l
CROSS JOIN LATERAL (
  SELECT sum(o.row_count) AS row_count, count(*) = 1000 OR bool_or(o.times = 1000) AS at_least,
         min(o.found_at) AS first_at
  FROM (SELECT f.row_count, f.times, f.found_at
        FROM birth.birth_gateway_finding f
        WHERE f.collection_name = c.collection_name AND f.error = e.error COLLATE "C"
        ORDER BY f.found_at, f.found_xid
        LIMIT 1000) o
) s;

COMMENT ON VIEW birth.v_birth_gateway_finding IS
  'Rows that the gateway let through and that are not acknowledged, by collection and reason: number of rows '
  '(at_least: or more), first and last time, last login with its examples. Bounded time. Specification: 5.';

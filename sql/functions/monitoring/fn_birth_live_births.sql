-- How many births the gateway recorded in a span of time. It reads at most p_cap entries of the index on live births.
-- If there are more, the first p_cap are scaled to the span. So the cost is bounded, also after millions of births.
-- SECURITY DEFINER: a view calls it for readers.
-- Returns: one row: births without a run; whether they were counted (false: estimated).
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_live_births(p_from timestamptz, p_to timestamptz, p_cap bigint DEFAULT 50000)
  RETURNS TABLE (births numeric, counted boolean)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET max_parallel_workers_per_gather = 0
  SET jit = off
AS $fn_birth_live_births$
BEGIN
  RETURN QUERY
  SELECT CASE WHEN s.read < p_cap THEN s.read::numeric
              ELSE round(s.read * extract(epoch FROM p_to - p_from)
                         / greatest(extract(epoch FROM s.until - p_from), 0.001)) END,
         s.read < p_cap
  FROM (
    SELECT count(*) AS read, max(b.born_at) AS until
    FROM (SELECT r.born_at FROM birth.birth_registry r
          WHERE r.run_id IS NULL AND r.born_at >= p_from AND r.born_at < p_to ORDER BY r.born_at LIMIT p_cap) b
  ) s;
END;
$fn_birth_live_births$;

COMMENT ON FUNCTION birth.fn_birth_live_births(timestamptz, timestamptz, bigint) IS
  'Births without a run between two times, counted, or estimated from the first p_cap births of the span. '
  'Specification: 2.';

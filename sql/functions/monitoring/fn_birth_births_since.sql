-- Births of a collection between two times that a given run did not write: rows that were born before the run reached
-- them. It reads the indexes on live births and on runs.
-- SECURITY DEFINER: a view calls it for readers.
-- Returns: one row per birth, a thousand at most.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_births_since(
    p_collection text, p_since timestamptz, p_until timestamptz, p_run_id uuid)
  RETURNS TABLE (entity_code text, born_at timestamptz, run_id uuid)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 100
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET max_parallel_workers_per_gather = 0
  SET jit = off
AS $fn_birth_births_since$
BEGIN
  RETURN QUERY
  SELECT b.entity_code, b.born_at, b.run_id
  FROM birth.birth_registry b
  WHERE b.run_id IS NULL AND b.born_at >= p_since AND b.born_at <= p_until AND b.collection_name = p_collection
  UNION ALL
  SELECT b.entity_code, b.born_at, b.run_id
  FROM birth.birth_backfill_ledger_v2 l JOIN birth.birth_registry b ON b.run_id = l.run_id
  WHERE l.collection_name = p_collection AND l.run_id <> p_run_id AND l.last_batch_at >= p_since
    AND b.born_at >= p_since AND b.born_at <= p_until
  LIMIT 1000;
END;
$fn_birth_births_since$;

COMMENT ON FUNCTION birth.fn_birth_births_since(text, timestamptz, timestamptz, uuid) IS
  'Births of a collection between two times that a run did not write, a thousand at most. Specification: 6.';

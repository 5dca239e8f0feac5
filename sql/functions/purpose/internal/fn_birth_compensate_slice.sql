-- COMPENSATE: locks the next births of the run, in whatever order they lie. Their fingerprint is taken when they are
-- removed.
-- Returns: one row: how many, and their codes; there is no key to go on from.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[],
  p_rows bigint)
  RETURNS TABLE (visited bigint, codes text[], fingerprint numeric[], last_key text[])
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_compensate_slice$
BEGIN
  -- Deaths that are being written are waited for; those that begin wait, and find no birth. Whether or not the
  -- collection has life triggers: they may be attached meanwhile.
  LOCK TABLE birth.birth_death IN SHARE MODE;
  RETURN QUERY
  SELECT count(*), coalesce(array_agg(o.entity_code), '{}'), NULL::numeric[], NULL::text[]
  FROM (SELECT b.entity_code FROM birth.birth_registry b WHERE b.run_id = p_run.run_id LIMIT p_rows FOR UPDATE) o;
END;
$fn_birth_compensate_slice$;

COMMENT ON FUNCTION birth.fn_birth_compensate_slice(birth.birth_backfill_ledger_v2, text[], bigint) IS
  'Purpose COMPENSATE: the next births of a run, locked: visited and codes. Specification: 6, R6.';

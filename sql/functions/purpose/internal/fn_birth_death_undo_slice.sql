-- The undoing of DEATH: locks the next deaths of the run.
-- Returns: one row: how many, and their codes; there is no key to go on from.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[],
    p_rows bigint)
  RETURNS TABLE (visited bigint, codes text[], fingerprint numeric[], last_key text[])
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_undo_slice$
  SELECT count(*), coalesce(array_agg(o.entity_code), '{}'), NULL::numeric[], NULL::text[]
  FROM (SELECT d.entity_code FROM birth.birth_death d WHERE d.run_id = p_run.run_id
        ORDER BY d.entity_code LIMIT p_rows FOR UPDATE) o;
$fn_birth_death_undo_slice$;

COMMENT ON FUNCTION birth.fn_birth_death_undo_slice(birth.birth_backfill_ledger_v2, text[], bigint) IS
  'The undoing of DEATH: the next deaths of a run, locked: visited and codes. Specification: 5.2.';

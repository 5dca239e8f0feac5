-- DEATH: the next births to end.
-- Returns: one row: visited, codes, fingerprint, last key.
-- Calls: fn_birth_source_lock, fn_birth_death_codes
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[],
    p_rows bigint)
  RETURNS TABLE (visited bigint, codes text[], fingerprint numeric[], last_key text[])
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_slice$
BEGIN
  PERFORM birth.fn_birth_source_lock(p_run.collection_name);
  RETURN QUERY SELECT c.visited, c.codes, c.fingerprint, c.last_key
    FROM birth.fn_birth_death_codes(p_run, p_after, p_rows, true) c;
END;
$fn_birth_death_slice$;

COMMENT ON FUNCTION birth.fn_birth_death_slice(birth.birth_backfill_ledger_v2, text[], bigint) IS
  'Purpose DEATH: the next births to end: visited, codes, fingerprint, last key. Specification: 5.2.';

-- TRANSITION, and its undoing: the one change that is left.
-- Returns: one row: 1, its canonical text and fingerprint; or 0 and nothing.
-- Calls: fn_birth_transition_change
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[],
    p_rows bigint)
  RETURNS TABLE (visited bigint, codes text[], fingerprint numeric[], last_key text[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_slice$
  SELECT count(c.change), coalesce(array_agg(c.change), '{}'), (array_agg(c.fingerprint::text))[1]::numeric[],
         NULL::text[]
  FROM birth.fn_birth_transition_change(p_run, p_run.compensating_since IS NOT NULL) c;
$fn_birth_transition_slice$;

COMMENT ON FUNCTION birth.fn_birth_transition_slice(birth.birth_backfill_ledger_v2, text[], bigint) IS
  'Purpose TRANSITION, and its undoing: the one change that is left. Specification: 4.1.';

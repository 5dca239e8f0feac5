-- What the records hold of a run now, by its purpose: counted and fingerprinted anew, never what was accumulated.
-- Returns: a fingerprint.
-- Calls: fn_birth_purpose
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_proof$
DECLARE
  v_found numeric[];
BEGIN
  EXECUTE format('SELECT birth.%I($1)', (SELECT p.proof FROM birth.fn_birth_purpose(p_run.purpose) p)) INTO v_found
    USING p_run;
  RETURN v_found;
END;
$fn_birth_run_proof$;

COMMENT ON FUNCTION birth.fn_birth_run_proof(birth.birth_backfill_ledger_v2) IS
  'Fingerprint of what the records hold of a run, by its purpose. Specification: 6 step 9, R11.';

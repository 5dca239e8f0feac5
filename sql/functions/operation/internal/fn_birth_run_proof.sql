-- What the records hold of a run now, by its purpose: counted and fingerprinted anew, never what was accumulated.
-- Returns: a fingerprint; NULL, which agrees with nothing, where no purpose of the list has that name.
-- Calls: fn_birth_purpose
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_proof$
DECLARE
  v_proof CONSTANT text := (SELECT p.proof FROM birth.fn_birth_purpose() p WHERE p.purpose = p_run.purpose
    AND p.undoes IS NULL);
  v_found numeric[];
BEGIN
  -- A forged purpose must not end the audit of every other run.
  IF v_proof IS NOT NULL THEN
    EXECUTE format('SELECT birth.%I($1)', v_proof) INTO v_found USING p_run;
  END IF;
  RETURN v_found;
END;
$fn_birth_run_proof$;

COMMENT ON FUNCTION birth.fn_birth_run_proof(birth.birth_backfill_ledger_v2) IS
  'Fingerprint of what the records hold of a run, by its purpose. Specification: 6 step 9, R11.';

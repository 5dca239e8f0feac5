-- Spends a permit on the rows of a batch, at the batch's end: what was revoked or ran out while the batch was written admits it no more.
-- A revocation that is being committed is waited for. Granted to nobody.
-- Returns: nothing.
-- Calls: fn_birth_refuse, fn_birth_permit_blocker
-- Writes: birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_permit_spend(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_rows bigint)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_permit_spend$
BEGIN
  PERFORM FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_run.permit_id FOR UPDATE;
  PERFORM birth.fn_birth_refuse(birth.fn_birth_permit_blocker(p_run, p_run.permit_id, p_purpose, p_rows));
  UPDATE birth.birth_admission_permit_v2 p SET spent_rows = p.spent_rows + p_rows WHERE p.permit_id = p_run.permit_id;
END;
$fn_birth_permit_spend$;

COMMENT ON FUNCTION birth.fn_birth_permit_spend(birth.birth_backfill_ledger_v2, text, bigint) IS
  'Counts the rows of a batch against its permit, which has to admit them still. Granted to nobody. NB202 to NB206. Specification: 6, R4.';

-- Writes the receipt of a batch, sealed over the one before: a receipt changed, removed or added later breaks the
-- chain.
-- Returns: nothing.
-- Calls: fn_birth_receipt_seal
-- Writes: birth_receipt
CREATE OR REPLACE FUNCTION birth.fn_birth_run_receipt(
    p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[])
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_receipt$
DECLARE
  r_receipt birth.birth_receipt;
BEGIN
  r_receipt.run_id := p_run.run_id;
  r_receipt.batch_no := p_run.batches;
  r_receipt.purpose := p_purpose;
  r_receipt.epoch := p_run.epoch;
  r_receipt.permit_id := p_run.permit_id;
  r_receipt.key_after := p_key_after;
  r_receipt.key_to := p_run.resume_marker;
  r_receipt.visited := p_visited;
  r_receipt.written := p_fingerprint[1];
  r_receipt.skipped := p_visited - p_fingerprint[1];
  r_receipt.fingerprint := p_fingerprint;
  r_receipt.born_at := now();
  r_receipt.written_by := session_user;
  r_receipt.dot_origin := p_run.dot_origin;
  r_receipt.sha256 := birth.fn_birth_receipt_seal(r_receipt,
    (SELECT r.sha256 FROM birth.birth_receipt r WHERE r.run_id = p_run.run_id AND r.batch_no = p_run.batches - 1));
  INSERT INTO birth.birth_receipt SELECT r_receipt.*;
END;
$fn_birth_run_receipt$;

COMMENT ON FUNCTION birth.fn_birth_run_receipt(birth.birth_backfill_ledger_v2, text, text[], bigint, numeric[]) IS
  'Writes the receipt of the batch that the run''s row just counted. Specification: 6.';

-- The seal of a receipt: SHA-256 over the seal before it and a text of the receipt that no setting changes, so that an
-- export can be checked anywhere.
-- Returns: SHA-256 in hexadecimal.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_receipt_seal$
  SELECT encode(sha256(convert_to(coalesce(p_before, '') || jsonb_build_array(
    p_receipt.run_id, p_receipt.batch_no, p_receipt.purpose, p_receipt.epoch, p_receipt.permit_id, p_receipt.key_after,
      p_receipt.key_to,
    p_receipt.visited, p_receipt.written, p_receipt.skipped, p_receipt.fingerprint,
      extract(epoch FROM p_receipt.born_at)::numeric,
    p_receipt.written_by, p_receipt.dot_origin)::text, 'UTF8')), 'hex');
$fn_birth_receipt_seal$;

COMMENT ON FUNCTION birth.fn_birth_receipt_seal(birth.birth_receipt, text) IS
  'SHA-256 of a receipt and the seal of the one before it. Specification: 6.1 R12.';

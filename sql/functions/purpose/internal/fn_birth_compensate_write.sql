-- COMPENSATE: removes the births of a slice, unless one of them was touched since it was written.
-- Returns: the fingerprint of the births removed; NB313.
-- Calls: fn_birth_refuse, fn_birth_compensate_fault
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[],
  p_fingerprint numeric[])
  RETURNS numeric[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_compensate_write$
DECLARE
  v_removed numeric[];
BEGIN
  PERFORM birth.fn_birth_refuse(birth.fn_birth_compensate_fault(p_run, p_codes));
  WITH removed AS (DELETE FROM birth.birth_registry b WHERE b.entity_code = ANY (p_codes) RETURNING b.entity_code)
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(d.entity_code, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(d.entity_code, p_run.seed_b)), 0)]
  INTO v_removed FROM removed d;
  RETURN v_removed;
END;
$fn_birth_compensate_write$;

COMMENT ON FUNCTION birth.fn_birth_compensate_write(birth.birth_backfill_ledger_v2, text[], numeric[]) IS
  'Purpose COMPENSATE: removes the births of a slice and returns their fingerprint. NB313. Specification: 6, R6.';

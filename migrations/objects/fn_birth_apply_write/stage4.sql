-- APPLY: registers the codes of a slice through the register door. No conflict is expected where no birth of the
-- collection had a row. Codes that were there already are told from those written by a look at the registry, in a
-- statement of its own.
-- Returns: the fingerprint of the births written; NB107, NB108, NB309.
-- Calls: fn_birth_register, fn_birth_raise
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[],
  p_fingerprint numeric[])
  RETURNS numeric[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_apply_write$
DECLARE
  v_born bigint;
  v_written numeric[];
BEGIN
  SELECT r.codes INTO v_born
  FROM birth.fn_birth_register(p_run.collection_name, p_codes, p_run.dot_origin, p_run.run_id, p_dry_run := false,
    p_fresh := p_run.existing_births = p_run.orphans + p_run.dead) r
  WHERE r.outcome = 'born';
  IF v_born = cardinality(p_codes) THEN
    RETURN p_fingerprint;
  END IF;
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(b.entity_code, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(b.entity_code, p_run.seed_b)), 0)] INTO v_written
  FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c
  JOIN birth.birth_registry b ON b.entity_code = c.code AND b.run_id = p_run.run_id;
  IF v_written[1] <> v_born THEN
    PERFORM birth.fn_birth_raise('false_done', format('%s births inserted, %s of the run found', v_born, v_written[1]));
  END IF;
  RETURN v_written;
END;
$fn_birth_apply_write$;

COMMENT ON FUNCTION birth.fn_birth_apply_write(birth.birth_backfill_ledger_v2, text[], numeric[]) IS
  'Purpose APPLY: registers the codes of a slice and returns the fingerprint of the births written. NB108, NB309. '
  'Specification: 6 step 8.';

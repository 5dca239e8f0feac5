-- APPLY: registers the codes of a slice through the register door. No conflict is expected where no birth of the
-- collection had a row. Codes that were there already are told from those written by a look at the registry, in a
-- statement of its own. Where the ends of rows are recorded, the rows of the slice are read once more at its end.
-- Returns: the fingerprint of the births written; NB107, NB108, NB309, NB310.
-- Calls: fn_birth_register, fn_birth_identity_definition, fn_birth_key_lists, fn_birth_scan, fn_birth_raise
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
  v_there bigint;
  r_identity record;
  r_key record;
BEGIN
  SELECT r.codes INTO v_born
  FROM birth.fn_birth_register(p_run.collection_name, p_codes, p_run.dot_origin, p_run.run_id, p_dry_run := false,
    p_fresh := p_run.existing_births = p_run.orphans + p_run.dead) r
  WHERE r.outcome = 'born';
  -- A life trigger that took an unborn row made this batch wait for it. It is committed now, and the row is gone.
  IF (SELECT c.life_mode FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name) <> 'off' THEN
    SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
    SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns, r_identity.key_types);
    SELECT s.there INTO v_there
    FROM birth.fn_birth_scan(format(
      'SELECT count(*) FROM (SELECT %s AS code FROM %s t WHERE %s AND %s) s WHERE s.code = ANY ($8)',
      r_identity.code_sql, r_identity.source_sql, r_key.upto,
      CASE WHEN p_run.resume_marker IS NULL THEN 'true' ELSE r_key.after END),
      p_after := p_run.resume_marker, p_upper := p_run.target_upper, p_codes := p_codes) AS s(there bigint);
    IF v_there < cardinality(p_codes) THEN
      PERFORM birth.fn_birth_raise('source_changed',
        format('%s of %s rows were deleted while their batch was written', cardinality(p_codes) - v_there,
          cardinality(p_codes)));
    END IF;
  END IF;
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

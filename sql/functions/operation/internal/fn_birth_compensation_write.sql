-- The removing of one batch of a compensation: takes away births of the run, exactly those that its receipts say, and writes a receipt of it. The batch that
-- removes the last one proves that none is left.
-- Granted to nobody: fn_birth_run_step checks before it calls.
-- Returns: the run's row as it is now.
-- Calls: fn_birth_run_touched, fn_birth_raise, fn_birth_permit_spend, fn_birth_run_receipt, fn_birth_run_births, fn_birth_act_record, fn_birth_clock
-- Writes: birth_registry, birth_backfill_ledger_v2, birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_compensation_write(p_run birth.birth_backfill_ledger_v2, p_batch integer)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_compensation_write$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_removed numeric[];
  v_codes text[];
  v_touched text;
BEGIN
  SELECT coalesce(array_agg(o.entity_code), '{}') INTO v_codes
  FROM (SELECT b.entity_code FROM birth.birth_registry b WHERE b.run_id = p_run.run_id LIMIT p_batch FOR UPDATE) o;
  SELECT string_agg(concat_ws(' ', t.entity_code, t.why), '; ') INTO v_touched FROM (SELECT * FROM birth.fn_birth_run_touched(p_run, v_codes) LIMIT 20) t;
  IF v_touched IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('births_touched', v_touched);
  END IF;
  WITH removed AS (DELETE FROM birth.birth_registry b WHERE b.entity_code = ANY (v_codes) RETURNING b.entity_code)
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(d.entity_code, p_run.seed_a)), 0), coalesce(sum(hashtextextended(d.entity_code, p_run.seed_b)), 0)]
  INTO v_removed FROM removed d;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET batches = l.batches + 1, compensated_rows = l.compensated_rows + v_removed[1]::bigint, last_batch_at = clock_timestamp()
  WHERE l.run_id = p_run.run_id RETURNING l.* INTO r_run;
  PERFORM birth.fn_birth_permit_spend(r_run, 'COMPENSATE', v_removed[1]::bigint);
  PERFORM birth.fn_birth_run_receipt(r_run, 'COMPENSATE', NULL, v_removed[1]::bigint, v_removed);

  IF r_run.compensated_rows = r_run.actual_inserted OR v_removed[1] = 0 THEN
    IF birth.fn_birth_run_births(r_run) <> '{0,0,0}' OR r_run.compensated_rows <> r_run.actual_inserted THEN
      PERFORM birth.fn_birth_raise('false_done', format('%s of %s births removed, the registry still holds %s', r_run.compensated_rows,
        r_run.actual_inserted, (birth.fn_birth_run_births(r_run))[1]));
    END IF;
    UPDATE birth.birth_admission_permit_v2 p SET status = 'CONSUMED', closed_at = birth.fn_birth_clock() WHERE p.permit_id = r_run.permit_id;
    UPDATE birth.birth_backfill_ledger_v2 l SET status = 'compensated', finished_at = clock_timestamp(), holder_pid = NULL
    WHERE l.run_id = p_run.run_id RETURNING l.* INTO r_run;
    PERFORM birth.fn_birth_act_record('outcome', p_run_id := r_run.run_id, p_lineage := r_run.lineage, p_permit_id := r_run.permit_id,
      p_collection := r_run.collection_name, p_epoch := r_run.epoch, p_detail := '{"status": "compensated"}');
  END IF;
  RETURN r_run;
END;
$fn_birth_compensation_write$;

COMMENT ON FUNCTION birth.fn_birth_compensation_write(birth.birth_backfill_ledger_v2, integer) IS
  'Removes one batch of a run''s births with receipt, permit and ledger; the last one proves that none is left. Granted to nobody. NB202 to NB206, NB309, NB313. Specification: 6, R6.';

-- One batch of a compensation: removes births of the run, exactly those that its receipts say, and writes a receipt of it. The first call of an attempt checks
-- everything (step ask) and claims the run (begin); from then on the run is closed to apply for ever.
-- SECURITY DEFINER: it alone turns a COMPENSATE permit into removed births.
-- Returns: the run's row as it is now.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_run_gate, fn_birth_compensation_begin, fn_birth_run_touched, fn_birth_permit_spend, fn_birth_run_receipt, fn_birth_clock, fn_birth_run_births,
--        fn_birth_act_record
-- Writes: birth_registry, birth_backfill_ledger_v2, birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET row_security = off
  SET lock_timeout = '5s'
AS $fn_dot_birth_qt001_compensate$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_removed numeric[];
  v_codes text[];
  v_touched text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'sp_dot_birth_qt001_compensate');
  IF p_step <> 'batch' THEN
    RETURN birth.fn_birth_compensation_begin(p_run_id, p_permit_id, p_batch, p_step = 'begin');
  END IF;
  r_run := birth.fn_birth_run_gate(p_run_id, p_permit_id, 'COMPENSATE');
  SELECT coalesce(array_agg(o.entity_code), '{}') INTO v_codes
  FROM (SELECT b.entity_code FROM birth.birth_registry b WHERE b.run_id = p_run_id LIMIT p_batch FOR UPDATE) o;
  SELECT string_agg(concat_ws(' ', t.entity_code, t.why), '; ') INTO v_touched FROM (SELECT * FROM birth.fn_birth_run_touched(r_run, v_codes) LIMIT 20) t;
  IF v_touched IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('births_touched', v_touched);
  END IF;
  WITH removed AS (DELETE FROM birth.birth_registry b WHERE b.entity_code = ANY (v_codes) RETURNING b.entity_code)
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(d.entity_code, r_run.seed_a)), 0), coalesce(sum(hashtextextended(d.entity_code, r_run.seed_b)), 0)]
  INTO v_removed FROM removed d;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET batches = l.batches + 1, compensated_rows = l.compensated_rows + v_removed[1]::bigint, last_batch_at = clock_timestamp()
  WHERE l.run_id = p_run_id RETURNING l.* INTO r_run;
  PERFORM birth.fn_birth_permit_spend(r_run, 'COMPENSATE', v_removed[1]::bigint);
  PERFORM birth.fn_birth_run_receipt(r_run, 'COMPENSATE', NULL, v_removed[1]::bigint, v_removed);

  IF r_run.compensated_rows = r_run.actual_inserted OR v_removed[1] = 0 THEN
    IF birth.fn_birth_run_births(r_run) <> '{0,0,0}' OR r_run.compensated_rows <> r_run.actual_inserted THEN
      PERFORM birth.fn_birth_raise('false_done', format('%s of %s births removed, the registry still holds %s', r_run.compensated_rows,
        r_run.actual_inserted, (birth.fn_birth_run_births(r_run))[1]));
    END IF;
    UPDATE birth.birth_admission_permit_v2 p SET status = 'CONSUMED', closed_at = birth.fn_birth_clock() WHERE p.permit_id = p_permit_id;
    UPDATE birth.birth_backfill_ledger_v2 l SET status = 'compensated', finished_at = clock_timestamp(), holder_pid = NULL
    WHERE l.run_id = p_run_id RETURNING l.* INTO r_run;
    PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run_id, p_lineage := r_run.lineage, p_permit_id := p_permit_id,
      p_collection := r_run.collection_name, p_epoch := r_run.epoch, p_detail := '{"status": "compensated"}');
  END IF;
  RETURN r_run;
END;
$fn_dot_birth_qt001_compensate$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_compensate(uuid, bigint, integer, text) IS
  'Steps ask, begin and batch of a compensation: checks it, claims the run, or removes one batch of a run''s births. Called by sp_dot_birth_qt001_compensate. Operator. Specification: 6, R6.';

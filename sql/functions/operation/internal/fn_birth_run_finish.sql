-- The proof at the end of a run's range, from birth_registry itself: what it holds of the run is what was counted; what was counted is the target, in
-- number and as a set; nothing collides; no alert was raised since it began that no reviewer saw.
-- Only then is the permit consumed and done recorded. Anything else raises.
-- Returns: the run's row, done.
-- Calls: fn_birth_alerts, fn_birth_run_births, fn_birth_raise, fn_birth_refuse, fn_birth_plan_examine,
--        fn_birth_act_record, fn_birth_clock
-- Writes: birth_backfill_ledger_v2, birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_finish$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_count record;
  v_known bigint;
  v_grew bigint;
  v_births numeric[] := birth.fn_birth_run_births(p_run);
BEGIN
  IF v_births IS DISTINCT FROM p_run.written_fingerprint THEN
    PERFORM birth.fn_birth_raise('false_done', format('run %s counted %s births, the registry holds %s', p_run.run_id, p_run.actual_inserted, v_births[1]));
  END IF;
  IF v_births IS DISTINCT FROM p_run.target_fingerprint THEN
    PERFORM birth.fn_birth_raise('source_changed', format('run %s wrote %s of a target of %s', p_run.run_id, v_births[1], p_run.expected_delta));
  END IF;
  SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_run.collection_name, p_run.seed_a, p_run.seed_b);
  PERFORM birth.fn_birth_refuse(r_count.blockers -> 0);
  SELECT greatest(p_run.alerts_before, max(v.alerts_seen)) INTO v_known FROM birth.birth_review v
  WHERE v.run_id = p_run.run_id AND v.purpose = 'APPLY' AND v.verdict = 'SAFE';
  SELECT count(*) - v_known INTO v_grew FROM birth.fn_birth_alerts();
  IF v_grew > 0 THEN
    PERFORM birth.fn_birth_raise('alerts_grew', format('%s alerts since the run began or was last found safe', v_grew));
  END IF;
  PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run.run_id, p_lineage := p_run.lineage, p_permit_id := p_run.permit_id,
    p_collection := p_run.collection_name, p_epoch := p_run.epoch,
    p_detail := jsonb_build_object('status', 'done', 'rerun_delta', r_count.missing, 'orphans', r_count.orphans));
  UPDATE birth.birth_admission_permit_v2 p SET status = 'CONSUMED', closed_at = birth.fn_birth_clock() WHERE p.permit_id = p_run.permit_id;
  UPDATE birth.birth_backfill_ledger_v2 l SET status = 'done', finished_at = clock_timestamp(), holder_pid = NULL WHERE l.run_id = p_run.run_id
  RETURNING l.* INTO r_run;
  RETURN r_run;
END;
$fn_birth_run_finish$;

COMMENT ON FUNCTION birth.fn_birth_run_finish(birth.birth_backfill_ledger_v2) IS
  'Proves that a run wrote its target and records done; else NB108, NB109, NB309, NB310, NB315. Specification: 6 steps 4, 9, 10, R11.';

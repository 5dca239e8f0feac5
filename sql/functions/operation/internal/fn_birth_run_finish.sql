-- The proof at the end of a run: the checks of the end, from the records themselves. Only then is the permit consumed,
-- and done or compensated recorded. Anything else raises.
-- Returns: the run's row, done or compensated.
-- Calls: fn_birth_purpose, fn_birth_rule_state, fn_birth_run_set, fn_birth_refuse, fn_birth_checks,
--        fn_birth_act_record, fn_birth_clock
-- Writes: birth_backfill_ledger_v2, birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_finish$
DECLARE
  v_undo CONSTANT boolean := p_purpose <> p_run.purpose;
  v_status CONSTANT text := CASE WHEN v_undo THEN 'compensated' ELSE 'done' END;
  v_source CONSTANT boolean := NOT v_undo AND (SELECT p.source = 'rows' FROM birth.fn_birth_purpose(p_purpose) p);
  -- Before the rows are counted: a rule that holds then holds for all that is counted.
  v_rule CONSTANT jsonb := birth.fn_birth_rule_state(p_run.collection_name);
  r_run birth.birth_backfill_ledger_v2;
  r_set record;
BEGIN
  -- What is left now, not within the target.
  r_run := p_run;
  r_run.target_upper := NULL;
  SELECT s.fresh, s.foreign_codes INTO r_set FROM birth.fn_birth_run_set(r_run) s WHERE NOT v_undo;
  PERFORM birth.fn_birth_refuse(c.blocker)
  FROM birth.fn_birth_checks('end', p_run, p_purpose, r_set.fresh, p_foreign := r_set.foreign_codes) c WHERE NOT c.pass
    ORDER BY c.number;
  PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run.run_id, p_lineage := p_run.lineage,
    p_permit_id := p_run.permit_id,
    p_collection := p_run.collection_name, p_epoch := p_run.epoch,
    p_detail := jsonb_build_object('status', v_status) || CASE WHEN v_undo THEN '{}'
      ELSE jsonb_build_object('rerun_delta', (r_set.fresh).planned_rows, 'orphans', (r_set.fresh).orphans) END
      || CASE WHEN v_source THEN v_rule || jsonb_build_object('unborn', (r_set.fresh).planned_rows
           + (r_set.fresh).unresolvable + (r_set.fresh).duplicates + (r_set.fresh).collisions) ELSE '{}' END);
  UPDATE birth.birth_admission_permit_v2 p SET status = 'CONSUMED', closed_at = birth.fn_birth_clock()
    WHERE p.permit_id = p_run.permit_id;
  UPDATE birth.birth_backfill_ledger_v2 l SET status = v_status, finished_at = clock_timestamp(), holder_pid = NULL
  WHERE l.run_id = p_run.run_id RETURNING l.* INTO r_run;
  RETURN r_run;
END;
$fn_birth_run_finish$;

COMMENT ON FUNCTION birth.fn_birth_run_finish(birth.birth_backfill_ledger_v2, text) IS
  'Proves that a run wrote its target, or that none of it is left, and records done or compensated. NB104, NB105, '
  'NB108, NB109, NB309, NB310, NB315, NB316. Specification: 6 steps 4, 9, 10, R11.';

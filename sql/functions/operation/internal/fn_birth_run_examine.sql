-- Steps 2 to 7 of the writer's checks, in their order, for a run that begins, goes on, or is only asked about.
-- Returns: one row: what is missing now, its fingerprint, and the blockers in order.
-- Calls: fn_birth_plan_examine, fn_birth_error, fn_birth_contract_blocker, fn_birth_verdict_blocker, fn_birth_permit_blocker, fn_birth_run_births, fn_birth_identity_hash
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_examine(
    p_run birth.birth_backfill_ledger_v2, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint)
  RETURNS TABLE (missing bigint, fingerprint numeric[], blockers jsonb)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_examine$
DECLARE
  r_count record;
  v_begun boolean := p_run.started_at IS NOT NULL;
  v_accepted bigint;
  v_target bigint;
  v_births numeric[];
BEGIN
  -- A key of another identity may not even be of its type.
  SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_run.collection_name, p_run.seed_a, p_run.seed_b,
    CASE WHEN p_run.identity_hash = birth.fn_birth_identity_hash(p_run.collection_name) THEN p_run.target_upper END);
  missing := r_count.missing;
  fingerprint := r_count.fingerprint;
  blockers := r_count.blockers;

  -- 4: orphans may be entities registered under other codes; a verdict accepts exactly as many as the plan counted.
  SELECT v.accept_orphans INTO v_accepted FROM birth.v_birth_verdict_standing v
  WHERE v.run_id = p_run.run_id AND v.purpose = 'APPLY' AND v.verdict = 'SAFE';
  IF NOT v_begun AND r_count.orphans > p_run.orphans THEN
    blockers := blockers || birth.fn_birth_error('plan_stale', format('%s orphans, the plan counted %s', r_count.orphans, p_run.orphans));
  ELSIF p_run.orphans > 0 AND v_accepted IS DISTINCT FROM p_run.orphans THEN
    blockers := blockers || birth.fn_birth_error('parity_broken', format('%s births of collection %s have no source row; the verdict accepts %s',
      p_run.orphans, p_run.collection_name, coalesce(v_accepted, 0)));
  END IF;

  -- 5 and 6
  v_target := CASE WHEN v_begun THEN p_run.expected_delta ELSE least(missing, p_max_rows) END;
  blockers := blockers || coalesce(birth.fn_birth_contract_blocker(), '[]') || coalesce(birth.fn_birth_verdict_blocker(p_run, 'APPLY'), '[]')
    || coalesce(birth.fn_birth_permit_blocker(p_run, p_permit_id, 'APPLY', v_target - p_run.actual_inserted), '[]');

  -- 7: the numbers of the call are those of the run, and the set is the one that was planned.
  IF (SELECT p.max_rows - p.spent_rows < p_max_rows FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_permit_id) AND NOT v_begun THEN
    blockers := blockers || birth.fn_birth_error('bound_exceeded', format('p_max_rows is %s', p_max_rows));
  END IF;
  IF v_begun THEN
    v_births := birth.fn_birth_run_births(p_run);
    IF v_births <> p_run.written_fingerprint THEN
      blockers := blockers || birth.fn_birth_error('false_done', format('receipts count %s births, the registry holds %s', p_run.actual_inserted, v_births[1]));
    ELSIF ARRAY[v_births[1] + r_count.range_fingerprint[1], v_births[2] + r_count.range_fingerprint[2], v_births[3] + r_count.range_fingerprint[3]]
        IS DISTINCT FROM p_run.target_fingerprint THEN
      blockers := blockers || birth.fn_birth_error('source_changed', format('%s written and %s missing of a target of %s',
        v_births[1], r_count.range_fingerprint[1], p_run.expected_delta));
    END IF;
  ELSIF fingerprint IS DISTINCT FROM p_run.planned_fingerprint OR p_run.server_major <> current_setting('server_version_num')::integer / 10000 THEN
    blockers := blockers || birth.fn_birth_error('plan_stale', format('%s codes planned, %s missing now', p_run.planned_rows, missing));
  END IF;
  IF missing = 0 AND NOT v_begun THEN
    blockers := blockers || birth.fn_birth_error('nothing_to_do', format('collection %s', p_run.collection_name));
  ELSIF p_expected_delta IS DISTINCT FROM v_target OR (v_begun AND p_max_rows <> p_run.max_rows) THEN
    blockers := blockers || birth.fn_birth_error('delta_mismatch', format('p_expected_delta is %s, p_max_rows %s; the run would write %s%s',
      p_expected_delta, p_max_rows, v_target, CASE WHEN v_begun THEN format(' with p_max_rows %s', p_run.max_rows) ELSE '' END));
  END IF;
  RETURN NEXT;
END;
$fn_birth_run_examine$;

COMMENT ON FUNCTION birth.fn_birth_run_examine(birth.birth_backfill_ledger_v2, bigint, bigint, bigint) IS
  'Steps 2 to 7 of the writer''s checks: what is missing now and the blockers in order. Specification: 6, R10.';

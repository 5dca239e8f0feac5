-- A reviewer's verdict on a run, bound to its planned set, the contract and the identity as they are now. Neither who planned or executed, nor who opened a
-- permit, nor who released the contract can give it.
-- SECURITY DEFINER: reviewers write verdicts through here only.
-- Returns: one row: review_id, verdict, next_step.
-- Calls: fn_birth_alerts, fn_birth_actor, fn_birth_raise, fn_birth_act_record, fn_birth_contract_hash, fn_birth_identity_hash, fn_birth_run_next_step
-- Writes: birth_review
CREATE OR REPLACE FUNCTION birth.fn_birth_review_record(
    p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint DEFAULT 0, p_purpose text DEFAULT 'APPLY')
  RETURNS TABLE (review_id bigint, verdict text, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '5s'
AS $fn_birth_review_record$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_fault text;
  -- Before the wait below: what comes meanwhile the reviewer has not seen.
  v_alerts bigint := (SELECT count(*) FROM birth.fn_birth_alerts());
  v_release text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_reviewer', 'fn_birth_review_record');
  -- A verdict SAFE waits for what is being recorded of the run: it must not be newer than a failure it could not see. NOT_SAFE waits for no driver.
  IF p_verdict = 'SAFE' THEN
    PERFORM FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id FOR SHARE;
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  v_fault := CASE
    WHEN p_verdict IS NULL OR p_verdict NOT IN ('SAFE', 'NOT_SAFE_NEEDS_FIX') THEN format('p_verdict is %L, not SAFE or NOT_SAFE_NEEDS_FIX', p_verdict)
    WHEN p_findings IS NULL OR p_findings !~ '[^[:space:]]' THEN 'p_findings is required'
    WHEN p_purpose IS NULL OR p_purpose NOT IN ('APPLY', 'COMPENSATE') THEN format('p_purpose is %L, not APPLY or COMPENSATE', p_purpose)
    WHEN p_accept_orphans IS NULL OR p_accept_orphans NOT IN (0, r_run.orphans) THEN
      format('p_accept_orphans is %s, the plan counted %s', coalesce(p_accept_orphans::text, 'NULL'), r_run.orphans)
  END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('verdict_malformed', v_fault);
  END IF;
  IF r_run.status = 'compensated' OR (p_purpose = 'APPLY' AND (r_run.status = 'done' OR r_run.compensating_since IS NOT NULL))
     OR (p_purpose = 'COMPENSATE' AND r_run.status = 'planned') THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status));
  END IF;
  SELECT min(g.release) INTO v_release FROM birth.birth_gateway_release_registry g
  WHERE g.released_by = session_user AND g.exact_sha256 IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_gateway_release_registry n WHERE n.kind = g.kind AND n.object = g.object AND n.generation > g.generation);
  IF v_release IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('separation_of_duties', format('%s released %s, which the verdict is bound to', session_user, v_release));
  END IF;
  PERFORM birth.fn_birth_act_record('review', p_run_id := p_run_id, p_lineage := r_run.lineage, p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_reason := p_findings, p_detail := jsonb_build_object('verdict', p_verdict, 'purpose', p_purpose));
  INSERT INTO birth.birth_review AS v (run_id, purpose, verdict, findings, accept_orphans, reviewed_by, planned_fingerprint, contract_hash, identity_hash,
    alerts_seen)
  VALUES (p_run_id, p_purpose, p_verdict, p_findings, p_accept_orphans, session_user, r_run.planned_fingerprint, birth.fn_birth_contract_hash(),
    birth.fn_birth_identity_hash(r_run.collection_name), v_alerts)
  RETURNING v.review_id, v.verdict INTO review_id, verdict;
  next_step := birth.fn_birth_run_next_step(p_run_id, p_purpose);
  RETURN NEXT;
END;
$fn_birth_review_record$;

COMMENT ON FUNCTION birth.fn_birth_review_record(uuid, text, text, bigint, text) IS
  'Records a verdict on a run; returns its id and the next step. Reviewer. NB110, NB111, NB209, NB211, NB301, NB302. Specification: 6, R5, R7.';

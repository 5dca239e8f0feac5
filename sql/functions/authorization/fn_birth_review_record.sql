-- A reviewer's verdict on a run's own purpose, or with p_purpose COMPENSATE on its undoing, bound to its planned set,
-- the contract and the identity as they are now. Neither who planned or executed, nor who opened a permit, nor who
-- released the contract can give it. A verdict NOT_SAFE_NEEDS_FIX is always recorded, waits for nobody, and stands
-- until a later verdict names it: a SAFE beside one that it does not name is refused.
-- SECURITY DEFINER: reviewers write verdicts through here only.
-- Returns: one row: review_id, verdict, next_step.
-- Calls: fn_birth_alerts, fn_birth_actor, fn_birth_raise, fn_birth_act_record, fn_birth_contract_hash,
--        fn_birth_identity_hash, fn_birth_run_next_step, fn_birth_run_failures, fn_birth_released,
--        fn_birth_lineage_lock, fn_birth_review_statement, fn_birth_purpose
-- Writes: birth_review
CREATE OR REPLACE FUNCTION birth.fn_birth_review_record(
    p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint DEFAULT 0, p_purpose text DEFAULT NULL,
    p_supersedes bigint[] DEFAULT NULL)
  RETURNS TABLE (review_id bigint, verdict text, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '5s'
AS $fn_birth_review_record$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_purpose text;
  v_accepts text;
  v_fault text;
  -- Before the wait below: what comes meanwhile the reviewer has not seen.
  v_alerts bigint := (SELECT count(*) FROM birth.fn_birth_alerts());
  v_failures bigint;
  v_release text;
  v_unnamed text;
  v_supersedes bigint[] := coalesce(p_supersedes, '{}');
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_actor('birth_reviewer', 'fn_birth_review_record');
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  v_purpose := coalesce(p_purpose, r_run.purpose);
  v_failures := birth.fn_birth_run_failures(r_run);
  v_accepts := (SELECT p.accepts FROM birth.fn_birth_purpose(v_purpose, CASE WHEN v_purpose = 'COMPENSATE'
    THEN r_run.purpose END) p);
  v_fault := CASE
    WHEN p_verdict IS NULL OR p_verdict NOT IN ('SAFE', 'NOT_SAFE_NEEDS_FIX')
      THEN format('p_verdict is %L, not SAFE or NOT_SAFE_NEEDS_FIX', p_verdict)
    -- Nothing but the dots of a statement that was made ready is no finding. \u2026 is the ellipsis, and \u0085 that of
    -- the encodings of Windows.
    WHEN p_findings IS NULL OR p_findings !~ E'[^[:space:].\\u2026\\u0085]'
      THEN 'p_findings is required: what was checked, and found'
    WHEN v_purpose NOT IN (r_run.purpose, 'COMPENSATE')
      THEN format('p_purpose is %L, not %s or COMPENSATE', p_purpose, r_run.purpose)
    WHEN p_accept_orphans IS NULL OR p_accept_orphans < 0
         OR v_accepts IS DISTINCT FROM 'births' AND p_accept_orphans NOT IN (0, r_run.orphans)
      THEN format('p_accept_orphans is %s, the plan counted %s', coalesce(p_accept_orphans::text, 'NULL'),
        r_run.orphans)
    WHEN EXISTS (SELECT FROM unnest(p_supersedes) AS s(id) WHERE NOT EXISTS (
      SELECT FROM birth.birth_review o
      WHERE o.review_id = s.id AND o.run_id = p_run_id AND o.purpose = v_purpose AND o.verdict = 'NOT_SAFE_NEEDS_FIX'))
        THEN
      format('p_supersedes is %s; it names verdicts NOT_SAFE_NEEDS_FIX on this run and purpose', p_supersedes)
  END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('verdict_malformed', v_fault);
  END IF;
  IF r_run.status = 'compensated' OR (v_purpose <> 'COMPENSATE'
    AND (r_run.status = 'done' OR r_run.compensating_since IS NOT NULL))
     OR (v_purpose = 'COMPENSATE' AND r_run.status = 'planned') THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status));
  END IF;
  v_release := birth.fn_birth_released(session_user);
  IF v_release IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('separation_of_duties',
      format('%s released %s, which the verdict is bound to', session_user, v_release));
  END IF;
  IF p_verdict = 'SAFE' THEN
    PERFORM birth.fn_birth_lineage_lock(r_run.lineage);
    SELECT string_agg(format('%s, by %s: %s', v.review_id, v.reviewed_by, v.findings), '; ' ORDER BY v.review_id)
        FILTER (WHERE v.verdict <> 'SAFE' AND v.review_id <> ALL (v_supersedes)),
      v_supersedes || coalesce(array_agg(v.review_id ORDER BY v.review_id) FILTER (WHERE v.verdict = 'SAFE'), '{}')
    INTO v_unnamed, v_supersedes
    FROM birth.v_birth_verdict_standing v WHERE v.run_id = p_run_id AND v.purpose = v_purpose;
    IF v_unnamed IS NOT NULL THEN
      PERFORM birth.fn_birth_raise('verdict_stands', format('run %s, %s: %s', p_run_id, v_purpose, v_unnamed),
        'when what it found is mended, name it: ' || birth.fn_birth_review_statement(r_run, v_purpose));
    END IF;
  END IF;
  v_at := birth.fn_birth_act_record('review', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_reason := p_findings,
    p_detail := jsonb_build_object('verdict', p_verdict, 'purpose', v_purpose, 'supersedes', v_supersedes));
  INSERT INTO birth.birth_review AS v (run_id, purpose, verdict, findings, accept_orphans, reviewed_at, reviewed_by,
    planned_fingerprint, contract_hash, identity_hash,
    alerts_seen, failures_seen, supersedes)
  VALUES (p_run_id, v_purpose, p_verdict, p_findings, p_accept_orphans, v_at, session_user, r_run.planned_fingerprint,
    birth.fn_birth_contract_hash(),
    birth.fn_birth_identity_hash(r_run.collection_name), v_alerts, v_failures, v_supersedes)
  RETURNING v.review_id, v.verdict INTO review_id, verdict;
  next_step := birth.fn_birth_run_next_step(p_run_id, v_purpose);
  RETURN NEXT;
END;
$fn_birth_review_record$;

COMMENT ON FUNCTION birth.fn_birth_review_record(uuid, text, text, bigint, text, bigint[]) IS
  'Records a verdict on a run, taking back the verdicts NOT_SAFE_NEEDS_FIX in p_supersedes; returns its id and the '
  'next step. Reviewer. NB110, NB111, NB209, NB211, NB213, NB301 to NB303. Specification: 6, R5, R7.';

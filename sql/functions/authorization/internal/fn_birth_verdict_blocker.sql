-- Whether a verdict lets a run go on: a SAFE stands and no NOT_SAFE_NEEDS_FIX does, it has seen every failure of the run, and plan, contract and
-- identity are as they were.
-- Returns: an error of the catalogue, or NULL.
-- Calls: fn_birth_error, fn_birth_run_failures, fn_birth_contract_hash, fn_birth_identity_hash
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_verdict_blocker(p_run birth.birth_backfill_ledger_v2, p_purpose text)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_verdict_blocker$
DECLARE
  r_review birth.v_birth_verdict_standing;
  v_fault text;
BEGIN
  -- A verdict that says no comes first, whenever it was given.
  SELECT v.* INTO r_review FROM birth.v_birth_verdict_standing v
  WHERE v.run_id = p_run.run_id AND v.purpose = p_purpose
  ORDER BY v.verdict = 'SAFE' LIMIT 1;
  v_fault := CASE
    WHEN r_review.review_id IS NULL THEN 'nobody reviewed it'
    WHEN r_review.verdict <> 'SAFE' THEN format('%s found it %s: %s', r_review.reviewed_by, r_review.verdict, r_review.findings)
    WHEN r_review.failures_seen < birth.fn_birth_run_failures(p_run) THEN 'it failed after the verdict'
    WHEN r_review.planned_fingerprint <> p_run.planned_fingerprint THEN 'the verdict was about another planned set'
    WHEN r_review.contract_hash <> birth.fn_birth_contract_hash() THEN 'the contract changed after the verdict'
    WHEN r_review.identity_hash IS DISTINCT FROM birth.fn_birth_identity_hash(p_run.collection_name) THEN 'policy, identity or table changed after the verdict'
  END;
  RETURN CASE WHEN v_fault IS NOT NULL
    THEN birth.fn_birth_error('verdict_missing', format('run %s, %s: %s', p_run.run_id, p_purpose, v_fault)) END;
END;
$fn_birth_verdict_blocker$;

COMMENT ON FUNCTION birth.fn_birth_verdict_blocker(birth.birth_backfill_ledger_v2, text) IS
  'NB210 as jsonb when the run has no current verdict SAFE for the purpose, else NULL. Specification: 6, R5.';

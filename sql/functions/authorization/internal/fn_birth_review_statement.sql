-- The ready statement for a verdict, which it leaves open, with what the plan lists for acceptance and the verdicts
-- NOT_SAFE_NEEDS_FIX to take back. Sent as it is, it is refused.
-- Returns: the statement, with a remark who sends it.
-- Calls: fn_birth_purpose, fn_birth_collection_births
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_review_statement$
  SELECT format('SELECT * FROM birth.fn_birth_review_record(p_run_id := %L, p_verdict := ''...'', '
    'p_findings := ''...''%s%s%s);  -- a reviewer',
    p_run.run_id,
    (SELECT format(', p_accept_orphans := %s', a.number)
     FROM birth.fn_birth_purpose(p_purpose, CASE WHEN p_purpose = 'COMPENSATE' THEN p_run.purpose END) p
     CROSS JOIN LATERAL (SELECT CASE
       WHEN p.accepts = 'births' AND p_purpose = 'COMPENSATE'
         THEN birth.fn_birth_collection_births(p_run.collection_name)
       WHEN p.accepts = 'births' THEN p_run.existing_births
       WHEN p_purpose <> 'COMPENSATE' THEN p_run.orphans END) AS a(number)
     WHERE a.number > 0),
    CASE WHEN p_purpose = 'COMPENSATE' THEN ', p_purpose := ''COMPENSATE''' END,
    (SELECT format(', p_supersedes := %L', array_agg(v.review_id ORDER BY v.review_id))
     FROM birth.v_birth_verdict_standing v
     WHERE v.run_id = p_run.run_id AND v.purpose = p_purpose AND v.verdict <> 'SAFE' HAVING count(*) > 0));
$fn_birth_review_statement$;

COMMENT ON FUNCTION birth.fn_birth_review_statement(birth.birth_backfill_ledger_v2, text) IS
  'The ready statement for a verdict on a run, naming what it takes back. Specification: 6, R5.';

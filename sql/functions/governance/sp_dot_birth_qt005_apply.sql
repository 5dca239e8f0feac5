-- Executes a governance transition: every check, the change, its proof and receipt, in the transaction of the CALL.
-- SECURITY DEFINER: it alone turns a permit into a change of policy.
-- Returns: nothing; what it did, or would do, as a notice.
-- Calls: fn_birth_raise, fn_birth_actor, fn_birth_run_begin, fn_birth_run_batch
-- Writes: nothing itself
CREATE OR REPLACE PROCEDURE birth.sp_dot_birth_qt005_apply(
    p_run_id uuid, p_permit_id bigint, p_execute boolean DEFAULT false)
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET lock_timeout = '5s'
AS $sp_dot_birth_qt005_apply$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'sp_dot_birth_qt005_apply');
  IF p_execute IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_execute is required');
  END IF;
  r_run := birth.fn_birth_run_begin(NULL, p_run_id, p_permit_id, NULL, NULL, 1, NULL, 'TRANSITION',
    CASE WHEN p_execute THEN 'once' ELSE 'ask' END);
  IF NOT p_execute THEN
    RAISE NOTICE 'run %: every check passes, % would become %; pass p_execute := true', p_run_id,
      r_run.collection_name, r_run.wanted ->> 'p_to_status';
    RETURN;
  END IF;
  r_run := birth.fn_birth_run_batch(r_run, 1);
  -- Nothing is left: the proof.
  r_run := birth.fn_birth_run_batch(r_run, 1);
  RAISE NOTICE 'run %: % of % written, %', p_run_id, r_run.actual_inserted, r_run.expected_delta, r_run.status;
END;
$sp_dot_birth_qt005_apply$;

COMMENT ON PROCEDURE birth.sp_dot_birth_qt005_apply(uuid, bigint, boolean) IS
  'Executes one planned and permitted change of policy, in one transaction; without p_execute every check and nothing '
  'written. Operator. Every refusal of NB1 to NB4. Specification: 4.1.';

-- The steps of a compensation before its first batch: checks everything (ask), or claims the run besides (begin); from
-- then on the run is closed to apply for ever. Its batches are fn_birth_run_step's, which records what becomes of them.
-- SECURITY DEFINER: reads and writes the ledger with birth_definer's rights.
-- Returns: the run's row as it is now.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_run_begin
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer,
  p_step text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET lock_timeout = '5s'
AS $fn_dot_birth_qt001_compensate$
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'sp_dot_birth_qt001_compensate');
  IF (p_step IN ('ask', 'begin')) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('driver_required', format('p_step is %L, not ask or begin', p_step),
      'CALL birth.sp_dot_birth_qt001_compensate with the same run and permit');
  END IF;
  RETURN birth.fn_birth_run_begin(NULL, p_run_id, p_permit_id, NULL, NULL, p_batch, NULL, 'COMPENSATE',
    CASE p_step WHEN 'begin' THEN 'drive' ELSE 'ask' END);
END;
$fn_dot_birth_qt001_compensate$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_compensate(uuid, bigint, integer, text) IS
  'Steps ask and begin of a compensation: checks it, or claims the run. Called by sp_dot_birth_qt001_compensate. '
  'Operator. Specification: 6, R6.';

-- Undoes one run, batch by batch: the same driver as for applying, with the same rules.
-- A procedure that COMMITs can neither be SECURITY DEFINER nor pin its settings; see sp_dot_birth_qt001_apply.
-- Returns: nothing; progress as notices.
-- Calls: fn_birth_timeout_check, fn_dot_birth_qt001_compensate, sp_birth_run_drive
-- Writes: nothing itself
CREATE OR REPLACE PROCEDURE birth.sp_dot_birth_qt001_compensate(
    p_run_id uuid, p_permit_id bigint, p_batch integer DEFAULT 10000, p_execute boolean DEFAULT false)
  LANGUAGE plpgsql
AS $sp_dot_birth_qt001_compensate$
DECLARE
  r_run pg_catalog.record;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM birth.fn_birth_timeout_check();
  SELECT * INTO r_run FROM birth.fn_dot_birth_qt001_compensate(p_run_id := p_run_id, p_permit_id := p_permit_id,
    p_batch := p_batch,
    p_step := CASE WHEN p_execute THEN 'begin' ELSE 'ask' END);
  IF p_execute IS NOT TRUE THEN
    RAISE NOTICE 'run %: every check passes, % births would be removed; pass p_execute := true', p_run_id,
      r_run.actual_inserted - r_run.compensated_rows;
    RETURN;
  END IF;
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'COMPENSATE',
    p_batch := p_batch);
END;
$sp_dot_birth_qt001_compensate$;

COMMENT ON PROCEDURE birth.sp_dot_birth_qt001_compensate(uuid, bigint, integer, boolean) IS
  'Removes exactly the births one run wrote, in committed batches, under a COMPENSATE permit; without p_execute every '
  'check and nothing removed. Operator, outside a transaction block. Specification: 6, R6.';

-- Executes a death run, batch by batch: the same driver as for births, with the same rules.
-- A procedure that COMMITs can neither be SECURITY DEFINER nor pin its settings; see sp_dot_birth_qt001_apply.
-- Returns: nothing; progress as notices.
-- Calls: fn_birth_timeout_check, fn_birth_run_begin, sp_birth_run_drive
-- Writes: nothing itself
CREATE OR REPLACE PROCEDURE birth.sp_dot_birth_qt006_apply(
    p_run_id uuid, p_permit_id bigint, p_batch integer DEFAULT 10000, p_execute boolean DEFAULT false)
  LANGUAGE plpgsql
AS $sp_dot_birth_qt006_apply$
DECLARE
  r_run pg_catalog.record;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM birth.fn_birth_timeout_check();
  SELECT * INTO r_run FROM birth.fn_birth_run_begin(p_collection := NULL, p_run_id := p_run_id,
    p_permit_id := p_permit_id, p_expected_delta := NULL, p_max_rows := NULL, p_batch := p_batch, p_dot_origin := NULL,
    p_purpose := 'DEATH', p_mode := CASE WHEN p_execute THEN 'drive' ELSE 'ask' END);
  IF p_execute IS NOT TRUE THEN
    RAISE NOTICE 'run %: every check passes, % births would end; pass p_execute := true', p_run_id,
      r_run.expected_delta;
    RETURN;
  END IF;
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'DEATH',
    p_batch := p_batch);
END;
$sp_dot_birth_qt006_apply$;

COMMENT ON PROCEDURE birth.sp_dot_birth_qt006_apply(uuid, bigint, integer, boolean) IS
  'Executes a permitted death run in committed batches, or continues it; without p_execute every check and nothing '
  'written. Operator, outside a transaction block. 2D000, NB113, every refusal of NB1 to NB4. Specification: 5.2.';

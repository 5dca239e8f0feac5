-- The driver: begins or continues a run and commits it batch by batch. It decides nothing: what it calls checks, writes
-- and records what became of a batch that raised; the driver commits that, and raises it again with the same SQLSTATE.
-- A procedure that COMMITs can neither be SECURITY DEFINER nor pin its settings: it runs with the operator's rights,
-- calls routines only, and pins the search path again after each COMMIT. Its variables are declared before that: their
-- types are qualified, for a temporary table is a type too. Its first statement is COMMIT, so that it is refused inside
-- a transaction block (2D000).
-- Returns: nothing; progress as notices.
-- Calls: fn_birth_timeout_check, fn_dot_birth_qt001_apply, fn_birth_run_begin, sp_birth_run_drive
-- Writes: nothing itself
CREATE OR REPLACE PROCEDURE birth.sp_dot_birth_qt001_apply(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint,
      p_batch integer DEFAULT 10000,
    p_execute boolean DEFAULT false, p_dot_origin text DEFAULT 'dot-birth-backfill-apply')
  LANGUAGE plpgsql
AS $sp_dot_birth_qt001_apply$
DECLARE
  r_asked pg_catalog.record;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM birth.fn_birth_timeout_check();
  IF p_execute IS NOT TRUE THEN
    SELECT * INTO r_asked FROM birth.fn_dot_birth_qt001_apply(p_collection := p_collection, p_run_id := p_run_id,
      p_permit_id := p_permit_id,
      p_expected_delta := p_expected_delta, p_max_rows := p_max_rows, p_batch_size := p_batch, p_dry_run := false,
        p_execute := false, p_dot_origin := p_dot_origin);
    RAISE NOTICE 'run %: every check passes, % births would be written; pass p_execute := true', p_run_id,
      r_asked.expected_delta;
    RETURN;
  END IF;
  PERFORM birth.fn_birth_run_begin(p_collection := p_collection, p_run_id := p_run_id, p_permit_id := p_permit_id,
    p_expected_delta := p_expected_delta,
    p_max_rows := p_max_rows, p_batch := p_batch, p_dot_origin := p_dot_origin, p_purpose := 'APPLY');
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'APPLY',
    p_batch := p_batch);
END;
$sp_dot_birth_qt001_apply$;

COMMENT ON PROCEDURE birth.sp_dot_birth_qt001_apply(text, uuid, bigint, bigint, bigint, integer, boolean, text) IS
  'Executes a permitted run in committed batches, or continues it; without p_execute every check and nothing written. '
  'Operator, outside a transaction block. 2D000, NB113, and every refusal of fn_dot_birth_qt001_apply. Specification: '
  '6.';

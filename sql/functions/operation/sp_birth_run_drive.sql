-- The loop of both drivers: one batch, COMMIT, the next; then lets go of the run and raises what ended it. It decides
-- nothing: fn_birth_run_step checks, writes and records what becomes of a batch that fails.
-- A procedure that COMMITs can neither be SECURITY DEFINER nor pin its settings; see sp_dot_birth_qt001_apply. Deferred
-- constraints are checked inside the batch, so that a step can record what they refuse. That is said before the step
-- and here: whatever is still to fire then fires with the operator's rights, not with birth_definer's.
-- Returns: nothing; progress as notices.
-- Calls: fn_birth_run_step, fn_birth_run_leave
-- Writes: nothing itself
CREATE OR REPLACE PROCEDURE birth.sp_birth_run_drive(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer)
  LANGUAGE plpgsql
AS $sp_birth_run_drive$
DECLARE
  v_status pg_catalog.text;
  v_error pg_catalog.jsonb;
  v_news pg_catalog.text;
  v_last integer;
  v_began pg_catalog.timestamptz;
  v_took_ms double precision;
BEGIN
  LOOP
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    EXIT WHEN v_error IS NOT NULL OR v_status <> 'running';
    IF v_status IS NOT NULL THEN
      v_took_ms := 1000 * pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - v_began);
      RAISE NOTICE '%', v_news;
    END IF;
    v_began := pg_catalog.clock_timestamp();
    SET CONSTRAINTS ALL IMMEDIATE;
    SELECT s.status, s.news, s.batch, s.error INTO v_status, v_news, v_last, v_error
    FROM birth.fn_birth_run_step(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := p_purpose,
      p_batch := p_batch, p_last := v_last,
      p_took_ms := v_took_ms) s;
  END LOOP;
  IF v_error IS NULL THEN
    RAISE NOTICE '%', v_news
      USING HINT = pg_catalog.format(
      'note outside this database the seal of the last receipt, which all others lead up to: %s',
      (SELECT p.head FROM birth.v_birth_run_progress p WHERE p.run_id = p_run_id));
  END IF;
  PERFORM birth.fn_birth_run_leave(p_run_id := p_run_id);
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = v_error ->> 'code', MESSAGE = v_error ->> 'message', DETAIL = v_error ->> 'detail',
      HINT = v_error ->> 'hint',
      CONSTRAINT = v_error ->> 'constraint', TABLE = v_error ->> 'table';
  END IF;
END;
$sp_birth_run_drive$;

COMMENT ON PROCEDURE birth.sp_birth_run_drive(uuid, bigint, text, integer) IS
  'Drives a run that this session holds, batch by batch, to its end. Called by the drivers. Operator, outside a '
  'transaction block. Specification: 6.';

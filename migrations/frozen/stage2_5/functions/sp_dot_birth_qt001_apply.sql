-- The driver: begins or continues a run and commits it batch by batch. It decides nothing: the writer checks and raises, and the driver records what
-- became of a batch that raised, commits that, and raises it again with the same SQLSTATE.
-- A procedure that COMMITs can neither be SECURITY DEFINER nor pin its settings: it runs with the operator's rights, calls routines only, and pins the
-- search path again after each COMMIT. Its variables are declared before that: their types are qualified, for a temporary table is a type too.
-- Its first statement is COMMIT, so that it is refused inside a transaction block (2D000).
-- Returns: nothing; progress as notices.
-- Calls: fn_birth_raise, fn_dot_birth_qt001_apply, fn_birth_run_begin, fn_birth_run_pace, fn_birth_run_outcome
-- Writes: nothing itself
CREATE OR REPLACE PROCEDURE birth.sp_dot_birth_qt001_apply(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer DEFAULT 10000,
    p_execute boolean DEFAULT false, p_dot_origin text DEFAULT 'dot-birth-backfill-apply')
  LANGUAGE plpgsql
AS $sp_dot_birth_qt001_apply$
DECLARE
  r_batch pg_catalog.record;
  r_pace pg_catalog.record;
  v_state pg_catalog.text;
  v_message pg_catalog.text;
  v_detail pg_catalog.text;
  v_hint pg_catalog.text;
  v_constraint pg_catalog.text;
  v_table pg_catalog.text;
  v_news pg_catalog.text;
  v_over boolean := false;
  v_last integer;
  v_began pg_catalog.timestamptz;
  v_took_ms double precision;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF pg_catalog.current_setting('statement_timeout') <> '0' THEN
    PERFORM birth.fn_birth_raise('timeout_would_cut', pg_catalog.format('statement_timeout is %s and covers the whole CALL', pg_catalog.current_setting('statement_timeout')));
  END IF;
  IF p_execute IS NOT TRUE THEN
    SELECT * INTO r_batch FROM birth.fn_dot_birth_qt001_apply(p_collection := p_collection, p_run_id := p_run_id, p_permit_id := p_permit_id,
      p_expected_delta := p_expected_delta, p_max_rows := p_max_rows, p_batch_size := p_batch, p_dry_run := false, p_execute := false, p_dot_origin := p_dot_origin);
    RAISE NOTICE 'run %: every check passes, % births would be written; pass p_execute := true', p_run_id, r_batch.expected_delta;
    RETURN;
  END IF;
  PERFORM birth.fn_birth_run_begin(p_collection := p_collection, p_run_id := p_run_id, p_permit_id := p_permit_id, p_expected_delta := p_expected_delta,
    p_max_rows := p_max_rows, p_batch := p_batch, p_dot_origin := p_dot_origin);
  COMMIT;
  -- A cancel is heard in the block and recorded. What stands outside it, the COMMIT, is kept as short as can be.
  LOOP
    BEGIN
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      IF v_news IS NOT NULL THEN
        v_took_ms := 1000 * pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - v_began);
        RAISE NOTICE '%', v_news;
        v_news := NULL;
      END IF;
      SELECT * INTO r_pace FROM birth.fn_birth_run_pace(p_run_id := p_run_id, p_batch := p_batch, p_last := v_last, p_took_ms := v_took_ms);
      IF r_pace.pause_slice > 0 THEN
        PERFORM pg_catalog.pg_sleep(r_pace.pause_slice);
      ELSE
        v_last := r_pace.batch;
        v_began := pg_catalog.clock_timestamp();
        SELECT * INTO r_batch FROM birth.fn_dot_birth_qt001_apply(p_collection := p_collection, p_run_id := p_run_id, p_permit_id := p_permit_id,
          p_expected_delta := p_expected_delta, p_max_rows := p_max_rows, p_batch_size := r_pace.batch, p_dry_run := false, p_execute := true, p_dot_origin := p_dot_origin);
        SET CONSTRAINTS ALL IMMEDIATE;
        v_news := pg_catalog.format('run %s: %s of %s births, %s', p_run_id, r_batch.actual_inserted, r_batch.expected_delta, r_batch.status);
        v_over := r_batch.status = 'done';
      END IF;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT,
        v_constraint = CONSTRAINT_NAME, v_table = TABLE_NAME;
    END;
    IF v_state IS NOT NULL THEN
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      PERFORM birth.fn_birth_run_outcome(p_run_id := p_run_id, p_sqlstate := v_state, p_message := v_message);
      COMMIT;
      RAISE EXCEPTION USING ERRCODE = v_state, MESSAGE = v_message, DETAIL = v_detail, HINT = v_hint, CONSTRAINT = v_constraint, TABLE = v_table;
    END IF;
    COMMIT;
    EXIT WHEN v_over;
  END LOOP;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  RAISE NOTICE '%', v_news USING HINT = pg_catalog.format('note outside this database the seal of the last receipt, which all others lead up to: %s',
    (SELECT p.head FROM birth.v_birth_run_progress p WHERE p.run_id = p_run_id));
  PERFORM birth.fn_birth_run_outcome(p_run_id := p_run_id, p_sqlstate := '00000', p_message := 'done');
END;
$sp_dot_birth_qt001_apply$;

COMMENT ON PROCEDURE birth.sp_dot_birth_qt001_apply(text, uuid, bigint, bigint, bigint, integer, boolean, text) IS
  'Executes a permitted run in committed batches, or continues it; without p_execute every check and nothing written. Operator, outside a transaction block. 2D000, NB113, and every refusal of fn_dot_birth_qt001_apply. Specification: 6.';

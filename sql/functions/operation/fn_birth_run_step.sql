-- One step of a run that this session holds: a batch, or a slice of its pause. Before a batch it locks the run and asks
-- the checks of a batch; the contract in full only when its token moved. What a batch raises undoes the batch alone.
-- The outcome follows from what was caught here, not from what the caller tells; it is recorded in the caller's
-- transaction and comes back as data, so that it can be committed.
-- SECURITY DEFINER: it alone turns a permit into births, batch by batch, or takes them away again.
-- Returns: one row: status (NULL in a pause), news, batch (rows), error (code, message, detail, hint, constraint,
-- table) of a batch that failed.
-- Calls: fn_birth_actor, fn_birth_purpose, fn_birth_raise, fn_birth_durable, fn_birth_run_pace, fn_birth_run_lock,
--        fn_birth_contract_token, fn_birth_refuse, fn_birth_checks, fn_birth_run_batch, fn_birth_run_outcome
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_step(
    p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer DEFAULT NULL,
    p_took_ms double precision DEFAULT NULL)
  RETURNS TABLE (status text, news text, batch integer, error jsonb)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET lock_timeout = '5s'
AS $fn_birth_run_step$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_now birth.birth_backfill_ledger_v2;
  r_pace record;
  v_code text;
  v_message text;
  v_detail text;
  v_hint text;
  v_constraint text;
  v_table text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', VARIADIC ARRAY(
    SELECT p.doors[1] FROM birth.fn_birth_purpose() p
    WHERE p.purpose = p_purpose OR NOT EXISTS (SELECT FROM birth.fn_birth_purpose() k WHERE k.purpose = p_purpose)));
  IF (p_run_id IS NOT NULL AND p_permit_id IS NOT NULL AND p_batch > 0
      AND p_purpose IN (SELECT p.purpose FROM birth.fn_birth_purpose() p)) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('bad_argument',
      format('run %s, permit %s, batch %s, purpose %L', coalesce(p_run_id::text, 'NULL'),
        coalesce(p_permit_id::text, 'NULL'), coalesce(p_batch::text, 'NULL'), p_purpose));
  END IF;
  PERFORM birth.fn_birth_durable();
  BEGIN
    SELECT * INTO r_pace FROM birth.fn_birth_run_pace(p_run_id, p_batch, p_last, p_took_ms);
    IF r_pace.pause_slice > 0 THEN
      PERFORM pg_sleep(r_pace.pause_slice);
      batch := p_last;
    ELSE
      r_run := birth.fn_birth_run_lock(p_run_id);
      r_now := r_run;
      r_now.permit_id := p_permit_id;
      r_now.contract_token := birth.fn_birth_contract_token();
      PERFORM birth.fn_birth_refuse(c.blocker)
      FROM birth.fn_birth_checks('batch', r_run, p_purpose, r_now) c
      WHERE NOT c.pass ORDER BY c.number;
      UPDATE birth.birth_backfill_ledger_v2 l
      SET contract_token = r_now.contract_token
      WHERE l.run_id = p_run_id AND l.contract_token <> r_now.contract_token;
      r_run := birth.fn_birth_run_batch(r_run, r_pace.batch);
      news := CASE WHEN r_run.compensating_since IS NULL
        THEN format('run %s: %s of %s written, %s', p_run_id, r_run.actual_inserted, r_run.expected_delta, r_run.status)
        ELSE format('run %s: %s of %s undone, %s',
          p_run_id, r_run.compensated_rows, r_run.actual_inserted, r_run.status)
      END;
      status := r_run.status;
      batch := r_pace.batch;
    END IF;
  EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS v_code = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL,
      v_hint = PG_EXCEPTION_HINT, v_constraint = CONSTRAINT_NAME, v_table = TABLE_NAME;
    error := jsonb_build_object('code', v_code, 'message', v_message, 'detail', v_detail, 'hint', v_hint,
      'constraint', v_constraint, 'table', v_table);
    PERFORM birth.fn_birth_run_outcome(p_run_id, v_code, v_message);
  END;
  RETURN NEXT;
END;
$fn_birth_run_step$;

COMMENT ON FUNCTION birth.fn_birth_run_step(uuid, bigint, text, integer, integer, double precision) IS
  'Does one batch of a run that this session holds, or records what became of it and returns that error. Called by '
  'the drivers. Operator. NB102, NB110 to NB112; what the batch raises comes back as data. Specification: 6, R8, R14.';

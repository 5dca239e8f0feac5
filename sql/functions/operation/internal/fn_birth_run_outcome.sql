-- Records what became of a batch that raised, and lets go of the run. A status only gets worse until a new verdict; a
-- session that lost the run to another records nothing. Whoever has the step in a transaction of their own can roll
-- that back. Two things no rollback undoes: the session has let go of the run and, when a check failed, holds a lock
-- that says so (fn_birth_run_lock refuses the attempt while it does); and the server's log has a line. Granted to
-- nobody.
-- Returns: nothing.
-- Calls: fn_birth_error, fn_birth_run_holder, fn_birth_lock_key, fn_birth_run_wait, fn_birth_act_record,
--        fn_birth_permit_settle
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_outcome$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  -- Of the catalogue's errors the catalogue says it. Of PostgreSQL's, a lock, a timeout, a cancel, a lost connection, a
  -- full disk or a serialization failure comes from outside and stops the run; everything else is a check that failed.
  v_error jsonb := CASE
    WHEN p_sqlstate LIKE 'NB%' THEN birth.fn_birth_error(p_sqlstate, '')
    ELSE jsonb_build_object('error', p_sqlstate, 'outcome', CASE
      WHEN p_sqlstate IN ('55P03', '57014') OR left(p_sqlstate, 2) IN ('40', '53', '57', '58', '08') THEN 'stopped'
      ELSE 'failed' END)
  END;
  v_status text := v_error ->> 'outcome';
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id AND l.status = 'running';
  IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) IS DISTINCT FROM pg_backend_pid() THEN
    RETURN;
  END IF;
  IF v_status = 'failed' THEN
    PERFORM pg_try_advisory_lock(birth.fn_birth_lock_key(format('failed:%s:%s', p_run_id, r_run.epoch)));
  END IF;
  RAISE LOG 'birth: run %, attempt %, of %: % % %',
    p_run_id, r_run.epoch, session_user, v_status, p_sqlstate, p_message;
  -- A takeover that is being committed is waited for.
  PERFORM birth.fn_birth_run_wait(p_run_id);
  UPDATE birth.birth_backfill_ledger_v2 l
  SET status = v_status, stop_reason = v_error ->> 'error', holder_pid = NULL
  WHERE l.run_id = p_run_id AND l.status = 'running' AND l.epoch = r_run.epoch;
  IF FOUND THEN
    PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run_id, p_lineage := r_run.lineage,
      p_permit_id := r_run.permit_id, p_collection := r_run.collection_name, p_epoch := r_run.epoch,
      p_reason := p_message,
      p_detail := jsonb_build_object('status', v_status, 'sqlstate', p_sqlstate));
    PERFORM birth.fn_birth_permit_settle(p_run_id);
  END IF;
  PERFORM pg_advisory_unlock(birth.fn_birth_lock_key(format('run:%s:%s', p_run_id, r_run.epoch)));
END;
$fn_birth_run_outcome$;

COMMENT ON FUNCTION birth.fn_birth_run_outcome(uuid, text, text) IS
  'Records stopped or failed for a batch that raised, and lets go of the run. Granted to nobody. Specification: 6, R8.';

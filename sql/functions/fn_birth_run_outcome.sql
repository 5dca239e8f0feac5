-- Records what became of a batch that raised, and lets go of the run. A status only gets worse until a new verdict; a session that lost the run to another
-- records nothing.
-- SECURITY DEFINER: the driver runs with the operator's rights and may not write the ledger.
-- Returns: nothing.
-- Calls: fn_birth_actor, fn_birth_outcome_of, fn_birth_run_holder, fn_birth_act_record, fn_birth_permit_settle, fn_birth_lock_key
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_outcome$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_error jsonb;
  v_status text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'sp_dot_birth_qt001_apply', 'sp_dot_birth_qt001_compensate');
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id FOR NO KEY UPDATE;
  IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) = pg_backend_pid() AND r_run.status = 'running' THEN
    v_error := birth.fn_birth_outcome_of(p_sqlstate);
    v_status := v_error ->> 'outcome';
    UPDATE birth.birth_backfill_ledger_v2 l SET status = v_status, stop_reason = v_error ->> 'error', holder_pid = NULL WHERE l.run_id = p_run_id;
    PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run_id, p_lineage := r_run.lineage, p_permit_id := r_run.permit_id,
      p_collection := r_run.collection_name, p_epoch := r_run.epoch, p_reason := p_message,
      p_detail := jsonb_build_object('status', v_status, 'sqlstate', p_sqlstate));
    PERFORM birth.fn_birth_permit_settle(p_run_id);
  END IF;
  PERFORM pg_advisory_unlock(k.key)
  FROM generate_series(1, r_run.epoch) AS e(epoch), birth.fn_birth_lock_key(format('run:%s:%s', p_run_id, e.epoch)) AS k(key)
  WHERE birth.fn_birth_run_holder(p_run_id, e.epoch) = pg_backend_pid();
END;
$fn_birth_run_outcome$;

COMMENT ON FUNCTION birth.fn_birth_run_outcome(uuid, text, text) IS
  'Records stopped or failed for a batch that raised, and releases the session''s hold on the run. Called by the drivers. Operator. Specification: 6.';

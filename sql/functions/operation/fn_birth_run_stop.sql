-- Asks a running run to stop at its next batch. An act, so it never waits for the run. A run whose session died is
-- stopped at once.
-- SECURITY DEFINER: operators write acts and ledger through routines only.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record, fn_birth_run_holder, fn_birth_permit_settle
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_stop(p_run_id uuid, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_stop$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_birth_run_stop');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  IF r_run.status <> 'running' THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status),
      'only a running run can be stopped');
  END IF;
  PERFORM birth.fn_birth_act_record('stop', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_reason := p_reason);
  IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) = r_run.holder_pid THEN
    RETURN format('SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %L;', p_run_id);
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l SET status = 'stopped', stop_reason = 'interrupted', holder_pid = NULL
  WHERE l.run_id = (SELECT f.run_id FROM birth.birth_backfill_ledger_v2 f
                    -- A verdict on the run refers to its row and must not wait.
                    WHERE f.run_id = p_run_id AND f.epoch = r_run.epoch
                      AND f.status = 'running' FOR NO KEY UPDATE SKIP LOCKED);
  PERFORM birth.fn_birth_permit_settle(p_run_id);
  RETURN format('SELECT birth.fn_birth_run_next_step(p_run_id := %L);', p_run_id);
END;
$fn_birth_run_stop$;

COMMENT ON FUNCTION birth.fn_birth_run_stop(uuid, text) IS
  'Stops a running run at its next batch; one whose session died, at once. Operator. NB102, NB110, NB111, NB301, '
  'NB302. Specification: 6.';

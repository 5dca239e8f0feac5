-- Takes a run from its holder by force: the epoch rises, so that no batch of the old attempt can be written any more,
-- whenever its session wakes. Anyone may then continue the run. Waits two seconds for a batch that is being written:
-- one that hangs keeps the run until its session is ended, and the refusal says which.
-- SECURITY DEFINER: DBAs write the ledger through routines only.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_run_wait, fn_birth_act_record
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_takeover(p_run_id uuid, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '2s'
AS $fn_birth_run_takeover$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_run_takeover');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  r_run := birth.fn_birth_run_wait(p_run_id);
  IF r_run.status <> 'running' THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status),
      'only a running run can be taken over');
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET epoch = l.epoch + 1, status = 'stopped', stop_reason = 'taken over', holder_pid = NULL
  WHERE l.run_id = p_run_id;
  PERFORM birth.fn_birth_act_record('takeover', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch + 1, p_reason := p_reason, p_detail := jsonb_build_object('from_backend', r_run.holder_pid));
  RETURN format('SELECT birth.fn_birth_run_next_step(p_run_id := %L);', p_run_id);
END;
$fn_birth_run_takeover$;

COMMENT ON FUNCTION birth.fn_birth_run_takeover(uuid, text) IS
  'Takes a running run from its holder: no batch of the old attempt can be written any more. DBA. NB102, NB110, '
  'NB111, NB301, NB302; NB303 after two seconds, with the session that keeps the run. Specification: 6.1 R14.';

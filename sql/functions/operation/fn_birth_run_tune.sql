-- Changes the pace of a run from its next batch on, or before it begins: how many rows a batch visits at most, how long
-- to pause, and, if anything, how long a batch should take. Each call says all three. An act, so it never waits for the
-- run.
-- SECURITY DEFINER: operators write acts through routines only.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_run_tune(
    p_run_id uuid, p_batch integer DEFAULT NULL, p_pause_ms integer DEFAULT 0, p_target_ms integer DEFAULT NULL)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_tune$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_birth_run_tune');
  IF (p_batch IS NULL AND p_target_ms IS NULL) OR p_batch <= 0 OR p_pause_ms IS NULL OR p_pause_ms NOT BETWEEN 0
    AND 3600000
     OR p_target_ms NOT BETWEEN 1 AND 3600000 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_batch is %s, p_pause_ms is %s, p_target_ms is %s',
      coalesce(p_batch::text, 'NULL'),
      coalesce(p_pause_ms::text, 'NULL'), coalesce(p_target_ms::text, 'NULL')),
      'a batch has at least one row; a pause has 0 to 3600000 milliseconds, a target 1 to 3600000; pass p_batch or '
      'p_target_ms');
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  IF r_run.status = 'compensated' THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status));
  END IF;
  PERFORM birth.fn_birth_act_record('tune', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_detail := jsonb_build_object('batch', p_batch, 'pause_ms', p_pause_ms, 'target_ms',
      p_target_ms));
  RETURN format('SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %L;', p_run_id);
END;
$fn_birth_run_tune$;

COMMENT ON FUNCTION birth.fn_birth_run_tune(uuid, integer, integer, integer) IS
  'Sets the pace of a run from its next batch on: the most rows of a batch (without p_batch as the CALL says), the '
  'pause and the time a batch should take (milliseconds; without p_target_ms batches are of p_batch rows). Operator. '
  'NB102, NB110, NB111, NB301, NB302. Specification: 6.';

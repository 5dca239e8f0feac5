-- Makes this session the holder of a locked run: one run at a time per collection, a new epoch, the attempt on record.
-- The first attempt at the run's own purpose pins bound, size, upper key and fingerprint of the target as p_now has
-- them: the first expected_delta of what is left, in the order of the key. A run of the collection whose session died
-- is put to stopped first. With p_session the claim outlives the transaction, by a session lock.
-- Returns: the run's row as it is now.
-- Calls: fn_birth_lock_key, fn_birth_lock_owner, fn_birth_run_holder, fn_birth_raise, fn_birth_run_set,
--        fn_birth_alerts, fn_birth_act_record, fn_birth_contract_token
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_claim(
    p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_claim$
DECLARE
  r_other birth.birth_backfill_ledger_v2;
  r_run birth.birth_backfill_ledger_v2;
  r_target birth.birth_backfill_ledger_v2;
  v_claimed boolean;
  v_who text;
  v_remedy text;
BEGIN
  v_claimed := pg_try_advisory_xact_lock(birth.fn_birth_lock_key('claim:' || p_run.collection_name));
  IF NOT v_claimed THEN
    -- Before the ledger is read: who has committed meanwhile stands there.
    SELECT o.who, o.remedy INTO v_who, v_remedy
    FROM birth.fn_birth_lock_owner(p_name := 'claim:' || p_run.collection_name) o;
  END IF;
  SELECT l.* INTO r_other FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name = p_run.collection_name AND l.status = 'running' AND l.run_id <> p_run.run_id;
  IF NOT v_claimed OR birth.fn_birth_run_holder(r_other.run_id, r_other.epoch) = r_other.holder_pid THEN
    PERFORM birth.fn_birth_raise('run_held',
      format('another run of collection %s is on%s', p_run.collection_name, coalesce(
        CASE WHEN r_other.run_id IS NOT NULL THEN
          format(': %s, executed by %s, backend %s', r_other.run_id, r_other.executed_by, r_other.holder_pid) END,
        ', begun by ' || v_who, '')),
      CASE WHEN r_other.run_id IS NULL THEN 'wait for it; if it hangs, end it: ' || v_remedy END);
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET status = 'stopped', stop_reason = 'interrupted', holder_pid = NULL
  WHERE l.run_id = r_other.run_id;
  IF p_purpose = p_run.purpose AND p_run.started_at IS NULL THEN
    r_target := (birth.fn_birth_run_set(p_run, p_now.expected_delta)).fresh;
    UPDATE birth.birth_backfill_ledger_v2 l
    SET expected_delta = p_now.expected_delta, max_rows = p_now.max_rows, dot_origin = p_now.dot_origin,
        target_upper = r_target.target_upper, target_fingerprint = r_target.target_fingerprint,
        accepted_orphans = coalesce((SELECT v.accept_orphans FROM birth.v_birth_verdict_standing v
          WHERE v.run_id = l.run_id AND v.purpose = l.purpose AND v.verdict = 'SAFE'), 0),
        alerts_before = (SELECT count(*) FROM birth.fn_birth_alerts())
    WHERE l.run_id = p_run.run_id;
  END IF;
  PERFORM birth.fn_birth_act_record('attempt', p_run_id := p_run.run_id, p_lineage := p_run.lineage,
    p_permit_id := p_now.permit_id, p_collection := p_run.collection_name, p_epoch := p_run.epoch + 1,
    p_detail := jsonb_build_object('purpose', p_purpose, 'backend', pg_backend_pid()));
  UPDATE birth.birth_backfill_ledger_v2 l
  SET status = 'running', stop_reason = NULL, dry_run = false, epoch = l.epoch + 1,
      holder_pid = pg_backend_pid(), executed_by = session_user, permit_id = p_now.permit_id,
      contract_token = birth.fn_birth_contract_token(), started_at = coalesce(l.started_at, clock_timestamp()),
      compensating_since = CASE p_purpose WHEN 'COMPENSATE' THEN coalesce(l.compensating_since, clock_timestamp()) END
  WHERE l.run_id = p_run.run_id
  RETURNING l.* INTO r_run;
  IF p_session THEN
    PERFORM pg_advisory_unlock(birth.fn_birth_lock_key(format('run:%s:%s', p_run.run_id, p_run.epoch)))
    WHERE birth.fn_birth_run_holder(p_run.run_id, p_run.epoch) = pg_backend_pid();
    -- A claim that was cancelled behind this line has left the lock with its session: what is held already is not taken
    -- twice, or it would stay behind.
    IF NOT (CASE birth.fn_birth_run_holder(r_run.run_id, r_run.epoch)
              WHEN pg_backend_pid() THEN true
              ELSE pg_try_advisory_lock(birth.fn_birth_lock_key(format('run:%s:%s', r_run.run_id, r_run.epoch)))
            END) THEN
      SELECT o.who, o.remedy INTO v_who, v_remedy
      FROM birth.fn_birth_lock_owner(p_name := format('run:%s:%s', r_run.run_id, r_run.epoch)) o;
      PERFORM birth.fn_birth_raise('run_held',
        format('the lock of the next attempt of run %s is held by %s', r_run.run_id,
          coalesce(v_who, 'a session that has just ended')),
        'its claim was cut off: send the same CALL from it, or end that session: ' || v_remedy);
    END IF;
  END IF;
  RETURN r_run;
END;
$fn_birth_run_claim$;

COMMENT ON FUNCTION birth.fn_birth_run_claim(
  birth.birth_backfill_ledger_v2, birth.birth_backfill_ledger_v2, text, boolean) IS
  'Makes this session the holder of a locked run, pins its target and records the attempt; NB209, NB303. '
  'Specification: 6.1 R8, R10, R14.';

-- Revokes an open permit. An act, so it never waits for a run; from its next batch on the run is refused.
-- SECURITY DEFINER: permit owners write acts and permits through routines only.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record, fn_birth_permit_settle, fn_birth_lock_owner
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_permit_revoke(p_permit_id bigint, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_permit_revoke$
DECLARE
  r_permit birth.birth_admission_permit_v2;
  v_lineage uuid;
  r_owner record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_permit_owner', 'fn_birth_permit_revoke');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_permit_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('permit_unknown', format('permit %s', coalesce(p_permit_id::text, 'NULL')));
  END IF;
  IF r_permit.status <> 'OPEN' THEN
    PERFORM birth.fn_birth_raise('permit_not_open', format('permit %s is %s', p_permit_id, r_permit.status),
      'there is nothing to revoke');
  END IF;
  SELECT l.lineage INTO v_lineage FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = r_permit.run_id;
  PERFORM birth.fn_birth_act_record('permit_revoke', p_run_id := r_permit.run_id, p_lineage := v_lineage,
    p_permit_id := p_permit_id,
    p_collection := r_permit.collection_name, p_reason := p_reason);
  PERFORM birth.fn_birth_permit_settle(r_permit.run_id);
  -- Whoever spends it in this moment has been asked already: what that transaction has written stands when it commits.
  SELECT o.* INTO r_owner FROM birth.birth_admission_permit_v2 p, birth.birth_backfill_ledger_v2 l,
    birth.fn_birth_lock_owner(p_table := 'birth.birth_admission_permit_v2', p_xmax := p.xmax, p_pid := l.holder_pid) o
  WHERE p.permit_id = p_permit_id AND p.status = 'OPEN' AND l.run_id = p.run_id;
  IF r_owner.who IS NOT NULL THEN
    RAISE NOTICE 'permit % is revoked, but for what % spends of it in an open transaction', p_permit_id, r_owner.who
      USING HINT = 'to undo that too: ' || r_owner.remedy;
  END IF;
  RETURN format('SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %L;', r_permit.run_id);
END;
$fn_birth_permit_revoke$;

COMMENT ON FUNCTION birth.fn_birth_permit_revoke(bigint, text) IS
  'Revokes an open permit, with immediate effect on the next batch. Permit owner. NB102, NB110, NB111, NB201, NB202. '
  'Specification: 6, R9.';

-- What every batch of a claimed run checks, at a cost that grows with nothing: holder and epoch, stop request, freeze, home, people, permit, verdict,
-- identity, contract. The contract is checked in full only when a catalogue row changed since the last full check.
-- Returns: the run's row, locked.
-- Calls: fn_birth_run_lock, fn_birth_run_holder, fn_birth_raise, fn_birth_refuse, fn_birth_dot_frozen, fn_birth_home_check, fn_birth_people_check, fn_birth_permit_blocker, fn_birth_verdict_blocker,
--        fn_birth_error, fn_birth_contract_token, fn_birth_contract_blocker
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_gate(p_run_id uuid, p_permit_id bigint, p_purpose text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_gate$
DECLARE
  r_run birth.birth_backfill_ledger_v2 := birth.fn_birth_run_lock(p_run_id);
  v_token text;
BEGIN
  IF r_run.status <> 'running' OR (p_purpose = 'COMPENSATE') <> (r_run.compensating_since IS NOT NULL) THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status));
  END IF;
  IF r_run.holder_pid <> pg_backend_pid() OR birth.fn_birth_run_holder(p_run_id, r_run.epoch) IS DISTINCT FROM pg_backend_pid() THEN
    PERFORM birth.fn_birth_raise('run_taken_over', format('run %s is in attempt %s, held by backend %s', p_run_id, r_run.epoch, r_run.holder_pid));
  END IF;
  IF EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = r_run.lineage AND a.run_id = p_run_id AND a.act = 'stop' AND a.epoch = r_run.epoch) THEN
    PERFORM birth.fn_birth_raise('stop_requested', (SELECT format('run %s, by %s: %s', p_run_id, a.actor, a.reason) FROM birth.birth_act a
      WHERE a.lineage = r_run.lineage AND a.run_id = p_run_id AND a.act = 'stop' AND a.epoch = r_run.epoch LIMIT 1));
  END IF;
  IF birth.fn_birth_dot_frozen('dot-birth-backfill-apply') THEN
    PERFORM birth.fn_birth_raise('dot_frozen', 'dot-birth-backfill-apply');
  END IF;
  PERFORM birth.fn_birth_home_check();
  PERFORM birth.fn_birth_people_check(p_run_id, r_run.lineage);
  IF r_run.executed_by <> session_user THEN
    PERFORM birth.fn_birth_raise('separation_of_duties', format('run %s is held by %s', p_run_id, r_run.executed_by));
  END IF;
  v_token := birth.fn_birth_contract_token();
  PERFORM birth.fn_birth_refuse(coalesce(
    CASE WHEN r_run.permit_id <> p_permit_id THEN birth.fn_birth_error('permit_scope', format('the attempt holds permit %s', r_run.permit_id)) END,
    birth.fn_birth_permit_blocker(r_run, p_permit_id, p_purpose, 0),
    CASE WHEN v_token <> r_run.contract_token THEN birth.fn_birth_contract_blocker() END,
    birth.fn_birth_verdict_blocker(r_run, p_purpose)));
  IF v_token <> r_run.contract_token THEN
    UPDATE birth.birth_backfill_ledger_v2 l SET contract_token = v_token WHERE l.run_id = p_run_id;
  END IF;
  RETURN r_run;
END;
$fn_birth_run_gate$;

COMMENT ON FUNCTION birth.fn_birth_run_gate(uuid, bigint, text) IS
  'Locks a claimed run for a batch and checks what every batch checks. NB112, NB202 to NB206, NB209, NB210, NB212, NB302 to NB304, NB311, NB401, NB404 to NB406. Specification: 6, R4, R5, R7, R14.';

-- TRANSITION, and its undoing: writes the one change. The change itself cannot differ from the slice: since the run was
-- locked its transaction holds the collection's row FOR SHARE (fn_birth_run_lock). What stands in its way can, so it is
-- asked again once every batch of births, which holds that row too, is over. An admission that rested on a weaker
-- policy ends.
-- Returns: the fingerprint of the change; NB118, NB313.
-- Calls: fn_birth_refuse, fn_birth_transition_fault, fn_birth_transition_change, fn_birth_clock
-- Writes: collection_registry, birth_transition
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[],
    p_fingerprint numeric[])
  RETURNS numeric[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_write$
DECLARE
  v_undo CONSTANT boolean := p_run.compensating_since IS NOT NULL;
  r_change record;
BEGIN
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name FOR NO KEY UPDATE;
  PERFORM birth.fn_birth_refuse(birth.fn_birth_transition_fault(p_run));
  SELECT * INTO r_change FROM birth.fn_birth_transition_change(p_run, v_undo);
  UPDATE birth.collection_registry c
  SET coverage_status = r_change.to_status, governed = r_change.to_governed, policy_version = c.policy_version + 1,
      rule_version = c.rule_version + (r_change.to_status <> r_change.from_status)::integer,
      admitted_at = CASE WHEN k.stands THEN c.admitted_at END, admitted_by = CASE WHEN k.stands THEN c.admitted_by END,
      admitted_how = CASE WHEN k.stands THEN c.admitted_how END
  FROM (SELECT r.collection_name,
               (r.admitted_how = 'EXEMPT' AND NOT starts_with(r_change.to_status, 'BIRTH_EXEMPT_')
                OR r.admitted_how = 'DEFERRED' AND r_change.to_status = 'BIRTH_REQUIRED') IS NOT TRUE AS stands
        FROM birth.collection_registry r) k
  WHERE c.collection_name = p_run.collection_name AND k.collection_name = c.collection_name;
  IF v_undo THEN
    UPDATE birth.birth_transition t SET undone_at = greatest(birth.fn_birth_clock(), t.executed_at)
    WHERE t.run_id = p_run.run_id;
  ELSE
    INSERT INTO birth.birth_transition (run_id, collection_name, from_status, from_governed, from_version, to_status,
      to_governed, direction, executed_at)
    VALUES (p_run.run_id, p_run.collection_name, r_change.from_status, r_change.from_governed, r_change.from_version,
      r_change.to_status, r_change.to_governed, r_change.direction, birth.fn_birth_clock());
  END IF;
  RETURN r_change.fingerprint;
END;
$fn_birth_transition_write$;

COMMENT ON FUNCTION birth.fn_birth_transition_write(birth.birth_backfill_ledger_v2, text[], numeric[]) IS
  'Purpose TRANSITION, and its undoing: writes the change and returns its fingerprint. NB118, NB313. '
  'Specification: 4.1.';

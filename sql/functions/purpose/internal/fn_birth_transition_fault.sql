-- TRANSITION, and its undoing: everything that stands in the way of the move now, at once. To required: no table,
-- identity or gateway, or codes that two rows or two collections have; missing rows are allowed, as with NOT VALID. To
-- exempt or deferred: an open permit of another run, or more births than the verdict accepts. Any move: another open
-- run. An undoing is of the policy that the run wrote, and of no later one.
-- Returns: an error of the catalogue, or NULL.
-- Calls: fn_birth_transition_change, fn_birth_identity_definition, fn_birth_source_grants, fn_birth_source_lock,
--        fn_birth_measure, fn_birth_collection_births, fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2)
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_fault$
DECLARE
  v_name CONSTANT text := p_run.collection_name;
  v_undo CONSTANT boolean := EXISTS (SELECT FROM birth.birth_transition t WHERE t.run_id = p_run.run_id);
  r_change record;
  r_identity record;
  r_count record;
  v_reasons text[] := '{}';
  v_accepted bigint;
  v_births bigint;
BEGIN
  SELECT * INTO r_change FROM birth.fn_birth_transition_change(p_run, v_undo);
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF v_undo AND NOT EXISTS (
      SELECT FROM birth.birth_transition t
      WHERE t.run_id = p_run.run_id AND (t.to_status, t.to_governed, t.from_version + 1)
        = (r_change.from_status, r_change.from_governed, r_change.from_version)) THEN
    RETURN birth.fn_birth_error('births_touched', format('collection %s is %s%s, version %s: not what run %s wrote',
      v_name, r_change.from_status, CASE WHEN r_change.from_governed THEN ' and governed' END, r_change.from_version,
      p_run.run_id), 'plan a transition to the policy that is wanted');
  END IF;
  v_reasons := ARRAY(
    SELECT format('run %s for %s is %s', l.run_id, l.purpose, l.status)
    FROM birth.birth_backfill_ledger_v2 l
    WHERE l.collection_name = v_name AND l.run_id <> p_run.run_id
      AND (l.status = 'running' OR l.status IN ('stopped', 'failed')
           AND (l.actual_inserted > l.compensated_rows OR l.compensating_since IS NOT NULL)
           AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n
                           WHERE n.lineage = l.lineage AND n.planned_at > l.planned_at
                             AND n.status IN ('done', 'compensated'))));
  IF r_change.to_status = r_change.from_status THEN
    NULL;  -- governed alone
  ELSIF r_change.to_status = 'BIRTH_REQUIRED' THEN
    PERFORM birth.fn_birth_source_lock(v_name);
    SELECT i.*, c.birth_code_sql, birth.fn_birth_source_grants(v_name, 'SELECT') AS grants INTO r_identity
    FROM birth.fn_birth_identity_definition(v_name) i
    JOIN birth.collection_registry c ON c.collection_name = v_name;
    v_reasons := v_reasons || ARRAY(
      SELECT b.reason FROM (VALUES
        (r_identity.code_sql IS NULL, format('its identity is %s: %s', r_identity.status, r_identity.reason)),
        (r_identity.code_sql <> r_identity.birth_code_sql, 'its table changed since it was classified'),
        (NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = v_name
                       AND g.relation = r_identity.relation AND g.enabled), 'it has no enabled gateway'),
        (EXISTS (SELECT FROM birth.v_birth_gateway_gap g WHERE g.collection_name = v_name),
         'a partition has no enabled gateway'),
        (r_identity.grants <> '', 'let the owner of the table: ' || r_identity.grants)
      ) AS b(holds, reason) WHERE b.holds);
    IF r_identity.code_sql IS NOT NULL AND r_identity.grants = '' THEN
      SELECT * INTO r_count FROM birth.fn_birth_measure(v_name, 0, 0);
      IF r_count.duplicates > 0 OR r_count.collisions > 0 THEN
        v_reasons := v_reasons || format('%s rows have the code of another row, %s the code of another collection',
          r_count.duplicates, r_count.collisions);
      END IF;
    END IF;
  ELSE
    v_reasons := v_reasons || ARRAY(
      SELECT format('permit %s of run %s is open', p.permit_id, p.run_id) FROM birth.birth_admission_permit_v2 p
      WHERE p.collection_name = v_name AND p.run_id <> p_run.run_id AND p.status = 'OPEN');
    SELECT v.accept_orphans INTO v_accepted FROM birth.v_birth_verdict_standing v
    WHERE v.run_id = p_run.run_id AND v.verdict = 'SAFE'
      AND v.purpose = CASE WHEN v_undo THEN 'COMPENSATE' ELSE p_run.purpose END;
    v_births := birth.fn_birth_collection_births(v_name);
    -- A plan has no verdict yet.
    IF v_births > v_accepted THEN
      v_reasons := v_reasons || format('%s births would be left behind, the verdict accepts %s', v_births, v_accepted);
    END IF;
  END IF;
  RETURN CASE WHEN v_reasons <> '{}' THEN birth.fn_birth_error('transition_blocked',
    format('collection %s, from %s to %s: %s', v_name, r_change.from_status, r_change.to_status,
      array_to_string(v_reasons, '; '))) END;
END;
$fn_birth_transition_fault$;

COMMENT ON FUNCTION birth.fn_birth_transition_fault(birth.birth_backfill_ledger_v2) IS
  'Purpose TRANSITION, and its undoing: NB118 with everything that stands in the way, NB313 when the policy is no '
  'longer what the run wrote, else NULL. Specification: 4.1.';

-- What a run needs next, and of whom: the ready statement. Every answer and every view asks here, so that it is the
-- same everywhere. Whoever acts next is told where a permit is larger than its plan, and where a verdict accepts
-- another number of orphans than the plan has.
-- SECURITY DEFINER: readers may ask, and need not be able to call what it asks itself.
-- Returns: a statement with a remark who sends it; NULL when the run needs nothing, or has no purpose of the list.
-- Calls: fn_birth_run_holder, fn_birth_purpose, fn_birth_checks, fn_birth_review_statement, fn_birth_clock
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_next_step(p_run_id uuid, p_purpose text DEFAULT NULL)
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_next_step$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_permit birth.birth_admission_permit_v2;
  r_purpose record;
  v_purpose text;
  v_undo boolean;
  v_left bigint;
  v_planned bigint;
  v_accepted bigint;
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  v_purpose := coalesce(p_purpose, CASE WHEN r_run.compensating_since IS NULL THEN r_run.purpose ELSE 'COMPENSATE' END);
  v_undo := v_purpose = 'COMPENSATE';
  SELECT p.doors[1] AS door, p.numbers, p.accepts, o.plan INTO r_purpose
  FROM birth.fn_birth_purpose(v_purpose, CASE WHEN v_undo THEN r_run.purpose END) p
    CROSS JOIN birth.fn_birth_purpose(r_run.purpose) o;
  IF r_purpose.plan IS NULL OR r_run.status = 'running'
    AND birth.fn_birth_run_holder(r_run.run_id, r_run.epoch) = r_run.holder_pid THEN
    RETURN NULL;
  ELSIF r_run.status = 'done' AND NOT v_undo THEN
    RETURN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', r_run.collection_name);
  ELSIF r_run.status = 'compensated'
     OR NOT v_undo AND (r_run.stop_reason IN ('source_changed', 'plan_stale') OR r_run.status = 'planned' AND EXISTS (
          SELECT FROM birth.v_birth_verdict_standing v WHERE v.run_id = p_run_id AND v.purpose = v_purpose
            AND v.verdict <> 'SAFE')) THEN
    RETURN format('SELECT * FROM birth.%I(p_collection := %L%s, p_dry_run := false);  -- an operator', r_purpose.plan,
      r_run.collection_name,
      (SELECT string_agg(format(', %I := %L', w.key, w.value), '' ORDER BY w.key DESC)
       FROM jsonb_each_text(r_run.wanted) w));
  ELSIF EXISTS (SELECT FROM birth.fn_birth_checks('permit', r_run, v_purpose, r_run) c WHERE NOT c.pass) THEN
    RETURN birth.fn_birth_review_statement(r_run, v_purpose);
  END IF;

  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p
  WHERE p.run_id = p_run_id AND p.purpose = v_purpose AND p.status = 'OPEN' AND p.expires_at > birth.fn_birth_clock()
    AND NOT EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = r_run.lineage AND a.permit_id = p.permit_id
      AND a.act = 'permit_revoke');
  -- When all is written and only the proof is left, it needs a permit too, and none is for no row.
  v_left := greatest(1, CASE WHEN v_undo THEN r_run.actual_inserted - r_run.compensated_rows
    ELSE r_run.expected_delta - r_run.actual_inserted END);
  IF r_permit.permit_id IS NULL THEN
    v_planned := CASE r_purpose.accepts WHEN 'births' THEN r_run.existing_births ELSE r_run.orphans END;
    v_accepted := (SELECT v.accept_orphans FROM birth.v_birth_verdict_standing v
      WHERE v.run_id = p_run_id AND v.purpose = v_purpose AND v.verdict = 'SAFE');
    RETURN format('SELECT * FROM birth.fn_birth_permit_open(p_collection := %L, p_run_id := %L, p_max_rows := %s, '
      'p_expires_at := birth.fn_birth_clock() OPERATOR(pg_catalog.+) interval ''1 day'', '
      'p_reason := ''...''%s);  -- a permit owner%s',
        r_run.collection_name, p_run_id, v_left,
      CASE WHEN v_undo THEN ', p_purpose := ''COMPENSATE''' END,
      CASE WHEN NOT v_undo AND v_accepted <> v_planned
        THEN format('; the verdict accepts %s %s, the plan has %s', v_accepted, r_purpose.accepts, v_planned) END);
  ELSIF r_permit.confirmed_by IS NULL THEN
    RETURN format('SELECT * FROM birth.fn_birth_permit_confirm(p_permit_id := %s);  -- a reviewer%s',
      r_permit.permit_id, CASE WHEN r_permit.max_rows > v_left
        THEN format('; the permit allows %s rows, the plan has %s', r_permit.max_rows, v_left) END);
  ELSIF NOT r_purpose.numbers THEN
    RETURN format('CALL birth.%I(p_run_id := %L, p_permit_id := %s, p_execute := true);  -- an operator',
      r_purpose.door, p_run_id,
      r_permit.permit_id);
  END IF;
  RETURN format('CALL birth.%I(p_collection := %L, p_run_id := %L, p_permit_id := %s, p_expected_delta := %s, '
    'p_max_rows := %s, p_execute := true);  -- an operator', r_purpose.door, r_run.collection_name, p_run_id,
      r_permit.permit_id,
    CASE WHEN r_run.max_rows IS NULL THEN least(r_run.planned_rows, r_permit.max_rows) ELSE r_run.expected_delta END,
    coalesce(r_run.max_rows, r_permit.max_rows));
END;
$fn_birth_run_next_step$;

COMMENT ON FUNCTION birth.fn_birth_run_next_step(uuid, text) IS
  'The statement a run needs next, with a remark who sends it; NULL while it runs. Specification: 2, 6.';

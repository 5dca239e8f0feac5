-- Writes a planned row, following the collection's last unfinished run, or raises at the first blocker. The seeds of the fingerprint are the plan's own.
-- Granted to nobody: the plan checks who asks, the rehearsal rolls back.
-- Returns: the ledger's row.
-- Calls: fn_birth_plan_examine, fn_birth_plan_blockers, fn_birth_refuse, fn_birth_contract_hash, fn_birth_identity_hash, fn_birth_act_record, fn_birth_clock
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_plan_write(p_collection text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_plan_write$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_before birth.birth_backfill_ledger_v2;
  r_count record;
  v_run_id uuid := gen_random_uuid();
  v_seed_a bigint := hashtextextended(gen_random_uuid()::text, 0);
  v_seed_b bigint := hashtextextended(gen_random_uuid()::text, 0);
BEGIN
  SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_collection, v_seed_a, v_seed_b);
  PERFORM birth.fn_birth_refuse(birth.fn_birth_plan_blockers(p_collection, r_count.blockers, r_count.missing) -> 0);
  SELECT l.* INTO r_before FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name = p_collection AND l.status IN ('running', 'stopped', 'failed') AND l.compensating_since IS NULL
    AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n WHERE n.lineage = l.lineage AND n.status = 'done' AND n.planned_at > l.planned_at)
  ORDER BY l.actual_inserted > l.compensated_rows DESC, l.planned_at DESC LIMIT 1;
  INSERT INTO birth.birth_backfill_ledger_v2 AS l (run_id, lineage, predecessor, collection_name, source_rows, existing_births, orphans, unresolvable,
    duplicates, collisions, planned_rows, expected_delta, planned_fingerprint, seed_a, seed_b, algorithm, server_major, contract_hash, identity_hash, planned_at, planned_by)
  VALUES (v_run_id, coalesce(r_before.lineage, v_run_id), r_before.run_id, p_collection, r_count.source_rows, r_count.existing_births, r_count.orphans,
    r_count.unresolvable, r_count.duplicates, r_count.collisions, r_count.missing, r_count.missing, r_count.fingerprint, v_seed_a, v_seed_b,
    'hashtextextended-sum-1', current_setting('server_version_num')::integer / 10000, birth.fn_birth_contract_hash(),
    birth.fn_birth_identity_hash(p_collection), birth.fn_birth_clock(), session_user)
  RETURNING l.* INTO r_run;
  PERFORM birth.fn_birth_act_record('plan', p_run_id := v_run_id, p_lineage := r_run.lineage, p_collection := p_collection,
    p_detail := jsonb_build_object('planned_rows', r_run.planned_rows, 'predecessor', r_run.predecessor));
  RETURN r_run;
END;
$fn_birth_plan_write$;

COMMENT ON FUNCTION birth.fn_birth_plan_write(text) IS
  'Writes a planned row or raises the first blocker. Granted to nobody. Specification: 6, R12.';

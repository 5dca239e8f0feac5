-- Plans a run of a purpose: counts its set and asks the checks of a plan. A dry run reads only, and returns every
-- blocker. Otherwise the first blocker raises, and a planned row is written, which follows the last unfinished run of
-- the collection and purpose. The seeds of the fingerprint are the plan's own. p_wanted: what the plan was asked for
-- beside its collection.
-- Returns: run, the row of the ledger as it is or would be; blockers, in order.
-- Calls: fn_birth_run_set, fn_birth_checks, fn_birth_refuse, fn_birth_contract_hash, fn_birth_identity_hash,
--        fn_birth_act_record, fn_birth_clock
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_plan(
    p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid DEFAULT gen_random_uuid(),
    p_wanted jsonb DEFAULT NULL,
    OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb)
  RETURNS record
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_plan$
DECLARE
  r_set record;
  r_before birth.birth_backfill_ledger_v2;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  r_run.run_id := p_run_id;
  r_run.purpose := p_purpose;
  r_run.collection_name := p_collection;
  r_run.wanted := p_wanted;
  r_run.seed_a := CASE WHEN p_dry_run THEN 0 ELSE hashtextextended(gen_random_uuid()::text, 0) END;
  r_run.seed_b := CASE WHEN p_dry_run THEN 0 ELSE hashtextextended(gen_random_uuid()::text, 0) END;
  SELECT * INTO r_set FROM birth.fn_birth_run_set(r_run);
  r_run := r_set.fresh;
  run := r_run;
  SELECT coalesce(jsonb_agg(c.blocker ORDER BY c.number), '[]') INTO blockers
  FROM birth.fn_birth_checks('plan', r_run, p_purpose, r_run, p_foreign := r_set.foreign_codes) c WHERE NOT c.pass;
  IF p_dry_run THEN
    RETURN;
  END IF;
  PERFORM birth.fn_birth_refuse(blockers -> 0);

  SELECT l.* INTO r_before FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name = p_collection AND l.purpose = p_purpose AND l.status IN ('running', 'stopped', 'failed')
    AND l.compensating_since IS NULL
    AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n
                    WHERE n.lineage = l.lineage AND n.status = 'done' AND n.planned_at > l.planned_at)
  ORDER BY l.actual_inserted > l.compensated_rows DESC, l.planned_at DESC LIMIT 1;
  INSERT INTO birth.birth_backfill_ledger_v2 AS l (
    run_id, purpose, lineage, predecessor, collection_name, source_rows, existing_births, orphans, dead, unresolvable,
    duplicates, collisions, planned_rows, expected_delta, planned_fingerprint, seed_a, seed_b, algorithm,
    server_major, contract_hash, identity_hash, planned_at, planned_by, wanted)
  VALUES (
    r_run.run_id, p_purpose, coalesce(r_before.lineage, r_run.run_id), r_before.run_id, p_collection,
    r_run.source_rows, r_run.existing_births, r_run.orphans, coalesce(r_run.dead, 0), r_run.unresolvable,
    r_run.duplicates, r_run.collisions, r_run.planned_rows, r_run.planned_rows, r_run.planned_fingerprint,
    r_run.seed_a, r_run.seed_b,
    'hashtextextended-sum-1', current_setting('server_version_num')::integer / 10000, birth.fn_birth_contract_hash(),
    birth.fn_birth_identity_hash(p_collection), birth.fn_birth_clock(), session_user, p_wanted)
  RETURNING l.* INTO r_run;
  PERFORM birth.fn_birth_act_record('plan', p_run_id := r_run.run_id, p_lineage := r_run.lineage,
    p_collection := p_collection,
    p_detail := jsonb_build_object('planned_rows', r_run.planned_rows, 'predecessor', r_run.predecessor));
  run := r_run;
END;
$fn_birth_plan$;

COMMENT ON FUNCTION birth.fn_birth_plan(text, text, boolean, uuid, jsonb) IS
  'Plans a run of a purpose: every blocker in a dry run, else the first raises or the planned row is written. '
  'Specification: 6, R12.';

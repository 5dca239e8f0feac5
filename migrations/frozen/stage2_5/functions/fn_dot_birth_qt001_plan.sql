-- The plan: what a backfill of one collection would do. A dry run is a pure read, works on a standby and returns every blocker; otherwise
-- it raises at the first and writes one planned row, following the collection's last unfinished run.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: one ledger-shaped row with blockers and next_step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_plan_examine, fn_birth_contract_hash, fn_birth_identity_hash, fn_birth_dot_frozen, fn_birth_act_record
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean DEFAULT true)
  RETURNS TABLE (run_id uuid, collection_name text, status text, dry_run boolean, source_rows bigint, existing_births bigint,
                 orphans bigint, unresolvable bigint, duplicates bigint, collisions bigint, planned_rows bigint, expected_delta bigint,
                 planned_fingerprint numeric[], predecessor uuid, planned_by text, planned_at timestamptz, blockers jsonb, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
AS $fn_dot_birth_qt001_plan$
DECLARE
  r_count record;
  v_seed_a bigint := hashtextextended(gen_random_uuid()::text, 0);
  v_seed_b bigint := hashtextextended(gen_random_uuid()::text, 0);
  v_lineage uuid;
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  END IF;
  IF NOT p_dry_run THEN
    PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_plan');
  END IF;
  SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_collection, v_seed_a, v_seed_b);
  blockers := r_count.blockers;
  IF birth.fn_birth_dot_frozen('dot-birth-backfill-plan') THEN
    blockers := blockers || birth.fn_birth_error('dot_frozen', 'dot-birth-backfill-plan');
  END IF;
  IF r_count.missing = 0 THEN
    blockers := blockers || birth.fn_birth_error('nothing_to_do', format('collection %s: %s rows, %s births', p_collection, r_count.source_rows, r_count.existing_births));
  END IF;
  IF NOT p_dry_run AND blockers <> '[]' THEN
    PERFORM birth.fn_birth_raise(blockers -> 0 ->> 'error', blockers -> 0 ->> 'detail', blockers -> 0 ->> 'hint');
  END IF;
  collection_name := p_collection;
  status := CASE WHEN p_dry_run THEN 'dry_run' ELSE 'planned' END;
  dry_run := true;
  source_rows := r_count.source_rows;
  existing_births := r_count.existing_births;
  orphans := r_count.orphans;
  unresolvable := r_count.unresolvable;
  duplicates := r_count.duplicates;
  collisions := r_count.collisions;
  planned_rows := r_count.missing;
  expected_delta := r_count.missing;
  planned_fingerprint := r_count.fingerprint;
  planned_by := session_user;
  planned_at := clock_timestamp();
  next_step := format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L, p_dry_run := false);', p_collection);

  IF NOT p_dry_run THEN
    run_id := gen_random_uuid();
    SELECT l.run_id, l.lineage INTO predecessor, v_lineage
    FROM birth.birth_backfill_ledger_v2 l
    WHERE l.collection_name = p_collection AND l.status IN ('stopped', 'failed') AND l.compensating_since IS NULL
      AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n WHERE n.lineage = l.lineage AND n.status = 'done' AND n.planned_at > l.planned_at)
    ORDER BY l.planned_at DESC LIMIT 1;
    INSERT INTO birth.birth_backfill_ledger_v2 (run_id, lineage, predecessor, collection_name, source_rows, existing_births, orphans, unresolvable,
      duplicates, collisions, planned_rows, expected_delta, planned_fingerprint, seed_a, seed_b, algorithm, server_major, contract_hash, identity_hash,
      planned_by, planned_at)
    VALUES (run_id, coalesce(v_lineage, run_id), predecessor, p_collection, source_rows, existing_births, orphans, unresolvable,
      duplicates, collisions, planned_rows, expected_delta, planned_fingerprint, v_seed_a, v_seed_b, 'hashtextextended-sum-1',
      current_setting('server_version_num')::integer / 10000, birth.fn_birth_contract_hash(), birth.fn_birth_identity_hash(p_collection),
      planned_by, planned_at);
    PERFORM birth.fn_birth_act_record('plan', p_run_id := run_id, p_lineage := coalesce(v_lineage, run_id), p_collection := p_collection,
      p_detail := jsonb_build_object('planned_rows', planned_rows, 'predecessor', predecessor));
    next_step := format('SELECT * FROM birth.fn_birth_review_record(p_run_id := %L, p_verdict := ''SAFE'', p_findings := ''…''%s);  -- a reviewer',
      run_id, CASE WHEN orphans > 0 THEN format(', p_accept_orphans := %s', orphans) ELSE '' END);
  ELSIF blockers <> '[]' THEN
    next_step := format('%s: %s; %s', blockers -> 0 ->> 'code', blockers -> 0 ->> 'message', blockers -> 0 ->> 'hint');
  END IF;
  RETURN NEXT;
END;
$fn_dot_birth_qt001_plan$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_plan(text, boolean) IS
  'Counts what a backfill would do; with p_dry_run := false writes the planned row. Operator. NB102, NB103, NB104, NB105, NB108, NB109, NB115, NB314, NB316, NB401. Specification: 6.';

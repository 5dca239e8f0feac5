-- The plan: what a backfill of one collection would do. A dry run is a pure read and returns every blocker; otherwise it raises at the first and writes
-- one planned row into the first ledger, which can hold a plan and nothing more.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: one ledger-shaped row with blockers and next_step.
-- Calls: fn_birth_raise, fn_birth_refuse, fn_birth_actor, fn_birth_plan_examine, fn_birth_plan_blockers, fn_birth_act_record
-- Writes: birth_backfill_ledger
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
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  END IF;
  SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_collection, 0, 0);
  blockers := birth.fn_birth_plan_blockers(p_collection, r_count.blockers, r_count.missing);
  IF NOT p_dry_run THEN
    PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_plan');
    PERFORM birth.fn_birth_refuse(blockers -> 0);
    run_id := gen_random_uuid();
    INSERT INTO birth.birth_backfill_ledger (run_id, collection_name, planned_rows) VALUES (run_id, p_collection, r_count.missing);
    PERFORM birth.fn_birth_act_record('plan', p_run_id := run_id, p_lineage := run_id, p_collection := p_collection,
      p_detail := jsonb_build_object('planned_rows', r_count.missing));
  END IF;
  RETURN QUERY SELECT run_id, p_collection, CASE WHEN p_dry_run THEN 'dry_run' ELSE 'planned' END, true, r_count.source_rows, r_count.existing_births,
    r_count.orphans, r_count.unresolvable, r_count.duplicates, r_count.collisions, r_count.missing, r_count.missing, r_count.fingerprint, NULL::uuid,
    session_user::text, clock_timestamp(), blockers, 'alembic upgrade stage2_5: this release plans and rehearses, and writes no birth';
END;
$fn_dot_birth_qt001_plan$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_plan(text, boolean) IS
  'Counts what a backfill would do; with p_dry_run := false writes a planned row into the first ledger. Operator. Specification: 3, 6.';

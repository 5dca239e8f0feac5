-- The plan: what a backfill of one collection would do. A dry run is a pure read, works on a standby and returns every blocker; otherwise it raises at the
-- first and writes one planned row.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: one ledger-shaped row with blockers and next_step.
-- Calls: fn_birth_raise, fn_birth_source_lock, fn_birth_actor, fn_birth_plan_write, fn_birth_plan_examine, fn_birth_plan_blockers, fn_birth_run_next_step
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean DEFAULT true)
  RETURNS TABLE (run_id uuid, collection_name text, status text, dry_run boolean, source_rows bigint, existing_births bigint,
                 orphans bigint, unresolvable bigint, duplicates bigint, collisions bigint, planned_rows bigint, expected_delta bigint,
                 planned_fingerprint numeric[], predecessor uuid, planned_by text, planned_at timestamptz, blockers jsonb, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
AS $fn_dot_birth_qt001_plan$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_count record;
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  IF p_dry_run THEN
    SELECT * INTO r_count FROM birth.fn_birth_plan_examine(p_collection, 0, 0);
    blockers := birth.fn_birth_plan_blockers(p_collection, r_count.blockers, r_count.missing);
    RETURN QUERY SELECT NULL::uuid, p_collection, 'dry_run', true, r_count.source_rows, r_count.existing_births, r_count.orphans, r_count.unresolvable,
      r_count.duplicates, r_count.collisions, r_count.missing, r_count.missing, r_count.fingerprint, NULL::uuid, session_user::text, clock_timestamp(), blockers,
      CASE blockers WHEN '[]' THEN format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L, p_dry_run := false);', p_collection)
        ELSE concat_ws('; ', blockers -> 0 ->> 'message', blockers -> 0 ->> 'hint') END;
    RETURN;
  END IF;
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_plan');
  r_run := birth.fn_birth_plan_write(p_collection);
  RETURN QUERY SELECT r_run.run_id, r_run.collection_name, r_run.status, r_run.dry_run, r_run.source_rows, r_run.existing_births, r_run.orphans,
    r_run.unresolvable, r_run.duplicates, r_run.collisions, r_run.planned_rows, r_run.expected_delta, r_run.planned_fingerprint, r_run.predecessor,
    r_run.planned_by, r_run.planned_at, '[]'::jsonb,
    birth.fn_birth_run_next_step(r_run.run_id);
END;
$fn_dot_birth_qt001_plan$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_plan(text, boolean) IS
  'Counts what a backfill would do; with p_dry_run := false writes the planned row. Operator. NB102 to NB105, NB108 to NB111, NB115, NB314, NB316, NB401. Specification: 6.';

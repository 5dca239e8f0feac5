-- The plan: what a backfill of one collection would do. A dry run is a pure read, works on a standby and returns every
-- blocker. Otherwise the first blocker raises, or one planned row is written.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: one ledger-shaped row with blockers and next_step.
-- Calls: fn_birth_raise, fn_birth_actor, fn_birth_source_lock, fn_birth_plan, fn_birth_run_next_step
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean DEFAULT true)
  RETURNS TABLE (run_id uuid, collection_name text, status text, dry_run boolean, source_rows bigint,
    existing_births bigint,
                 orphans bigint, unresolvable bigint, duplicates bigint, collisions bigint, planned_rows bigint,
                   expected_delta bigint,
                 planned_fingerprint numeric[], predecessor uuid, planned_by text, planned_at timestamptz,
                   blockers jsonb, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
AS $fn_dot_birth_qt001_plan$
DECLARE
  r_plan record;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  ELSIF NOT p_dry_run THEN
    PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_plan');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_plan FROM birth.fn_birth_plan('APPLY', p_collection, p_dry_run);
  r_run := r_plan.run;
  RETURN QUERY SELECT CASE WHEN NOT p_dry_run THEN r_run.run_id END, r_run.collection_name,
    coalesce(r_run.status, 'dry_run'), true,
    r_run.source_rows, r_run.existing_births, r_run.orphans, r_run.unresolvable, r_run.duplicates, r_run.collisions,
      r_run.planned_rows,
    r_run.planned_rows, r_run.planned_fingerprint, r_run.predecessor, session_user::text,
      coalesce(r_run.planned_at, clock_timestamp()),
    r_plan.blockers,
    CASE WHEN NOT p_dry_run THEN birth.fn_birth_run_next_step(r_run.run_id)
         WHEN r_plan.blockers = '[]' THEN
           format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L, p_dry_run := false);', p_collection)
         ELSE concat_ws('; ', r_plan.blockers -> 0 ->> 'message', r_plan.blockers -> 0 ->> 'hint') END;
END;
$fn_dot_birth_qt001_plan$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_plan(text, boolean) IS
  'Counts what a backfill would do; with p_dry_run := false writes the planned row. Operator. NB102 to NB105, NB108 '
  'to NB112, NB115, NB314, NB316, NB401. Specification: 6.';

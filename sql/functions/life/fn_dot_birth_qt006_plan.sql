-- Plans a death run: the births of one collection that no living row has and that are not dead. A dry run is a pure
-- read and returns every blocker. Otherwise the first blocker raises, or one planned row is written.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: one row with blockers and next_step; a verdict has to accept exactly planned_rows.
-- Calls: fn_birth_raise, fn_birth_actor, fn_birth_source_lock, fn_birth_plan, fn_birth_run_next_step
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean DEFAULT true)
  RETURNS TABLE (run_id uuid, collection_name text, status text, source_rows bigint, existing_births bigint,
                 planned_rows bigint, planned_fingerprint numeric[], predecessor uuid, planned_by text,
                 planned_at timestamptz, blockers jsonb, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
AS $fn_dot_birth_qt006_plan$
DECLARE
  r_plan record;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  ELSIF NOT p_dry_run THEN
    PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt006_plan');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_plan FROM birth.fn_birth_plan('DEATH', p_collection, p_dry_run);
  r_run := r_plan.run;
  RETURN QUERY
  SELECT CASE WHEN NOT p_dry_run THEN r_run.run_id END, p_collection, coalesce(r_run.status, 'dry_run'),
         r_run.source_rows, r_run.existing_births, r_run.planned_rows, r_run.planned_fingerprint, r_run.predecessor,
         session_user::text, coalesce(r_run.planned_at, clock_timestamp()), r_plan.blockers,
         CASE WHEN NOT p_dry_run THEN birth.fn_birth_run_next_step(r_run.run_id)
              WHEN r_plan.blockers = '[]' THEN
                format('SELECT * FROM birth.fn_dot_birth_qt006_plan(p_collection := %L, p_dry_run := false);',
                       p_collection)
              ELSE concat_ws('; ', r_plan.blockers -> 0 ->> 'message', r_plan.blockers -> 0 ->> 'hint') END;
END;
$fn_dot_birth_qt006_plan$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt006_plan(text, boolean) IS
  'Counts the births without a living row that are not dead; with p_dry_run := false writes the planned row. Operator. '
  'NB102 to NB105, NB108 to NB112, NB115, NB314, NB316. Specification: 5.2.';

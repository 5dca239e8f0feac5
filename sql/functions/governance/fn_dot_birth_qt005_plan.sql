-- Plans a governance transition: one change of the policy of one collection. A dry run reads only and returns every
-- blocker, with every reason at once. Otherwise the first blocker raises, or one planned row is written.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: one row with blockers and next_step; births are those that a move to exempt or deferred leaves behind.
-- Calls: fn_birth_raise, fn_birth_actor, fn_birth_plan, fn_birth_transition_change, fn_birth_run_next_step
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt005_plan(
    p_collection text, p_to_status text DEFAULT NULL, p_to_governed boolean DEFAULT NULL,
    p_dry_run boolean DEFAULT true)
  RETURNS TABLE (run_id uuid, collection_name text, status text, from_status text, from_governed boolean,
                 to_status text, to_governed boolean, direction text, births bigint, planned_rows bigint,
                 planned_fingerprint numeric[], planned_by text, planned_at timestamptz, blockers jsonb, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
AS $fn_dot_birth_qt005_plan$
DECLARE
  r_collection birth.collection_registry;
  r_plan record;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt005_plan');
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  ELSIF p_dry_run IS NULL
     OR p_to_status !~ '^BIRTH_(REQUIRED|DEFERRED_NEEDS_REVIEW|EXEMPT_[A-Z0-9_]+)$'
     OR p_to_status IS NULL AND p_to_governed IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_to_status %L, p_to_governed %L, p_dry_run %L', p_to_status,
      p_to_governed, p_dry_run),
      'name the policy to come, or governed, or both; the policy is BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW or '
      'BIRTH_EXEMPT_<REASON>');
  END IF;
  SELECT * INTO r_plan FROM birth.fn_birth_plan('TRANSITION', p_collection, p_dry_run,
    p_wanted := jsonb_build_object('p_to_status', coalesce(p_to_status, r_collection.coverage_status),
      'p_to_governed', coalesce(p_to_governed, r_collection.governed)));
  r_run := r_plan.run;
  RETURN QUERY
  SELECT CASE WHEN NOT p_dry_run THEN r_run.run_id END, p_collection, coalesce(r_run.status, 'dry_run'),
         r_collection.coverage_status, r_collection.governed, r_run.wanted ->> 'p_to_status',
         (r_run.wanted ->> 'p_to_governed')::boolean,
         (SELECT c.direction FROM birth.fn_birth_transition_change(r_run, false) c), r_run.existing_births,
         r_run.planned_rows, r_run.planned_fingerprint, session_user::text,
         coalesce(r_run.planned_at, clock_timestamp()), r_plan.blockers,
         CASE WHEN NOT p_dry_run THEN birth.fn_birth_run_next_step(r_run.run_id)
              WHEN r_plan.blockers = '[]' THEN
                format('SELECT * FROM birth.fn_dot_birth_qt005_plan(p_collection := %L, p_to_status := %L, '
                       'p_to_governed := %L, p_dry_run := false);', p_collection, r_run.wanted ->> 'p_to_status',
                       r_run.wanted ->> 'p_to_governed')
              ELSE concat_ws('; ', r_plan.blockers -> 0 ->> 'message', r_plan.blockers -> 0 ->> 'detail') END;
END;
$fn_dot_birth_qt005_plan$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt005_plan(text, text, boolean, boolean) IS
  'Plans one change of the policy of a collection (what is NULL stays); with p_dry_run := false writes the planned '
  'row. Operator. NB102, NB103, NB110 to NB112, NB118, NB314, NB401. Specification: 4.1.';

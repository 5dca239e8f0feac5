-- What stands in the way of a plan, beyond what the collection itself shows: the freeze, and that there is nothing to do.
-- Returns: the blockers, in order.
-- Calls: fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_plan_blockers(p_collection text, p_blockers jsonb, p_missing bigint)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_plan_blockers$
  SELECT coalesce(
           (SELECT CASE WHEN d.frozen THEN jsonb_build_array(birth.fn_birth_error('dot_frozen', d.dot_name)) ELSE '[]' END
            FROM birth.v_birth_dot_status d WHERE d.dot_name = 'dot-birth-backfill-plan'),
           jsonb_build_array(birth.fn_birth_error('dot_unknown', 'dot-birth-backfill-plan')))
         || p_blockers
         || CASE WHEN p_missing = 0 THEN jsonb_build_array(birth.fn_birth_error('nothing_to_do', format('collection %s', p_collection))) ELSE '[]' END;
$fn_birth_plan_blockers$;

COMMENT ON FUNCTION birth.fn_birth_plan_blockers(text, jsonb, bigint) IS
  'The blockers of a plan in order: NB401, those of the collection, NB314. Specification: 6.';

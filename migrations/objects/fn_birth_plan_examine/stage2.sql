-- Steps 2 to 4 of the writer's checks, which a plan asks too: policy, identity, source, gateway; collisions; duplicates. What cannot be counted
-- is not counted; what can, is, so that a dry run shows everything at once.
-- Returns: one row: the counts (NULL where the collection is not eligible) and the blockers in order.
-- Calls: fn_birth_policy_decision, fn_birth_identity_definition, fn_birth_source_grants, fn_birth_measure, fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_plan_examine(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[] DEFAULT NULL)
  RETURNS TABLE (source_rows bigint, unresolvable bigint, duplicates bigint, collisions bigint, existing_births bigint, missing bigint,
                 orphans bigint, fingerprint numeric[], range_fingerprint numeric[], blockers jsonb)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
AS $fn_birth_plan_examine$
DECLARE
  r_policy record;
  r_identity record;
  r_count record;
  r_collection birth.collection_registry;
  v_grants text;
BEGIN
  blockers := '[]';
  SELECT * INTO r_policy FROM birth.fn_birth_policy_decision(p_collection);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT r_policy.may_register THEN
    blockers := blockers || birth.fn_birth_error('policy_not_required', format('collection %s: %s', p_collection, r_policy.reason));
  END IF;
  IF r_identity.code_sql IS NULL THEN
    blockers := blockers || birth.fn_birth_error('identity_not_eligible', format('collection %s: %s, %s', p_collection, r_identity.status, r_identity.reason));
  ELSIF r_identity.code_sql IS DISTINCT FROM r_collection.birth_code_sql THEN
    blockers := blockers || birth.fn_birth_error('identity_not_eligible', format('collection %s: the table changed since it was classified', p_collection),
      'classify the collection again, as it was or as it should be');
  END IF;
  IF r_collection.gateway_mode = 'enforce' AND NOT EXISTS (
       SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection AND g.relation = r_identity.relation AND g.enabled) THEN
    blockers := blockers || birth.fn_birth_error('gateway_missing', format('collection %s', p_collection));
  END IF;
  v_grants := birth.fn_birth_source_grants(p_collection, 'SELECT');
  IF r_identity.relation IS NOT NULL AND v_grants <> '' THEN
    blockers := blockers || birth.fn_birth_error('source_privilege', format('collection %s needs SELECT', p_collection), 'let the owner of the table: ' || v_grants);
  ELSIF r_identity.code_sql IS NOT NULL THEN
    SELECT * INTO r_count FROM birth.fn_birth_measure(p_collection, p_seed_a, p_seed_b, p_upper);
    source_rows := r_count.source_rows;
    unresolvable := r_count.unresolvable;
    duplicates := r_count.duplicates;
    collisions := r_count.collisions;
    existing_births := r_count.existing_births;
    missing := r_count.missing;
    orphans := r_count.orphans;
    fingerprint := r_count.fingerprint;
    range_fingerprint := r_count.range_fingerprint;
    IF collisions > 0 THEN
      blockers := blockers || birth.fn_birth_error('code_foreign',
        format('collection %s: %s codes, such as %s', p_collection, collisions, array_to_string(r_count.collision_examples, ', ')));
    END IF;
    IF duplicates > 0 THEN
      blockers := blockers || birth.fn_birth_error('code_duplicate', format('collection %s: %s rows', p_collection, duplicates));
    END IF;
  END IF;
  RETURN NEXT;
END;
$fn_birth_plan_examine$;

COMMENT ON FUNCTION birth.fn_birth_plan_examine(text, bigint, bigint, text[]) IS
  'Counts of a collection and what stands in the way of a backfill, in the order of the writer''s checks. NB103 when unknown. Specification: 6.';

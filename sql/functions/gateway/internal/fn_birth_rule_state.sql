-- Which rule of a collection (policy, mode, identity) an act speaks of, and whether it held for every transaction that
-- could still commit: for acts that found every row born.
-- Returns: rule_version and holds.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_rule_state(p_collection text)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_rule_state$
  SELECT jsonb_build_object('rule_version', f.rule_version, 'holds', f.holds)
  FROM birth.v_birth_gateway_fence f WHERE f.collection_name = p_collection;
$fn_birth_rule_state$;

COMMENT ON FUNCTION birth.fn_birth_rule_state(text) IS
  'The version of a collection''s rule and whether it holds, for the detail of an act. Specification: 4.1, 5.';

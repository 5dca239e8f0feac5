-- Which rule of a collection (policy, mode, identity) an act speaks of, and whether it held for every transaction that
-- could still commit: for acts that found every row born. Asked before the rows are read.
-- Returns: rule_version, holds, and since when the act reads.
-- Calls: fn_birth_clock
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_rule_state(p_collection text)
  RETURNS jsonb
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_rule_state$
  SELECT jsonb_build_object('rule_version', f.rule_version, 'holds', f.holds, 'since', birth.fn_birth_clock())
  FROM birth.v_birth_gateway_fence f WHERE f.collection_name = p_collection;
$fn_birth_rule_state$;

COMMENT ON FUNCTION birth.fn_birth_rule_state(text) IS
  'The version of a collection''s rule, whether it holds, and the time, for the detail of an act. '
  'Specification: 4.1, 5.';

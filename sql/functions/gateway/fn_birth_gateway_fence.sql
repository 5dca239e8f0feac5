-- Records from which transaction on the rules of all collections hold whose last change does not hold yet: from this one on,
-- which was begun after the changes that it sees were committed. See v_birth_gateway_fence.
-- A transaction that wrote before has its number already, and may have had it before a change was committed: it is refused.
-- SECURITY DEFINER: acts are written by birth_definer's routines alone.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_fence()
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_fence$
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_fence');
  IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('fence_late', format('transaction %s wrote before', pg_current_xact_id_if_assigned()));
  END IF;
  -- One statement: its snapshot, which shows the changes, is older than the number.
  PERFORM birth.fn_birth_act_record('fence', p_collection := f.collection_name, p_detail := jsonb_build_object(
    'rule_version', f.rule_version, 'xid', pg_current_xact_id()::text,
    'cluster', (SELECT s.system_identifier::text FROM pg_control_system() s)))
  FROM birth.v_birth_gateway_fence f
  WHERE NOT f.holds;
  RETURN 'SELECT * FROM birth.v_birth_gateway_fence WHERE NOT holds;';
END;
$fn_birth_gateway_fence$;

COMMENT ON FUNCTION birth.fn_birth_gateway_fence() IS
  'Records from which transaction on the changed rules of collections hold; returns the next step. To be sent after the change is committed. Steward. NB110, NB111, NB112, NB516. Specification: 5.';

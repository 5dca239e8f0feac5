-- Records a fence for each collection whose last change of mode, policy or identity does not hold yet: this
-- transaction's number. It began after the changes that it sees were committed; the change holds when no older
-- transaction is open. See v_birth_gateway_fence. A transaction that wrote before is refused: it may have its number
-- from before a change.
-- SECURITY DEFINER: only routines of birth_definer write acts.
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
  -- In one statement: its snapshot, which shows the changes, is taken before the number is assigned.
  PERFORM birth.fn_birth_act_record('fence', p_collection := f.collection_name, p_detail := jsonb_build_object(
    'rule_version', f.rule_version, 'xid', pg_current_xact_id()::text,
    'cluster', (SELECT s.system_identifier::text FROM pg_control_system() s)))
  FROM birth.v_birth_gateway_fence f
  WHERE NOT f.holds;
  RETURN 'SELECT * FROM birth.v_birth_gateway_fence WHERE NOT holds;';
END;
$fn_birth_gateway_fence$;

COMMENT ON FUNCTION birth.fn_birth_gateway_fence() IS
  'Records from which transaction on changed modes, policies and identities hold; returns the next step. Send it after '
  'the change is committed. Steward. NB110, NB111, NB112, NB516. Specification: 5.';

-- Switches between observe and enforce; to enforce only with an eligible identity and an enabled gateway. The mode is a
-- field of the registry: no DDL, no lock on the source table. A transaction that inserted before this one commits may
-- still commit rows under the old mode: fn_birth_gateway_fence.
-- SECURITY DEFINER: stewards write the registry only through routines.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_identity_definition, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_mode$
DECLARE
  r_identity record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_mode');
  IF p_mode IS NULL OR p_mode NOT IN ('observe', 'enforce') OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_reason %L', p_mode, p_reason),
      'the mode is observe or enforce, and a reason is required');
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('gateway_absent', format('collection %s', p_collection));
  END IF;
  IF p_mode = 'enforce' THEN
    SELECT i.status, i.reason, coalesce(bool_or(g.enabled), false) AS enabled, max(g.repair) AS repair INTO r_identity
    FROM birth.fn_birth_identity_definition(p_collection) i
    LEFT JOIN birth.v_birth_gateway_trigger g ON g.collection_name = p_collection AND g.relation = i.relation
    GROUP BY i.status, i.reason;
    IF starts_with(r_identity.status, 'BLOCKED_') THEN
      PERFORM birth.fn_birth_raise('identity_not_eligible',
        format('collection %s: %s, %s: every insert would be refused', p_collection, r_identity.status,
          r_identity.reason));
    ELSIF NOT r_identity.enabled THEN
      PERFORM birth.fn_birth_raise('gateway_absent', format('the gateway of collection %s is disabled, or not on its '
        'table', p_collection), r_identity.repair);
    END IF;
  END IF;
  UPDATE birth.collection_registry c
  SET gateway_mode = p_mode, rule_version = c.rule_version + (c.gateway_mode <> p_mode)::integer
  WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('mode', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('mode', p_mode));
  RETURN CASE p_mode
    WHEN 'enforce'
      THEN 'SELECT birth.fn_birth_gateway_fence();  -- a steward, in a new transaction after this one is committed'
    ELSE format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection) END;
END;
$fn_birth_gateway_mode$;

COMMENT ON FUNCTION birth.fn_birth_gateway_mode(text, text, text) IS
  'Switches a collection''s gateway to observe or enforce, without DDL; returns the next step. Steward. NB102, NB103, '
  'NB105, NB110, NB111, NB505. Specification: 5.';

-- Switches the life of a collection between off, observe and enforce. The mode is a field of the registry: no DDL, no
-- lock on the source table.
-- SECURITY DEFINER: stewards write the registry only through routines.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_replicated_tables, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_life_mode(p_collection text, p_mode text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_mode$
DECLARE
  r_collection birth.collection_registry;
  v_fault text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_life_mode');
  IF p_mode IS NULL OR p_mode NOT IN ('off', 'observe', 'enforce') OR p_reason IS NULL
     OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_reason %L', p_mode, p_reason),
      'the mode is off, observe or enforce, and a reason is required');
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  ELSIF r_collection.life_key = '{}' THEN
    PERFORM birth.fn_birth_raise('life_absent', format('collection %s', p_collection));
  END IF;
  v_fault := CASE
    WHEN p_mode <> 'enforce' THEN NULL
    WHEN EXISTS (SELECT FROM birth.v_birth_life l WHERE l.collection_name = p_collection AND l.fault IS NOT NULL)
      THEN 'its triggers are missing, disabled, or of another identity: detach and attach'
    WHEN EXISTS (SELECT FROM birth.v_birth_life_trigger t
                 CROSS JOIN LATERAL birth.fn_birth_replicated_tables(t.relation) r
                 WHERE t.collection_name = p_collection)
      THEN 'a refusal would stop the subscription: observe alone' END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('life_refused', format('collection %s: %s', p_collection, v_fault));
  END IF;
  UPDATE birth.collection_registry c SET life_mode = p_mode WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('life_mode', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('mode', p_mode, 'before', r_collection.life_mode));
  RETURN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection);
END;
$fn_birth_life_mode$;

COMMENT ON FUNCTION birth.fn_birth_life_mode(text, text, text) IS
  'Switches the life of a collection to off, observe or enforce; returns the next step. Steward. NB102, NB103, NB110, '
  'NB111, NB519, NB520. Specification: 5.2.';

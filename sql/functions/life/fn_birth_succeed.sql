-- Says which living code a dead one goes on as, where the triggers could not see it: a row that moved to another
-- partition with another code. Both births are locked in the order of their codes. The successor is alive when it is
-- written, so no chain of successors is a circle.
-- SECURITY DEFINER: only routines of birth_definer write deaths.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: birth_death
CREATE OR REPLACE FUNCTION birth.fn_birth_succeed(p_old text, p_new text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_succeed$
DECLARE
  v_fault text;
  v_collection text;
  v_births bigint;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_succeed');
  IF p_old IS NULL OR p_new IS NULL OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_old, p_new and p_reason are required');
  END IF;
  SELECT count(*), min(b.collection_name) INTO v_births, v_collection
  FROM (SELECT r.collection_name FROM birth.birth_registry r WHERE r.entity_code IN (p_old, p_new)
        ORDER BY r.entity_code FOR NO KEY UPDATE) b;
  v_fault := CASE
    WHEN p_old = p_new THEN 'nothing succeeds itself'
    WHEN v_births < 2 THEN 'both codes need a birth'
    WHEN EXISTS (SELECT FROM birth.birth_registry r
                 WHERE r.entity_code IN (p_old, p_new) AND r.collection_name <> v_collection)
      THEN 'the two births are of different collections'
    WHEN EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = p_new AND d.returned_at IS NULL)
      THEN format('%s is dead itself', p_new)
    WHEN NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = p_old AND d.returned_at IS NULL)
      THEN format('%s is not dead', p_old) END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('succession_refused', v_fault);
  END IF;
  UPDATE birth.birth_death d SET successor = p_new WHERE d.entity_code = p_old AND d.returned_at IS NULL;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('succession_refused', format('%s has returned', p_old));
  END IF;
  PERFORM birth.fn_birth_act_record('succeed', p_collection := v_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('entity_code', p_old, 'successor', p_new));
  RETURN format('SELECT birth.fn_birth_now(p_code := %L);', p_old);
END;
$fn_birth_succeed$;

COMMENT ON FUNCTION birth.fn_birth_succeed(text, text, text) IS
  'Gives a dead code its living successor; returns the next step. Steward. NB102, NB110, NB111, NB515. '
  'Specification: 5.2.';

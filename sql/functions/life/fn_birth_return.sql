-- Allows the next living row of a dead code, once. Without it a collection whose life is enforced refuses the code.
-- SECURITY DEFINER: only routines of birth_definer write deaths.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_clock, fn_birth_raise, fn_birth_act_record
-- Writes: birth_death
CREATE OR REPLACE FUNCTION birth.fn_birth_return(p_code text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_return$
DECLARE
  r_death birth.birth_death;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_return');
  IF p_code IS NULL OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_code and p_reason are required');
  END IF;
  UPDATE birth.birth_death d SET return_allowed_by = session_user, return_allowed_at = birth.fn_birth_clock()
  WHERE d.entity_code = p_code AND d.returned_at IS NULL
  RETURNING d.* INTO r_death;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('code_not_dead', format('code %L', left(p_code, 80)));
  END IF;
  PERFORM birth.fn_birth_act_record('return', p_collection := r_death.collection_name, p_reason := p_reason,
    p_detail := jsonb_build_object('entity_code', p_code));
  RETURN format('SELECT birth.fn_birth_now(p_code := %L);  -- after its row is there again', p_code);
END;
$fn_birth_return$;

COMMENT ON FUNCTION birth.fn_birth_return(text, text) IS
  'Allows one return of a dead code; returns the next step. Steward. NB102, NB110, NB111, NB521. Specification: 5.2.';

-- Lifts every freeze of a DOT that is committed. Only a DBA may, and a dangerous DOT stays frozen for everybody.
-- SECURITY DEFINER: only routines of birth_definer write acts.
-- Returns: the DOT's new state, as a sentence.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_dot_unfreeze(p_dot text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_dot_unfreeze$
DECLARE
  r_dot birth.v_birth_dot_status;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_dot_unfreeze');
  SELECT d.* INTO r_dot FROM birth.v_birth_dot_status d WHERE d.dot_name = p_dot OR d.dot_code = p_dot;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('dot_unknown', format('DOT %L', p_dot));
  END IF;
  IF r_dot.dangerous THEN
    PERFORM birth.fn_birth_raise('dot_dangerous', format('%s (%s)', r_dot.dot_name, r_dot.dot_code));
  END IF;
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('unfreezing %s: p_reason is empty', r_dot.dot_name));
  END IF;
  IF NOT r_dot.frozen THEN
    RETURN format('%s is not frozen', r_dot.dot_name);
  END IF;
  PERFORM birth.fn_birth_act_record('unfreeze', p_dot := r_dot.dot_name, p_reason := p_reason,
    p_detail := jsonb_build_object('lifts', to_jsonb(r_dot.freeze_acts)));
  RETURN format('%s may run again', r_dot.dot_name);
END;
$fn_birth_dot_unfreeze$;

COMMENT ON FUNCTION birth.fn_birth_dot_unfreeze(text, text) IS
  'Lifts the freezes of a DOT, by name or number; returns its new state. DBA. NB102, NB110, NB111, NB402, NB403. '
  'Specification: 1, 2.';

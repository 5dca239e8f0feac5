-- Freezes a DOT. Every operator and DBA may, at any time: it inserts one row and waits for no run. Freezing
-- dot-birth-backfill-apply stops every run at its next batch.
-- SECURITY DEFINER: only routines of birth_definer write acts.
-- Returns: the statement that undoes it.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_dot_freeze$
DECLARE
  r_dot birth.dot_registry;
BEGIN
  PERFORM birth.fn_birth_actor(
    CASE WHEN pg_has_role(session_user, 'birth_dba', 'MEMBER') THEN 'birth_dba' ELSE 'birth_operator' END,
    'fn_birth_dot_freeze');
  SELECT d.* INTO r_dot FROM birth.dot_registry d WHERE d.dot_name = p_dot OR d.dot_code = p_dot;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('dot_unknown', format('DOT %L', p_dot));
  END IF;
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('freezing %s: p_reason is empty', r_dot.dot_name));
  END IF;
  PERFORM birth.fn_birth_act_record('freeze', p_dot := r_dot.dot_name, p_reason := p_reason);
  RETURN CASE WHEN r_dot.dangerous
    THEN format('%s is dangerous: it was frozen already and stays frozen', r_dot.dot_name)
    ELSE format('SELECT birth.fn_birth_dot_unfreeze(p_dot := %L, p_reason := ''...'');  -- a DBA', r_dot.dot_name) END;
END;
$fn_birth_dot_freeze$;

COMMENT ON FUNCTION birth.fn_birth_dot_freeze(text, text) IS
  'Freezes a DOT, by name or number; returns the next step. Operator or DBA. NB102, NB110, NB111, NB402. '
  'Specification: 1, 2.';

-- Who acts, and whether they may. The login itself counts, not the role it has put on, and the statement sent must name the
-- routine, so that nobody's function or view acts in the name of whoever happens to call it. The latter is a mitigation.
-- Returns: session_user.
-- Calls: fn_birth_is_member, fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[])
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_actor$
BEGIN
  IF NOT birth.fn_birth_is_member(session_user, p_role) THEN
    PERFORM birth.fn_birth_raise('role_required', format('login %s is not a member of %s', session_user, p_role));
  END IF;
  IF NOT EXISTS (SELECT FROM unnest(p_routines) AS r(routine) WHERE strpos(lower(current_query()), r.routine) > 0) THEN
    PERFORM birth.fn_birth_raise('routine_not_named',
      format('the statement sent by %s does not name %s', session_user, array_to_string(p_routines, ' or ')));
  END IF;
  -- A rule about who did what reads what others committed; an old snapshot would not show it.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM birth.fn_birth_raise('isolation_level', format('this transaction is %s', current_setting('transaction_isolation')));
  END IF;
  RETURN session_user;
END;
$fn_birth_actor$;

COMMENT ON FUNCTION birth.fn_birth_actor(text, text[]) IS
  'The acting login, when it is itself a member of the role and the statement sent names one of the routines; else NB110, NB111; NB112 unless READ COMMITTED. Specification: 6.1 R7.';

-- Checks that the login may act. session_user must be a member of the role; a role taken by SET ROLE does not count.
-- The statement that the client sent must name the routine, so that a view or function of another user cannot act for
-- the login that reads or calls it. PL/pgSQL cannot see a view's function in its call stack, so the text is searched.
-- That is a mitigation, stands here alone and decides nothing else.
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
  IF NOT EXISTS (SELECT FROM unnest(p_routines) AS r(routine)
                 WHERE strpos(lower(current_query() COLLATE "C"), r.routine) > 0) THEN
    PERFORM birth.fn_birth_raise('routine_not_named',
      format('the statement sent by %s does not name %s', session_user, array_to_string(p_routines, ' or ')));
  END IF;
  IF current_setting('transaction_read_only') = 'on' THEN
    PERFORM birth.fn_birth_raise('read_only', CASE WHEN pg_is_in_recovery() THEN 'this server is a standby'
      ELSE format('default_transaction_read_only is %s', current_setting('default_transaction_read_only')) END);
  END IF;
  -- Separation of duties depends on acts that others committed; an old snapshot does not show them.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM birth.fn_birth_raise('isolation_level',
      format('this transaction is %s', current_setting('transaction_isolation')));
  END IF;
  RETURN session_user;
END;
$fn_birth_actor$;

COMMENT ON FUNCTION birth.fn_birth_actor(text, text[]) IS
  'The acting login. NB110: it is not a member of the role; NB111: the statement sent names none of the routines; '
  'NB112: not READ COMMITTED; NB120: a read-only transaction. Specification: 6.1 R7.';

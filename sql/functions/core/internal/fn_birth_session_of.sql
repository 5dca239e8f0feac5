-- Who is behind a backend, for a refusal that says who is in the way.
-- Returns: the login and the process id, or NULL when there is no such session.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_session_of(p_pid integer)
  RETURNS text
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_session_of$
  SELECT format('%s, backend %s', a.usename, a.pid) FROM pg_stat_activity a WHERE a.pid = p_pid;
$fn_birth_session_of$;

COMMENT ON FUNCTION birth.fn_birth_session_of(integer) IS
  'Login and process id of a session, or NULL when there is none. Specification: 6.1 R14.';

-- Whether a login can use a role: it inherits the role or can SET ROLE to it. From PostgreSQL 16 on the creator of a
-- role has ADMIN of it; that counts as MEMBER but does not let the login use the role.
-- Returns: true or false.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_is_member(p_login name, p_role text)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_is_member$
BEGIN
  IF current_setting('server_version_num')::integer < 160000 THEN
    RETURN pg_has_role(p_login, p_role, 'MEMBER');
  END IF;
  RETURN pg_has_role(p_login, p_role, 'USAGE') OR pg_has_role(p_login, p_role, 'SET');
END;
$fn_birth_is_member$;

COMMENT ON FUNCTION birth.fn_birth_is_member(name, text) IS
  'Whether a login can use a role: by inheritance or SET ROLE. Specification: 6.1 R7, R16.';

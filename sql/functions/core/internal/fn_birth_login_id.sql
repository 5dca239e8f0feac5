-- The identity of a login that ALTER ROLE ... RENAME does not change: its OID. OIDs of two clusters cannot be compared,
-- so the cluster is part of it. In a restored database, logins of the earlier cluster are compared by name alone.
-- Returns: the cluster's system identifier and the OID of the login, which is session_user unless one is named.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_login_id(p_login name DEFAULT session_user)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_login_id$
  SELECT format('%s:%s', s.system_identifier, to_regrole(quote_ident(p_login))::oid) FROM pg_control_system() s;
$fn_birth_login_id$;

COMMENT ON FUNCTION birth.fn_birth_login_id(name) IS
  'A login (the acting one: session_user) by cluster and OID, which a rename does not change. Specification: 6.1 R7.';

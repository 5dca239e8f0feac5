-- First step of a script from base, in its own transaction. The script then creates Alembic's version table,
-- unconditionally, as the login. So the login gets CREATE on the schema, which the first revision revokes. An empty
-- version table, created by enter.sql or left by a downgrade, is dropped.
DO $prepare$
BEGIN
  DROP TABLE @schema@.@version_table@;
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA @schema@ TO %I', session_user);
END
$prepare$;

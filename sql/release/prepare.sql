-- Generated from pgcontract/sql/prepare.sql by python -m birthdb.release render: edit that, or contract.toml.
-- First step of a script from base, in its own transaction. The script then creates Alembic's version table,
-- unconditionally, as the login. So the login gets CREATE on the schema, which the first revision revokes. An empty
-- version table, created by enter.sql or left by a downgrade, is dropped.
DO $prepare$
BEGIN
  DROP TABLE birth.alembic_version;
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA birth TO %I', session_user);
END
$prepare$;

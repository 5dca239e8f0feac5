-- Generated from pgcontract/sql/prepare.sql by python -m birthdb.release render: edit that, or contract.toml.
-- First step of a script from base, in its own transaction. The script then creates Alembic's version table,
-- unconditionally, as the login. So the login gets CREATE on the schema, which the first revision revokes. An empty
-- version table, created by enter.sql or left by a downgrade, is dropped.
DO $prepare$
DECLARE
  v_at text;
BEGIN
  SELECT string_agg(v.version_num, ', ' ORDER BY v.version_num) INTO v_at FROM birth.alembic_version v;
  IF v_at IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB411', MESSAGE = 'the database is at a different release',
      DETAIL = format('this script starts from base, the database is at %s', v_at),
      HINT = 'see: alembic current; generate the script again from that release';
  END IF;
  DROP TABLE birth.alembic_version;
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA birth TO %I', session_user);
END
$prepare$;

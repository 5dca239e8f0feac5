-- First step of a script from base, in its own transaction. The script then creates Alembic's version table,
-- unconditionally, as the login. So the login gets CREATE on the schema, which the first revision revokes. An empty
-- version table, created by enter.sql or left by a downgrade, is dropped.
DO $prepare$
DECLARE
  v_at text;
BEGIN
  SELECT string_agg(v.version_num, ', ' ORDER BY v.version_num) INTO v_at FROM @schema@.@version_table@ v;
  IF v_at IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '@order.code@', MESSAGE = '@order.message@',
      DETAIL = format('this script starts from base, the database is at %s', v_at),
      HINT = '@order.hint@';
  END IF;
  DROP TABLE @schema@.@version_table@;
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA @schema@ TO %I', session_user);
END
$prepare$;

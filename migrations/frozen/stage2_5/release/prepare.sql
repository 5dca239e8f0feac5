-- Before the first revision, in a transaction of its own: Alembic creates its version table before a revision runs, as the
-- login. It is lent the right; enter.sql of the first revision takes it back.
DO $prepare$
DECLARE
  v_at text;
BEGIN
  EXECUTE format('GRANT USAGE, CREATE ON SCHEMA birth TO %I', session_user);
  -- A script from base creates the table without asking; an empty one that a downgrade left is in its way.
  IF to_regclass('birth.alembic_version') IS NOT NULL THEN
    SET LOCAL ROLE NONE;
    SELECT string_agg(v.version_num, ', ' ORDER BY v.version_num) INTO v_at FROM birth.alembic_version v;
    IF v_at IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'NB411', MESSAGE = 'the database is at another release',
        DETAIL = format('this script starts from base, the database is at %s', v_at),
        HINT = 'see: alembic current; write the script again from there';
    END IF;
    DROP TABLE birth.alembic_version;
    SET LOCAL ROLE birth_definer;
  END IF;
END
$prepare$;

-- Generated from pgcontract/sql/enter.sql by python -m birthdb.release render: edit that, or contract.toml.
-- Third step of every revision: check that the login may release, SET ROLE birth_definer, and make birth_definer the
-- owner of the version table.
-- The login is a superuser, or has CREATEROLE, and CREATE on the database. Up to PostgreSQL 15, CREATEROLE may grant
-- any role. From 16 on it needs the ADMIN option of the role, which the creator of a role has; and memberships have
-- options.
DO $enter$
DECLARE
  v_options boolean := current_setting('server_version_num')::integer >= 160000;
  v_owner text;
  v_role text;
  v_grantee text;
BEGIN
  -- Members of birth_dba release. The login grants itself the membership, if it has the right to, and keeps it.
  IF NOT pg_has_role(session_user, 'birth_dba', 'USAGE') THEN
    BEGIN
      EXECUTE format('GRANT birth_dba TO %I %s', session_user,
                     CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s is not a member of birth_dba', session_user),
        HINT = format('ask a role with that right to send: GRANT birth_dba TO %I', session_user);
    END;
    IF NOT pg_has_role(session_user, 'birth_dba', 'USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s does not inherit the privileges of birth_dba', session_user),
        HINT = format('ask a role with that right to send: ALTER ROLE %I INHERIT', session_user);
    END IF;
  END IF;

  -- The releasing login is the only member of birth_definer, and only until leave.sql.
  IF NOT pg_has_role(session_user, 'birth_definer', CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE format('GRANT birth_definer TO %I %s', session_user,
                     CASE WHEN v_options THEN 'WITH INHERIT FALSE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s cannot become birth_definer', session_user),
        HINT = format('ask a role with that right to send: GRANT birth_definer, birth_scanner TO %I WITH ADMIN %s',
                      session_user, CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
    PERFORM set_config('birth.release_granted', 'on', true);
  END IF;

  -- Routines may belong to other owners. The owner creates those routines, so it is a member of these roles in this
  -- transaction; leave.sql ends that.
  FOREACH v_role IN ARRAY '{birth_scanner}'::name[] LOOP
    CONTINUE WHEN pg_has_role('birth_definer', v_role, 'USAGE');
    BEGIN
      EXECUTE format('GRANT %I TO birth_definer %s', v_role,
                     CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s may not grant %s to birth_definer', session_user, v_role),
        HINT = format('ask a role with that right to send: GRANT birth_definer, birth_scanner TO %I WITH ADMIN %s',
                      session_user, CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
  END LOOP;

  SELECT pg_get_userbyid(n.nspowner) INTO v_owner FROM pg_namespace n WHERE n.nspname = 'birth';
  IF v_owner IS NULL THEN
    IF NOT has_database_privilege(session_user, current_database(), 'CREATE') THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s may not create a schema in database %s', session_user, current_database()),
        HINT = format('ask a role with that right to send: GRANT CREATE ON DATABASE %I TO %I',
                      current_database(), session_user);
    END IF;
    CREATE SCHEMA birth AUTHORIZATION birth_definer;
  ELSIF v_owner <> 'birth_definer' THEN
    BEGIN
      -- Only a repair, which knows the objects, takes over what somebody else owns.
      IF current_setting('birth.repairs', true) IS DISTINCT FROM 'on' THEN
        RAISE insufficient_privilege;
      END IF;
      ALTER SCHEMA birth OWNER TO birth_definer;
    EXCEPTION WHEN insufficient_privilege THEN
      -- An empty schema was made for this, one with a version table was released. What else holds anything is
      -- another's.
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('schema birth belongs to %s', v_owner),
        HINT = CASE
          WHEN EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = 'birth' AND c.relname = 'alembic_version')
            THEN format('as %I or a superuser: birthdb repair --execute', v_owner)
          WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid
                       WHERE n.nspname = 'birth' AND d.refclassid = 'pg_namespace'::regclass)
            THEN 'it holds objects that no release made; release into another database, or, where they may move: '
                 'ALTER SCHEMA birth RENAME TO ...'
          ELSE 'ask a role with that right to send: ALTER SCHEMA birth OWNER TO birth_definer' END;
    END;
  END IF;

  -- Alembic's version table is created here; the CREATE TABLE of a script is in this same transaction. So no other
  -- session ever sees the table with an owner other than birth_definer. That matters: code that the owner of a table
  -- attaches to it runs in every session that reads or alters it. Members of birth_dba write to the table, because
  -- Alembic does so as the login. A table of another owner is taken over, and its grants are revoked.
  SET LOCAL ROLE birth_definer;
  GRANT USAGE ON SCHEMA birth TO birth_dba;
  SELECT pg_get_userbyid(c.relowner) INTO v_owner
  FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relname = 'alembic_version';
  IF v_owner IS DISTINCT FROM 'birth_definer' THEN
    IF v_owner IS NULL THEN
      CREATE TABLE birth.alembic_version (
        version_num varchar(32) NOT NULL,
        CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
      );
    ELSE
      SET LOCAL ROLE NONE;
      BEGIN
        ALTER TABLE birth.alembic_version OWNER TO birth_definer;
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
          DETAIL = format('table birth.alembic_version belongs to %s', v_owner),
          HINT = 'ask a role with that right to send: ALTER TABLE birth.alembic_version OWNER TO birth_definer';
      END;
      SET LOCAL ROLE birth_definer;
      EXECUTE format('REVOKE ALL ON SCHEMA birth FROM %I', session_user);
    END IF;
    FOR v_grantee IN
      SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
      FROM pg_class c
      CROSS JOIN LATERAL (
        SELECT c.relacl UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid
      ) AS l(acl)
      CROSS JOIN LATERAL aclexplode(l.acl) x
      WHERE c.oid = 'birth.alembic_version'::regclass AND x.grantee <> c.relowner
    LOOP
      EXECUTE format('REVOKE ALL ON birth.alembic_version FROM %s CASCADE', v_grantee);
    END LOOP;
    -- The same grants as in grants.sql: Alembic reads and writes the table before grants.sql runs.
    GRANT SELECT ON birth.alembic_version TO birth_reader;
    GRANT INSERT, UPDATE, DELETE ON birth.alembic_version TO birth_dba;
    COMMENT ON TABLE birth.alembic_version IS
  'Version table of Alembic: the current release of the database.';
    COMMENT ON COLUMN birth.alembic_version.version_num IS 'The release, which is an Alembic revision.';
  END IF;
END
$enter$;

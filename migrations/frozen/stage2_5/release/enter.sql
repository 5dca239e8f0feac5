-- Third of every revision: may this login release? Then become birth_definer, and own the version table.
-- It works as a superuser and as a login with CREATEROLE and CREATE on the database. Up to PostgreSQL 15 CREATEROLE may grant
-- any role; from 16 on it needs ADMIN of the role, which the creator of a role has, and membership has options.
DO $enter$
DECLARE
  v_options boolean := current_setting('server_version_num')::integer >= 160000;
  v_owner text;
  v_grantee text;
BEGIN
  -- birth_dba releases: the login is made a member, when it may be, and stays one.
  IF NOT pg_has_role(session_user, 'birth_dba', 'USAGE') THEN
    BEGIN
      EXECUTE format('GRANT birth_dba TO %I %s', session_user, CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s is not a member of birth_dba', session_user),
        HINT = format('let a role that may send: GRANT birth_dba TO %I', session_user);
    END;
    IF NOT pg_has_role(session_user, 'birth_dba', 'USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s does not inherit the privileges of birth_dba', session_user),
        HINT = format('let a role that may send: ALTER ROLE %I INHERIT', session_user);
    END IF;
  END IF;

  -- birth_definer has no member but the releasing login, and that one only until leave.sql.
  IF NOT pg_has_role(session_user, 'birth_definer', CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE format('GRANT birth_definer TO %I %s', session_user, CASE WHEN v_options THEN 'WITH INHERIT FALSE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s cannot become birth_definer', session_user),
        HINT = format('let a role that may send: GRANT birth_definer, birth_scanner TO %I WITH ADMIN %s', session_user,
                      CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
    PERFORM set_config('birth.release_granted', 'on', true);
  END IF;

  -- What reads source tables belongs to birth_scanner. birth_definer makes it, and is a member for this transaction: leave.sql.
  IF NOT pg_has_role('birth_definer', 'birth_scanner', 'USAGE') THEN
    BEGIN
      EXECUTE 'GRANT birth_scanner TO birth_definer' || CASE WHEN v_options THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s may not grant birth_scanner to birth_definer', session_user),
        HINT = format('let a role that may send: GRANT birth_definer, birth_scanner TO %I WITH ADMIN %s', session_user,
                      CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
  END IF;

  -- A release holds exclusively the lock that batches share: it waits for none of them, and none begins meanwhile. By it
  -- the optional event triggers know a release, too: it is taken before anything is made.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('birth.release', 0)) THEN
    RAISE EXCEPTION USING ERRCODE = 'NB407', MESSAGE = 'a run is active',
      DETAIL = 'the release lock is held by a batch or by another release',
      HINT = 'stop it with birth.fn_birth_run_stop, wait for its batch to end, then release';
  END IF;

  SELECT pg_get_userbyid(n.nspowner) INTO v_owner FROM pg_namespace n WHERE n.nspname = 'birth';
  IF v_owner IS NULL THEN
    IF NOT has_database_privilege(session_user, current_database(), 'CREATE') THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
        DETAIL = format('%s may not create a schema in database %s', session_user, current_database()),
        HINT = format('let a role that may send: GRANT CREATE ON DATABASE %I TO %I', current_database(), session_user);
    END IF;
    CREATE SCHEMA birth AUTHORIZATION birth_definer;
  ELSIF v_owner <> 'birth_definer' THEN
    RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
      DETAIL = format('schema birth belongs to %s', v_owner),
      HINT = 'let a role that may send: ALTER SCHEMA birth OWNER TO birth_definer';
  END IF;

  -- Alembic's version table is made here; a script's own CREATE TABLE is in this same transaction. So it belongs to
  -- birth_definer as soon as anybody sees it: what its owner puts on a table is run by everybody who reads or alters it.
  -- Members of birth_dba write to it, because Alembic does so as the login. A table that belonged to somebody else is
  -- taken over, without what they granted.
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
          HINT = 'let a role that may send: ALTER TABLE birth.alembic_version OWNER TO birth_definer';
      END;
      SET LOCAL ROLE birth_definer;
      EXECUTE format('REVOKE ALL ON SCHEMA birth FROM %I', session_user);
    END IF;
    FOR v_grantee IN
      SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
      FROM pg_class c
      CROSS JOIN LATERAL (SELECT c.relacl UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid) AS l(acl)
      CROSS JOIN LATERAL aclexplode(l.acl) x
      WHERE c.oid = 'birth.alembic_version'::regclass AND x.grantee <> c.relowner
    LOOP
      EXECUTE format('REVOKE ALL ON birth.alembic_version FROM %s CASCADE', v_grantee);
    END LOOP;
    -- As grants.sql has it: Alembic reads and writes before that is applied.
    GRANT SELECT ON birth.alembic_version TO birth_reader;
    GRANT INSERT, UPDATE, DELETE ON birth.alembic_version TO birth_dba;
    COMMENT ON TABLE birth.alembic_version IS
      'Alembic''s version table: the release that the database is at. Specification: 3.';
    COMMENT ON COLUMN birth.alembic_version.version_num IS 'The release, which is the revision.';
  END IF;
END
$enter$;

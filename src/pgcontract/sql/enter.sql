-- Third step of every revision: check that the login may release, SET ROLE @owner@, and make @owner@ the
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
  -- Members of @releaser@ release. The login grants itself the membership, if it has the right to, and keeps it.
  IF NOT pg_has_role(session_user, '@releaser@', 'USAGE') THEN
    BEGIN
      EXECUTE format('GRANT @releaser@ TO %I %s', session_user,
                     CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
        DETAIL = format('%s is not a member of @releaser@', session_user),
        HINT = format('ask a role with that right to send: GRANT @releaser@ TO %I', session_user);
    END;
    IF NOT pg_has_role(session_user, '@releaser@', 'USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
        DETAIL = format('%s does not inherit the privileges of @releaser@', session_user),
        HINT = format('ask a role with that right to send: ALTER ROLE %I INHERIT', session_user);
    END IF;
  END IF;

  -- The releasing login is the only member of @owner@, and only until leave.sql.
  IF NOT pg_has_role(session_user, '@owner@', CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE format('GRANT @owner@ TO %I %s', session_user,
                     CASE WHEN v_options THEN 'WITH INHERIT FALSE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
        DETAIL = format('%s cannot become @owner@', session_user),
        HINT = format('ask a role with that right to send: GRANT @owners@ TO %I WITH ADMIN %s',
                      session_user, CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
    PERFORM set_config('@schema@.release_granted', 'on', true);
  END IF;

  -- Routines may belong to other owners. The owner creates those routines, so it is a member of these roles in this
  -- transaction; leave.sql ends that.
  FOREACH v_role IN ARRAY '{@lent@}'::name[] LOOP
    CONTINUE WHEN pg_has_role('@owner@', v_role, 'USAGE');
    BEGIN
      EXECUTE format('GRANT %I TO @owner@ %s', v_role,
                     CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
        DETAIL = format('%s may not grant %s to @owner@', session_user, v_role),
        HINT = format('ask a role with that right to send: GRANT @owners@ TO %I WITH ADMIN %s',
                      session_user, CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
  END LOOP;

  SELECT pg_get_userbyid(n.nspowner) INTO v_owner FROM pg_namespace n WHERE n.nspname = '@schema@';
  IF v_owner IS NULL THEN
    IF NOT has_database_privilege(session_user, current_database(), 'CREATE') THEN
      RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
        DETAIL = format('%s may not create a schema in database %s', session_user, current_database()),
        HINT = format('ask a role with that right to send: GRANT CREATE ON DATABASE %I TO %I',
                      current_database(), session_user);
    END IF;
    CREATE SCHEMA @schema@ AUTHORIZATION @owner@;
  ELSIF v_owner <> '@owner@' THEN
    BEGIN
      -- Only a repair, which knows the objects, takes over what somebody else owns.
      IF current_setting('@schema@.repairs', true) IS DISTINCT FROM 'on' THEN
        RAISE insufficient_privilege;
      END IF;
      ALTER SCHEMA @schema@ OWNER TO @owner@;
    EXCEPTION WHEN insufficient_privilege THEN
      -- An empty schema was made for this, one with a version table was released. What else holds anything is
      -- another's.
      RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
        DETAIL = format('schema @schema@ belongs to %s', v_owner),
        HINT = CASE
          WHEN EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = '@schema@' AND c.relname = '@version_table@')
            THEN format('as %I or a superuser: @repair@', v_owner)
          WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid
                       WHERE n.nspname = '@schema@' AND d.refclassid = 'pg_namespace'::regclass)
            THEN 'it holds objects that no release made; release into another database, or, where they may move: '
                 'ALTER SCHEMA @schema@ RENAME TO ...'
          ELSE 'ask a role with that right to send: ALTER SCHEMA @schema@ OWNER TO @owner@' END;
    END;
  END IF;

  -- Alembic's version table is created here; the CREATE TABLE of a script is in this same transaction. So no other
  -- session ever sees the table with an owner other than @owner@. That matters: code that the owner of a table
  -- attaches to it runs in every session that reads or alters it. Members of @releaser@ write to the table, because
  -- Alembic does so as the login. A table of another owner is taken over, and its grants are revoked.
  SET LOCAL ROLE @owner@;
  GRANT USAGE ON SCHEMA @schema@ TO @releaser@;
  SELECT pg_get_userbyid(c.relowner) INTO v_owner
  FROM pg_class c WHERE c.relnamespace = '@schema@'::regnamespace AND c.relname = '@version_table@';
  IF v_owner IS DISTINCT FROM '@owner@' THEN
    IF v_owner IS NULL THEN
      CREATE TABLE @schema@.@version_table@ (
        version_num varchar(32) NOT NULL,
        CONSTRAINT @version_table@_pkc PRIMARY KEY (version_num)
      );
    ELSE
      SET LOCAL ROLE NONE;
      BEGIN
        ALTER TABLE @schema@.@version_table@ OWNER TO @owner@;
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = '@privilege.code@', MESSAGE = '@privilege.message@',
          DETAIL = format('table @schema@.@version_table@ belongs to %s', v_owner),
          HINT = 'ask a role with that right to send: ALTER TABLE @schema@.@version_table@ OWNER TO @owner@';
      END;
      SET LOCAL ROLE @owner@;
      EXECUTE format('REVOKE ALL ON SCHEMA @schema@ FROM %I', session_user);
    END IF;
    FOR v_grantee IN
      SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
      FROM pg_class c
      CROSS JOIN LATERAL (
        SELECT c.relacl UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid
      ) AS l(acl)
      CROSS JOIN LATERAL aclexplode(l.acl) x
      WHERE c.oid = '@schema@.@version_table@'::regclass AND x.grantee <> c.relowner
    LOOP
      EXECUTE format('REVOKE ALL ON @schema@.@version_table@ FROM %s CASCADE', v_grantee);
    END LOOP;
    -- The same grants as in grants.sql: Alembic reads and writes the table before grants.sql runs.
    GRANT SELECT ON @schema@.@version_table@ TO @reader@;
    GRANT INSERT, UPDATE, DELETE ON @schema@.@version_table@ TO @releaser@;
    COMMENT ON TABLE @schema@.@version_table@ IS
  'Version table of Alembic: the current release of the database.';
    COMMENT ON COLUMN @schema@.@version_table@.version_num IS 'The release, which is an Alembic revision.';
  END IF;
END
$enter$;

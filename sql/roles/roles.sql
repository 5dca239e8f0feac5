-- The roles. They belong to the cluster, not to the database: a release creates missing ones, accepts existing ones,
-- and never drops one, because another database may use it. Login roles of people are members; the roles have NOLOGIN.
DO $roles$
DECLARE
  v_roles CONSTANT text[] := ARRAY[
    'birth_definer',       -- owns every object; its only member is the releasing login, during a release
    'birth_scanner',       -- reads source tables, in a sandbox; its only member is birth_definer, during a release
    'birth_reader',        -- reads the views
    'birth_steward',       -- registers and classifies collections, attaches the gateway
    'birth_operator',      -- plans, rehearses, applies, stops and freezes
    'birth_reviewer',      -- records verdicts and confirms permits
    'birth_permit_owner',  -- opens and revokes permits
    'birth_dba',           -- releases and unfreezes
    'birth_source_owner'];  -- owners of partitioned sources: may create partitions, which clone the gateway's trigger
  v_acting CONSTANT text[] :=
    ARRAY['birth_steward', 'birth_operator', 'birth_reviewer', 'birth_permit_owner', 'birth_dba'];
  v_options CONSTANT boolean := current_setting('server_version_num')::integer >= 160000;
  v_statements text;
  v_ungranted text;
  v_admins text;
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY v_roles LOOP
    CONTINUE WHEN to_regrole(v_role) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;  -- a concurrent release of another database of the cluster created it
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
          DETAIL = format('role %s is missing and %s may not create roles', v_role, session_user),
          HINT = format('ask a role with that right to send: %s; or: ALTER ROLE %I CREATEROLE',
            (SELECT string_agg(format('CREATE ROLE %I NOLOGIN', r.role), '; ' ORDER BY r.place)
             FROM unnest(v_roles) WITH ORDINALITY AS r(role, place) WHERE to_regrole(r.role) IS NULL), session_user);
    END;
  END LOOP;

  -- Roles that somebody else made: what a release grants of them, in one refusal. Up to PostgreSQL 15 CREATEROLE grants
  -- every role; from 16 on the login needs ADMIN of each, which the creator of a role has.
  SELECT string_agg(n.statement, '; ' ORDER BY n.place), string_agg(DISTINCT quote_ident(n.role), ', ')
  INTO v_statements, v_ungranted
  FROM (
    SELECT 1, 'birth_reader', format('GRANT birth_reader TO %s', string_agg(m.role, ', ' ORDER BY m.place))
    FROM unnest(v_acting) WITH ORDINALITY AS m(role, place)
    WHERE NOT (pg_has_role(m.role, 'birth_reader', 'USAGE')
               AND pg_has_role(m.role, 'birth_reader', CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END))
    HAVING count(*) > 0
    UNION ALL
    SELECT 2, 'birth_dba', format('GRANT birth_dba TO %I%s', session_user, CASE WHEN v_options
             THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END)
    WHERE NOT pg_has_role(session_user, 'birth_dba', 'MEMBER')
    UNION ALL
    SELECT 3, r.role, format('GRANT %I TO %I WITH ADMIN %s', r.role, session_user, CASE WHEN v_options
             THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END)
    FROM unnest(ARRAY['birth_definer', 'birth_scanner']) AS r(role)
    WHERE NOT pg_has_role(session_user, r.role, CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END)
  ) AS n(place, role, statement)
  WHERE NOT pg_has_role(session_user, n.role, 'MEMBER WITH ADMIN OPTION')
    AND NOT EXISTS (SELECT FROM pg_roles r
                    WHERE r.rolname = session_user AND (r.rolsuper OR r.rolcreaterole AND NOT v_options));
  IF v_statements IS NOT NULL THEN
    SELECT string_agg(a.name, ', ' ORDER BY a.name) INTO v_admins
    FROM (
      SELECT quote_ident(pg_get_userbyid(m.member)) AS name
      FROM pg_auth_members m
      WHERE m.roleid = ANY (string_to_array(v_ungranted, ', ')::regrole[]::oid[]) AND m.admin_option
      GROUP BY m.member HAVING count(DISTINCT m.roleid) = cardinality(string_to_array(v_ungranted, ', '))
    ) AS a;
    RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
      DETAIL = format('%s may not grant %s, which it did not create', session_user, v_ungranted),
      HINT = format('ask %s to send: %s', concat_ws(' or ', 'a superuser',
        CASE WHEN v_options THEN v_admins ELSE 'a login with CREATEROLE' END), v_statements);
  END IF;

  -- The acting roles are members of birth_reader.
  FOREACH v_role IN ARRAY v_acting LOOP
    CONTINUE WHEN pg_has_role(v_role, 'birth_reader', 'USAGE')
      AND pg_has_role(v_role, 'birth_reader', CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END);
    BEGIN
      EXECUTE format('GRANT birth_reader TO %I %s', v_role, CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN unique_violation THEN
      NULL;  -- a concurrent release of another database of the cluster granted it
    END;
  END LOOP;
END
$roles$;

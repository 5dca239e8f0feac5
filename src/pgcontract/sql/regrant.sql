-- The GRANTs and REVOKEs that restore the privileges on an object, or the memberships of a role: those for a superuser,
-- or for a login with CREATEROLE (from PostgreSQL 16 on, with ADMIN of the role).
-- A privilege is role=PRIVILEGE, a star for the grant option, then (column), or the sequence of a column, or the kind
-- of objects made later. A membership is a role, SUPERUSER or CREATEROLE where it has that, NOINHERIT or NOSET where
-- the membership has that, a star for ADMIN, and "by" with the membership that leads to it. What is "taken" was
-- PostgreSQL's own grant. Roles and columns are quoted in them where they need it, and used as they are.
-- Returns: statements; NULL when there is nothing to do. Nothing for p_owners: an object's owner changes with its
-- privileges. Of a membership in p_kept, which is an array, only ADMIN goes.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@regrant(
    p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $@prefix@regrant$
  WITH entry AS (
    SELECT 'REVOKE' AS verb, unnest(p_added) AS text
    UNION ALL
    SELECT 'GRANT', unnest(p_removed)
  ), privilege AS (
    SELECT CASE WHEN m[6] IS NULL THEN e.verb WHEN e.verb = 'GRANT' THEN 'REVOKE' ELSE 'GRANT' END AS verb,
           m[1] AS grantee, m[2] AS name, m[3] = '*' AS passed_on, m[4] AS column_list,
           m[5] AS sequence_column, m[7] AS class, m[8] AS creator, m[9] AS anywhere, m[10] AS row_type
    FROM entry e
    CROSS JOIN LATERAL regexp_match(e.text,
      '^("(?:[^"]|"")+"|[^"=]+)=([A-Z]+)([*]?)([(](?:"(?:[^"]|"")+"|[^"()]+)[)])?'
      '(?: on the sequence of (.*))?( taken)?(?: by default on new ([A-Za-z]) of ("(?:[^"]|"")+"|[^" ]+)( anywhere)?)?'
      '( on the row type)?$') AS m
    WHERE p_type <> 'ROLE'
  ), membership AS (
    SELECT DISTINCT e.verb, coalesce(m[2], m[1]) AS role,
           e.verb = 'REVOKE' AND coalesce(p_kept ? m[1], false) AS admin
    FROM entry e
    CROSS JOIN LATERAL regexp_match(e.text, '^("(?:[^"]|"")+"|[^ *]+)[ A-Z]*[*]?(?: by (.+))?$') AS m
    WHERE p_type = 'ROLE'
  ), statement AS (
    SELECT v.verb, v.grantee, v.name, concat_ws(' ',
             'ALTER DEFAULT PRIVILEGES FOR ROLE ' || v.creator
               || CASE WHEN v.anywhere IS NULL THEN ' IN SCHEMA ' || p_name ELSE '' END,
             v.verb, v.name || coalesce(' ' || v.column_list, ''), 'ON',
             CASE
               WHEN v.class = 'S' THEN 'SEQUENCES'
               WHEN v.class = 'f' THEN 'ROUTINES'
               WHEN v.class = 'T' THEN 'TYPES'
               WHEN v.class = 'r' THEN 'TABLES'
               WHEN v.class = 'n' THEN 'SCHEMAS'
               WHEN v.class = 'L' THEN 'LARGE OBJECTS'
               WHEN v.row_type IS NOT NULL THEN 'TYPE ' || p_name
               WHEN v.sequence_column IS NOT NULL
                 THEN 'SEQUENCE ' || pg_get_serial_sequence(p_name, v.sequence_column)
               ELSE replace(p_type, 'VIEW', 'TABLE') || ' ' || p_name
             END,
             CASE v.verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, v.grantee,
             CASE WHEN v.passed_on THEN CASE v.verb WHEN 'GRANT' THEN 'WITH GRANT OPTION' ELSE 'CASCADE' END END
           ) AS text
    FROM privilege v
    WHERE v.grantee <> ALL (array_remove(p_owners, NULL))
      -- A sequence that is gone comes back with its column.
      AND (v.sequence_column IS NULL OR pg_get_serial_sequence(p_name, v.sequence_column) IS NOT NULL)
    UNION ALL
    SELECT m.verb, p_name, m.role, concat('GRANT ', m.role, ' TO ', p_name,
             CASE WHEN current_setting('server_version_num')::integer >= 160000
               THEN ' WITH INHERIT TRUE, SET TRUE' END)
    FROM membership m WHERE m.verb = 'GRANT'
    UNION ALL
    -- From PostgreSQL 16 on a membership is revoked of each who granted it.
    SELECT m.verb, p_name, m.role, concat(
             'REVOKE ', CASE WHEN m.admin THEN 'ADMIN OPTION FOR ' END, m.role, ' FROM ', p_name,
             CASE WHEN current_setting('server_version_num')::integer >= 160000
               THEN format(' GRANTED BY %I', pg_get_userbyid(g.grantor)) END)
    FROM membership m
    JOIN pg_auth_members g ON g.roleid = to_regrole(m.role) AND g.member = to_regrole(p_name)
      AND (g.admin_option OR NOT m.admin)
    WHERE m.verb = 'REVOKE'
  )
  SELECT string_agg(s.text, '; ' ORDER BY s.verb DESC, s.grantee, s.name, s.text) FROM statement s;
$@prefix@regrant$;

COMMENT ON FUNCTION @schema@.@prefix@regrant(text, text, text[], text[], text[], jsonb) IS
  'The GRANTs and REVOKEs that restore the privileges on an object or the memberships of a role; NULL when there are '
  'none.@see@';

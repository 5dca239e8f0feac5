-- The statements that give a role the attributes and memberships of the contract: for a superuser, or for a login with
-- CREATEROLE (from PostgreSQL 16 on, with ADMIN of the role). An entry is a role, SUPERUSER or CREATEROLE where it has
-- that, a star for ADMIN, and "by" with the membership that leads to it.
-- Returns: statements; NULL when there is nothing to do.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@rerole(p_role text, p_wanted jsonb, p_live jsonb, p_added text[],
  p_removed text[])
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $@prefix@rerole$
  WITH attribute AS (
    SELECT a.name
    FROM jsonb_array_elements_text(CASE jsonb_typeof(p_live -> 'configuration') WHEN 'array'
      THEN p_live -> 'configuration'
                                   ELSE '[]' END) AS a(name)
    WHERE NOT coalesce(p_wanted -> 'configuration' ? a.name, false)
  ), membership AS (
    -- Of a membership that is wanted only ADMIN goes.
    SELECT DISTINCT e.verb, coalesce(m[2], m[1]) AS role,
           e.verb = 'REVOKE' AND coalesce(p_wanted -> 'privileges' ? m[1], false) AS admin
    FROM (SELECT 'REVOKE' AS verb, unnest(p_added) AS entry UNION ALL SELECT 'GRANT', unnest(p_removed)) e
    CROSS JOIN LATERAL regexp_match(e.entry, '^("(?:[^"]|"")+"|[^ *]+)[ A-Z]*[*]?(?: by (.+))?$') AS m
  )
  SELECT string_agg(s.text, '; ' ORDER BY s.rank, s.text)
  FROM (
    SELECT 1 AS rank, format('CREATE ROLE %s NOLOGIN', p_role) AS text WHERE p_live IS NULL
    UNION ALL
    SELECT 2, format('ALTER ROLE %s %s', p_role,
                     string_agg(CASE a.name WHEN 'NOINHERIT' THEN 'INHERIT' ELSE 'NO' || a.name END, ' '
                       ORDER BY a.name))
    FROM attribute a WHERE NOT starts_with(a.name, 'SET ') HAVING count(*) > 0
    UNION ALL
    SELECT 3, format('ALTER ROLE %s RESET %s', p_role, substring(a.name FROM '^SET ([^=]+)='))
    FROM attribute a WHERE starts_with(a.name, 'SET ')
    UNION ALL
    -- From 16 on a membership is revoked of each who granted it.
    SELECT 4, CASE m.verb
      WHEN 'GRANT' THEN format('GRANT %s TO %s', m.role, p_role)
      ELSE (SELECT string_agg(format('REVOKE %s%s FROM %s%s', CASE WHEN m.admin THEN 'ADMIN OPTION FOR ' END, m.role,
        p_role,
                     CASE WHEN current_setting('server_version_num')::integer >= 160000
                            THEN format(' GRANTED BY %I', pg_get_userbyid(g.grantor)) END), '; ')
            FROM pg_auth_members g
            WHERE g.roleid = to_regrole(m.role) AND g.member = to_regrole(p_role)
              AND (g.admin_option OR NOT m.admin)) END
    FROM membership m
  ) s;
$@prefix@rerole$;

COMMENT ON FUNCTION @schema@.@prefix@rerole(text, jsonb, jsonb, text[], text[]) IS
  'Statements that give a role the attributes and memberships of the contract; NULL when it has them.@see@';

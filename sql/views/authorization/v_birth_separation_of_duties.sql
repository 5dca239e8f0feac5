-- Who could break the separation of duties: logins with roles that one person should not hold together, superusers,
-- whoever can become birth_definer or let somebody, who can write every table, who released, and who acted under
-- another name than today's. Superusers, releasing and new names cannot be prevented; they are listed.
CREATE OR REPLACE VIEW birth.v_birth_separation_of_duties AS
WITH login AS (
  SELECT r.oid, r.rolname::text AS name, r.rolsuper, r.rolcreaterole
  FROM pg_catalog.pg_roles r
  WHERE r.rolcanlogin
), owner AS (
  SELECT r.oid, r.rolname::text AS name FROM pg_catalog.pg_roles r WHERE r.rolname IN ('birth_definer', 'birth_scanner')
), held AS (
  SELECT l.name, array_agg(d.role ORDER BY d.role) AS roles
  FROM login l
  JOIN (VALUES ('birth_steward'), ('birth_operator'), ('birth_reviewer'), ('birth_permit_owner'),
    ('birth_dba')) AS d(role)
    ON to_regrole(d.role) IS NOT NULL AND birth.fn_birth_is_member(l.name::name, d.role)
  WHERE NOT l.rolsuper
  GROUP BY l.name
)
SELECT h.name AS login, 'conflicting roles' AS finding, array_to_string(h.roles, ', ') AS detail,
       format('REVOKE %s FROM %I;', h.roles[2], h.name) AS next_step
FROM held h
WHERE cardinality(ARRAY(SELECT unnest(h.roles) INTERSECT SELECT unnest(ARRAY['birth_operator', 'birth_reviewer',
  'birth_permit_owner', 'birth_dba']))) > 1
UNION ALL
SELECT l.name, 'superuser', 'passes every check of the database', NULL FROM login l WHERE l.rolsuper
UNION ALL
SELECT l.name, 'can become ' || o.name, 'does what every routine of ours may, while it does',
  format('REVOKE %s FROM %I;', o.name, l.name)
FROM login l JOIN owner o ON birth.fn_birth_is_member(l.name::name, o.name)
WHERE NOT l.rolsuper
UNION ALL
SELECT l.name, 'can let others become ' || o.name, coalesce('has ADMIN of ' || a.roles, 'has CREATEROLE'), NULL
FROM login l CROSS JOIN owner o
CROSS JOIN LATERAL (
  -- Of the role itself, or of one that is a member of it: who is let into that one gets there too.
  SELECT string_agg(DISTINCT m.roleid::regrole::text, ', ') AS roles
  FROM pg_catalog.pg_auth_members m
  WHERE m.admin_option AND pg_has_role(l.oid, m.member, 'MEMBER')
    AND (m.roleid = o.oid OR pg_has_role(m.roleid, o.oid, 'MEMBER'))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles s WHERE s.oid = m.roleid AND s.rolsuper)
) a
WHERE NOT l.rolsuper
  -- From 16 on CREATEROLE alone does not suffice.
  AND (a.roles IS NOT NULL OR l.rolcreaterole AND current_setting('server_version_num')::integer < 160000)
UNION ALL
SELECT l.name, p.finding, 'is a member of ' || p.role, format('REVOKE %s FROM %I;', p.role, l.name)
FROM login l
JOIN (VALUES ('pg_write_all_data', 'can write every table'), ('pg_execute_server_program', 'can become the server'),
             ('pg_write_server_files', 'can become the server')) AS p(role, finding)
  ON birth.fn_birth_is_member(l.name::name, p.role)
WHERE NOT l.rolsuper
UNION ALL
SELECT r.released_by, 'released', format('%s, last at %s; may not review what it released',
  string_agg(DISTINCT r.release, ', '), max(r.released_at)), NULL
FROM birth.v_birth_release_history r
GROUP BY r.released_by
UNION ALL
-- In this cluster, where the OID tells: a login that was renamed, and one that has the name of an earlier login.
SELECT l.name, CASE WHEN a.actor = l.name THEN 'has the name of an earlier login' ELSE 'acted under another name' END,
       format('%s acts as %s, last at %s; is one person with it', a.acts, a.actor, a.last_at), NULL
FROM login l
CROSS JOIN pg_control_system() s
JOIN (SELECT x.actor, x.actor_id, count(*) AS acts, max(x.acted_at) AS last_at FROM birth.birth_act x GROUP BY x.actor,
  x.actor_id) a
  ON (a.actor = l.name) <> (a.actor_id = format('%s:%s', s.system_identifier, l.oid))
    AND starts_with(a.actor_id, s.system_identifier || ':');

COMMENT ON VIEW birth.v_birth_separation_of_duties IS
  'Logins with conflicting roles, superusers, who can become birth_definer or let others, who released, and who acted '
  'under another name. Specification: 2, 9, R16.';

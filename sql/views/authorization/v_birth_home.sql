-- Whether this database is the one whose permits these are: what it is, against the last confirmation, a release's or a
-- DBA's. It is told by what a restore or a clone cannot take along, and a failover or a new name leaves as it is: the
-- cluster's system identifier and the database's OID; a dump restored over its own database makes the permits' table
-- anew, so that counts too. The name and the timeline of the server's log decide nothing. The last confirmation is the
-- newest act: an act is later than every act before it, also when the server's clock went back.
CREATE OR REPLACE VIEW birth.v_birth_home AS
SELECT coalesce(c.home - ARRAY['name', 'timeline'] = h.home - 'name', false) AS confirmed,
       h.home, (SELECT w.timeline_id FROM pg_control_checkpoint() w) AS timeline,
       c.home - 'timeline' AS confirmed_home, (c.home ->> 'timeline')::integer AS confirmed_timeline, c.confirmed_at,
         c.confirmed_by, c.reason
FROM (
  SELECT jsonb_build_object('cluster', s.system_identifier::text, 'database', d.oid::bigint,
           'permits', to_regclass('birth.birth_admission_permit_v2')::oid::bigint, 'name', d.datname) AS home
  FROM pg_control_system() s JOIN pg_catalog.pg_database d ON d.datname = current_database()
) h
LEFT JOIN (
  SELECT a.detail - 'clock_behind' AS home, a.acted_at AS confirmed_at, a.actor AS confirmed_by, a.reason
  FROM birth.birth_act a
  WHERE a.act = 'home'
  ORDER BY a.acted_at DESC, a.act_id DESC
  LIMIT 1
) c ON true;

COMMENT ON VIEW birth.v_birth_home IS
  'Whether this database was confirmed as the one that spends its permits: what it is, what was confirmed, when, by '
  'whom and why. One row.';

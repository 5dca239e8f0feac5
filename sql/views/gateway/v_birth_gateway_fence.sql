-- Does the current rule of a collection (policy, mode, identity) hold for every transaction that can still commit?
-- A transaction that inserted before the rule changed may still commit rows under the earlier rule.
-- The rule holds when all those transactions have ended.
--
-- The transaction id of the change is no bound: a transaction with a higher id may have read the earlier rule before
-- the change was committed. Therefore fn_birth_gateway_fence records the id of a transaction that started after the
-- change was committed. The rule holds when no transaction with a lower id is open.
--
-- Attaching a gateway locks the table and waits for its writers, so it holds at once. Transaction ids of another
-- cluster are not compared. A transaction without an id has not written yet; if its snapshot is older than the change,
-- its inserts are refused (40001).
CREATE OR REPLACE VIEW birth.v_birth_gateway_fence AS
WITH open AS (
  SELECT a.backend_xid AS xid, format('session %s of %s', a.pid, a.usename) AS who,
         format('SELECT pg_catalog.pg_terminate_backend(%s);  -- or wait until it ends', a.pid) AS next_step
  FROM pg_catalog.pg_stat_activity a WHERE a.backend_xid IS NOT NULL
  UNION ALL
  SELECT p.transaction, format('prepared transaction %L of %s', p.gid, p.owner),
         format('ROLLBACK PREPARED %L;  -- or COMMIT PREPARED, as %s or a superuser, in database %s',
                p.gid, p.owner, p.database)
  FROM pg_catalog.pg_prepared_xacts p
)
SELECT c.collection_name, c.coverage_status, c.gateway_mode, c.rule_version, f.fence_xid, f.recorded_at,
       coalesce(f.immediate OR pg_snapshot_xmin(pg_current_snapshot()) >= f.fence_xid, false) AS holds,
       o.waits_for, o.next_step
FROM birth.collection_registry c
LEFT JOIN LATERAL (
  SELECT a.act = 'attach' AS immediate, (a.detail ->> 'xid')::xid8 AS fence_xid, a.acted_at AS recorded_at
  FROM birth.birth_act a
  WHERE a.collection_name = c.collection_name AND a.act IN ('attach', 'fence')
    AND (a.detail ->> 'rule_version')::bigint = c.rule_version
    AND (a.act = 'attach' OR a.detail ->> 'cluster' = (SELECT s.system_identifier::text FROM pg_control_system() s))
  -- Each of them is a valid fence. Take an attach if there is one, else the lowest id, which holds first.
  ORDER BY (a.detail ->> 'xid')::xid8 NULLS FIRST
  LIMIT 1
) f ON true
LEFT JOIN LATERAL (
  SELECT array_agg(w.who ORDER BY w.age DESC) AS waits_for,
         (array_agg(w.next_step ORDER BY w.age DESC))[1] AS next_step
  FROM (SELECT n.who, n.next_step, age(n.xid) AS age FROM open n WHERE age(n.xid) > age(f.fence_xid::xid)) w
) o ON NOT f.immediate AND pg_snapshot_xmin(pg_current_snapshot()) < f.fence_xid;

COMMENT ON VIEW birth.v_birth_gateway_fence IS
  'Whether policy, mode and identity of each collection hold for every transaction that can still commit (holds), from '
  'which transaction id on (fence_xid; NULL: no fence recorded, or attached after the change), and which older '
  'transactions are still open (waits_for). Specification: 5.';

-- Since when a collection's rule holds: its policy, mode and identity as they are now. A transaction that inserted before the
-- last change was committed may still commit rows under the earlier rule; the change holds when every one of these is over.
-- Its own transaction number is no bound: a transaction with a higher one may have read the earlier rule, too, before it
-- committed. So fn_birth_gateway_fence records the number of a transaction that was begun afterwards, and the rule holds
-- when no transaction with a lower one is open. A table's gateway is attached under a lock that waits for its writers: it
-- holds at once. The numbers of another cluster mean nothing here, and are not compared.
-- A transaction without a number wrote nothing yet; what it inserts under an old snapshot is refused (40001).
CREATE OR REPLACE VIEW birth.v_birth_gateway_fence AS
WITH open AS (
  SELECT a.backend_xid AS xid, format('session %s of %s', a.pid, a.usename) AS who,
         format('SELECT pg_catalog.pg_terminate_backend(%s);  -- or wait until it ends', a.pid) AS next_step
  FROM pg_catalog.pg_stat_activity a WHERE a.backend_xid IS NOT NULL
  UNION ALL
  SELECT p.transaction, format('prepared transaction %L of %s', p.gid, p.owner),
         format('ROLLBACK PREPARED %L;  -- or COMMIT PREPARED, as %s or a superuser, in database %s', p.gid, p.owner, p.database)
  FROM pg_catalog.pg_prepared_xacts p
)
SELECT c.collection_name, c.coverage_status, c.gateway_mode, c.rule_version, f.fence_xid, f.recorded_at,
       coalesce(f.immediate OR pg_snapshot_xmin(pg_current_snapshot()) >= f.fence_xid, false) AS holds,
       o.waits_for, o.next_step
FROM birth.collection_registry c
LEFT JOIN LATERAL (
  SELECT a.act = 'attach' AS immediate, (a.detail ->> 'xid')::xid8 AS fence_xid, a.acted_at AS recorded_at
  FROM birth.birth_act a
  WHERE a.collection_name = c.collection_name AND a.act IN ('attach', 'fence') AND (a.detail ->> 'rule_version')::bigint = c.rule_version
    AND (a.act = 'attach' OR a.detail ->> 'cluster' = (SELECT s.system_identifier::text FROM pg_control_system() s))
  -- Any one will do: that of an attach, else the lowest.
  ORDER BY (a.detail ->> 'xid')::xid8 NULLS FIRST
  LIMIT 1
) f ON true
LEFT JOIN LATERAL (
  SELECT array_agg(w.who ORDER BY w.age DESC) AS waits_for, (array_agg(w.next_step ORDER BY w.age DESC))[1] AS next_step
  FROM (SELECT n.who, n.next_step, age(n.xid) AS age FROM open n WHERE age(n.xid) > age(f.fence_xid::xid)) w
) o ON NOT f.immediate AND pg_snapshot_xmin(pg_current_snapshot()) < f.fence_xid;

COMMENT ON VIEW birth.v_birth_gateway_fence IS
  'Whether policy, mode and identity of each collection hold for every transaction that can still commit (holds), since which fence (fence_xid; NULL: none recorded, or attached since), and who is still open from before (waits_for). Specification: 5.';

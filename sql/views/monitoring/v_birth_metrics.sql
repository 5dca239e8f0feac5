-- Metrics for exporters: name, labels, value. Values that would need a scan are estimates from the statistics, whose
-- names end in _estimate, or those of the last census on record, birth_census_....
-- What an alert asks is there with 0 before anything happened: an expression over a series that is absent never fires.
-- Labels are names of collections and schemas, and words of fixed lists: no run, login or code, which would make a
-- series each.
CREATE OR REPLACE VIEW birth.v_birth_metrics AS
-- An exporter that cannot read any more may go on showing what it read last.
SELECT 'birth_metrics_timestamp_seconds' AS name, '{}'::jsonb AS labels,
       extract(epoch FROM clock_timestamp())::bigint::numeric AS value
UNION ALL
SELECT 'birth_registry_births_estimate' AS name, '{}'::jsonb, greatest(c.reltuples, 0)::numeric
FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('birth.birth_registry')
UNION ALL
SELECT 'birth_collections', jsonb_build_object('coverage_status', c.coverage_status, 'governed', c.governed),
       count(*)::numeric
FROM birth.collection_registry c GROUP BY c.coverage_status, c.governed
UNION ALL
SELECT 'birth_runs', jsonb_build_object('status', s.status), count(l.run_id)::numeric
FROM (VALUES ('planned'), ('running'), ('stopped'), ('failed'), ('done'), ('compensated')) AS s(status)
LEFT JOIN birth.birth_backfill_ledger_v2 l ON l.status = s.status
GROUP BY s.status
UNION ALL
-- Of the runs that attention names: a later one has not taken their place. 0 when there is none.
SELECT 'birth_oldest_stopped_run_seconds', '{}'::jsonb,
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(coalesce(l.last_batch_at, l.started_at)))::bigint,
                         0), 0)::numeric
FROM birth.birth_backfill_ledger_v2 l
WHERE l.status = 'stopped' AND NOT EXISTS (
  SELECT FROM birth.birth_backfill_ledger_v2 f
  WHERE f.predecessor = l.run_id
     OR f.collection_name = l.collection_name AND f.purpose = l.purpose AND f.status = 'done'
        AND f.finished_at > l.planned_at)
UNION ALL
SELECT m.name, jsonb_build_object('collection', p.collection_name, 'purpose', p.purpose), sum(m.value)::numeric
FROM birth.v_birth_run_progress p
CROSS JOIN LATERAL (VALUES ('birth_run_rows_done', p.rows_done), ('birth_run_rows_target', p.rows_target)
) AS m(name, value)
WHERE p.status = 'running'
GROUP BY m.name, p.collection_name, p.purpose
UNION ALL
SELECT 'birth_backfilled_births_total', '{}'::jsonb,
       coalesce(sum(CASE r.purpose WHEN 'APPLY' THEN r.written ELSE - r.written END), 0)
FROM birth.birth_receipt r JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = r.run_id AND l.purpose = 'APPLY'
UNION ALL
SELECT m.name, jsonb_build_object('window', s.window_name), m.value
FROM birth.v_birth_spike s
CROSS JOIN LATERAL (VALUES ('birth_live_births', s.live_births), ('birth_live_births_norm', s.norm)) AS m(name, value)
UNION ALL
SELECT 'birth_permits_open', '{}'::jsonb, count(*)::numeric
FROM birth.birth_admission_permit_v2 p WHERE p.status = 'OPEN' AND p.expires_at > birth.fn_birth_clock()
UNION ALL
SELECT m.name, jsonb_build_object('purpose', k.purpose), m.value
FROM (VALUES ('APPLY'), ('COMPENSATE'), ('TRANSITION'), ('DEATH')) AS k(purpose)
CROSS JOIN LATERAL (
  SELECT coalesce(sum(p.spent_rows), 0) AS spent,
         coalesce(sum(p.max_rows - p.spent_rows)
                  FILTER (WHERE p.status = 'OPEN' AND p.expires_at > birth.fn_birth_clock()), 0) AS unspent
  FROM birth.birth_admission_permit_v2 p WHERE p.purpose = k.purpose
) s
CROSS JOIN LATERAL (VALUES ('birth_permit_rows_spent_total', s.spent), ('birth_permit_rows_unspent', s.unspent)
) AS m(name, value)
UNION ALL
SELECT 'birth_contract_drifted', jsonb_build_object('blocks', b.blocks), count(d.check_name)::numeric
FROM (VALUES (true), (false)) AS b(blocks)
LEFT JOIN birth.v_birth_gateway_release_drift_guard d ON NOT d.pass AND d.blocks = b.blocks
GROUP BY b.blocks
UNION ALL
SELECT 'birth_stage0_checks_failed', '{}'::jsonb, count(*)::numeric
FROM birth.v_birth_stage0_still_enforced_guard g WHERE g.pass IS NOT TRUE
UNION ALL
SELECT 'birth_gateway_triggers', jsonb_build_object('enabled', g.enabled), count(*)::numeric
FROM birth.v_birth_gateway_trigger g GROUP BY g.enabled
UNION ALL
SELECT 'birth_gateway_findings_rows_total', jsonb_build_object('error', f.error), sum(f.row_count)
FROM birth.v_birth_gateway_finding f GROUP BY f.error
UNION ALL
-- Whether the registered table has a gateway that fires for every row.
SELECT 'birth_collection_gateway', jsonb_build_object('collection', c.collection_name, 'mode', c.gateway_mode),
       count(*) FILTER (WHERE g.enabled AND n.nspname = c.schema_name AND t.relname = c.table_name
                          AND g.collection_name = c.collection_name)::numeric
FROM birth.collection_registry c
LEFT JOIN (birth.v_birth_gateway_trigger g
           JOIN pg_catalog.pg_class t ON t.oid = g.relation
           JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace)
  ON g.collection_name = c.collection_name
WHERE c.coverage_status = 'BIRTH_REQUIRED'
GROUP BY c.collection_name, c.gateway_mode
UNION ALL
SELECT 'birth_collection_findings_rows', jsonb_build_object('collection', c.collection_name),
       coalesce(sum(f.row_count), 0)
FROM birth.collection_registry c
LEFT JOIN birth.v_birth_gateway_finding f ON f.collection_name = c.collection_name
WHERE c.coverage_status NOT LIKE 'BIRTH_EXEMPT%'
GROUP BY c.collection_name
UNION ALL
-- The last census on record. 0 as its time: there is none. What it could not count failed, and is 0 here.
SELECT m.name, jsonb_build_object('collection', c.collection_name), coalesce(m.value, 0)::numeric
FROM birth.collection_registry c
LEFT JOIN LATERAL (
  SELECT (a.detail ->> 'births')::bigint AS births, (a.detail ->> 'dead')::bigint AS dead,
         (a.detail ->> 'unexplained')::bigint AS unexplained, (a.detail ->> 'unborn')::bigint AS unborn,
         (SELECT count(*) FROM jsonb_array_elements(a.detail -> 'checks') k
          WHERE (k ->> 'pass')::boolean IS NOT TRUE) AS failed,
         a.acted_at
  FROM birth.birth_act a
  WHERE a.collection_name = c.collection_name AND a.act = 'census' AND a.detail ? 'births'
  ORDER BY a.acted_at DESC LIMIT 1
) k ON true
CROSS JOIN LATERAL (VALUES
  ('birth_census_living', k.births - k.dead - k.unexplained), ('birth_census_dead', k.dead),
  ('birth_census_unexplained', k.unexplained), ('birth_census_births', k.births), ('birth_census_missing', k.unborn),
  ('birth_census_checks_failed', k.failed),
  ('birth_census_timestamp_seconds', extract(epoch FROM k.acted_at)::bigint)
) AS m(name, value)
WHERE c.coverage_status = 'BIRTH_REQUIRED'
UNION ALL
SELECT 'birth_gate_tables', jsonb_build_object('schema', g.schema_name, 'state', g.state), count(*)::numeric
FROM birth.v_birth_gate g GROUP BY g.schema_name, g.state
UNION ALL
SELECT 'birth_trigger_guard_alerts_total', '{}'::jsonb, count(*)::numeric FROM birth.fn_birth_alerts()
UNION ALL
SELECT 'birth_dots_frozen', jsonb_build_object('dangerous', d.dangerous), count(*)::numeric
FROM birth.v_birth_dot_status d WHERE d.frozen GROUP BY d.dangerous;

COMMENT ON VIEW birth.v_birth_metrics IS 'Metrics for exporters: name, labels, value. Specification: 2.';

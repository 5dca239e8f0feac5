-- Metrics for exporters: name, labels, value. Values that would need a scan are estimates from the statistics, whose
-- names end in _estimate, or those of the last census on record, birth_census_....
CREATE OR REPLACE VIEW birth.v_birth_metrics AS
SELECT 'birth_registry_births_estimate' AS name, '{}'::jsonb AS labels, greatest(c.reltuples, 0)::numeric AS value
FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('birth.birth_registry')
UNION ALL
SELECT 'birth_collections', jsonb_build_object('coverage_status', c.coverage_status, 'governed', c.governed),
       count(*)::numeric
FROM birth.collection_registry c GROUP BY c.coverage_status, c.governed
UNION ALL
SELECT 'birth_runs', jsonb_build_object('status', l.status), count(*)::numeric
FROM birth.birth_backfill_ledger_v2 l GROUP BY l.status
UNION ALL
SELECT m.name, jsonb_build_object('run_id', p.run_id, 'collection', p.collection_name, 'purpose', p.purpose),
       m.value::numeric
FROM birth.v_birth_run_progress p
CROSS JOIN LATERAL (VALUES ('birth_run_rows_done', p.rows_done), ('birth_run_rows_target', p.rows_target)
) AS m(name, value)
WHERE p.status = 'running'
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
SELECT 'birth_contract_drifted', jsonb_build_object('blocks', d.blocks), count(*)::numeric
FROM birth.v_birth_gateway_release_drift_guard d WHERE NOT d.pass GROUP BY d.blocks
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
SELECT m.name, jsonb_build_object('collection', l.collection_name), m.value::numeric
FROM birth.v_birth_life l
CROSS JOIN LATERAL (VALUES
  ('birth_census_living', l.living), ('birth_census_dead', l.dead), ('birth_census_unexplained', l.unexplained),
  ('birth_census_timestamp_seconds', extract(epoch FROM l.counted_at)::bigint)
) AS m(name, value)
WHERE l.counted_at IS NOT NULL
UNION ALL
SELECT 'birth_gate_tables', jsonb_build_object('schema', g.schema_name, 'state', g.state), count(*)::numeric
FROM birth.v_birth_gate g GROUP BY g.schema_name, g.state
UNION ALL
SELECT 'birth_trigger_guard_alerts_total', '{}'::jsonb, count(*)::numeric FROM birth.fn_birth_alerts()
UNION ALL
SELECT 'birth_dots_frozen', jsonb_build_object('dangerous', d.dangerous), count(*)::numeric
FROM birth.v_birth_dot_status d WHERE d.frozen GROUP BY d.dangerous;

COMMENT ON VIEW birth.v_birth_metrics IS 'Metrics for exporters: name, labels, value. Specification: 2.';

-- One row per collection: policy, identity, table and gateway. The counts of a preflight can be taken from this view.
CREATE OR REPLACE VIEW birth.v_birth_metadata_compatibility AS
SELECT c.collection_name, c.schema_name::text AS schema_name, c.table_name::text AS table_name,
       c.coverage_status, c.governed,
       c.birth_code_strategy AS strategy, s.status AS identity_status, s.reason AS identity_reason,
       s.relation IS NOT NULL AS has_table,
       EXISTS (
         SELECT FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = s.relation AND a.attname = 'status' AND a.attnum > 0 AND NOT a.attisdropped
       ) AS native_status_column,
       coalesce(g.triggers, 0) AS gateway_triggers,
       coalesce(g.enabled, 0) AS gateway_enabled,
       coalesce(g.auto_id, false) AS auto_id,
       c.gateway_mode,
       c.coverage_status = 'BIRTH_REQUIRED' AND c.birth_code_strategy IS NULL AS needs_owner,
       CASE WHEN s.status LIKE 'ELIGIBLE%' AND c.birth_code_sql IS NULL THEN 'classify again' END AS repair
FROM birth.collection_registry c
CROSS JOIN LATERAL birth.fn_birth_identity_definition(c.collection_name) s
LEFT JOIN (
  SELECT t.relation, count(*) AS triggers, count(*) FILTER (WHERE t.enabled) AS enabled,
         bool_or(t.routine = 'fn_birth_registry_auto_id') AS auto_id
  FROM birth.v_birth_gateway_trigger t
  GROUP BY t.relation
) g ON g.relation = s.relation;

COMMENT ON VIEW birth.v_birth_metadata_compatibility IS
  'Policy, identity, table and gateway of each collection, one row per collection. Specification: 2, 4.';

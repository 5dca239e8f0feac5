-- The later stages left the guarantees of stage 2 intact. Coverage counts the collections known when stage 2 was
-- released: at least as many are required, none became exempt, and those that left review became required.
-- QT-002: no required table lost its gateway.
CREATE OR REPLACE VIEW birth.v_birth_stage2_no_worse_guard AS
WITH coverage AS (
  SELECT min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_REQUIRED') AS required,
         min(c.now) FILTER (WHERE c.policy = 'BIRTH_REQUIRED') AS required_now,
         min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_DEFERRED_NEEDS_REVIEW') AS deferred,
         min(c.now) FILTER (WHERE c.policy = 'BIRTH_DEFERRED_NEEDS_REVIEW') AS deferred_now,
         min(c.recorded) FILTER (WHERE c.policy = 'BIRTH_EXEMPT_') AS exempt,
         min(c.now) FILTER (WHERE c.policy = 'BIRTH_EXEMPT_') AS exempt_now
  FROM birth.v_birth_coverage_since_anchor c
  WHERE c.stage = 'stage2'
), lost AS (
  SELECT count(*) AS collections, string_agg(r.collection_name, ', ' ORDER BY r.collection_name) AS names
  FROM birth.birth_stage_anchor a
  CROSS JOIN LATERAL jsonb_array_elements_text(a.value::jsonb) AS known(collection_name)
  JOIN birth.collection_registry r
    ON r.collection_name = known.collection_name AND r.coverage_status = 'BIRTH_REQUIRED'
  WHERE a.stage = 'stage2' AND a.subject = 'gateway.required'
    -- By the catalogue: to_regclass needs USAGE on the schema, which a birth_reader may lack.
    AND EXISTS (SELECT FROM pg_catalog.pg_class k JOIN pg_catalog.pg_namespace s ON s.oid = k.relnamespace
                WHERE s.nspname = r.schema_name AND k.relname = r.table_name)
    AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                    WHERE g.collection_name = r.collection_name AND g.enabled)
)
SELECT 'BIRTH_REQUIRED' AS check_name, c.required_now::text AS found, c.required::text AS expected,
       coalesce(c.required_now >= c.required, false) AS pass
FROM coverage c
UNION ALL
SELECT 'BIRTH_DEFERRED_NEEDS_REVIEW', c.deferred_now::text, c.deferred::text,
       coalesce(c.deferred_now + c.required_now >= c.deferred + c.required, false)
FROM coverage c
UNION ALL
SELECT 'BIRTH_EXEMPT', c.exempt_now::text, c.exempt::text, coalesce(c.exempt_now <= c.exempt, false)
FROM coverage c
UNION ALL
SELECT 'QT-002 compatible: required tables that lost their gateway', coalesce(l.names, '0'), '0',
       l.collections = 0
         AND EXISTS (SELECT FROM birth.birth_stage_anchor s WHERE s.stage = 'stage2' AND s.subject = 'gateway.required')
FROM lost l
UNION ALL
SELECT 'gateway functions unchanged since stage 0', count(*) FILTER (WHERE g.pass)::text, '2',
       count(*) FILTER (WHERE g.pass) = 2
FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
SELECT 'open permits in birth_admission_permit', count(p.permit_id)::text, coalesce(min(a.value), 'not recorded'),
       coalesce(count(p.permit_id)::text = min(a.value), false)
FROM birth.birth_stage_anchor a
LEFT JOIN birth.birth_admission_permit p ON p.status = 'OPEN'
WHERE a.stage = 'stage2' AND a.subject = 'permits.open';

COMMENT ON VIEW birth.v_birth_stage2_no_worse_guard IS
  'Guard of stage 2, six checks: coverage, live births, gateway and permits are no worse than recorded. '
  'Specification: 2, 3.';

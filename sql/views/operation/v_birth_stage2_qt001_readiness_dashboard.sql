-- How ready QT-001 is. The gate is derived from the figures above it, so that it cannot go stale. Permits and ledger
-- are those of stage2_5, and a permit past its expiry is not an open one.
CREATE OR REPLACE VIEW birth.v_birth_stage2_qt001_readiness_dashboard AS
WITH counted AS (
  SELECT (SELECT count(*) FROM birth.collection_registry c WHERE c.coverage_status = 'BIRTH_REQUIRED') AS required,
         (SELECT count(*)
          FROM birth.collection_registry c CROSS JOIN LATERAL birth.fn_birth_identity_definition(c.collection_name) d
          WHERE c.coverage_status = 'BIRTH_REQUIRED' AND starts_with(d.status, 'ELIGIBLE_')) AS resolvable,
         (SELECT count(*) FROM birth.birth_admission_permit_v2 p WHERE p.status = 'OPEN'
          AND p.purpose = 'APPLY' AND p.expires_at > birth.fn_birth_clock()) AS permits,
         to_regclass('birth.birth_admission_permit_v2') IS NOT NULL AS permit_table,
         to_regclass('birth.birth_backfill_ledger_v2') IS NOT NULL AS ledger_table,
         (SELECT count(*) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          AND n.nspname = 'birth'
          WHERE p.proname = 'fn_birth_register') AS register,
         (SELECT count(DISTINCT p.proname) FROM pg_catalog.pg_proc p
          JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'birth'
          WHERE p.proname IN ('fn_dot_birth_qt001_plan', 'fn_dot_birth_qt001_apply',
            'sp_dot_birth_qt001_apply')) = 3 AS writer
)
SELECT m.metric, m.value
FROM counted c
CROSS JOIN LATERAL (VALUES
  ('birth_required_total', c.required::text),
  ('identity_resolvable_now', c.resolvable::text),
  ('identity_unclassified_blockers', (c.required - c.resolvable)::text),
  ('admission_permit_table', CASE WHEN c.permit_table THEN 'present' ELSE 'absent' END),
  ('open_permits', c.permits::text),
  ('backfill_ledger_table', CASE WHEN c.ledger_table THEN 'present' ELSE 'absent' END),
  ('shared_register_fn', CASE WHEN c.register = 1 THEN 'present' ELSE 'absent' END),
  ('apply_writer', CASE WHEN c.writer THEN 'present' ELSE 'absent' END),
  ('qt001_gate', coalesce('BLOCKED_UNTIL_' || nullif(concat_ws('_AND_',
    CASE WHEN c.required > c.resolvable THEN (c.required - c.resolvable)::text || '_IDENTITIES_RESOLVED'
         WHEN NOT c.writer THEN 'WRITER_RELEASED' END,
    CASE WHEN c.permits = 0 THEN 'PERMIT_OPENED' END), ''), 'OPEN_FOR_PERMITTED_RUNS'))
) AS m(metric, value);

COMMENT ON VIEW birth.v_birth_stage2_qt001_readiness_dashboard IS
  'How ready QT-001 is: required, resolvable and blocked identities, permits, objects, and the gate that follows from '
  'them. Specification: 2.';

-- Stage 0: the bodies of both gateway functions are byte for byte those that stage 0 recorded.
CREATE OR REPLACE VIEW birth.v_birth_gateway_ssot_drift_detector AS
SELECT g.name AS check_name,
       coalesce(p.sha256, 'missing') AS found,
       coalesce(a.value, 'not recorded') AS expected,
       coalesce(p.sha256 = a.value, false) AS pass
FROM unnest(ARRAY['fn_birth_registry_auto', 'fn_birth_registry_auto_id']) AS g(name)
LEFT JOIN birth.birth_stage_anchor a ON a.stage = 'stage0' AND a.subject = 'body.' || g.name
LEFT JOIN LATERAL (
  SELECT encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex') AS sha256
  FROM pg_catalog.pg_proc f
  JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace AND n.nspname = 'birth'
  WHERE f.proname = g.name AND f.pronargs = 0
) p ON true;

COMMENT ON VIEW birth.v_birth_gateway_ssot_drift_detector IS
  'Guard of stage 0: the SHA-256 of both gateway function bodies against the values that stage 0 recorded. '
  'Specification: 2, 3.';

-- Stage 0: the old gateway function, which has no guard for exempt collections and which DOT-119 would install, is not
-- in this database. Each gateway function exists once and in schema birth, so no trigger can call another one.
CREATE OR REPLACE VIEW birth.v_birth_stage0_no_old_function_guard AS
SELECT 'routines with the old gateway body' AS check_name,
       count(*)::text AS found,
       '0' AS expected,
       count(*) = 0 AND EXISTS (
         SELECT FROM birth.birth_stage_anchor s WHERE s.stage = 'stage0' AND s.subject = 'body.old_gateway') AS pass
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
JOIN birth.birth_stage_anchor a ON a.stage = 'stage0' AND a.subject = 'body.old_gateway'
WHERE p.prorettype = 'pg_catalog.trigger'::regtype
  AND encode(sha256(convert_to(translate(p.prosrc, E' \t\n\r', ''), 'UTF8')), 'hex') = a.value
UNION ALL
SELECT 'functions named ' || g.name,
       coalesce(
         string_agg(format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
                    ', ' ORDER BY n.nspname, pg_get_function_identity_arguments(p.oid)),
         'none'),
       'birth.' || g.name || '()',
       count(p.oid) = 1 AND min(n.nspname::text) = 'birth' AND min(p.pronargs) = 0
FROM unnest(ARRAY['fn_birth_registry_auto', 'fn_birth_registry_auto_id']) AS g(name)
LEFT JOIN pg_catalog.pg_proc p ON p.proname = g.name
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
GROUP BY g.name;

COMMENT ON VIEW birth.v_birth_stage0_no_old_function_guard IS
  'Guard of stage 0: no routine has the old gateway body, and each gateway function exists once. Specification: 3.';

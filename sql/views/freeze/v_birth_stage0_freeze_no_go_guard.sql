-- Stage 0: the dangerous operations cannot run. One row per dangerous DOT; each row checks three facts: the routine has
-- the recorded body, which always refuses; no role but birth_definer has the privileges to do the same by hand; the DOT
-- is frozen.
CREATE OR REPLACE VIEW birth.v_birth_stage0_freeze_no_go_guard AS
WITH body AS (
  SELECT d.dot_name, count(p.oid) AS routines,
         min(encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')) = min(a.value) AS refuses
  FROM birth.dot_registry d
  LEFT JOIN pg_catalog.pg_proc p
    ON p.proname = d.routine
   AND p.pronamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'birth')
  LEFT JOIN birth.birth_stage_anchor a ON a.stage = 'stage0' AND a.subject = 'body.' || d.routine
  WHERE d.dangerous
  GROUP BY d.dot_name
), door AS (
  SELECT CASE WHEN x.grantee = 0::oid THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END
         || ' may insert into birth_registry' AS open
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'birth'
  CROSS JOIN LATERAL (
    SELECT t.grantee, t.privilege_type FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) t
    UNION ALL
    SELECT k.grantee, k.privilege_type FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) k
    WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL
    UNION ALL
    SELECT c.relowner, 'INSERT'::text AS privilege_type
  ) x
  WHERE c.relname = 'birth_registry' AND x.privilege_type = 'INSERT'
    AND pg_get_userbyid(x.grantee) <> 'birth_definer'
  UNION
  SELECT CASE WHEN x.grantee = 0::oid THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee)::text END
         || ' may create in schema birth'
  FROM pg_catalog.pg_namespace n
  CROSS JOIN LATERAL (
    SELECT t.grantee, t.privilege_type FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) t
    UNION ALL
    SELECT n.nspowner, 'CREATE'::text AS privilege_type
  ) x
  WHERE n.nspname = 'birth' AND x.privilege_type = 'CREATE' AND pg_get_userbyid(x.grantee) <> 'birth_definer'
  UNION
  SELECT pg_get_userbyid(p.proowner)::text || ' owns ' || p.proname::text
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'birth'
  WHERE p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
    AND pg_get_userbyid(p.proowner) <> 'birth_definer'
), doors AS (
  SELECT coalesce(string_agg(d.open, ', ' ORDER BY d.open), 'only birth_definer has the privileges') AS held
  FROM door d
), found AS (
  SELECT s.dot_name, s.dot_code,
         concat_ws('; ',
           CASE WHEN b.routines = 0 THEN 'the routine is missing'
                WHEN b.routines > 1 THEN 'the routine is overloaded'
                WHEN b.refuses THEN 'the routine has the recorded body, which refuses'
                ELSE 'the body of the routine differs from the recorded one' END,
           doors.held,
           CASE WHEN s.frozen THEN 'frozen' ELSE 'not frozen' END) AS found
  FROM birth.v_birth_dot_status s
  JOIN body b ON b.dot_name = s.dot_name
  CROSS JOIN doors
  WHERE s.dangerous
)
SELECT concat_ws(' ', f.dot_code, f.dot_name) AS check_name, f.found,
       e.expected,
       f.found = e.expected AS pass
FROM found f
CROSS JOIN (
  VALUES ('the routine has the recorded body, which refuses; only birth_definer has the privileges; frozen')
) AS e(expected);

COMMENT ON VIEW birth.v_birth_stage0_freeze_no_go_guard IS
  'Guard of stage 0, one row per dangerous DOT: it cannot run, as the body of its routine, the privileges and '
  'the freeze show. Specification: 2, 3.';

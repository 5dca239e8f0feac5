-- What GRANT, REVOKE or ALTER DEFAULT PRIVILEGES has just let in: the command does not say on what, so it is found by the catalogue rows that the
-- transaction wrote. Nothing is stopped, and only what the contract calls a blocking difference is recorded: a grant that lets somebody read,
-- or a REVOKE, lets nothing in, and must not keep a run from its end.
-- Returns: one row an object.
-- Calls: fn_birth_guard_since, fn_birth_contract_drift
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_guard_privileges()
  RETURNS TABLE (stopped boolean, object text, detail text)
  LANGUAGE plpgsql
  VOLATILE
  ROWS 1
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_guard_privileges$
DECLARE
  v_schema CONSTANT oid := to_regnamespace('birth');
  v_own CONSTANT bigint := pg_current_xact_id()::text::bigint;
  v_objects text[];
BEGIN
  WITH member AS (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = v_schema AND d.refobjsubid = 0
  ), written AS (
    SELECT n.nspname::text AS object, n.xmin FROM pg_namespace n WHERE n.oid = v_schema
    UNION ALL
    SELECT 'birth', d.xmin FROM pg_default_acl d WHERE d.defaclnamespace = v_schema
    UNION ALL
    SELECT substr(p.oid::regprocedure::text, 7), p.xmin FROM member m JOIN pg_proc p ON p.oid = m.objid WHERE m.classid = 'pg_proc'::regclass
    UNION ALL
    -- The privileges of a sequence stand with the table whose column it counts.
    SELECT quote_ident(coalesce(t.relname, c.relname)), c.xmin
    FROM member m
    JOIN pg_class c ON c.oid = m.objid
    LEFT JOIN pg_depend s ON c.relkind = 'S' AND s.classid = 'pg_class'::regclass AND s.objid = c.oid AND s.refclassid = 'pg_class'::regclass AND s.deptype IN ('a', 'i')
    LEFT JOIN pg_class t ON t.oid = s.refobjid
    WHERE m.classid = 'pg_class'::regclass
    UNION ALL
    SELECT quote_ident(c.relname), a.xmin
    FROM member m JOIN pg_class c ON c.oid = m.objid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    WHERE m.classid = 'pg_class'::regclass
  )
  SELECT array_agg(DISTINCT w.object) INTO v_objects
  FROM written w
  -- At or after this transaction's number, round the counter; almost every command ends here.
  WHERE (w.xmin::text::bigint - v_own % 4294967296 + 4294967296) % 4294967296 < 2147483648 AND birth.fn_birth_guard_since(w.xmin);
  IF v_objects IS NOT NULL THEN
    RETURN QUERY
    SELECT false, format('%s %s', d.kind, d.object), format('now also: %s', d.found)
    FROM birth.fn_birth_contract_drift() d
    WHERE d.drift = 'privileges' AND d.blocks AND d.object = ANY (v_objects);
  END IF;
END;
$fn_birth_guard_privileges$;

COMMENT ON FUNCTION birth.fn_birth_guard_privileges() IS
  'Inside an event trigger: objects of the contract on which the transaction has let somebody in beyond reading. Specification: 7.';

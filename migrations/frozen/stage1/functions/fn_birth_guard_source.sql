-- Whether the current transaction has changed a table's gateway trigger so that it no longer fires for every insert: disabled, given a condition,
-- or replaced under its name. The row of a partition counts too, because there it is the partition's trigger that fires.
-- Returns: what is wrong, or NULL.
-- Calls: fn_birth_guard_since
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_guard_source(p_relation oid)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_guard_source$
BEGIN
  RETURN (
    SELECT string_agg(format('gateway trigger %s on %s %s', t.tgname, p_relation::regclass, f.fault), '; ' ORDER BY t.tgname)
    FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    CROSS JOIN LATERAL (
      SELECT CASE
        WHEN NOT (p.pronamespace = to_regnamespace('birth') AND p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id'))
          THEN CASE WHEN t.tgname = 'birth_gateway' THEN 'calls ' || t.tgfoid::regprocedure END
        WHEN t.tgenabled NOT IN ('O', 'A') THEN 'is disabled'
        -- After insert, for each statement or for each row.
        WHEN t.tgqual IS NOT NULL OR t.tgtype NOT IN (4, 5) THEN 'no longer fires for every insert'
      END AS fault
    ) f
    WHERE t.tgrelid = p_relation AND (NOT t.tgisinternal OR t.tgparentid <> 0) AND f.fault IS NOT NULL AND birth.fn_birth_guard_since(t.xmin));
END;
$fn_birth_guard_source$;

COMMENT ON FUNCTION birth.fn_birth_guard_source(oid) IS
  'What the current transaction did to the gateway trigger of a table, when it no longer fires for every insert; else NULL. Specification: 5, 7.';

-- Tables of birthdb that Citus distributes, by its catalogue, which only a superuser can make. There triggers are
-- refused, and ROW_COUNT of ON CONFLICT counts the rows that were offered.
-- Returns: their names, NULL if there is none.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_distributed()
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_distributed$
DECLARE
  v_tables text;
BEGIN
  IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
    EXECUTE $citus$
      SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
      FROM pg_catalog.pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
      WHERE c.relnamespace = 'birth'::regnamespace
    $citus$ INTO v_tables;
  END IF;
  RETURN v_tables;
END;
$fn_birth_distributed$;

COMMENT ON FUNCTION birth.fn_birth_distributed() IS
  'Names of the tables of schema birth that Citus distributes, or NULL. Specification: 10.';

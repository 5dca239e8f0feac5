-- The last statement of whatever creates tables: refuses while a table of an enforcing schema is not governed, so that
-- the transaction that created it cannot commit. Reads catalogues and our tables, and locks none of the user's.
-- SECURITY DEFINER: an owner of tables may call it, and may read nothing of birthdb.
-- Returns: the number of tables that it looked at.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gate(p_schema text DEFAULT NULL)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gate$
DECLARE
  v_tables bigint;
  v_open bigint;
  v_detail text;
BEGIN
  -- A misspelt name would check nothing.
  IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = p_schema OR p_schema IS NULL) THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('schema %L does not exist', p_schema));
  END IF;
  SELECT count(*), count(*) FILTER (WHERE g.open),
         string_agg(format('%I.%I is %s: %s', g.schema_name, g.table_name, g.state, g.next_step), E'\n'
                    ORDER BY g.schema_name, g.table_name) FILTER (WHERE g.open)
  INTO v_tables, v_open, v_detail
  FROM (SELECT v.schema_name, v.table_name, v.state, v.next_step, v.state IN ('UNKNOWN', 'REGISTERED', 'READY') AS open
        FROM birth.v_birth_gate v WHERE v.mode = 'enforce' AND (v.schema_name = p_schema OR p_schema IS NULL)) g;
  IF v_open > 0 THEN
    PERFORM birth.fn_birth_raise('table_ungated', v_detail);
  END IF;
  RETURN v_tables;
END;
$fn_birth_gate$;

COMMENT ON FUNCTION birth.fn_birth_gate(text) IS
  'Refuses while a table of an enforcing schema, or of p_schema alone, is UNKNOWN, REGISTERED or READY; returns the '
  'number of tables. For the end of a migration. NB102; NB509 names each table and its next step. Specification: 5.1.';

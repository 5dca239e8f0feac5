-- Takes ACCESS SHARE on a table that birth_scanner may read. Outside the sandbox, whose rollback would release the
-- lock; locking runs no code of the table's owner.
-- SECURITY DEFINER: belongs to birth_scanner (grants.sql); LOCK TABLE needs SELECT, which birth_definer does not have.
-- Returns: nothing; PostgreSQL's error if the table is gone.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_scan_lock(p_schema text, p_table text)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_scan_lock$
BEGIN
  EXECUTE format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', p_schema, p_table);
END;
$fn_birth_scan_lock$;

COMMENT ON FUNCTION birth.fn_birth_scan_lock(text, text) IS
  'Takes ACCESS SHARE on a table, as birth_scanner. For birth_definer only. Specification: 6.1 R2.';

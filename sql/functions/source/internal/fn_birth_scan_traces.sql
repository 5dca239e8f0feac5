-- What of this session outlives a rollback and the code of a table's owner could change: prepared statements, which would run as whoever executes
-- them later, and advisory locks.
-- SECURITY DEFINER: belongs to birth_scanner (grants.sql), like its caller.
-- Returns: one row each: a text that tells it from every other, and the name of the statement (NULL for a lock).
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_scan_traces()
  RETURNS TABLE (trace text, statement text)
  LANGUAGE sql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_scan_traces$
  SELECT format('prepared statement %I of %s, %s', s.name, s.prepare_time, md5(s.statement)), s.name
  FROM pg_prepared_statements s
  UNION ALL
  SELECT format('%s on advisory key %s, %s, %s', k.mode, k.classid, k.objid, k.objsubid), NULL
  FROM pg_locks k
  WHERE k.locktype = 'advisory' AND k.pid = pg_backend_pid() AND k.granted;
$fn_birth_scan_traces$;

COMMENT ON FUNCTION birth.fn_birth_scan_traces() IS
  'Prepared statements and advisory locks of this session: trace, statement name. For fn_birth_scan. Specification: 6.1 R2.';

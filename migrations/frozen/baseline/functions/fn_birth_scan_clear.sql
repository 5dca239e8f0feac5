-- Removes the prepared statements that code of a table's owner left in this session: one under a name that the client uses would run as the client.
-- Then refuses, also where something is gone or a lock was taken, which is not put back.
-- SECURITY DEFINER: belongs to birth_scanner (grants.sql), like its caller. That role can call nothing else of ours: the refusal is written out.
-- Returns: nothing; NB119.
-- Calls: fn_birth_scan_traces
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_scan_clear(p_before text[])
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_scan_clear$
DECLARE
  r_trace record;
  v_changed text;
BEGIN
  SELECT string_agg(format('%s %s', CASE WHEN b.trace IS NULL THEN 'added' ELSE 'removed' END, coalesce(a.trace, b.trace)), '; ') INTO v_changed
  FROM birth.fn_birth_scan_traces() a FULL JOIN unnest(p_before) AS b(trace) ON b.trace = a.trace
  WHERE a.trace IS NULL OR b.trace IS NULL;
  IF v_changed IS NULL THEN
    RETURN;
  END IF;
  FOR r_trace IN SELECT t.statement FROM birth.fn_birth_scan_traces() t WHERE t.statement IS NOT NULL AND t.trace <> ALL (p_before) LOOP
    EXECUTE format('DEALLOCATE %I', r_trace.statement);
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'NB119', MESSAGE = 'code on the source table changed the state of this session',
    DETAIL = v_changed,
    HINT = 'disconnect, which releases the locks; ask the owner of the table to remove the code; '
           'then send the statement again';
END;
$fn_birth_scan_clear$;

COMMENT ON FUNCTION birth.fn_birth_scan_clear(text[]) IS
  'Removes prepared statements that a sandboxed query left, and refuses any trace of it with NB119. For fn_birth_scan. Specification: 6.1 R2.';

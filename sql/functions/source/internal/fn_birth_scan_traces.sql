-- What of this session outlives a rollback and could have been changed by code of a table's owner: prepared statements,
-- which would later run with the client's rights, and advisory locks.
-- With p_before, the traces of before: drops the prepared statements that were added, because the client may use their
-- names. Then refuses any difference: what was removed, and a lock that was taken, cannot be put back.
-- SECURITY DEFINER: belongs to birth_scanner (grants.sql), like its caller. That role may call nothing else of ours, so
-- the refusal is written out here.
-- Returns: for each a text that identifies it; NB119.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_scan_traces(p_before text[] DEFAULT NULL)
  RETURNS text[]
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_scan_traces$
DECLARE
  v_traces text[];
  v_added text[];
  v_name text;
  v_changed text;
BEGIN
  SELECT coalesce(array_agg(t.trace), '{}'),
         coalesce(array_agg(t.name) FILTER (WHERE t.name IS NOT NULL AND t.trace <> ALL (p_before)), '{}')
  INTO v_traces, v_added
  FROM (
    SELECT s.name, format('prepared statement %I of %s, %s', s.name, s.prepare_time, md5(s.statement)) AS trace
    FROM pg_prepared_statements s
    UNION ALL
    SELECT NULL, format('%s on advisory key %s, %s, %s', k.mode, k.classid, k.objid, k.objsubid)
    FROM pg_locks k
    WHERE k.locktype = 'advisory' AND k.pid = pg_backend_pid() AND k.granted
  ) t;
  SELECT string_agg(format('%s %s', CASE WHEN b.trace IS NULL THEN 'added' ELSE 'removed' END,
    coalesce(a.trace, b.trace)), '; ') INTO v_changed
  FROM unnest(v_traces) AS a(trace) FULL JOIN unnest(p_before) AS b(trace) ON b.trace = a.trace
  WHERE a.trace IS NULL OR b.trace IS NULL;
  IF p_before IS NOT NULL AND v_changed IS NOT NULL THEN
    FOREACH v_name IN ARRAY v_added LOOP
      EXECUTE format('DEALLOCATE %I', v_name);
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'NB119', MESSAGE = 'code on the source table changed the state of this session',
      DETAIL = v_changed,
      HINT = 'disconnect, which releases the locks; ask the owner of the table to remove the code; '
        'then send the statement again';
  END IF;
  RETURN v_traces;
END;
$fn_birth_scan_traces$;

COMMENT ON FUNCTION birth.fn_birth_scan_traces(text[]) IS
  'Prepared statements and advisory locks of this session. With those of before: drops added statements and refuses '
  'any difference with NB119. For fn_birth_scan. Specification: 6.1 R2.';

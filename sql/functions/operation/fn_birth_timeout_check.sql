-- Whether a timeout of the session would cut a run: statement_timeout covers the whole CALL, transaction_timeout each
-- of its transactions, of which the proof is the longest. The driver asks before it does anything. Timeouts of idle
-- sessions cannot end a CALL.
-- Returns: nothing; NB113.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_timeout_check()
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_timeout_check$
DECLARE
  v_set text;
  v_reset text;
BEGIN
  SELECT string_agg(format('%s is %s', t.name, current_setting(t.name)), ', '), string_agg(t.reset, ' ')
  INTO v_set, v_reset
  FROM (VALUES ('statement_timeout', 'SET statement_timeout = 0;'),
               ('transaction_timeout', 'SET transaction_timeout = 0;')) AS t(name, reset)
  -- PostgreSQL before 17 has no transaction_timeout.
  WHERE current_setting(t.name, true) <> '0';
  IF v_set IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('timeout_would_cut', v_set, v_reset || '  -- then send the CALL again');
  END IF;
END;
$fn_birth_timeout_check$;

COMMENT ON FUNCTION birth.fn_birth_timeout_check() IS
  'Raises NB113 where statement_timeout or transaction_timeout would cut a run. Specification: 6.';

-- Runs a query over a source table in a sandbox. Planner and executor run code of the table's owner (casts, expressions
-- of indexes and statistics, policies) as the catalogue has it at that moment, so no check beforehand can rule it out.
-- Here that code gains nothing: it runs as birth_scanner, which may read sources and the codes of births and nothing
-- else; and in a subtransaction that is always rolled back, because birth_scanner owns this routine and could alter it.
-- fn_birth_scan_traces looks for what outlives a rollback.
-- A key goes from one session to the next as text: it is written and read under fixed settings.
-- STABLE: the query sees what the caller's statement sees. In it $1 is p_collection, $2 p_seed_a, and so on.
-- SECURITY DEFINER: belongs to birth_scanner (grants.sql); only birth_definer may call it.
-- Returns: the rows of the query, with the columns that the caller names; NB119, and what the owner's code raises.
-- Calls: fn_birth_scan_traces
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_scan(
    p_sql text, p_collection text DEFAULT NULL, p_seed_a bigint DEFAULT NULL, p_seed_b bigint DEFAULT NULL,
    p_after text[] DEFAULT NULL, p_upper text[] DEFAULT NULL, p_rows bigint DEFAULT NULL, p_run_id uuid DEFAULT NULL,
    p_codes text[] DEFAULT NULL)
  RETURNS SETOF record
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET "DateStyle" = 'ISO, YMD'
  SET "TimeZone" = 'UTC'
AS $fn_birth_scan$
DECLARE
  v_before text[] := birth.fn_birth_scan_traces();
  v_read boolean := false;
BEGIN
  -- The outer block clears again if a cancel or a timeout arrives while the inner one clears: the owner's code can time
  -- it.
  BEGIN
    BEGIN
      -- A second bar. SET cannot undo it in a subtransaction; RESET can, up to PostgreSQL 15, but the rollback remains.
      PERFORM set_config('transaction_read_only', 'on', true);
      RETURN QUERY EXECUTE p_sql USING p_collection, p_seed_a, p_seed_b, p_after, p_upper, p_rows, p_run_id, p_codes;
      v_read := true;
      RAISE EXCEPTION 'the sandbox is rolled back';  -- the rows are kept
    -- OTHERS leaves out the first two, which any code can raise.
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      PERFORM birth.fn_birth_scan_traces(v_before);
      IF NOT v_read THEN
        RAISE;
      END IF;
    END;
  EXCEPTION WHEN query_canceled THEN
    PERFORM birth.fn_birth_scan_traces(v_before);
    RAISE;
  END;
END;
$fn_birth_scan$;

COMMENT ON FUNCTION birth.fn_birth_scan(text, text, bigint, bigint, text[], text[], bigint, uuid, text[]) IS
  'Runs a query over a source table as birth_scanner, in a read-only subtransaction that is rolled back; returns its '
  'rows. NB119. For birth_definer only. Specification: 6.1 R2.';

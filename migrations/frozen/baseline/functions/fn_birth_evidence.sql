-- Row count and digest of a table, to compare with an export. Before a downgrade drops the table, a DBA acknowledges
-- this digest. It does not depend on the order of the rows or on the session's settings.
-- Returns: one row: the table's name, its row count, the digest.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_evidence(p_table text)
  RETURNS TABLE (table_name text, rows bigint, digest text)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET TimeZone = 'UTC'
  SET DateStyle = 'ISO, YMD'
  SET IntervalStyle = 'postgres'
  SET extra_float_digits = 1
  SET bytea_output = 'hex'
AS $fn_birth_evidence$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_class c
    WHERE c.relnamespace = 'birth'::regnamespace AND c.relname = p_table AND c.relkind IN ('r', 'p'))
  THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_table is %s: no table of schema birth',
      coalesce(p_table, 'NULL')));
  END IF;
  -- Two sums over hashes with different seeds: the same in any order, and changes do not cancel out in both.
  RETURN QUERY EXECUTE format($digest$
    SELECT %L::text, count(*), format('%%s:%%s:%%s', count(*),
      coalesce(sum(hashtextextended((t.*)::text, 1)), 0), coalesce(sum(hashtextextended((t.*)::text, 2)), 0))
    FROM birth.%I t $digest$, p_table, p_table);
END;
$fn_birth_evidence$;

COMMENT ON FUNCTION birth.fn_birth_evidence(text) IS
  'Row count and order-independent digest (count:sum:sum) of a table of schema birth. NB102 for another table. '
  'Specification: 3.';

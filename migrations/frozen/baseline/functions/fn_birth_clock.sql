-- The clock of the records. The server's clock may go back; this clock never goes behind a recorded act. So an expired
-- permit stays expired, and each act is later than every act that was committed before it.
-- Returns: the server's time, or a microsecond after the newest act when the server's clock is behind that.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_clock()
  RETURNS timestamptz
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_clock$
BEGIN
  RETURN (SELECT greatest(clock_timestamp(), max(a.acted_at) + interval '1 microsecond') FROM birth.birth_act a);
END;
$fn_birth_clock$;

COMMENT ON FUNCTION birth.fn_birth_clock() IS
  'The server''s time, or a microsecond after the newest act if the clock is behind it. O(1). Specification: 6.1 R18.';

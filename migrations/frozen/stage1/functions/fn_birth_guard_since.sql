-- Whether a catalogue row, by its xmin, was written by the transaction that asks, subtransactions included: a command such as GRANT or ALTER
-- TABLE does not tell an event trigger what it changed. Such a row is at or after the transaction's own number and still in progress; only the
-- transaction itself sees it. Numbers that lie far ahead are those of old rows, from before the counter last went round.
-- Returns: true or false.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_guard_since(p_xmin xid)
  RETURNS boolean
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_guard_since$
DECLARE
  v_own CONSTANT bigint := pg_current_xact_id()::text::bigint;
  v_ahead CONSTANT bigint := (p_xmin::text::bigint - v_own % 4294967296 + 4294967296) % 4294967296;
BEGIN
  RETURN v_ahead <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000 - v_own
     AND pg_xact_status((v_own + v_ahead)::text::xid8) = 'in progress';
END;
$fn_birth_guard_since$;

COMMENT ON FUNCTION birth.fn_birth_guard_since(xid) IS
  'Whether the catalogue row with this xmin was written by the current transaction. Specification: 7.';

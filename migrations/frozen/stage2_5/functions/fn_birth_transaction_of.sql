-- Which session is in a transaction. Whoever locks a row writes its transaction into it (xmax), also before anything of it is committed.
-- Returns: the backend's process id, or NULL when it is over, or when several share the row.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transaction_of(p_xid xid)
  RETURNS integer
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transaction_of$
  SELECT k.pid FROM pg_locks k WHERE k.locktype = 'transactionid' AND k.granted AND k.transactionid = p_xid;
$fn_birth_transaction_of$;

COMMENT ON FUNCTION birth.fn_birth_transaction_of(xid) IS
  'Process id of the session that is in a transaction, such as the one that has a row locked, or NULL. Specification: 6.1 R14.';

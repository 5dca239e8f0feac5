-- Which transaction has a row locked, and the statement that ends it. Who locks a row writes its transaction into it (xmax), also before anything
-- of it is committed. Where that is no transaction of its own, because several share the row or a savepoint locked it, it is one of those with a lock on
-- the table: a prepared transaction, or the session that the caller knows to hold the row's run.
-- Returns: one row; NULLs when it is over: who; remedy, the statement.
-- Calls: fn_birth_lock_owner
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_row_owner(p_table regclass, p_xmax xid, p_pid integer DEFAULT NULL)
  RETURNS TABLE (who text, remedy text)
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_row_owner$
  WITH lock AS MATERIALIZED (
    SELECT * FROM pg_locks k WHERE k.granted
  ), named AS (
    SELECT k.pid, k.virtualtransaction FROM lock k WHERE k.locktype = 'transactionid' AND k.transactionid = p_xmax
  ), owner AS (
    SELECT * FROM named
    UNION
    SELECT k.pid, k.virtualtransaction FROM lock k
    WHERE k.locktype = 'relation' AND k.relation = p_table AND k.mode <> 'AccessShareLock' AND (k.pid IS NULL OR k.pid = p_pid AND k.pid <> pg_backend_pid())
      AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND p_xmax <> '0' AND NOT EXISTS (SELECT FROM named)
  )
  SELECT string_agg(f.who, '; '), string_agg(f.remedy, E'\n')
  FROM owner o CROSS JOIN LATERAL birth.fn_birth_lock_owner(o.pid, o.virtualtransaction) f;
$fn_birth_row_owner$;

COMMENT ON FUNCTION birth.fn_birth_row_owner(regclass, xid, integer) IS
  'Which session or prepared transaction has a row locked, by its xmax, and the statement that ends that. Specification: 6.1 R14.';

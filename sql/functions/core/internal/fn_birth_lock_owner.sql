-- Who has a lock, as pg_locks names its owner, and the statement that ends that: a session, or a prepared transaction. A prepared transaction
-- has no session; its locks carry the virtual transaction of its lock on its own transaction.
-- Returns: one row, or none when the owner is gone: who; remedy, the statement.
-- Calls: fn_birth_session_of
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_lock_owner(p_pid integer, p_virtual text)
  RETURNS TABLE (who text, remedy text)
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_lock_owner$
  SELECT s.who, format('SELECT pg_catalog.pg_terminate_backend(%s);', p_pid)
  FROM birth.fn_birth_session_of(p_pid) AS s(who) WHERE s.who IS NOT NULL
  UNION ALL
  SELECT format('prepared transaction %L of %s, since %s', x.gid, x.owner, x.prepared),
         format('ROLLBACK PREPARED %L;  -- in this database, as %s or a superuser', x.gid, x.owner)
  FROM pg_prepared_xacts x
  JOIN pg_locks k ON k.locktype = 'transactionid' AND k.transactionid = x.transaction AND k.pid IS NULL
  WHERE p_pid IS NULL AND k.virtualtransaction = p_virtual;
$fn_birth_lock_owner$;

COMMENT ON FUNCTION birth.fn_birth_lock_owner(integer, text) IS
  'Who has a lock, session or prepared transaction, and the statement that ends that. Specification: 6.1 R14.';

-- Who holds a lock, and the statement that ends that: an advisory lock by its name (p_name), or a row lock by table and
-- xmax. The holder is a session or a prepared transaction. The locks of a prepared transaction have no backend and are
-- matched to it by their virtual transaction.
-- xmax of a locked row is the transaction that locked it. Where several share the row, or a savepoint locked it, no
-- lock entry has that number. Then the holder is one of those with a lock on the table: a prepared transaction, or the
-- backend p_pid, which the caller knows to hold the row's run.
-- Returns: one row: who; remedy, the statement. Both NULL if no other session holds it.
-- Calls: fn_birth_lock_key
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_lock_owner(
    p_name text DEFAULT NULL, p_table regclass DEFAULT NULL, p_xmax xid DEFAULT NULL, p_pid integer DEFAULT NULL)
  RETURNS TABLE (who text, remedy text)
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_lock_owner$
  WITH lock AS MATERIALIZED (
    SELECT k.* FROM pg_locks k WHERE k.granted
  ), here AS (
    SELECT d.oid FROM pg_database d WHERE d.datname = current_database()
  ), named AS (
    SELECT k.pid, k.virtualtransaction FROM lock k
    WHERE k.locktype = 'transactionid' AND k.transactionid = p_xmax
    UNION
    SELECT k.pid, k.virtualtransaction
    FROM lock k JOIN here d ON d.oid = k.database, birth.fn_birth_lock_key(p_name) AS n(key)
    WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.pid IS DISTINCT FROM pg_backend_pid()
      AND k.classid::bigint = (n.key >> 32) & 4294967295 AND k.objid::bigint = n.key & 4294967295
  ), owner AS (
    SELECT n.* FROM named n
    UNION
    SELECT k.pid, k.virtualtransaction FROM lock k JOIN here d ON d.oid = k.database
    WHERE k.locktype = 'relation' AND k.relation = p_table AND k.mode <> 'AccessShareLock'
      AND (k.pid IS NULL OR k.pid = p_pid AND k.pid <> pg_backend_pid())
      AND p_xmax <> '0' AND NOT EXISTS (SELECT FROM named)
  ), found AS (
    SELECT format('%s, backend %s', a.usename, a.pid) AS who,
           format('SELECT pg_catalog.pg_terminate_backend(%s);', a.pid) AS remedy
    FROM owner o JOIN pg_stat_activity a ON a.pid = o.pid
    UNION ALL
    SELECT format('prepared transaction %L of %s, since %s', x.gid, x.owner, x.prepared),
           format('ROLLBACK PREPARED %L;  -- in this database, as %s or a superuser', x.gid, x.owner)
    FROM owner o
    JOIN lock k ON k.virtualtransaction = o.virtualtransaction AND k.locktype = 'transactionid' AND k.pid IS NULL
    JOIN pg_prepared_xacts x ON x.transaction = k.transactionid
    WHERE o.pid IS NULL
  )
  SELECT string_agg(f.who, '; '), string_agg(f.remedy, E'\n') FROM found f;
$fn_birth_lock_owner$;

COMMENT ON FUNCTION birth.fn_birth_lock_owner(text, regclass, xid, integer) IS
  'Who holds an advisory lock (by name) or a row (by table and xmax), and the statement that ends that. '
  'Specification: 6.1 R9, R14.';

-- Last step before the steps of a revision: no run may be active. It also keeps the state of the registry, which
-- finish.sql compares.
DO $live$
DECLARE
  v_run text;
BEGIN
  IF to_regclass('birth.birth_backfill_ledger_v2') IS NOT NULL THEN
    -- A run is active while a session holds the advisory lock of its epoch.
    EXECUTE $running$
      SELECT string_agg(format('%s of %s', r.run_id, r.collection_name), ', ')
      FROM (SELECT l.run_id, l.collection_name, hashtextextended(format('birth.run:%s:%s', l.run_id, l.epoch), 0) AS key
            FROM birth.birth_backfill_ledger_v2 l WHERE l.status = 'running') r
      JOIN pg_locks k ON k.locktype = 'advisory' AND k.granted AND k.objsubid = 1
        AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND k.classid = ((r.key >> 32) & 4294967295)::oid AND k.objid = (r.key & 4294967295)::oid
    $running$ INTO v_run;
    IF v_run IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'NB407', MESSAGE = 'a run is active',
        DETAIL = format('run %s', v_run),
        HINT = 'stop it with birth.fn_birth_run_stop, wait for its batch to end, then release';
    END IF;
  END IF;
END
$live$;

-- Citus counts rows that were not inserted, and refuses triggers: a distributed registry is no registry.
DO $distributed$
DECLARE
  v_tables text;
BEGIN
  IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
    EXECUTE $citus$
      SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
      FROM pg_catalog.pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
      WHERE c.relnamespace = 'birth'::regnamespace
    $citus$ INTO v_tables;
    IF v_tables IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'NB417', MESSAGE = 'a table of birthdb is distributed by Citus',
        DETAIL = v_tables,
        HINT = 'birthdb runs on one server: move the table back with Citus'' undistribute_table, then release';
    END IF;
  END IF;
END
$distributed$;

-- The state of the registry before the release, which finish.sql compares. The counters are those of this session and
-- may include earlier transactions.
DO $before$
BEGIN
  IF current_setting('track_counts') <> 'on' THEN
    RAISE EXCEPTION USING ERRCODE = 'NB408', MESSAGE = 'the release changed births',
      DETAIL = 'track_counts is off: the release cannot show that it leaves births unchanged',
      HINT = 'ask a superuser to send: ALTER SYSTEM SET track_counts = on, and to reload';
  END IF;
  PERFORM set_config('birth.release_births', coalesce(
    (SELECT format('%s inserted, %s updated, %s deleted, file %s',
                   pg_stat_get_xact_tuples_inserted(c.oid), pg_stat_get_xact_tuples_updated(c.oid),
                   pg_stat_get_xact_tuples_deleted(c.oid), pg_relation_filenode(c.oid))
     FROM pg_class c WHERE c.oid = to_regclass('birth.birth_registry')), ''), true);
END
$before$;

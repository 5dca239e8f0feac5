-- Last step before the steps of a revision, as birth_definer: the database must be at the release from which the
-- revision starts, and no run may be active.
DO $from$
DECLARE
  v_from CONSTANT text := nullif(current_setting('birth.release_from', true), '');
  v_at text;
  v_grantee text;
BEGIN
  -- A script is generated for one start release, and Alembic does not see on which database it runs.
  -- version_table.sql has just checked that reading the table is safe.
  IF v_from IS NOT NULL THEN
    SELECT coalesce(string_agg(v.version_num, ', ' ORDER BY v.version_num), 'base') INTO v_at
    FROM birth.alembic_version v;
    IF v_at <> v_from THEN
      RAISE EXCEPTION USING ERRCODE = 'NB411', MESSAGE = 'the database is at a different release',
        DETAIL = format('this step starts from %s, the database is at %s', v_from, v_at),
        HINT = 'see: alembic current; generate the script again from that release';
    END IF;
  END IF;

  -- Before the first release no role needs privileges on the schema: revoke those that an interrupted script granted to
  -- its login (prepare.sql).
  IF v_from = 'base' THEN
    FOR v_grantee IN
      SELECT DISTINCT quote_ident(pg_get_userbyid(x.grantee))
      FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
      WHERE n.nspname = 'birth' AND x.grantee NOT IN (0, n.nspowner)
        AND NOT starts_with(pg_get_userbyid(x.grantee), 'birth_')
    LOOP
      EXECUTE format('REVOKE ALL ON SCHEMA birth FROM %s', v_grantee);
    END LOOP;
    -- There is no earlier drift that contract.sql could let pass.
    PERFORM set_config('birth.contract_before', '{}', true);
  END IF;
END
$from$;

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

-- Second of every revision: may this login release, is anything running, then become birth_definer.
-- It works as a superuser and as a login with CREATEROLE and CREATE on the database. Up to PostgreSQL 15 CREATEROLE may grant
-- any role; from 16 on it needs ADMIN of the role, which the creator of a role has, and membership has options.
DO $enter$
DECLARE
  v_from text := nullif(current_setting('birth.release_from', true), '');
  v_options boolean := current_setting('server_version_num')::integer >= 160000;
  v_owner text;
  v_at text;
BEGIN
  -- birth_dba releases: the login is made a member, when it may be, and stays one.
  IF NOT pg_has_role(session_user, 'birth_dba', 'USAGE') THEN
    BEGIN
      EXECUTE format('GRANT birth_dba TO %I %s', session_user, CASE WHEN v_options THEN 'WITH INHERIT TRUE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
        DETAIL = format('%s is not a member of birth_dba', session_user),
        HINT = format('let a role that may send: GRANT birth_dba TO %I', session_user);
    END;
    IF NOT pg_has_role(session_user, 'birth_dba', 'USAGE') THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
        DETAIL = format('%s does not inherit the privileges of birth_dba', session_user),
        HINT = format('let a role that may send: ALTER ROLE %I INHERIT', session_user);
    END IF;
  END IF;

  -- birth_definer has no member but the releasing login, and that one only until leave.sql.
  IF NOT pg_has_role(session_user, 'birth_definer', CASE WHEN v_options THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE format('GRANT birth_definer TO %I %s', session_user, CASE WHEN v_options THEN 'WITH INHERIT FALSE, SET TRUE' END);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
        DETAIL = format('%s cannot become birth_definer', session_user),
        HINT = format('let a role that may send: GRANT birth_definer, birth_scanner TO %I WITH ADMIN %s', session_user,
                      CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
    PERFORM set_config('birth.release_granted', 'on', true);
  END IF;

  -- What reads source tables belongs to birth_scanner. birth_definer makes it, and is a member for this transaction: leave.sql.
  IF NOT pg_has_role('birth_definer', 'birth_scanner', 'USAGE') THEN
    BEGIN
      EXECUTE 'GRANT birth_scanner TO birth_definer' || CASE WHEN v_options THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
        DETAIL = format('%s may not grant birth_scanner to birth_definer', session_user),
        HINT = format('let a role that may send: GRANT birth_definer, birth_scanner TO %I WITH ADMIN %s', session_user,
                      CASE WHEN v_options THEN 'TRUE, INHERIT FALSE, SET FALSE' ELSE 'OPTION' END);
    END;
  END IF;

  SELECT pg_get_userbyid(n.nspowner) INTO v_owner FROM pg_namespace n WHERE n.nspname = 'birth';
  IF v_owner IS NULL THEN
    IF NOT has_database_privilege(session_user, current_database(), 'CREATE') THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
        DETAIL = format('%s may not create a schema in database %s', session_user, current_database()),
        HINT = format('let a role that may send: GRANT CREATE ON DATABASE %I TO %I', current_database(), session_user);
    END IF;
    CREATE SCHEMA birth AUTHORIZATION birth_definer;
  ELSIF v_owner <> 'birth_definer' THEN
    RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
      DETAIL = format('schema birth belongs to %s', v_owner),
      HINT = 'let a role that may send: ALTER SCHEMA birth OWNER TO birth_definer';
  END IF;

  -- Alembic's version table belongs to birth_dba, so that any member releases; it is no part of the contract. Alembic has
  -- created it as the login, to which prepare.sql lent CREATE; a new owner needs CREATE too, for this moment.
  SET LOCAL ROLE birth_definer;
  GRANT USAGE ON SCHEMA birth TO birth_dba;
  SELECT pg_get_userbyid(c.relowner) INTO v_owner
  FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relname = 'alembic_version';
  IF v_owner <> 'birth_dba' THEN
    GRANT CREATE ON SCHEMA birth TO birth_dba;
    SET LOCAL ROLE NONE;
    BEGIN
      ALTER TABLE birth.alembic_version OWNER TO birth_dba;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login cannot release',
        DETAIL = format('table birth.alembic_version belongs to %s', v_owner),
        HINT = 'let a role that may send: ALTER TABLE birth.alembic_version OWNER TO birth_dba';
    END;
    GRANT SELECT ON birth.alembic_version TO birth_reader;
    SET LOCAL ROLE birth_definer;
    REVOKE CREATE ON SCHEMA birth FROM birth_dba;
    EXECUTE format('REVOKE ALL ON SCHEMA birth FROM %I', session_user);
  END IF;

  -- Any member of birth_dba may alter that table, and who releases may be a superuser, whose statements would run what was put on it.
  SELECT string_agg(x.what, ', ') INTO v_at
  FROM (
    SELECT format('trigger %I', t.tgname) AS what FROM pg_trigger t WHERE t.tgrelid = to_regclass('birth.alembic_version')
    UNION ALL
    SELECT format('rule %I', w.rulename) FROM pg_rewrite w WHERE w.ev_class = to_regclass('birth.alembic_version')
    UNION ALL
    SELECT format('policy %I', l.polname) FROM pg_policy l WHERE l.polrelid = to_regclass('birth.alembic_version')
    UNION ALL
    SELECT format('constraint %I', k.conname) FROM pg_constraint k WHERE k.conrelid = to_regclass('birth.alembic_version') AND k.contype NOT IN ('p', 'n')
    UNION ALL
    SELECT format('index %s', i.indexrelid::regclass) FROM pg_index i WHERE i.indrelid = to_regclass('birth.alembic_version') AND NOT i.indisprimary
    UNION ALL
    SELECT format('column %I', a.attname) FROM pg_attribute a
    WHERE a.attrelid = to_regclass('birth.alembic_version') AND a.attnum > 0 AND NOT a.attisdropped AND (a.attname <> 'version_num' OR a.atthasdef)
    UNION ALL
    SELECT 'a parent or child' FROM pg_inherits h WHERE to_regclass('birth.alembic_version') IN (h.inhrelid, h.inhparent)
  ) x;
  IF v_at IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB404', MESSAGE = 'the database differs from its release',
      DETAIL = format('birth.alembic_version has what Alembic has not given it: %s', v_at),
      HINT = 'let a member of birth_dba look at it and drop it, then release';
  END IF;

  -- A script is made for one starting point; Alembic cannot see where it is run.
  IF v_from IS NOT NULL THEN
    SET LOCAL ROLE NONE;
    SELECT coalesce(string_agg(v.version_num, ', ' ORDER BY v.version_num), 'base') INTO v_at FROM birth.alembic_version v;
    IF v_at <> v_from THEN
      RAISE EXCEPTION USING ERRCODE = 'NB411', MESSAGE = 'the database is at another release',
        DETAIL = format('this step starts from %s, the database is at %s', v_from, v_at),
        HINT = 'see: alembic current; write the script again from there';
    END IF;
    SET LOCAL ROLE birth_definer;
  END IF;

  -- Before there is a release nobody needs a right on the schema: what a script that was interrupted lent to its login goes.
  IF v_from = 'base' THEN
    FOR v_owner IN
      SELECT DISTINCT quote_ident(pg_get_userbyid(x.grantee)) FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
      WHERE n.nspname = 'birth' AND x.grantee NOT IN (0, n.nspowner) AND NOT starts_with(pg_get_userbyid(x.grantee), 'birth_')
    LOOP
      EXECUTE format('REVOKE ALL ON SCHEMA birth FROM %s', v_owner);
    END LOOP;
    -- Nothing was there before that contract.sql would let in.
    PERFORM set_config('birth.contract_before', '{}', true);
  END IF;
END
$enter$;

-- A release holds exclusively the lock that batches share: it waits for none of them, and none begins meanwhile.
DO $live$
DECLARE
  v_run text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('birth.release', 0)) THEN
    RAISE EXCEPTION USING ERRCODE = 'NB407', MESSAGE = 'a run is live',
      DETAIL = 'the release lock is held by a batch or by another release',
      HINT = 'stop it with birth.fn_birth_run_stop and wait for its batch, then release';
  END IF;
  IF to_regclass('birth.birth_backfill_ledger_v2') IS NOT NULL THEN
    -- A run lives as long as the session lock of its epoch.
    EXECUTE $running$
      SELECT string_agg(format('%s of %s', r.run_id, r.collection_name), ', ')
      FROM (SELECT l.run_id, l.collection_name, hashtextextended(format('birth.run:%s:%s', l.run_id, l.epoch), 0) AS key
            FROM birth.birth_backfill_ledger_v2 l WHERE l.status = 'running') r
      JOIN pg_locks k ON k.locktype = 'advisory' AND k.granted AND k.objsubid = 1
        AND k.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND k.classid = ((r.key >> 32) & 4294967295)::oid AND k.objid = (r.key & 4294967295)::oid
    $running$ INTO v_run;
    IF v_run IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'NB407', MESSAGE = 'a run is live',
        DETAIL = format('run %s', v_run),
        HINT = 'stop it with birth.fn_birth_run_stop and wait for its batch, then release';
    END IF;
  END IF;
END
$live$;

-- What the registry is before: finish.sql compares. The counts are this session's own and may hold earlier transactions.
DO $before$
BEGIN
  IF current_setting('track_counts') <> 'on' THEN
    RAISE EXCEPTION USING ERRCODE = 'NB408', MESSAGE = 'the release touched births',
      DETAIL = 'track_counts is off, so nothing shows that it will not',
      HINT = 'let a superuser send: ALTER SYSTEM SET track_counts = on, and reload';
  END IF;
  PERFORM set_config('birth.release_births', coalesce(
    (SELECT format('%s inserted, %s updated, %s deleted, file %s', pg_stat_get_xact_tuples_inserted(c.oid),
                   pg_stat_get_xact_tuples_updated(c.oid), pg_stat_get_xact_tuples_deleted(c.oid), pg_relation_filenode(c.oid))
     FROM pg_class c WHERE c.oid = to_regclass('birth.birth_registry')), ''), true);
END
$before$;

-- The event trigger function, for sql/optional/event_triggers.sql, which only a superuser can send. It watches every DDL command of the database:
-- outside a release it stops a redefinition of the contract's objects and records in trigger_guard_alerts what it does not stop.
--
-- stopped    CREATE OR REPLACE, ALTER, RENAME, SET SCHEMA, OWNER TO, DROP of an object of the contract; on its tables also a new trigger, rule,
--            policy, constraint, column, unique index or child: each makes the release behave otherwise. What is stopped is rolled back together
--            with any row about it: who tried stands in the server's log.
-- recorded   what nobody but its owner should decide, or what breaks no promise by itself: a source table's gateway trigger disabled, changed or
--            dropped; a new object in schema birth; a privilege beyond reading. A recorded alert keeps a run from done (NB315).
-- neither    comments, labels, REINDEX; a grant to read; REVOKE; a gateway that a steward detached; dropping what the contract does not know
--
-- A release is known by its lock, held exclusively by this very session, of a member of birth_dba; a repair takes the same lock first.
-- Whatever fails in here is written to the server's log and lets the command pass: nobody's DDL depends on birthdb. So there is nothing
-- of ours in the declarations, and the refusal is raised by name of nothing: the command may have taken away what it would call.
-- A mitigation: a superuser gets round it (DROP EVENT TRIGGER fires none, a new body of this routine is asked about itself). The drift guard is the proof.
-- Names are compared with the contract's as it writes them, whatever the session has set.
-- SECURITY DEFINER: whoever sends DDL has no right in schema birth.
-- Returns: nothing; NB413.
-- Calls: fn_birth_guard_changed, fn_birth_guard_dropped
-- Writes: trigger_guard_alerts
CREATE OR REPLACE FUNCTION birth.fn_birth_event_guard()
  RETURNS event_trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET quote_all_identifiers = off
AS $fn_birth_event_guard$
DECLARE
  v_stopped text;
  v_found text[] := ARRAY[]::text[];
BEGIN
  BEGIN
    IF tg_tag = 'ALTER SCHEMA' THEN
      -- Renamed or given away, the schema's own routines could not be called to find that out.
      SELECT format('schema birth: now %I, of %s', n.nspname, pg_get_userbyid(n.nspowner)) INTO v_stopped
      FROM pg_event_trigger_ddl_commands() c
      JOIN pg_namespace n ON n.oid = c.objid
      JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'fn_birth_event_guard'
      WHERE c.classid = 'pg_namespace'::regclass;
    ELSIF tg_event = 'sql_drop' THEN
      SELECT string_agg(format('%s: %s', d.object, d.detail), '; ') FILTER (WHERE d.stopped),
             coalesce(array_agg(ARRAY[d.object, d.detail]) FILTER (WHERE NOT d.stopped), '{}')
      INTO v_stopped, v_found FROM birth.fn_birth_guard_dropped() d;
    ELSE
      SELECT string_agg(format('%s: %s', d.object, d.detail), '; ') FILTER (WHERE d.stopped),
             coalesce(array_agg(ARRAY[d.object, d.detail]) FILTER (WHERE NOT d.stopped), '{}')
      INTO v_stopped, v_found FROM birth.fn_birth_guard_changed() d;
    END IF;
    IF v_stopped IS NULL AND cardinality(v_found) = 0
       OR pg_has_role(session_user, 'birth_dba', 'USAGE') AND EXISTS (
            SELECT FROM pg_locks k
            WHERE k.locktype = 'advisory' AND k.pid = pg_backend_pid() AND k.mode = 'ExclusiveLock' AND k.granted AND k.objsubid = 1
              AND (k.classid::bigint << 32 | k.objid::bigint) = hashtextextended('birth.release', 0)) THEN
      RETURN;
    END IF;
    IF v_stopped IS NULL THEN
      INSERT INTO birth.trigger_guard_alerts (command, object, detail)
      SELECT tg_tag, v_found[i][1], format('%s; application %s, from %s', v_found[i][2], current_setting('application_name'), coalesce(host(inet_client_addr()), 'a socket'))
      FROM generate_subscripts(v_found, 1) AS i;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'birthdb: the event trigger failed on %, which passed: % (%)', tg_tag, sqlerrm, sqlstate;
    RETURN;
  END;
  IF v_stopped IS NOT NULL THEN
    RAISE LOG 'birthdb: % by % stopped: %', tg_tag, session_user, v_stopped;
    RAISE EXCEPTION USING ERRCODE = 'NB413', MESSAGE = 'the object belongs to the contract',
      DETAIL = format('%s by %s: %s', tg_tag, session_user, v_stopped),
      HINT = 'release the change; to repair a drift, as a member of birth_dba and in the same transaction before it: '
             'SELECT pg_advisory_xact_lock(birth.fn_birth_lock_key(''release''));';
  END IF;
END;
$fn_birth_event_guard$;

COMMENT ON FUNCTION birth.fn_birth_event_guard() IS
  'Event trigger function for ddl_command_end and sql_drop: stops (NB413) or records redefinitions outside a release. Specification: 5, 7, 10.';

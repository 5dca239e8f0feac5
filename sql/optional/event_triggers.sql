-- The optional event triggers, once for each database, by a superuser, at stage1 or later: psql -f event_triggers.sql. No release makes them and
-- nothing else needs them; birth.v_birth_event_trigger says what is missing. What they stop and record: birth.fn_birth_event_guard.
--
-- The routine belongs to birth_definer. Whoever may release can therefore have a superuser's next DDL command run code as that superuser: send this
-- only where whoever releases is trusted like one.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
DROP EVENT TRIGGER IF EXISTS birth_guard_changed;
DROP EVENT TRIGGER IF EXISTS birth_guard_dropped;
CREATE EVENT TRIGGER birth_guard_changed ON ddl_command_end EXECUTE FUNCTION birth.fn_birth_event_guard();
CREATE EVENT TRIGGER birth_guard_dropped ON sql_drop EXECUTE FUNCTION birth.fn_birth_event_guard();
-- Also in a session whose session_replication_role is replica.
ALTER EVENT TRIGGER birth_guard_changed ENABLE ALWAYS;
ALTER EVENT TRIGGER birth_guard_dropped ENABLE ALWAYS;
COMMIT;

-- Takes the optional event triggers off again, by a superuser: psql -f event_triggers.down.sql. A downgrade below stage1 needs them gone.
\set ON_ERROR_STOP on
BEGIN;
DROP EVENT TRIGGER IF EXISTS birth_guard_changed;
DROP EVENT TRIGGER IF EXISTS birth_guard_dropped;
COMMIT;

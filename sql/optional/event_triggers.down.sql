-- Removes the optional event triggers. A superuser runs: psql -f event_triggers.down.sql. The recorded alerts stay and
-- still count. To delete them too: DROP SCHEMA birth_guard CASCADE.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
DROP EVENT TRIGGER IF EXISTS birth_guard_changed;
DROP EVENT TRIGGER IF EXISTS birth_guard_dropped;
DROP FUNCTION IF EXISTS birth_guard.guard, birth_guard.dropped, birth_guard.changed, birth_guard.gateway_fault,
  birth_guard.privileges, birth_guard.written_here, birth_guard.is_release;
COMMIT;

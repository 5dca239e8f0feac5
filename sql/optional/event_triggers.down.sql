-- Removes the optional event triggers. A superuser runs: psql -f event_triggers.down.sql. The recorded alerts stay and
-- still count, and so does the list of gated schemas. To delete them too: DROP SCHEMA birth_guard CASCADE. The triggers
-- birth_gate stay on their tables, and go on asking the scope of the gate, until the tables' owners drop them.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
DROP EVENT TRIGGER IF EXISTS birth_guard_changed;
DROP EVENT TRIGGER IF EXISTS birth_guard_dropped;
DROP EVENT TRIGGER IF EXISTS birth_guard_gate;
DROP FUNCTION IF EXISTS birth_guard.gate, birth_guard.arrived, birth_guard.guard, birth_guard.dropped,
  birth_guard.changed, birth_guard.gateway_fault, birth_guard.privileges, birth_guard.written_here,
  birth_guard.is_release;
COMMIT;

-- The optional event triggers: the state of each, what is not detected without it, and the statement by which a
-- superuser adds or enables it. They are optional: everything else works without them.
CREATE OR REPLACE VIEW birth.v_birth_event_trigger AS
SELECT w.name, w.event, s.state,
       CASE WHEN s.state <> 'present' THEN w.purpose END AS not_noticed,
       CASE s.state
         WHEN 'present' THEN NULL
         WHEN 'switched off'
           THEN 'ALTER SYSTEM RESET event_triggers; SELECT pg_catalog.pg_reload_conf();  -- by a superuser'
         WHEN 'absent' THEN '-- psql -f sql/optional/event_triggers.sql, by a superuser'
         WHEN 'replaceable'
           THEN format('DROP EVENT TRIGGER %I;  -- by a superuser, then read this view again', e.evtname)
         WHEN 'partial'
           THEN format('DROP EVENT TRIGGER %I;  -- by a superuser, then read this view again', e.evtname)
         ELSE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS;  -- by a superuser', e.evtname)
       END AS next_step
FROM (VALUES
  ('birth_guard_changed', 'ddl_command_end', 'guard',
   'CREATE OR REPLACE, ALTER and GRANT on objects of the contract, a gateway trigger disabled or changed, '
   'new objects in schema birth'),
  ('birth_guard_dropped', 'sql_drop', 'guard', 'objects of schema birth and gateway triggers dropped'),
  ('birth_guard_gate', 'ddl_command_end', 'gate',
   'tables made in a gated schema that take rows before they are admitted, CREATE TABLE AS, SELECT INTO, SET SCHEMA')
) AS w(name, event, routine, purpose)
LEFT JOIN LATERAL (
  SELECT t.evtname, t.evtenabled, t.evttags, o.rolsuper AND s.rolsuper AS of_superuser
  FROM pg_catalog.pg_event_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.evtfoid AND p.proname = w.routine
  JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'birth_guard'
  JOIN pg_catalog.pg_roles s ON s.oid = n.nspowner
  WHERE t.evtevent = w.event
  -- Of several triggers for the event take the one that detects most.
  ORDER BY t.evttags IS NOT NULL, position(t.evtenabled IN 'AORD')
  LIMIT 1
) e ON true
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN e.evtname IS NULL THEN 'absent'
    -- The owner of the function or its schema could replace the code that runs in a superuser's DDL.
    WHEN NOT e.of_superuser THEN 'replaceable'
    WHEN e.evttags IS NOT NULL THEN 'partial'
    WHEN e.evtenabled IN ('D', 'R') THEN 'disabled'
    -- PostgreSQL 17 and later: this setting disables all event triggers.
    WHEN current_setting('event_triggers', true) = 'off' THEN 'switched off'
    -- Does not fire in a session with session_replication_role = replica.
    WHEN e.evtenabled = 'O' THEN 'not always'
    ELSE 'present'
  END AS state
) s;

COMMENT ON VIEW birth.v_birth_event_trigger IS
  'The optional event triggers: state (present, replaceable, not always, partial, disabled, switched off or absent), '
  'what is not detected without each, and the statement for a superuser. Specification: 5, 10.';

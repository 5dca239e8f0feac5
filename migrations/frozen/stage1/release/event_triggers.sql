-- The optional event triggers are a superuser's to make (sql/optional/event_triggers.sql); a release only knows how to go back without them.
DO $event_triggers$ BEGIN END $event_triggers$;

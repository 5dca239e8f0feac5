-- The routine cannot go while an event trigger calls it, and only a superuser can drop one: when the login is one it is done, else refused.
DO $event_triggers$
DECLARE
  v_statement text;
BEGIN
  SELECT string_agg(format('DROP EVENT TRIGGER %I;', t.evtname), ' ' ORDER BY t.evtname) INTO v_statement
  FROM pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid
  WHERE p.pronamespace = 'birth'::regnamespace;
  IF v_statement IS NULL THEN
    RETURN;
  END IF;
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user) THEN
    RAISE EXCEPTION USING ERRCODE = 'NB415', MESSAGE = 'event triggers still call their routine',
      DETAIL = v_statement,
      HINT = 'let a superuser send what the detail names, then downgrade again';
  END IF;
  SET LOCAL ROLE NONE;
  EXECUTE v_statement;
  SET LOCAL ROLE birth_definer;
END
$event_triggers$;

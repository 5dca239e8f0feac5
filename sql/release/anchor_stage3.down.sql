-- The owners drop their birth_gate first: only they can, and its function goes.
DO $gate$
DECLARE
  v_triggers text;
BEGIN
  SELECT string_agg(format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass), ' '
                    ORDER BY t.tgrelid::regclass::text, t.tgname)
  INTO v_triggers
  FROM pg_trigger t WHERE t.tgfoid = 'birth.fn_birth_gate_insert()'::regprocedure;
  IF v_triggers IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('gateway_in_use', v_triggers);
  END IF;
END
$gate$;

-- DOT-119, frozen: until stage 0 it redefined the gateway with logic that lacks the exempt guard. Nothing is left of
-- it.
-- Returns: never; NB403.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_trigger_setup()
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_dot_birth_trigger_setup$
BEGIN
  PERFORM birth.fn_birth_raise('dot_dangerous',
    'dot-birth-trigger-setup (DOT-119) redefined birth.fn_birth_registry_auto without the exempt guard',
    'attach a gateway instead: SELECT birth.fn_birth_gateway_attach(p_collection := ''...'', p_mode := ''observe'');');
END;
$fn_dot_birth_trigger_setup$;

COMMENT ON FUNCTION birth.fn_dot_birth_trigger_setup() IS
  'DOT-119, frozen since stage0: refuses with NB403. Specification: 2, 3.';

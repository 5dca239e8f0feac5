-- DOT-119, as stage 0 found it: redefines the gateway, with logic that lacks the exempt guard. Only birth_definer may execute
-- it; stage 0 replaces it by a refusal.
-- Returns: nothing.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_trigger_setup()
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_dot_birth_trigger_setup$
BEGIN
  CREATE OR REPLACE FUNCTION birth.fn_birth_registry_auto()
    RETURNS trigger
    LANGUAGE plpgsql
    VOLATILE
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
  AS $fn_birth_registry_auto$
  DECLARE
    v_code text;
  BEGIN
    EXECUTE format('SELECT %s FROM (VALUES ($1)) AS v(t)', (
      SELECT c.birth_code_sql FROM birth.collection_registry c WHERE c.collection_name = TG_ARGV[0])) INTO v_code USING NEW;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    VALUES (v_code, TG_ARGV[0], 'QT-002') ON CONFLICT DO NOTHING;
    RETURN NULL;
  END;
  $fn_birth_registry_auto$;
END;
$fn_dot_birth_trigger_setup$;

COMMENT ON FUNCTION birth.fn_dot_birth_trigger_setup() IS 'DOT-119: redefines the gateway; frozen by stage0. Specification: 2, 3.';

-- The gateway triggers that name a collection, wherever they are: a renamed table keeps its own.
-- Returns: one row a trigger that was not cloned from a parent's.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_triggers(p_collection text)
  RETURNS TABLE (relation oid, trigger_name name, enabled "char", owner oid)
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_triggers$
  SELECT t.tgrelid, t.tgname, t.tgenabled, c.relowner
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  WHERE t.tgfoid IN ('birth.fn_birth_registry_auto()'::regprocedure, 'birth.fn_birth_registry_auto_id()'::regprocedure)
    AND t.tgparentid = 0
    AND CASE WHEN t.tgnargs > 0
          THEN substring(t.tgargs FOR position('\x00'::bytea IN t.tgargs) - 1) = convert_to(p_collection, getdatabaseencoding()) END;
$fn_birth_gateway_triggers$;

COMMENT ON FUNCTION birth.fn_birth_gateway_triggers(text) IS
  'The gateway triggers whose first argument is the collection: table, name, enabled state, owner of the table. Specification: 5.';

-- Whether a gateway trigger stands where its collection is: on the registered table, on a partition of it, or on a table
-- that was renamed and still is the only one. A renamed table is known by its owner, who could insert into the registered
-- one as well. A temporary table never is one. Anything else would let whoever may put the trigger on a table of their own
-- give births to another's collection.
-- Returns: true or false.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_covers(p_relation oid, p_collection birth.collection_registry)
  RETURNS boolean
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_covers$
DECLARE
  v_registered oid;
BEGIN
  SELECT c.oid INTO v_registered FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = p_collection.schema_name AND c.relname = p_collection.table_name;
  -- The usual case of a partition first: this is asked for every row of it.
  IF p_relation = v_registered OR pg_partition_root(p_relation) = v_registered THEN
    RETURN true;
  END IF;
  RETURN EXISTS (
    SELECT FROM (SELECT p_relation AS relid UNION ALL SELECT p.relid FROM pg_partition_ancestors(p_relation) p) a
    JOIN pg_class c ON c.oid = a.relid
    WHERE CASE WHEN v_registered IS NULL THEN c.relpersistence <> 't' AND pg_get_userbyid(c.relowner) = p_collection.gateway_owner
               ELSE c.oid = v_registered END);
END;
$fn_birth_gateway_covers$;

COMMENT ON FUNCTION birth.fn_birth_gateway_covers(oid, birth.collection_registry) IS
  'Whether a table is the one a collection is registered for, a partition of it, or a renamed one of the same owner that nothing replaced. Specification: 5.';

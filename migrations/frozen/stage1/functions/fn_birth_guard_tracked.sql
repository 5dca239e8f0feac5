-- The object of the contract that a catalogue row is, or is part of; after an ALTER also the one that it may have been: renamed or moved, it no
-- longer bears a name of the contract, and one of its class is missing.
-- Returns: its kind and name, or NULL.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_guard_tracked(p_class oid, p_object oid, p_relation oid, p_altered boolean)
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_guard_tracked$
BEGIN
  RETURN (
    SELECT format('%s %s', r.kind, r.object)
    FROM birth.v_birth_contract_recorded r
    CROSS JOIN LATERAL (
      SELECT CASE WHEN r.kind IN ('table', 'view', 'index') THEN 'pg_class'::regclass WHEN r.kind = 'schema' THEN 'pg_namespace'::regclass
                  WHEN r.kind IN ('gateway', 'function', 'procedure') THEN 'pg_proc'::regclass END AS class,
             CASE WHEN r.kind IN ('table', 'view', 'index') THEN to_regclass('birth.' || r.object)::oid WHEN r.kind = 'schema' THEN to_regnamespace(r.object)::oid
                  WHEN r.kind IN ('gateway', 'function', 'procedure') THEN to_regprocedure('birth.' || r.object)::oid END AS oid
    ) l
    WHERE l.class = p_class AND l.oid = p_object
       OR l.class = 'pg_class'::regclass AND l.oid = p_relation
       OR p_altered AND l.class = p_class AND l.oid IS NULL
    ORDER BY l.oid IS NULL, r.kind = 'index', r.kind, r.object
    LIMIT 1);
END;
$fn_birth_guard_tracked$;

COMMENT ON FUNCTION birth.fn_birth_guard_tracked(oid, oid, oid, boolean) IS
  'Kind and name of the object of the contract that a catalogue row is, belongs to or, after an ALTER, may have been; else NULL. Specification: 7.';

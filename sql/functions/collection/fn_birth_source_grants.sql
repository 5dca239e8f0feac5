-- What the owner of a source table has to grant: SELECT to birth_scanner, which reads it (plan, run, census), or
-- TRIGGER to birth_definer, which creates the trigger (attach). Row level security would hide rows from birth_scanner,
-- whatever its policies say: it reads with row_security = off, so it needs BYPASSRLS then. On a partitioned table
-- PostgreSQL requires TRIGGER on each partition too, and EXECUTE on the trigger function when the owner creates a
-- partition.
-- Returns: the statements; empty if nothing is missing or the table does not exist.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_grants$
  SELECT coalesce(string_agg(concat_ws(' ',
    CASE WHEN NOT has_schema_privilege(w.role, n.oid, 'USAGE')
      THEN format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, w.role) END,
    (SELECT string_agg(format('GRANT %s ON %s TO %I;', p_privilege, s.relation, w.role), ' ' ORDER BY s.relation)
     FROM (SELECT t.oid AS oid, format('%I.%I', n.nspname, t.relname) AS relation
           UNION
           SELECT p.oid, format('%I.%I', pn.nspname, p.relname)
           FROM pg_partition_tree(t.oid) f
           JOIN pg_class p ON p.oid = f.relid JOIN pg_namespace pn ON pn.oid = p.relnamespace
           WHERE p_privilege = 'TRIGGER') s
     WHERE NOT has_table_privilege(w.role, s.oid, p_privilege)),
    CASE WHEN p_privilege = 'SELECT' AND t.relrowsecurity
              AND NOT (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = w.role)
      THEN format('ALTER ROLE %I BYPASSRLS;  -- by a superuser, for the row level security of %I.%I', w.role, n.nspname,
        t.relname) END,
    CASE WHEN p_privilege = 'TRIGGER' AND t.relkind = 'p'
              AND NOT has_function_privilege(t.relowner, 'birth.fn_birth_registry_auto()', 'EXECUTE')
      THEN format('GRANT birth_source_owner TO %I;  -- by an administrator of roles', pg_get_userbyid(t.relowner)) END),
    ' '), '')
  FROM birth.collection_registry c
  CROSS JOIN (SELECT CASE p_privilege WHEN 'SELECT' THEN 'birth_scanner' ELSE 'birth_definer' END) AS w(role)
  JOIN pg_namespace n ON n.nspname = c.schema_name
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
  WHERE c.collection_name = p_collection;
$fn_birth_source_grants$;

COMMENT ON FUNCTION birth.fn_birth_source_grants(text, text) IS
  'Statements still missing on the source table of a collection: SELECT for birth_scanner, TRIGGER for '
  'birth_definer; empty if none. Specification: 5.';

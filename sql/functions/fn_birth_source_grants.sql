-- What the owner of a source table has to grant before birth_definer can read it (plan, run, census) or put a trigger on it (attach).
-- Returns: the GRANT statements; empty when nothing is missing or the table does not exist.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_grants$
  SELECT coalesce(string_agg(concat_ws(' ',
    CASE WHEN NOT has_schema_privilege('birth_definer', n.oid, 'USAGE') THEN format('GRANT USAGE ON SCHEMA %I TO birth_definer;', n.nspname) END,
    CASE WHEN NOT has_table_privilege('birth_definer', t.oid, p_privilege)
      THEN format('GRANT %s ON %I.%I TO birth_definer;', p_privilege, n.nspname, t.relname) END), ''), '')
  FROM birth.collection_registry c
  JOIN pg_namespace n ON n.nspname = c.schema_name
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
  WHERE c.collection_name = p_collection;
$fn_birth_source_grants$;

COMMENT ON FUNCTION birth.fn_birth_source_grants(text, text) IS
  'GRANT statements that birth_definer still needs on the source table of a collection; empty when none. Specification: 5.';

-- Whether a table can be a source: an ordinary or partitioned table without inheritance, in nobody else's partition tree, outside
-- birthdb and the system.
-- PL/pgSQL, because its plan is kept for the session: this is asked for every batch and for every collection.
-- Returns: one row; status NULL when it can, else BLOCKED_NO_TABLE or BLOCKED_SOURCE with the reason.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_status(p_collection text, p_schema name, p_table name)
  RETURNS TABLE (status text, reason text, relation oid)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_status$
BEGIN
  RETURN QUERY
  WITH source AS (
    SELECT c.oid, c.relkind, c.relispartition, c.relpersistence, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p_schema AND c.relname = p_table
  ), sharing AS (
    SELECT min(r.collection_name) AS other
    FROM source s
    JOIN LATERAL (SELECT a.relid FROM pg_partition_ancestors(s.oid) a UNION SELECT t.relid FROM pg_partition_tree(s.oid) t) f ON f.relid <> s.oid
    JOIN pg_class c ON c.oid = f.relid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN birth.collection_registry r ON r.schema_name = n.nspname AND r.table_name = c.relname AND r.collection_name <> p_collection
  )
  SELECT CASE WHEN s.oid IS NULL THEN 'BLOCKED_NO_TABLE' WHEN f.fault IS NOT NULL THEN 'BLOCKED_SOURCE' END,
         CASE WHEN s.oid IS NULL THEN format('table %I.%I does not exist', p_schema, p_table) ELSE f.fault END,
         s.oid
  FROM (SELECT) AS one
  LEFT JOIN source s ON true
  LEFT JOIN LATERAL (SELECT CASE
      WHEN s.relkind NOT IN ('r', 'p') THEN format('%I.%I is not an ordinary or partitioned table', p_schema, p_table)
      WHEN s.nspname IN ('birth', 'pg_catalog', 'information_schema', 'pg_toast') OR s.relpersistence = 't'
        THEN format('%I.%I is not a table of the application', p_schema, p_table)
      WHEN NOT s.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = s.oid
           OR (i.inhparent = s.oid AND s.relkind = 'r'))
        THEN format('%I.%I has inheritance parents or children', p_schema, p_table)
      WHEN (SELECT other FROM sharing) IS NOT NULL
        THEN format('%I.%I shares its partition tree with collection %s', p_schema, p_table, (SELECT other FROM sharing))
    END AS fault) f ON s.oid IS NOT NULL;
END;
$fn_birth_source_status$;

COMMENT ON FUNCTION birth.fn_birth_source_status(text, name, name) IS
  'Whether a table can be the source of a collection: status NULL, BLOCKED_NO_TABLE or BLOCKED_SOURCE, the reason, the table''s OID. Specification: 6.1 R2, R3.';

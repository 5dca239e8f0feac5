-- Whether a table can be a source: an ordinary or partitioned table without inheritance, in nobody else's partition tree, outside birthdb and the system,
-- and without code of its owner that the planner would run with birth_definer's rights.
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
  ), part AS (
    SELECT s.oid FROM source s UNION SELECT t.relid::oid FROM source s CROSS JOIN LATERAL pg_partition_tree(s.oid) t
  ), planned AS (
    -- What the planner may evaluate while it plans: expressions of indexes, constraints and statistics.
    SELECT 'pg_class'::regclass AS class, i.indexrelid AS oid FROM part p JOIN pg_index i ON i.indrelid = p.oid WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid FROM part p JOIN pg_constraint k ON k.conrelid = p.oid AND k.contype = 'c'
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, x.oid FROM part p JOIN pg_statistic_ext x ON x.stxrelid = p.oid
  ), foreign_code AS (
    -- Built-in routines leave no dependency; those of a superuser are trusted, as an extension's are.
    SELECT min(f.proname) AS code
    FROM planned n
    JOIN pg_depend d ON d.classid = n.class AND d.objid = n.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    JOIN pg_proc f ON f.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
    JOIN pg_roles r ON r.oid = f.proowner AND NOT r.rolsuper
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
      WHEN (SELECT code FROM foreign_code) IS NOT NULL
        THEN format('the planner would run code of the table''s owner: %s', (SELECT code FROM foreign_code))
      WHEN (SELECT other FROM sharing) IS NOT NULL
        THEN format('%I.%I shares its partition tree with collection %s', p_schema, p_table, (SELECT other FROM sharing))
    END AS fault) f ON s.oid IS NOT NULL;
END;
$fn_birth_source_status$;

COMMENT ON FUNCTION birth.fn_birth_source_status(text, name, name) IS
  'Whether a table can be the source of a collection: status NULL, BLOCKED_NO_TABLE or BLOCKED_SOURCE, the reason, the table''s OID. Specification: 6.1 R2, R3.';

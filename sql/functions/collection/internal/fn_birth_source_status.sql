-- Whether a table can be a source: an ordinary or partitioned table without inheritance, in no other collection's
-- partition tree, outside birthdb and the system, and without code of its owner that the planner would run.
-- PL/pgSQL, because a session keeps its plan: every batch calls this.
-- Returns: one row; status NULL if it can be a source, else BLOCKED_NO_TABLE or BLOCKED_SOURCE with the reason;
-- exemptible if it is a table all the same, of which only the rows cannot be read: it may be exempt; and the next step,
-- where it is another than to name a table.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_status(p_collection text, p_schema name, p_table name)
  RETURNS TABLE (status text, reason text, relation oid, exemptible boolean, next_step text)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_status$
DECLARE
  r_source record;
  v_code name;
  v_other text;
  v_parts oid[];
BEGIN
  SELECT c.oid, c.relkind, c.relispartition, c.relpersistence INTO r_source
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = p_schema AND c.relname = p_table;
  relation := r_source.oid;
  IF relation IS NULL THEN
    status := 'BLOCKED_NO_TABLE';
    reason := format('table %I.%I does not exist', p_schema, p_table);
    RETURN NEXT;
    RETURN;
  END IF;

  reason := CASE
    WHEN r_source.relkind NOT IN ('r', 'p')
      THEN format('%I.%I is not an ordinary or partitioned table', p_schema, p_table)
    WHEN p_schema IN ('birth', 'pg_catalog', 'information_schema', 'pg_toast') OR r_source.relpersistence = 't'
      THEN format('%I.%I is not a table of the application', p_schema, p_table) END;
  exemptible := reason IS NULL;
  reason := CASE
    WHEN reason IS NOT NULL THEN reason
    WHEN NOT r_source.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = relation
                                                 OR (i.inhparent = relation AND r_source.relkind = 'r'))
      THEN format('%I.%I has inheritance parents or children', p_schema, p_table)
  END;
  IF exemptible AND reason IS NOT NULL THEN
    next_step := 'make partitions of what inherits, or register it with p_coverage_status := ''BIRTH_EXEMPT_...''';
  END IF;

  IF reason IS NULL THEN
    v_parts := ARRAY[relation];
    IF r_source.relkind = 'p' THEN
      v_parts := v_parts || ARRAY(SELECT t.relid::oid FROM pg_partition_tree(relation) t WHERE t.relid <> relation);
    END IF;
    -- The planner may evaluate expressions of indexes, constraints and statistics. Built-in routines leave no
    -- dependency; routines of a superuser are trusted, as an extension's are.
    SELECT min(f.proname) INTO v_code
    FROM (
      SELECT 'pg_class'::regclass AS class, i.indexrelid AS oid FROM pg_index i
      WHERE i.indrelid = ANY (v_parts) AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
      UNION ALL
      SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = ANY (v_parts) AND k.contype = 'c'
      UNION ALL
      SELECT 'pg_statistic_ext'::regclass, x.oid FROM pg_statistic_ext x WHERE x.stxrelid = ANY (v_parts)
    ) n
    JOIN pg_depend d ON d.classid = n.class AND d.objid = n.oid
      AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    JOIN pg_proc f ON f.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
    JOIN pg_roles r ON r.oid = f.proowner AND NOT r.rolsuper;
    IF v_code IS NOT NULL THEN
      reason := format('the planner would run code of the table''s owner: %s', v_code);
      next_step := 'let the owner drop the index, constraint or statistics that call it, or register the table with '
                   'p_coverage_status := ''BIRTH_EXEMPT_...''';
    END IF;
  END IF;

  -- Only a table in a partition tree has others in it.
  IF exemptible AND (r_source.relkind = 'p' OR r_source.relispartition) THEN
    SELECT min(r.collection_name) INTO v_other
    FROM (SELECT a.relid FROM pg_partition_ancestors(relation) a
          UNION SELECT t.relid FROM pg_partition_tree(relation) t) f
    JOIN pg_class c ON c.oid = f.relid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN birth.collection_registry r ON r.schema_name = n.nspname AND r.table_name = c.relname
      AND r.collection_name <> p_collection
    WHERE f.relid <> relation;
    IF v_other IS NOT NULL THEN
      reason := format('%I.%I shares its partition tree with collection %s', p_schema, p_table, v_other);
      next_step := 'a partition tree is one collection: register its root, or a partition, and not both';
      exemptible := false;
    END IF;
  END IF;
  IF reason IS NOT NULL THEN
    status := 'BLOCKED_SOURCE';
  END IF;
  RETURN NEXT;
END;
$fn_birth_source_status$;

COMMENT ON FUNCTION birth.fn_birth_source_status(text, name, name) IS
  'Whether a table can be the source of a collection: status NULL, BLOCKED_NO_TABLE or BLOCKED_SOURCE, the reason, the '
  'table''s OID, and whether it may be exempt all the same. Specification: 6.1 R2, R3.';

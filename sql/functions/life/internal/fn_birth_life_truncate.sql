-- Before a table, or a partition, is emptied: the lives of all its rows end. In mode enforce it is refused. The rows
-- are read as birth_scanner, of a partition that it may not read through the table.
-- Returns: in mode enforce the refusal NB513, which the trigger raises; else NULL, and faults are findings.
-- Calls: fn_birth_life_report, fn_birth_scan, fn_birth_life_unborn, fn_birth_life_write
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid)
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_truncate$
DECLARE
  c_name CONSTANT text := p_collection.collection_name;
  v_source text := format('ONLY %s t', p_relation::regclass);
  v_rows bigint;
  v_fault text;
BEGIN
  IF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.life_mode = 'enforce' THEN
    RETURN birth.fn_birth_life_report(p_collection, 'truncate_refused', 1, ARRAY[p_relation::regclass::text]);
  END IF;
  IF NOT has_table_privilege('birth_scanner', p_relation, 'SELECT') THEN
    v_source := format('%s t WHERE t.tableoid = %s', pg_partition_root(p_relation)::regclass, p_relation);
  END IF;
  -- Before births are read; see fn_birth_life_end.
  LOCK TABLE birth.birth_death IN ROW EXCLUSIVE MODE;
  BEGIN
    SELECT sum(cardinality(s.codes)), sum(birth.fn_birth_life_write(c_name, k.own || CASE
             WHEN p_collection.coverage_status = 'BIRTH_REQUIRED' AND k.unborn IS NOT NULL
             THEN birth.fn_birth_life_unborn(c_name, k.unborn) END, 'DELETE'))
    INTO v_rows
    FROM birth.fn_birth_scan(format(
      'SELECT array_agg(c.code) FROM (SELECT s.code, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (SELECT %s AS code FROM %s) s WHERE s.code IS NOT NULL) c GROUP BY c.chunk ORDER BY c.chunk',
      p_collection.birth_code_sql, v_source)) AS s(codes text[])
    CROSS JOIN LATERAL (
      SELECT array_agg(c.code) FILTER (WHERE b.collection_name = c_name) AS own,
             array_agg(c.code) FILTER (WHERE b.entity_code IS NULL) AS unborn
      FROM unnest(s.codes) AS c(code) LEFT JOIN birth.birth_registry b ON b.entity_code = c.code
    ) k;
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR query_canceled THEN
      RAISE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_fault = MESSAGE_TEXT;
      PERFORM birth.fn_birth_life_report(p_collection, 'life_unread', 1, ARRAY[v_fault]);
  END;
  RETURN birth.fn_birth_life_report(p_collection, 'truncate_refused', v_rows, NULL);
END;
$fn_birth_life_truncate$;

COMMENT ON FUNCTION birth.fn_birth_life_truncate(birth.collection_registry, oid) IS
  'Writes the deaths of all rows of a table that is about to be emptied. In mode enforce NB513. Specification: 5.2.';

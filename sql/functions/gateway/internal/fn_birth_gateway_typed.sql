-- Whether the rows have the identity columns with the types they were classified with, as a statement for a gateway trigger
-- under an old snapshot: the snapshot shows the columns of the table as they were, the rows have them as they are now. The
-- statement asks the values and names no table and no type, so there is nothing that another table or type of that name
-- could put in its place.
-- Returns: a statement that yields true or false, over birth_new_rows or, by row, over one row $1.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_typed(p_collection birth.collection_registry, p_relation oid, p_by_row boolean)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_typed$
DECLARE
  v_column text;
BEGIN
  FOREACH v_column IN ARRAY p_collection.birth_code_columns LOOP
    -- Refuses a column that is not there, whatever the snapshot: (row).name would be a function called name over the row.
    PERFORM has_column_privilege(p_relation, v_column, 'SELECT');
  END LOOP;
  RETURN format(CASE WHEN p_by_row THEN 'SELECT %s' ELSE 'SELECT %s FROM birth_new_rows t LIMIT 1' END,
    (SELECT coalesce(string_agg(format('pg_typeof(%s.%I)::oid = ANY (%L::oid[])', CASE WHEN p_by_row THEN '($1)' ELSE 't' END, k.name,
              CASE k.type WHEN 20 THEN '{20,21,23}' WHEN 25 THEN '{25,1043}' ELSE format('{%s}', k.type) END), ' AND '), 'false')
     FROM ROWS FROM (unnest(p_collection.birth_code_columns), unnest(p_collection.birth_code_types::oid[])) AS k(name, type)));
EXCEPTION WHEN undefined_column THEN
  RETURN 'SELECT false';
END;
$fn_birth_gateway_typed$;

COMMENT ON FUNCTION birth.fn_birth_gateway_typed(birth.collection_registry, oid, boolean) IS
  'A statement that says whether the new rows have the identity columns with the types of the classification, for a gateway trigger under an old snapshot. Specification: 5, 6.1 R2.';

-- The key columns as the lists that paging needs; built in one place.
-- Returns: one row: named (select list key_1, key_2, …), ascending and descending (order lists over row t), last (the last of them aggregated, as texts: for a chunk,
-- because it collects them), numbered (those of the row whose number is $6, as texts: for any number of rows).
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_key_lists(p_key_columns text[])
  RETURNS TABLE (named text, ascending text, descending text, last text, numbered text)
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_key_lists$
BEGIN
  RETURN QUERY
  SELECT string_agg(format('t.%I AS key_%s', k.name, k.position), ', ' ORDER BY k.position),
         string_agg(format('t.%I', k.name), ', ' ORDER BY k.position),
         string_agg(format('t.%I DESC', k.name), ', ' ORDER BY k.position),
         string_agg(format('((array_agg(s.key_%s))[count(*)])::text', k.position), ', ' ORDER BY k.position),
         string_agg(format('max(s.key_%s::text) FILTER (WHERE s.number = $6)', k.position), ', ' ORDER BY k.position)
  FROM unnest(p_key_columns) WITH ORDINALITY AS k(name, position);
END;
$fn_birth_key_lists$;

COMMENT ON FUNCTION birth.fn_birth_key_lists(text[]) IS
  'Select, order and aggregate lists over key columns. Specification: 6.';

-- Keyset paging: the key columns of a source as the SQL pieces that paging needs, over a row t. Built here alone.
-- Returns: one row: named (select list key_1, key_2, ...); ascending and descending (order lists); last (the last key
-- of a chunk, as texts; it collects the keys); numbered (the key of row number $6, as texts; for any number of rows);
-- after (key > $4) and upto (key <= $5), which need the types.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_key_lists(p_key_columns text[], p_key_types text[] DEFAULT NULL)
  RETURNS TABLE (named text, ascending text, descending text, last text, numbered text, after text, upto text)
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
         string_agg(format('max(s.key_%s::text) FILTER (WHERE s.number = $6)', k.position), ', ' ORDER BY k.position),
         format('ROW(%s) > ROW(%s)', string_agg(format('t.%I', k.name), ', ' ORDER BY k.position),
           string_agg(format('($4)[%s]::%s', k.position, k.type), ', ' ORDER BY k.position)),
         format('ROW(%s) <= ROW(%s)', string_agg(format('t.%I', k.name), ', ' ORDER BY k.position),
           string_agg(format('($5)[%s]::%s', k.position, k.type), ', ' ORDER BY k.position))
  FROM unnest(p_key_columns, p_key_types) WITH ORDINALITY AS k(name, type, position);
END;
$fn_birth_key_lists$;

COMMENT ON FUNCTION birth.fn_birth_key_lists(text[], text[]) IS
  'SQL pieces of keyset paging over a source''s key: select, order and aggregate lists, comparisons. Specification: 6.';

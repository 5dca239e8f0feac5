-- What a life trigger asks of a row, as SQL over a row t: its code, whether it is living, and the texts of the key by
-- which it is looked for. A row is living unless its life column says otherwise.
-- p_one: over one row $1, of which only the columns that are needed are read.
-- Returns: a SELECT without its FROM list, or with it for one row: columns code, living, keys.
-- Calls: fn_birth_life_living, fn_birth_type_text
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_life_row(p_collection birth.collection_registry, p_one boolean)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_row$
  SELECT format('SELECT %s AS code, %s AS living, ARRAY[%s]::text[] AS keys', p_collection.birth_code_sql,
           birth.fn_birth_life_living(p_collection),
           -- Of columns that are not those that were classified nothing is read.
           CASE WHEN p_collection.birth_code_sql = 'NULL::text' THEN 'NULL' ELSE (
             SELECT string_agg(format((birth.fn_birth_type_text(p_collection.birth_code_types[
                      array_position(p_collection.birth_code_columns, k.name)])).text_sql, format('t.%I', k.name)), ', '
                      ORDER BY k.position)
             FROM unnest(p_collection.life_key) WITH ORDINALITY AS k(name, position)) END)
         || CASE WHEN p_one THEN format(' FROM (SELECT %s) t',
              (SELECT string_agg(format('($1).%1$I AS %1$I', n.name), ', ')
               FROM (SELECT unnest(p_collection.birth_code_columns) UNION
                     SELECT p_collection.life_column WHERE p_collection.life_column IS NOT NULL) AS n(name)))
            ELSE '' END;
$fn_birth_life_row$;

COMMENT ON FUNCTION birth.fn_birth_life_row(birth.collection_registry, boolean) IS
  'SQL of a row''s code, whether it is living, and its key, for a life trigger. Specification: 5.2.';

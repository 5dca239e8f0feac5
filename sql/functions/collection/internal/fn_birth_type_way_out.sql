-- The way out where a column's type is refused: a stored generated column with the text of it, and a key over that. In
-- a partitioned table a key has the columns that it is partitioned by. A domain over an enum becomes the enum.
-- Returns: the statement for the owner of the table, for the first of the columns whose type is refused; NULL if none
-- is.
-- Calls: fn_birth_type_text
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_type_way_out(p_relation oid, p_columns text[])
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_type_way_out$
  SELECT CASE WHEN EXISTS (SELECT FROM pg_type e WHERE e.oid = y.base::regtype AND e.typtype = 'e')
    THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;  -- the owner of the table', p_relation::regclass, a.attname,
           y.base)
    ELSE format('ALTER TABLE %s ADD COLUMN %I pg_catalog.text GENERATED ALWAYS AS (%s) STORED%s, ADD UNIQUE (%I%s);'
           '  -- the owner of the table%s', p_relation::regclass, v.name,
           coalesce(format(y.text_sql, quote_ident(a.attname)), '...'),
           CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, v.name,
           (SELECT string_agg(format(', %I', b.attname), '' ORDER BY n.position)
            FROM pg_partitioned_table p
            CROSS JOIN LATERAL unnest(p.partattrs::smallint[]) WITH ORDINALITY AS n(number, position)
            JOIN pg_attribute b ON b.attrelid = p.partrelid AND b.attnum = n.number
            WHERE p.partrelid = p_relation),
           CASE WHEN y.text_sql IS NULL THEN ', with an immutable expression in place of ...' ELSE '' END) END
  FROM unnest(p_columns) WITH ORDINALITY AS c(name, position)
  JOIN pg_attribute a ON a.attrelid = p_relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
  CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
  CROSS JOIN LATERAL (SELECT (a.attname || '_text')::name AS name) v
  WHERE y.type IS NULL
  ORDER BY c.position LIMIT 1;
$fn_birth_type_way_out$;

COMMENT ON FUNCTION birth.fn_birth_type_way_out(oid, text[]) IS
  'The statement that adds a generated column in place of one whose type is refused; NULL where none is. '
  'Specification: 4.';

-- The keys by which a table can be paged: unique, immediate, complete btree indexes over plain columns, in an order
-- that a row comparison can follow. The primary key first, then the shortest.
-- Returns: a row for each: its name, columns and their types, of a domain the type that it is made of.
-- Calls: fn_birth_type_text
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_source_keys(p_relation oid)
  RETURNS TABLE (name name, is_primary boolean, columns text[], types text[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_source_keys$
  SELECT x.relname, i.indisprimary, k.names, k.types
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY n.position) AS names,
           array_agg((birth.fn_birth_type_text(a.atttypid)).base ORDER BY n.position) AS types,
           bool_and(o.opcdefault AND i.indcollation[n.position - 1] = a.attcollation
                    AND (i.indnkeyatts = 1 OR i.indoption[n.position - 1] = 0)) AS usable
    FROM generate_series(1, i.indnkeyatts) AS n(position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.position - 1]
    JOIN pg_opclass o ON o.oid = i.indclass[n.position - 1]
  ) k
  WHERE i.indrelid = p_relation AND k.usable AND cardinality(k.names) = i.indnkeyatts
    AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname;
$fn_birth_source_keys$;

COMMENT ON FUNCTION birth.fn_birth_source_keys(oid) IS
  'The keys by which a table can be paged, best first. Specification: 4.';

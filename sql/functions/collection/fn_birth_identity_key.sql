-- The unique key to scan by: an immediate, complete, plain index all of whose columns are identity columns, in an order that a
-- row comparison can follow. The primary key first, then the shortest.
-- PL/pgSQL, because its plan is kept for the session: this is asked for every batch and for every collection.
-- Returns: one row, or none.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_key(p_relation oid, p_columns text[])
  RETURNS TABLE (key_columns text[], key_types text[])
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_key$
BEGIN
  RETURN QUERY
  SELECT k.key_columns, k.key_types
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY n.position) AS key_columns,
           array_agg(format_type(a.atttypid, NULL) ORDER BY n.position) AS key_types,
           bool_and(a.attname = ANY (p_columns) AND o.opcdefault AND i.indcollation[n.position - 1] = a.attcollation
                    AND (i.indnkeyatts = 1 OR i.indoption[n.position - 1] = 0)) AS usable
    FROM generate_series(1, i.indnkeyatts) AS n(position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.position - 1]
    JOIN pg_opclass o ON o.oid = i.indclass[n.position - 1]
  ) k ON k.usable AND cardinality(k.key_columns) = i.indnkeyatts
  WHERE i.indrelid = p_relation
    AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname
  LIMIT 1;
END;
$fn_birth_identity_key$;

COMMENT ON FUNCTION birth.fn_birth_identity_key(oid, text[]) IS
  'Columns and types of the unique index over identity columns that a backfill pages by; no row when there is none. Specification: 6.1 R3.';

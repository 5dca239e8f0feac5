-- Stores what the gateway needs of a collection's identity: the expression, the same over one row, the columns, their
-- types, and whether no two rows can have one code. The gateway reads them at every insert and derives nothing; plan,
-- start and resume compare expression, columns and types with the definition. A routine of its own because the registry
-- of an earlier system is entered without fn_birth_identity_classify, which comes with stage2.
-- Returns: the identity's status and reason; nothing is written unless it is eligible.
-- Calls: fn_birth_identity_definition
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_store(p_collection text, OUT status text, OUT reason text)
  RETURNS record
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_store$
DECLARE
  r_identity record;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  status := r_identity.status;
  reason := r_identity.reason;
  UPDATE birth.collection_registry c
  SET birth_code_sql = r_identity.code_sql, birth_code_columns = r_identity.columns,
      birth_code_row_sql = format('SELECT %s FROM (SELECT %s) AS t', r_identity.code_sql,
        (SELECT string_agg(format('($1).%1$I AS %1$I', n.name), ', ') FROM unnest(r_identity.columns) AS n(name))),
      birth_code_types = r_identity.types, birth_code_distinct = r_identity.codes_distinct AND NOT c.birth_code_part
  WHERE c.collection_name = p_collection AND r_identity.code_sql IS NOT NULL;
END;
$fn_birth_identity_store$;

COMMENT ON FUNCTION birth.fn_birth_identity_store(text) IS
  'Stores the expression, columns and types of an eligible identity for the gateway; returns its status and reason. '
  'Specification: 4.';

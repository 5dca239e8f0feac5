-- The identity of every collection of a policy, by the one definition of identity.
-- SECURITY DEFINER: the definition reads what a reader may not call; the views that count identities are for readers.
-- Returns: one row a collection: its name, status and reason as fn_birth_identity_definition gives them, its table's OID.
-- Calls: fn_birth_identity_definition
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_statuses(p_coverage text DEFAULT NULL)
  RETURNS TABLE (collection_name text, status text, reason text, relation oid)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_statuses$
BEGIN
  RETURN QUERY
  SELECT c.collection_name, d.status, d.reason, d.relation
  FROM birth.collection_registry c
  CROSS JOIN LATERAL birth.fn_birth_identity_definition(c.collection_name) d
  WHERE p_coverage IS NULL OR c.coverage_status = p_coverage;
END;
$fn_birth_identity_statuses$;

COMMENT ON FUNCTION birth.fn_birth_identity_statuses(text) IS
  'Identity status of every collection, or of those of one policy: ELIGIBLE_… or BLOCKED_… with the reason. Specification: 4.';

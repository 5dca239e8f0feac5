-- The identity of a run's collection, which has to be the one that it was classified with: a table that changed meanwhile gives other codes or none.
-- Returns: the row of fn_birth_identity_definition; NB105.
-- Calls: fn_birth_identity_definition, fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_identity(p_collection text)
  RETURNS TABLE (source_sql text, code_sql text, key_columns text[], key_types text[])
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_identity$
DECLARE
  r_identity record;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  IF r_identity.code_sql IS DISTINCT FROM (SELECT c.birth_code_sql FROM birth.collection_registry c WHERE c.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible', format('collection %s: the table changed while the run was on: %s', p_collection, r_identity.reason));
  END IF;
  RETURN QUERY SELECT r_identity.source_sql, r_identity.code_sql, r_identity.key_columns, r_identity.key_types;
END;
$fn_birth_run_identity$;

COMMENT ON FUNCTION birth.fn_birth_run_identity(text) IS
  'Source, code and key of a run''s collection as SQL; NB105 when the table is no longer the one that was classified. Specification: 6.1 R2, R3.';

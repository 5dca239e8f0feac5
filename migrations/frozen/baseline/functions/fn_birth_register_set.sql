-- The set-based core of registering: one statement inserts, in the order of the codes so that concurrent writers queue instead of
-- deadlocking; a later one looks up who owns what was there, and so sees births that were committed meanwhile.
-- Returns: births written, codes the collection already owned, codes that another collection owns.
-- Calls: nothing
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_register_set(
    p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid,
    OUT born bigint, OUT existing bigint, OUT foreign_codes text[])
  RETURNS record
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_register_set$
BEGIN
  INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
  SELECT c.code, p_collection, p_dot_origin, p_run_id
  FROM unnest(p_codes) AS c(code)
  WHERE c.code IS NOT NULL
  ORDER BY c.code COLLATE "C"
  ON CONFLICT (entity_code) DO NOTHING;
  GET DIAGNOSTICS born = ROW_COUNT;
  existing := 0;
  foreign_codes := '{}';
  IF born < cardinality(p_codes) THEN
    SELECT count(*) FILTER (WHERE b.collection_name = p_collection) - born,
           coalesce(array_agg(b.entity_code) FILTER (WHERE b.collection_name <> p_collection), '{}')
    INTO existing, foreign_codes
    FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c
    JOIN birth.birth_registry b ON b.entity_code = c.code;
  END IF;
END;
$fn_birth_register_set$;

COMMENT ON FUNCTION birth.fn_birth_register_set(text, text[], text, uuid) IS
  'Registers a set of codes: births written, codes already owned, codes of other collections. Granted to nobody. Specification: 4.';

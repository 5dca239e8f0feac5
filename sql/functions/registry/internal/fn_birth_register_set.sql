-- The set-based core of registering: one statement inserts, in the order of the codes so that concurrent writers queue instead of
-- deadlocking; a later one looks up who owns what was there, and so sees births that were committed meanwhile.
-- ON CONFLICT costs a row nearly as much as the rest of its insert: it looks before it inserts, and logs that it did. Where nobody is expected to have been
-- first (p_fresh), the plain insert is tried; should one code be there all the same, the primary key says so, and the whole set goes the other way.
-- Returns: births written, codes the collection already owned, codes that another collection owns.
-- Calls: nothing
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_register_set(
    p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_fresh boolean DEFAULT false,
    OUT born bigint, OUT existing bigint, OUT foreign_codes text[])
  RETURNS record
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_register_set$
BEGIN
  IF p_fresh THEN
    BEGIN
      INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
      SELECT c.code, p_collection, p_dot_origin, p_run_id
      FROM unnest(p_codes) AS c(code)
      WHERE c.code IS NOT NULL
      ORDER BY c.code COLLATE "C";
      GET DIAGNOSTICS born = ROW_COUNT;
    EXCEPTION WHEN unique_violation THEN
      born := NULL;
    END;
  END IF;
  IF born IS NULL THEN
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
    SELECT c.code, p_collection, p_dot_origin, p_run_id
    FROM unnest(p_codes) AS c(code)
    WHERE c.code IS NOT NULL
    ORDER BY c.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS born = ROW_COUNT;
  END IF;
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

COMMENT ON FUNCTION birth.fn_birth_register_set(text, text[], text, uuid, boolean) IS
  'Registers a set of codes: births written, codes already owned, codes of other collections. Granted to nobody. Specification: 4.';

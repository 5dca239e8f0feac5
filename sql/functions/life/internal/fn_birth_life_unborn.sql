-- What becomes of codes whose rows went and that had no birth. An open batch may be writing them: a birth that is
-- written and removed here makes the later of the two wait for the other.
-- Returns: the codes that have a birth of the collection by now; 40001 under an old snapshot.
-- Calls: fn_birth_finding_record
-- Writes: birth_registry (what it writes it removes)
CREATE OR REPLACE FUNCTION birth.fn_birth_life_unborn(p_collection text, p_codes text[])
  RETURNS text[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_life_unborn$
DECLARE
  v_unborn text[];
BEGIN
  WITH tried AS (
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT c.code, p_collection, 'QT-002' FROM unnest(p_codes) AS c(code) ORDER BY c.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING
    RETURNING entity_code
  )
  SELECT array_agg(t.entity_code) INTO v_unborn FROM tried t;
  DELETE FROM birth.birth_registry b WHERE b.entity_code = ANY (v_unborn);
  PERFORM birth.fn_birth_finding_record(p_collection, 'birth_absent', cardinality(v_unborn), v_unborn);
  RETURN ARRAY(SELECT b.entity_code FROM birth.birth_registry b
               WHERE b.entity_code = ANY (p_codes) AND b.collection_name = p_collection);
END;
$fn_birth_life_unborn$;

COMMENT ON FUNCTION birth.fn_birth_life_unborn(text, text[]) IS
  'Waits for open batches that write codes whose rows went; returns those that are born by now. '
  'Specification: 9.';

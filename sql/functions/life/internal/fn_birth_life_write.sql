-- Writes deaths, in the order of the codes. A code that is dead already stays as it is; one that returned dies again.
-- Under an old snapshot a birth may be gone that can still be seen: locking it finds out (40001).
-- Returns: how many died; 40001.
-- Calls: nothing
-- Writes: birth_death
CREATE OR REPLACE FUNCTION birth.fn_birth_life_write(
    p_collection text, p_codes text[], p_manner text, p_successor text DEFAULT NULL, p_run_id uuid DEFAULT NULL)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_life_write$
DECLARE
  v_died bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM FROM (SELECT FROM birth.birth_registry b WHERE b.entity_code = ANY (p_codes)
                  ORDER BY b.entity_code FOR KEY SHARE) l;
  END IF;
  INSERT INTO birth.birth_death AS d (entity_code, collection_name, manner, successor, run_id)
  SELECT c.code, p_collection, p_manner, p_successor, p_run_id
  FROM unnest(p_codes) AS c(code) ORDER BY c.code COLLATE "C"
  ON CONFLICT (entity_code) DO UPDATE
  SET died_at = excluded.died_at, died_xid = excluded.died_xid, manner = excluded.manner,
      successor = excluded.successor, run_id = coalesce(excluded.run_id, d.run_id), returned_at = NULL
  WHERE d.returned_at IS NOT NULL;
  GET DIAGNOSTICS v_died = ROW_COUNT;
  RETURN v_died;
END;
$fn_birth_life_write$;

COMMENT ON FUNCTION birth.fn_birth_life_write(text, text[], text, text, uuid) IS
  'Writes the deaths of codes, and returns how many were not dead already. Specification: 5.2.';

-- What becomes of codes that a living row has again. A code that comes back in the transaction that took it never died:
-- its death goes, or is closed again, with as many lives as before. Later it returns: it counts one more life and is a
-- finding; in mode enforce it is refused, unless a steward allowed it, which counts once. The caller has locked the
-- births. An old snapshot does not show a death that was committed since: the probe finds it in the index (40001). The
-- probe is rolled back: what it wrote would hold up deaths of another collection that has one of the codes. Where it
-- finds no death there is nothing to read: under SERIALIZABLE, who reads a page and who probes into it would be in each
-- other's way, and a small table has one page. IS NOT DISTINCT FROM uses no index: of a collection with many deaths
-- each ten thousand codes would read all.
-- Returns: the refusal NB511, which the trigger raises, or NULL; 40001.
-- Calls: fn_birth_life_report
-- Writes: birth_death
CREATE OR REPLACE FUNCTION birth.fn_birth_life_return(p_collection text, p_codes text[])
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_life_return$
DECLARE
  r_collection birth.collection_registry;
  v_alive bigint;
  v_own text[];
  v_later text[];
  v_denied text[];
  v_refusal jsonb;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    BEGIN
      INSERT INTO birth.birth_death (entity_code, collection_name, manner)
      SELECT c.code, p_collection, 'DELETE' FROM unnest(p_codes) AS c(code)
      WHERE c.code IS NOT NULL ORDER BY c.code COLLATE "C"
      ON CONFLICT (entity_code) DO NOTHING;
      GET DIAGNOSTICS v_alive = ROW_COUNT;
      RAISE EXCEPTION 'the probe is rolled back';
    EXCEPTION WHEN raise_exception THEN
      NULL;
    END;
    IF v_alive = (SELECT count(DISTINCT c.code COLLATE "C") FROM unnest(p_codes) AS c(code)) THEN
      RETURN NULL;
    END IF;
  END IF;
  SELECT array_agg(l.entity_code) FILTER (WHERE l.own), array_agg(l.entity_code) FILTER (WHERE NOT l.own),
         array_agg(l.entity_code) FILTER (WHERE NOT l.own AND l.return_allowed_at IS NULL)
  INTO v_own, v_later, v_denied
  FROM (
    SELECT d.entity_code, d.return_allowed_at,
           (d.died_xid = pg_current_xact_id_if_assigned() AND d.died_at = now()) IS TRUE AS own
    FROM birth.birth_death d
    WHERE d.entity_code = ANY (p_codes) AND d.collection_name IS NOT DISTINCT FROM p_collection
      AND d.returned_at IS NULL
    ORDER BY d.entity_code FOR UPDATE) l;
  IF v_own IS NOT NULL THEN
    DELETE FROM birth.birth_death d WHERE d.entity_code = ANY (v_own) AND d.lives = 1;
    UPDATE birth.birth_death d
    SET returned_at = d.died_at, successor = NULL, return_allowed_by = NULL, return_allowed_at = NULL
    WHERE d.entity_code = ANY (v_own);
  END IF;
  IF v_later IS NOT NULL THEN
    SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
    v_refusal := birth.fn_birth_life_report(r_collection, 'code_dead', cardinality(v_denied), v_denied);
    UPDATE birth.birth_death d
    SET returned_at = now(), lives = d.lives + 1, return_allowed_by = NULL, return_allowed_at = NULL
    WHERE d.entity_code = ANY (v_later);
  END IF;
  RETURN v_refusal;
END;
$fn_birth_life_return$;

COMMENT ON FUNCTION birth.fn_birth_life_return(text, text[]) IS
  'Ends the deaths of codes that a living row has again. NB511 in mode enforce; 40001 under an old snapshot. '
  'Specification: 5.2.';

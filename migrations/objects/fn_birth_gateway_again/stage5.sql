-- Handles codes that were there already when their rows came. A birth of the own collection is locked (FOR KEY SHARE)
-- until the transaction ends, so that no compensation removes it under the row; one that was removed meanwhile is
-- written again. Of these, the dead return. Under an old snapshot PostgreSQL raises 40001 instead. A birth of another
-- collection is read and not locked. The registry is read by its key alone: a plan made while it was small would later
-- read all of it, and under SERIALIZABLE a look into the BRIN index is in the way of every writer.
-- Returns: births written; rows whose code belongs to another collection, and up to ten of these codes; the refusal
-- NB511, which the trigger raises, or NULL.
-- Calls: fn_birth_life_return
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_again(
    p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[],
    OUT refusal jsonb)
  RETURNS record
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET enable_bitmapscan = off
AS $fn_birth_gateway_again$
DECLARE
  v_key text[];
  v_column text;
  v_held bigint;
  v_taken bigint;
  v_written bigint;
BEGIN
  born := 0;
  taken := 0;
  -- The usual case: one row of a collection whose ends are not recorded, which was there before and never died.
  IF cardinality(p_codes) = 1 AND current_setting('transaction_isolation') = 'read committed' THEN
    PERFORM FROM birth.collection_registry c JOIN birth.birth_registry b ON b.collection_name = c.collection_name
    WHERE c.collection_name = p_collection AND c.life_key = '{}' AND b.entity_code = p_codes[1]
    FOR KEY SHARE OF b;
    IF FOUND AND NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = p_codes[1]) THEN
      RETURN;
    END IF;
  END IF;
  -- Before births are locked, as a compensation does: deaths may follow in this transaction.
  SELECT c.life_key, c.life_column INTO v_key, v_column
  FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF v_key <> '{}' THEN
    LOCK TABLE birth.birth_death IN ROW EXCLUSIVE MODE;
  END IF;
  -- Bounded: a foreign rule or trigger on the registry that discards births would make this loop endless.
  FOR v_time IN 1 .. 10 LOOP
    SELECT count(DISTINCT h.entity_code) INTO v_held
    FROM (SELECT b.entity_code
          FROM unnest(p_codes) AS c(code) JOIN birth.birth_registry b ON b.entity_code = c.code
          WHERE b.collection_name = p_collection
          ORDER BY b.entity_code
          FOR KEY SHARE OF b) h;
    SELECT count(*), count(DISTINCT b.entity_code), (array_agg(b.entity_code))[1:10]
    INTO taken, v_taken, examples
    FROM unnest(p_codes) AS c(code) JOIN birth.birth_registry b ON b.entity_code = c.code
    WHERE b.collection_name <> p_collection;
    EXIT WHEN v_held + v_taken = (SELECT count(DISTINCT c.code COLLATE "C") FROM unnest(p_codes) AS c(code));
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT c.code, p_collection, 'QT-002' FROM unnest(p_codes) AS c(code)
    ORDER BY c.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_written = ROW_COUNT;
    born := born + v_written;
  END LOOP;
  -- Where things retire by status, the life trigger knows which of the rows are living.
  IF v_column IS NULL THEN
    refusal := birth.fn_birth_life_return(p_collection, p_codes);
  END IF;
END;
$fn_birth_gateway_again$;

COMMENT ON FUNCTION birth.fn_birth_gateway_again(text, text[]) IS
  'Locks the births of codes that were there already until the transaction ends, and writes again what was removed '
  'meanwhile; says which codes belong to another collection; ends their deaths. NB511. Specification: 5, 5.2.';

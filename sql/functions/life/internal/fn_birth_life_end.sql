-- Ends the lives of codes whose rows a statement took. A birth that nothing touched since it was written needs no look:
-- a row that comes again locks its birth (fn_birth_gateway_again), which leaves a mark on it (xmax) that no session can
-- take back; and a birth of this transaction may have been written for a row that came after the one that went. For
-- every other birth the rows of now decide. A code without a birth may be one that an open batch is writing: what is
-- born by the end of that batch dies. The lock comes before births are read: an open compensation, which removes them,
-- is waited for, and a later one waits.
-- A statement takes rows of child tables too, whose codes the collection does not count: of such a table every birth is
-- looked for. So is each where the identity is a part of the key: another row may have come past the trigger.
-- p_codes may have NULLs, p_keys: the key of each code, as texts. Both go to the look as they are: taking single keys
-- out of so long an array would cost the square of its length.
-- Returns: the refusal NB517 where the rows cannot be looked at in mode enforce, which the trigger raises; or NULL.
-- Calls: fn_birth_life_look, fn_birth_life_report, fn_birth_life_write, fn_birth_life_unborn, fn_birth_finding_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_life_end(
    p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text,
    p_successor text DEFAULT NULL)
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_life_end$
DECLARE
  c_name CONSTANT text := p_collection.collection_name;
  v_dead text[];
  v_codes text[];
  v_unborn text[];
  v_foreign text[];
  v_fault text;
  v_refusal jsonb;
BEGIN
  LOCK TABLE birth.birth_death IN ROW EXCLUSIVE MODE;
  SELECT array_agg(c.code) FILTER (WHERE b.quiet AND b.own), array_agg(c.code) FILTER (WHERE NOT b.quiet AND b.own),
         array_agg(c.code) FILTER (WHERE b.own IS NULL), array_agg(c.code) FILTER (WHERE NOT b.own)
  INTO v_dead, v_codes, v_unborn, v_foreign
  FROM unnest(p_codes) AS c(code)
  LEFT JOIN (SELECT r.entity_code, r.collection_name = c_name AS own, r.xmax = 0 AND r.born_at < now()
               AND NOT p_collection.birth_code_part
               AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = p_relation) AS quiet
             FROM birth.birth_registry r) b ON b.entity_code = c.code
  WHERE c.code IS NOT NULL;
  IF v_codes IS NOT NULL THEN
    BEGIN
      v_dead := v_dead || ARRAY(
        SELECT unnest(v_codes)
        EXCEPT SELECT unnest(birth.fn_birth_life_look(p_collection, p_relation, p_codes, p_keys)));
    EXCEPTION
      WHEN serialization_failure OR deadlock_detected OR query_canceled THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_fault = MESSAGE_TEXT;
        v_refusal := birth.fn_birth_life_report(p_collection, 'life_unread', cardinality(v_codes), ARRAY[v_fault]);
    END;
  END IF;
  PERFORM birth.fn_birth_life_write(c_name, v_dead, p_manner, p_successor);
  IF v_refusal IS NOT NULL OR p_collection.coverage_status <> 'BIRTH_REQUIRED' THEN
    RETURN v_refusal;
  END IF;
  PERFORM birth.fn_birth_finding_record(c_name, 'gateway_foreign', cardinality(v_foreign), v_foreign);
  IF v_unborn IS NOT NULL THEN
    SELECT birth.fn_birth_life_end(p_collection, p_relation, array_agg(l.code ORDER BY c.number), p_keys, p_manner,
      p_successor)
    INTO v_refusal
    FROM unnest(p_codes) WITH ORDINALITY AS c(code, number)
    LEFT JOIN unnest(birth.fn_birth_life_unborn(c_name, v_unborn)) AS l(code) ON l.code = c.code
    HAVING count(l.code) > 0;
  END IF;
  RETURN v_refusal;
END;
$fn_birth_life_end$;

COMMENT ON FUNCTION birth.fn_birth_life_end(birth.collection_registry, oid, text[], text[], text, text) IS
  'Writes the deaths of those of the codes that no living row has any more. NB517 in mode enforce. Specification: 5.2.';

-- A row whose code or life column was changed in place. With another code, the former one dies and has the new one as
-- successor, and the new one is born, or returns if the row had it before. A code that another birth has is refused in
-- mode enforce, and recorded otherwise: a row does not become another entity. With the same code, it retires or is
-- taken back into use.
-- Returns: the refusal, which the trigger raises (in mode enforce NB502, NB511, NB512, NB517), or NULL.
-- Calls: fn_birth_gateway_again, fn_birth_life_report, fn_birth_life_end, fn_birth_life_return
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_life_change(
    p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[],
    p_living_before boolean, p_code text, p_keys text[], p_living boolean)
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_life_change$
DECLARE
  c_name CONSTANT text := p_collection.collection_name;
  v_back boolean;
  r_again record;
  v_refusal jsonb;
BEGIN
  IF p_code IS NOT DISTINCT FROM p_code_before THEN
    IF p_living_before AND NOT p_living THEN
      RETURN birth.fn_birth_life_end(p_collection, p_relation, ARRAY[p_code], ARRAY[p_keys], 'STATUS');
    ELSIF p_living AND NOT p_living_before THEN
      -- As a row that comes again does.
      PERFORM birth.fn_birth_gateway_again(c_name, ARRAY[p_code]);
      RETURN birth.fn_birth_life_return(c_name, ARRAY[p_code]);
    END IF;
    RETURN NULL;
  END IF;

  INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
  SELECT p_code, c_name, 'QT-002' WHERE p_code IS NOT NULL
  ON CONFLICT (entity_code) DO NOTHING;
  IF NOT FOUND AND p_code IS NOT NULL THEN
    SELECT d.successor = p_code_before INTO v_back
    FROM birth.birth_death d WHERE d.entity_code = p_code AND d.returned_at IS NULL;
    -- Dead, and not this row's own former code of this transaction: told by fn_birth_life_return.
    SELECT * INTO r_again FROM birth.fn_birth_gateway_again(c_name, ARRAY[p_code]);
    v_refusal := r_again.refusal;
    IF p_living AND p_collection.life_column IS NOT NULL THEN
      v_refusal := birth.fn_birth_life_return(c_name, ARRAY[p_code]);
    END IF;
    IF r_again.taken > 0 THEN
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_report(p_collection, 'gateway_foreign', 1, ARRAY[p_code]));
    ELSIF r_again.born = 0 AND v_back IS NOT TRUE THEN
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_report(p_collection, 'code_taken', 1, ARRAY[p_code]));
    END IF;
  END IF;
  IF p_code_before IS NOT NULL THEN
    v_refusal := coalesce(v_refusal, birth.fn_birth_life_end(p_collection, p_relation, ARRAY[p_code_before],
      ARRAY[p_keys_before], 'REKEY', CASE WHEN p_living THEN p_code END));
  END IF;
  IF p_code IS NOT NULL AND NOT p_living THEN
    v_refusal := coalesce(v_refusal,
      birth.fn_birth_life_end(p_collection, p_relation, ARRAY[p_code], ARRAY[p_keys], 'STATUS'));
  END IF;
  RETURN v_refusal;
END;
$fn_birth_life_change$;

COMMENT ON FUNCTION birth.fn_birth_life_change(
  birth.collection_registry, oid, text, text[], boolean, text, text[], boolean) IS
  'What follows from a change of a row''s code or life column: birth, death with a successor, retirement or return; or '
  'the refusal in mode enforce: NB502, NB511, NB512, NB517. Specification: 5.2.';

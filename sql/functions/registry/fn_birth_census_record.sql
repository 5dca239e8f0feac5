-- Takes the census of a collection and puts the result on record, as v_birth_policy and v_birth_life want it.
-- SECURITY DEFINER: only routines of birth_definer write acts.
-- Returns: the rows of fn_birth_census.
-- Calls: fn_birth_actor, fn_birth_rule_state, fn_birth_census, fn_birth_collection_births, fn_birth_act_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_census_record(p_collection text)
  RETURNS TABLE ("check" text, rows bigint, examples text[], pass boolean)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_census_record$
DECLARE
  -- Before the rows are read: a rule that holds then holds for all that is read.
  v_rule CONSTANT jsonb := birth.fn_birth_rule_state(p_collection);
  r_check record;
  v_checks jsonb := '[]';
  v_unborn numeric := 0;
  v_unexplained bigint;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_birth_census_record');
  FOR r_check IN SELECT * FROM birth.fn_birth_census(p_collection) LOOP
    v_checks := v_checks || jsonb_build_object('check', r_check."check", 'rows', r_check.rows, 'pass', r_check.pass);
    -- NULL: the identity is not eligible, and nothing was counted.
    v_unborn := v_unborn + CASE
      WHEN r_check.rows IS NULL THEN NULL
      WHEN r_check."check" IN ('rows without a birth', 'rows without a code', 'codes owned by another collection',
                               'duplicate codes') THEN r_check.rows
      ELSE 0 END;
    IF r_check."check" = 'births without a row or a death' THEN
      v_unexplained := r_check.rows;
    END IF;
    RETURN QUERY SELECT r_check."check", r_check.rows, r_check.examples, r_check.pass;
  END LOOP;
  PERFORM birth.fn_birth_act_record('census', p_collection := p_collection,
    p_detail := v_rule || jsonb_build_object('unborn', v_unborn, 'checks', v_checks,
      'births', birth.fn_birth_collection_births(p_collection), 'unexplained', v_unexplained,
      'dead', (SELECT count(*) FROM birth.birth_death d
               WHERE d.collection_name = p_collection AND d.returned_at IS NULL)));
END;
$fn_birth_census_record$;

COMMENT ON FUNCTION birth.fn_birth_census_record(text) IS
  'Takes the census of a collection and records it as an act; returns check, rows, examples, pass. Operator. NB103, '
  'NB110 to NB112, NB115. Specification: 4.1, 5.2, 7.';

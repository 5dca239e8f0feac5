-- The public door: one code or a set. Runs with the caller's rights, so that with p_dry_run := false it writes inside the gateway and the
-- writer and nowhere else. Refuses whatever it cannot register whole; nothing is ever skipped silently.
-- Returns: one row an outcome: born (would_be_born in a dry run) and exists, with the number of codes.
-- Calls: fn_birth_policy_decision, fn_birth_raise, fn_birth_register_set
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_register(
    p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid DEFAULT NULL, p_dry_run boolean DEFAULT true)
  RETURNS TABLE (outcome text, codes bigint)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_register$
DECLARE
  r_policy record;
  r_set record;
  v_bad text[];
  v_foreign text[];
  v_born bigint;
  v_existing bigint;
BEGIN
  IF p_codes IS NULL OR p_dot_origin IS NULL OR p_dot_origin !~ '[^[:space:]]' OR p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_codes, p_dot_origin and p_dry_run are required');
  END IF;
  SELECT * INTO r_policy FROM birth.fn_birth_policy_decision(p_collection);
  IF NOT r_policy.may_register THEN
    PERFORM birth.fn_birth_raise(CASE r_policy.decision WHEN 'REFUSED' THEN 'unknown_collection' ELSE 'policy_not_required' END,
      format('collection %L: %s', p_collection, r_policy.reason));
  END IF;
  SELECT array_agg(u.code) INTO v_bad FROM unnest(p_codes) AS u(code)
  WHERE u.code IS NULL OR octet_length(u.code) > 512 OR btrim(u.code, E' \t\n\r\f\x0b') = '';
  IF v_bad IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('code_missing', format('%s of %s codes, such as %L', cardinality(v_bad), cardinality(p_codes), left(v_bad[1], 80)));
  END IF;

  IF p_dry_run THEN
    SELECT count(*) FILTER (WHERE b.entity_code IS NULL), count(*) FILTER (WHERE b.collection_name = p_collection),
           array_agg(b.entity_code) FILTER (WHERE b.collection_name <> p_collection)
    INTO v_born, v_existing, v_foreign
    FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c LEFT JOIN birth.birth_registry b ON b.entity_code = c.code;
  ELSE
    r_set := birth.fn_birth_register_set(p_collection, p_codes, p_dot_origin, p_run_id);
    v_born := r_set.born;
    v_existing := r_set.existing;
    v_foreign := nullif(r_set.foreign_codes, '{}');
  END IF;
  IF v_foreign IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('code_foreign',
      format('%s codes, such as %L', cardinality(v_foreign), v_foreign[1]));
  END IF;
  RETURN QUERY VALUES (CASE WHEN p_dry_run THEN 'would_be_born' ELSE 'born' END, v_born), ('exists', v_existing);
END;
$fn_birth_register$;

COMMENT ON FUNCTION birth.fn_birth_register(text, text[], text, uuid, boolean) IS
  'Registers codes of a BIRTH_REQUIRED collection: rows (outcome, codes). Dry run by default. NB102, NB103, NB104, NB107, NB108. Specification: 4, R1.';

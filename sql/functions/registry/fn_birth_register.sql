-- The door to birth_registry: one code or a set. It runs with the caller's rights, so with p_dry_run := false it writes
-- inside the writer and nowhere else. It refuses what it cannot register whole, and skips nothing silently. One
-- statement inserts, in the order of the codes, so that concurrent writers queue instead of deadlocking. A later one
-- looks up who owns what was there, and so sees births that were committed meanwhile. ON CONFLICT costs a row nearly as
-- much as the rest of its insert. With p_fresh, where no conflict is expected, a plain INSERT is tried in a
-- subtransaction; if one code was there already, the whole set goes through ON CONFLICT.
-- Returns: one row an outcome: born (would_be_born in a dry run) and exists, with the number of codes.
-- Calls: fn_birth_policy_decision, fn_birth_raise
-- Writes: birth_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_register(
    p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid DEFAULT NULL, p_dry_run boolean DEFAULT true,
    p_fresh boolean DEFAULT false)
  RETURNS TABLE (outcome text, codes bigint)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_register$
DECLARE
  r_policy record;
  v_bad text[];
  v_foreign text[];
  v_born bigint;
  v_existing bigint := 0;
BEGIN
  IF p_codes IS NULL OR p_dot_origin IS NULL OR p_dot_origin !~ '[^[:space:]]' OR p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_codes, p_dot_origin and p_dry_run are required');
  END IF;
  SELECT * INTO r_policy FROM birth.fn_birth_policy_decision(p_collection);
  IF NOT r_policy.may_register THEN
    PERFORM birth.fn_birth_raise(CASE r_policy.decision WHEN 'REFUSED' THEN 'unknown_collection'
      ELSE 'policy_not_required' END,
      format('collection %L: %s', p_collection, r_policy.reason));
  END IF;
  -- No white space sorts after '!', which is the quick answer, as in the constraint of the table.
  SELECT array_agg(u.code) INTO v_bad FROM unnest(p_codes) AS u(code)
  WHERE (octet_length(u.code) <= 512 AND (u.code COLLATE "C" >= '!'
    OR btrim(u.code, E' \t\n\r\f\x0b') <> '')) IS NOT TRUE;
  IF v_bad IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('code_missing', format('%s of %s codes, such as %L', cardinality(v_bad),
      cardinality(p_codes), left(v_bad[1], 80)));
  END IF;

  IF NOT p_dry_run AND p_fresh THEN
    BEGIN
      INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
      SELECT u.code, p_collection, p_dot_origin, p_run_id
      FROM unnest(p_codes) AS u(code)
      ORDER BY u.code COLLATE "C";
      GET DIAGNOSTICS v_born = ROW_COUNT;
    EXCEPTION WHEN unique_violation THEN
      v_born := NULL;
    END;
  END IF;
  IF NOT p_dry_run AND v_born IS NULL THEN
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
    SELECT u.code, p_collection, p_dot_origin, p_run_id
    FROM unnest(p_codes) AS u(code)
    ORDER BY u.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  END IF;
  IF v_born IS DISTINCT FROM cardinality(p_codes) THEN
    SELECT coalesce(v_born, count(*) FILTER (WHERE b.entity_code IS NULL)),
           count(*) FILTER (WHERE b.collection_name = p_collection) - coalesce(v_born, 0),
           array_agg(b.entity_code) FILTER (WHERE b.collection_name <> p_collection)
    INTO v_born, v_existing, v_foreign
    FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c
    LEFT JOIN birth.birth_registry b ON b.entity_code = c.code;
  END IF;
  IF v_foreign IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('code_foreign',
      format('collection %s: %s codes, such as %L', p_collection, cardinality(v_foreign), v_foreign[1]));
  END IF;
  RETURN QUERY VALUES (CASE WHEN p_dry_run THEN 'would_be_born' ELSE 'born' END, v_born), ('exists', v_existing);
END;
$fn_birth_register$;

COMMENT ON FUNCTION birth.fn_birth_register(text, text[], text, uuid, boolean, boolean) IS
  'Registers codes of a BIRTH_REQUIRED collection: rows (outcome, codes). Dry run by default. NB102, NB103, NB104, '
  'NB107, NB108. Specification: 4, R1.';

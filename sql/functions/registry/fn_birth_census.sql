-- The two-way census of a collection: rows without a birth, births without a row or a death, the dead with a living
-- row, and every side door that can be told. Counted from both sides, not derived.
-- Statistics from before a backfill say that the collection has no births; then a nested loop would read all its rows
-- for each birth. A FULL JOIN is never a nested loop, and what is joined to it is looked up by its primary key.
-- SECURITY DEFINER: only birth_definer may have a source table read.
-- Returns: one row a check: rows, up to ten examples, pass.
-- Calls: fn_birth_source_lock, fn_birth_identity_definition, fn_birth_source_grants, fn_birth_raise, fn_birth_scan,
--        fn_birth_life_living, fn_birth_side_doors
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_census(p_collection text)
  RETURNS TABLE ("check" text, rows bigint, examples text[], pass boolean)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_census$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
  v_required boolean;
  v_grants text := birth.fn_birth_source_grants(p_collection, 'SELECT');
BEGIN
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  v_required := r_collection.coverage_status = 'BIRTH_REQUIRED';
  IF r_identity.relation IS NOT NULL AND v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s needs SELECT', p_collection),
      'let the owner of the table: ' || v_grants);
  END IF;
  IF r_identity.code_sql IS NULL THEN
    RETURN QUERY SELECT 'identity is not eligible: ' || r_identity.reason, NULL::bigint, '{}'::text[], NOT v_required;
  ELSE
    RETURN QUERY
    SELECT s."check", s.rows, s.examples, s.pass OR s.if_required AND NOT v_required
      FROM birth.fn_birth_scan(format($census$
      WITH source AS MATERIALIZED (SELECT %1$s AS code, %3$s AS living FROM %2$s t),
      code AS MATERIALIZED (SELECT s.code, count(*) AS n, bool_or(s.living) AS living FROM source s
        WHERE s.code IS NOT NULL GROUP BY s.code),
      own AS (SELECT b.entity_code FROM birth.birth_registry b WHERE b.collection_name = $1),
      pair AS MATERIALIZED (SELECT c.code, c.living, o.entity_code,
          (d.collection_name = $1 AND d.returned_at IS NULL) IS TRUE AS dead
        FROM code c
        FULL JOIN own o ON o.entity_code = c.code
        LEFT JOIN birth.birth_death d ON d.entity_code = coalesce(c.code, o.entity_code)),
      unborn AS MATERIALIZED (SELECT p.code, b.collection_name FROM pair p
        LEFT JOIN birth.birth_registry b ON b.entity_code = p.code WHERE p.entity_code IS NULL)
      SELECT 'rows without a birth', count(*), coalesce((array_agg(u.code ORDER BY u.code))[1:10], '{}'),
        count(*) = 0, true
      FROM unborn u WHERE u.collection_name IS NULL
      UNION ALL
      SELECT 'births without a row or a death', count(*),
        coalesce((array_agg(p.entity_code ORDER BY p.entity_code))[1:10], '{}'),
        count(*) = 0, false
      FROM pair p WHERE p.entity_code IS NOT NULL AND p.living IS NOT TRUE AND NOT p.dead
      UNION ALL
      SELECT 'dead with a living row', count(*), coalesce((array_agg(p.code ORDER BY p.code))[1:10], '{}'),
        count(*) = 0, false
      FROM pair p WHERE p.living AND p.dead
      UNION ALL
      SELECT 'codes owned by another collection', count(*),
        coalesce((array_agg(format('%%s (%%s)', u.code, u.collection_name) ORDER BY u.code))[1:10], '{}'), count(*) = 0,
        false
      FROM unborn u WHERE u.collection_name IS NOT NULL
      UNION ALL
      SELECT 'duplicate codes', count(*), coalesce((array_agg(c.code ORDER BY c.code))[1:10], '{}'), count(*) = 0, false
        FROM code c WHERE c.n > 1
      UNION ALL
      SELECT 'rows without a code', count(*), '{}', count(*) = 0, true FROM source s WHERE s.code IS NULL
    $census$, r_identity.code_sql, r_identity.source_sql, birth.fn_birth_life_living(r_collection)),
      p_collection := p_collection)
    AS s("check" text, rows bigint, examples text[], pass boolean, if_required boolean);
  END IF;
  RETURN QUERY SELECT d.side_door, d.rows, d.examples, d.rows = 0 OR NOT v_required
    FROM birth.fn_birth_side_doors(p_collection, r_identity.relation) d;
END;
$fn_birth_census$;

COMMENT ON FUNCTION birth.fn_birth_census(text) IS
  'Two-way census of a collection: check, rows, examples, pass. NB103, NB112, NB115. Specification: 7.';

-- Codes that a backfill of a collection would write, for a person to look at: the first and the last ones, the longest,
-- and some by chance, each beside the key of its row. Read now, not when the plan was made.
-- SECURITY DEFINER: only birth_definer may have a source table read.
-- Returns: up to p_rows rows a kind (first, last, longest, random): code, and the key columns as text; none where no
-- row is without its birth.
-- Calls: fn_birth_source_lock, fn_birth_identity_definition, fn_birth_source_grants, fn_birth_raise, fn_birth_scan
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_plan_sample(p_collection text, p_rows integer DEFAULT 5)
  RETURNS TABLE (kind text, code text, key jsonb)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_plan_sample$
DECLARE
  r_identity record;
  v_grants text := birth.fn_birth_source_grants(p_collection, 'SELECT');
BEGIN
  IF p_rows IS NULL OR p_rows NOT BETWEEN 1 AND 100 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_rows is %s', coalesce(p_rows::text, 'NULL')),
      'a sample has 1 to 100 rows of each kind');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  IF r_identity.code_sql IS NULL THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: %s, %s', p_collection, r_identity.status, r_identity.reason));
  ELSIF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s needs SELECT', p_collection),
      'let the owner of the table: ' || v_grants);
  END IF;
  RETURN QUERY
  SELECT s.kind, s.code, jsonb_object(r_identity.key_columns, s.key)
  FROM birth.fn_birth_scan(format($sample$
    WITH missing AS MATERIALIZED (
      SELECT s.code, s.key FROM (SELECT %1$s AS code, ARRAY[%2$s] AS key FROM %3$s t OFFSET '0') s
      LEFT JOIN birth.birth_registry b ON b.entity_code = s.code
      WHERE s.code IS NOT NULL AND b.entity_code IS NULL)
    (SELECT 'first', m.code, m.key FROM missing m ORDER BY m.code COLLATE "C" LIMIT $6)
    UNION ALL
    (SELECT 'last', m.code, m.key FROM missing m ORDER BY m.code COLLATE "C" DESC LIMIT $6)
    UNION ALL
    (SELECT 'longest', m.code, m.key FROM missing m ORDER BY octet_length(m.code) DESC, m.code COLLATE "C" LIMIT $6)
    UNION ALL
    (SELECT 'random', m.code, m.key FROM missing m ORDER BY random() LIMIT $6)
  $sample$, r_identity.code_sql,
    (SELECT string_agg(format('t.%I::text', k.name), ', ' ORDER BY k.position)
     FROM unnest(r_identity.key_columns) WITH ORDINALITY AS k(name, position)),
    r_identity.source_sql), p_collection := p_collection, p_rows := p_rows)
  AS s(kind text, code text, key text[]);
END;
$fn_birth_plan_sample$;

COMMENT ON FUNCTION birth.fn_birth_plan_sample(text, integer) IS
  'Codes that a backfill of a collection would write now: first, last, longest and by chance, beside their keys. '
  'NB102, NB103, NB105, NB112, NB115. Specification: 6.';

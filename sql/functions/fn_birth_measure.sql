-- Counts a collection against its births, in one statement and so in one snapshot: B = S − U − D − X − M + O.
-- Orphans are what this identity leaves; the census finds the same number from the other side.
-- Returns: one row; with p_upper also the missing codes up to that key.
-- Calls: fn_birth_identity_definition, fn_birth_key_condition
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[] DEFAULT NULL)
  RETURNS TABLE (source_rows bigint, unresolvable bigint, duplicates bigint, collisions bigint, collision_examples text[],
                 existing_births bigint, missing bigint, orphans bigint, fingerprint numeric[], range_fingerprint numeric[])
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
AS $fn_birth_measure$
DECLARE
  r_identity record;
  v_range text;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  v_range := CASE WHEN p_upper IS NULL THEN 'true'
             ELSE birth.fn_birth_key_condition(r_identity.key_columns, r_identity.key_types, '<=', '$4') END;
  RETURN QUERY EXECUTE format($measure$
    SELECT c.source_rows, c.unresolvable, c.duplicates, c.collisions, c.examples, c.existing, c.missing,
           c.existing - c.own, ARRAY[c.missing, c.a, c.b], ARRAY[c.range_missing, c.range_a, c.range_b]
    FROM (
      SELECT coalesce(sum(s.n), 0)::bigint AS source_rows,
             coalesce(sum(s.n) FILTER (WHERE s.code IS NULL), 0)::bigint AS unresolvable,
             coalesce(sum(s.n - 1) FILTER (WHERE s.code IS NOT NULL), 0)::bigint AS duplicates,
             count(*) FILTER (WHERE b.collection_name <> $1) AS collisions,
             (array_agg(s.code) FILTER (WHERE b.collection_name <> $1))[1:10] AS examples,
             count(*) FILTER (WHERE b.collection_name = $1) AS own,
             count(*) FILTER (WHERE %1$s) AS missing,
             coalesce(sum(hashtextextended(s.code, $2)) FILTER (WHERE %1$s), 0) AS a,
             coalesce(sum(hashtextextended(s.code, $3)) FILTER (WHERE %1$s), 0) AS b,
             %2$s
             (SELECT count(*) FROM birth.birth_registry r WHERE r.collection_name = $1) AS existing
      FROM (%3$s) s LEFT JOIN birth.birth_registry b ON b.entity_code = s.code
    ) c
  $measure$,
    's.code IS NOT NULL AND b.entity_code IS NULL',
    CASE WHEN p_upper IS NULL THEN 'NULL::numeric AS range_missing, NULL::numeric AS range_a, NULL::numeric AS range_b,' ELSE
      'count(*) FILTER (WHERE s.in_range AND s.code IS NOT NULL AND b.entity_code IS NULL) AS range_missing,'
      ' coalesce(sum(hashtextextended(s.code, $2)) FILTER (WHERE s.in_range AND b.entity_code IS NULL), 0) AS range_a,'
      ' coalesce(sum(hashtextextended(s.code, $3)) FILTER (WHERE s.in_range AND b.entity_code IS NULL), 0) AS range_b,' END,
    format(CASE WHEN r_identity.codes_distinct
        THEN 'SELECT %s AS code, %s AS in_range, 1 AS n FROM %s t'
        ELSE 'SELECT u.code, bool_or(u.in_range) AS in_range, count(*) AS n FROM (SELECT %s AS code, %s AS in_range FROM %s t) u GROUP BY u.code' END,
      r_identity.code_sql, v_range, r_identity.source_sql))
  USING p_collection, p_seed_a, p_seed_b, p_upper;
END;
$fn_birth_measure$;

COMMENT ON FUNCTION birth.fn_birth_measure(text, bigint, bigint, text[]) IS
  'Counts and fingerprint of a collection against its births, from one snapshot. For an eligible collection only. Specification: 6, R10, R12.';

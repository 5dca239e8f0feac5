-- Counts a collection against its births, from one snapshot: B = S - U - D - X - M + O. O are the orphans and the dead.
-- A STABLE function sees all its statements as of the caller's. Orphans and dead are births whose code no source row
-- has under the current identity; the dead have an open death. One join and a few counts, which parallel workers of
-- every major can do; the rest is subtraction. OFFSET '0' makes the server compute a row's code once (a plain 0 would
-- forbid workers). IS DISTINCT FROM, unlike <>, is computed before the join, which then carries a flag instead of a
-- name. The collection's births are counted apart, by an index. No table is filtered by the collection before it is
-- joined: statistics from before a backfill say that it has nothing, and a nested loop would read it for each row.
-- Returns: one row; with p_upper also the missing codes up to that key. For an eligible collection only.
-- Calls: fn_birth_identity_definition, fn_birth_key_lists, fn_birth_collection_births, fn_birth_scan
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_measure(
    p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[] DEFAULT NULL)
  RETURNS TABLE (source_rows bigint, unresolvable bigint, duplicates bigint, collisions bigint,
                 collision_examples text[], existing_births bigint, missing bigint, orphans bigint, dead bigint,
                 fingerprint numeric[], range_fingerprint numeric[])
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET jit = off
AS $fn_birth_measure$
DECLARE
  r_identity record;
  v_births bigint := birth.fn_birth_collection_births(p_collection);
  v_dead bigint;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT count(*) INTO v_dead FROM birth.birth_death d WHERE d.collection_name = p_collection AND d.returned_at IS NULL;
  RETURN QUERY
  SELECT m.source_rows, m.unresolvable, m.duplicates, m.collisions, m.collision_examples, v_births, m.missing,
         v_births - m.own - (v_dead - m.dead_rows), v_dead - m.dead_rows, m.fingerprint, m.range_fingerprint
  FROM birth.fn_birth_scan(format($measure$
    SELECT c.source_rows, c.source_rows - c.rows_with_code, c.rows_with_code - c.codes, c.collisions,
           CASE WHEN c.collisions > 0 THEN ARRAY(
             SELECT f.code FROM (SELECT s.code, b.collection_name
                                 FROM (%1$s) s JOIN birth.birth_registry b ON b.entity_code = s.code OFFSET '0') f
             WHERE f.collection_name <> $1 ORDER BY f.code LIMIT 10) END,
           c.codes - c.born, c.born - c.collisions, c.dead_rows, ARRAY[c.codes - c.born, c.a, c.b], %2$s
    FROM (
      SELECT %3$s, count(s.code) AS codes, count(b.entity_code) AS born,
             count(*) FILTER (WHERE b.is_foreign) AS collisions, %5$s AS dead_rows,
             coalesce(sum(hashtextextended(s.code, $2)) FILTER (WHERE b.entity_code IS NULL), 0) AS a,
             coalesce(sum(hashtextextended(s.code, $3)) FILTER (WHERE b.entity_code IS NULL), 0) AS b%4$s
      FROM (%1$s) s
      LEFT JOIN (SELECT r.entity_code, r.collection_name IS DISTINCT FROM $1 AS is_foreign
                 FROM birth.birth_registry r) b ON b.entity_code = s.code%6$s
    ) c
  $measure$,
    format(CASE WHEN r_identity.codes_distinct
        THEN $distinct$SELECT %1$s AS code%2$s FROM %3$s t OFFSET '0'$distinct$
        ELSE $grouped$SELECT %1$s AS code, count(*) AS n%2$s FROM %3$s t GROUP BY 1$grouped$ END,
      r_identity.code_sql,
      CASE WHEN p_upper IS NOT NULL THEN format(
        CASE WHEN r_identity.codes_distinct THEN ', %s AS in_range' ELSE ', bool_or(%s) AS in_range' END,
        (SELECT k.upto FROM birth.fn_birth_key_lists(r_identity.key_columns, r_identity.key_types) k)) END,
      r_identity.source_sql),
    CASE WHEN p_upper IS NULL THEN 'NULL::numeric[]' ELSE 'ARRAY[c.range_missing, c.range_a, c.range_b]' END,
    CASE WHEN r_identity.codes_distinct THEN 'count(*) AS source_rows, count(s.code) AS rows_with_code'
         ELSE 'coalesce(sum(s.n), 0)::bigint AS source_rows,'
           ' coalesce(sum(s.n) FILTER (WHERE s.code IS NOT NULL), 0)::bigint AS rows_with_code' END,
    CASE WHEN p_upper IS NOT NULL THEN
      ', count(s.code) FILTER (WHERE s.in_range AND b.entity_code IS NULL) AS range_missing,'
      ' coalesce(sum(hashtextextended(s.code, $2))'
      ' FILTER (WHERE s.in_range AND b.entity_code IS NULL), 0) AS range_a,'
      ' coalesce(sum(hashtextextended(s.code, $3))'
      ' FILTER (WHERE s.in_range AND b.entity_code IS NULL), 0) AS range_b' END,
    -- Where nothing is dead, nothing is joined.
    CASE WHEN v_dead > 0
      THEN 'count(*) FILTER (WHERE d.collection_name = $1 AND d.returned_at IS NULL)' ELSE '0::bigint' END,
    CASE WHEN v_dead > 0 THEN ' LEFT JOIN birth.birth_death d ON d.entity_code = s.code' END),
    p_collection := p_collection, p_seed_a := p_seed_a, p_seed_b := p_seed_b, p_upper := p_upper)
  AS m(source_rows bigint, unresolvable bigint, duplicates bigint, collisions bigint, collision_examples text[],
       missing bigint, own bigint, dead_rows bigint, fingerprint numeric[], range_fingerprint numeric[]);
END;
$fn_birth_measure$;

COMMENT ON FUNCTION birth.fn_birth_measure(text, bigint, bigint, text[]) IS
  'Counts and fingerprint of a collection against its births, from one snapshot. For an eligible collection only. '
  'Specification: 6, R10, R12.';

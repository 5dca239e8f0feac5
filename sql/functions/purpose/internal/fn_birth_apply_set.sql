-- APPLY: counts the codes without a birth. With p_rows it finds where the first p_rows of them end, in the order of the
-- source's key. All of them are the planned set and end at the last key of the table; only a smaller target has to be
-- walked. STABLE, so that every count is of the caller's snapshot.
-- Returns: one row; none where the source cannot be read by its identity, which the list of checks explains.
-- Calls: fn_birth_identity_definition, fn_birth_source_grants, fn_birth_measure, fn_birth_identity_hash,
--        fn_birth_key_lists, fn_birth_scan
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint)
  RETURNS TABLE (source_rows bigint, existing_births bigint, orphans bigint, dead bigint, unresolvable bigint,
                 duplicates bigint, collisions bigint, foreign_codes text[], missing bigint, fingerprint numeric[],
                 range_fingerprint numeric[], upper text[])
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_apply_set$
DECLARE
  r_identity record;
  r_key record;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  IF r_identity.code_sql IS NULL OR birth.fn_birth_source_grants(p_run.collection_name, 'SELECT') <> '' THEN
    RETURN;
  ELSIF p_rows IS NULL THEN
    -- A key of another identity may not even be of its type.
    RETURN QUERY
    SELECT m.source_rows, m.existing_births, m.orphans, m.dead, m.unresolvable, m.duplicates, m.collisions,
      m.collision_examples, m.missing,
           m.fingerprint, m.range_fingerprint, NULL::text[]
    FROM birth.fn_birth_measure(p_run.collection_name, p_run.seed_a, p_run.seed_b,
      CASE WHEN p_run.identity_hash = birth.fn_birth_identity_hash(p_run.collection_name)
        THEN p_run.target_upper END) m;
    RETURN;
  END IF;
  SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns);
  missing := p_rows;
  IF p_rows = p_run.planned_rows THEN
    fingerprint := p_run.planned_fingerprint;
    SELECT s.upper INTO upper
    FROM birth.fn_birth_scan(format(
      'SELECT ARRAY[%s] FROM (SELECT %s FROM %s t WHERE ROW(%s) IS NOT NULL ORDER BY %s LIMIT 1) s',
      r_key.last, r_key.named, r_identity.source_sql, r_key.ascending, r_key.descending)) AS s(upper text[]);
  ELSE
    SELECT s.upper, s.fingerprint INTO upper, fingerprint
    FROM birth.fn_birth_scan(format($walk$
      SELECT ARRAY[%1$s], ARRAY[count(*), sum(hashtextextended(s.code, $2)), sum(hashtextextended(s.code, $3))]
      FROM (SELECT %2$s, c.code, row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s t CROSS JOIN LATERAL (SELECT %5$s AS code) c
              LEFT JOIN birth.birth_registry b ON b.entity_code = c.code
            WHERE c.code IS NOT NULL AND b.entity_code IS NULL ORDER BY %3$s LIMIT $6) s
    $walk$, r_key.numbered, r_key.named, r_key.ascending, r_identity.source_sql, r_identity.code_sql),
      p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_rows := p_rows) AS s(upper text[], fingerprint numeric[]);
  END IF;
  RETURN NEXT;
END;
$fn_birth_apply_set$;

COMMENT ON FUNCTION birth.fn_birth_apply_set(birth.birth_backfill_ledger_v2, bigint) IS
  'Purpose APPLY: counts and fingerprint of the codes without a birth, or the upper key of the first p_rows. '
  'Specification: 6, R10, R12.';

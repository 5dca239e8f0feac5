-- APPLY: reads the next rows of a run's range, in the order of the source's key: their codes, the fingerprint of the
-- codes, the last key. The identity has to be the one that the collection was classified with: a table that changed
-- gives other codes or none.
-- Returns: one row; last_key is NULL when there was no row left; NB105.
-- Calls: fn_birth_source_lock, fn_birth_identity_definition, fn_birth_raise, fn_birth_key_lists, fn_birth_scan
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[],
  p_rows bigint)
  RETURNS TABLE (visited bigint, codes text[], fingerprint numeric[], last_key text[])
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_apply_slice$
DECLARE
  r_identity record;
  r_key record;
BEGIN
  PERFORM birth.fn_birth_source_lock(p_run.collection_name);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  IF r_identity.code_sql IS DISTINCT FROM (SELECT c.birth_code_sql FROM birth.collection_registry c
                                           WHERE c.collection_name = p_run.collection_name) THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: the table changed while the run was on: %s', p_run.collection_name, r_identity.reason));
  END IF;
  SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns, r_identity.key_types);
  RETURN QUERY SELECT s.* FROM birth.fn_birth_scan(format($slice$
    SELECT count(*), coalesce(array_agg(s.code) FILTER (WHERE s.code IS NOT NULL), '{}'),
           ARRAY[count(s.code), coalesce(sum(hashtextextended(s.code, $2)), 0),
             coalesce(sum(hashtextextended(s.code, $3)), 0)],
           CASE WHEN count(*) > 0 THEN ARRAY[%1$s] END
    FROM (SELECT %2$s, %3$s AS code FROM %4$s t WHERE %5$s AND %6$s ORDER BY %7$s LIMIT $6) s
  $slice$, r_key.last, r_key.named, r_identity.code_sql, r_identity.source_sql,
    r_key.upto, CASE WHEN p_after IS NULL THEN 'true' ELSE r_key.after END,
    r_key.ascending),
    p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_after := p_after, p_upper := p_run.target_upper,
      p_rows := p_rows)
  AS s(visited bigint, codes text[], fingerprint numeric[], last_key text[]);
END;
$fn_birth_apply_slice$;

COMMENT ON FUNCTION birth.fn_birth_apply_slice(birth.birth_backfill_ledger_v2, text[], bigint) IS
  'Purpose APPLY: the next rows of a run''s range: visited, codes, fingerprint, last key. NB105 when the table '
  'changed. Specification: 6.';

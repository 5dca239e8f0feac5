-- Pins the target set of a run: the first p_expected_delta missing codes in the order of the source's key, by upper key and fingerprint.
-- When everything missing is the target, it is the planned set and the last key of the table; only a smaller one has to be walked.
-- Returns: the run's row with its target; NB105 when the table changed.
-- Calls: fn_birth_alerts, fn_birth_run_identity, fn_birth_key_lists, fn_birth_scan
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_pin(p_run birth.birth_backfill_ledger_v2, p_expected_delta bigint, p_max_rows bigint, p_dot_origin text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_pin$
DECLARE
  r_identity record;
  r_key record;
  r_run birth.birth_backfill_ledger_v2;
  v_upper text[];
  v_fingerprint numeric[] := p_run.planned_fingerprint;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_run_identity(p_run.collection_name);
  SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns);
  IF p_expected_delta = p_run.planned_rows THEN
    SELECT s.upper INTO v_upper
    FROM birth.fn_birth_scan(format('SELECT ARRAY[%s] FROM (SELECT %s FROM %s t WHERE ROW(%s) IS NOT NULL ORDER BY %s LIMIT 1) s',
      r_key.last, r_key.named, r_identity.source_sql, r_key.ascending, r_key.descending)) AS s(upper text[]);
  ELSE
    SELECT s.upper, s.fingerprint INTO v_upper, v_fingerprint
    FROM birth.fn_birth_scan(format(
      'SELECT ARRAY[%s], ARRAY[count(*), sum(hashtextextended(s.code, $2)), sum(hashtextextended(s.code, $3))]'
      ' FROM (SELECT %s, c.code, row_number() OVER (ORDER BY %s) AS number FROM %s t CROSS JOIN LATERAL (SELECT %s AS code) c LEFT JOIN birth.birth_registry b ON b.entity_code = c.code'
      '       WHERE c.code IS NOT NULL AND b.entity_code IS NULL ORDER BY %s LIMIT $6) s',
      r_key.numbered, r_key.named, r_key.ascending, r_identity.source_sql, r_identity.code_sql, r_key.ascending),
      p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_rows := p_expected_delta) AS s(upper text[], fingerprint numeric[]);
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET expected_delta = p_expected_delta, max_rows = p_max_rows, dot_origin = p_dot_origin, target_upper = v_upper, target_fingerprint = v_fingerprint,
      accepted_orphans = l.orphans, alerts_before = (SELECT count(*) FROM birth.fn_birth_alerts())
  WHERE l.run_id = p_run.run_id
  RETURNING l.* INTO r_run;
  RETURN r_run;
END;
$fn_birth_run_pin$;

COMMENT ON FUNCTION birth.fn_birth_run_pin(birth.birth_backfill_ledger_v2, bigint, bigint, text) IS
  'Fixes bound, size, upper key and fingerprint of a run''s target set. Specification: 6, R10.';

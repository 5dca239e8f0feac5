-- Pins the target set of a run: the first p_expected_delta missing codes in the order of the source's key, by upper key and fingerprint.
-- When everything missing is the target, it is the planned set and the last key of the table; only a smaller one has to be walked.
-- Returns: the run's row with its target.
-- Calls: fn_birth_identity_definition
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_pin(p_run birth.birth_backfill_ledger_v2, p_expected_delta bigint, p_max_rows bigint, p_dot_origin text)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
AS $fn_birth_run_pin$
DECLARE
  r_identity record;
  r_run birth.birth_backfill_ledger_v2;
  v_upper text[];
  v_fingerprint numeric[] := p_run.planned_fingerprint;
  v_keys text;
  v_order text;
  v_backwards text;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  SELECT string_agg(format('(t).%I::text', k.name), ', ' ORDER BY k.position), string_agg(format('(t).%I', k.name), ', ' ORDER BY k.position),
         string_agg(format('(t).%I DESC', k.name), ', ' ORDER BY k.position)
  INTO v_keys, v_order, v_backwards
  FROM unnest(r_identity.key_columns) WITH ORDINALITY AS k(name, position);
  IF p_expected_delta = p_run.planned_rows THEN
    EXECUTE format('SELECT ARRAY[%s] FROM %s t WHERE ROW(%s) IS NOT NULL ORDER BY %s LIMIT 1', v_keys, r_identity.source_sql, v_order,
      v_backwards) INTO v_upper;
  ELSE
    EXECUTE format(
      'SELECT (array_agg(m.key))[count(*)], ARRAY[count(*), sum(hashtextextended(m.code, $2)), sum(hashtextextended(m.code, $3))]'
      ' FROM (SELECT ARRAY[%1$s] AS key, s.code FROM (SELECT t, %2$s AS code FROM %3$s t WHERE ROW(%4$s) IS NOT NULL) s(t, code)'
      '       LEFT JOIN birth.birth_registry b ON b.entity_code = s.code'
      '       WHERE s.code IS NOT NULL AND b.entity_code IS NULL ORDER BY %4$s LIMIT $1) m',
      v_keys, r_identity.code_sql, r_identity.source_sql, v_order)
    INTO v_upper, v_fingerprint USING p_expected_delta, p_run.seed_a, p_run.seed_b;
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET expected_delta = p_expected_delta, max_rows = p_max_rows, dot_origin = p_dot_origin, target_upper = v_upper, target_fingerprint = v_fingerprint,
      accepted_orphans = l.orphans, alerts_before = (SELECT count(*) FROM birth.trigger_guard_alerts)
  WHERE l.run_id = p_run.run_id
  RETURNING l.* INTO r_run;
  RETURN r_run;
END;
$fn_birth_run_pin$;

COMMENT ON FUNCTION birth.fn_birth_run_pin(birth.birth_backfill_ledger_v2, bigint, bigint, text) IS
  'Fixes bound, size, upper key and fingerprint of a run''s target set. Specification: 6, R10.';

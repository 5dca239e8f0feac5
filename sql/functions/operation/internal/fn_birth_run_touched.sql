-- What stands in the way of undoing a run: births that differ from their receipts, and births that something references. With p_codes only those births are
-- asked about, which their batch has locked: nothing can begin to reference them any more.
-- Returns: one row a finding: the code (NULL where it is about a number) and why.
-- Calls: fn_birth_run_births, fn_birth_scan
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_touched(p_run birth.birth_backfill_ledger_v2, p_codes text[] DEFAULT NULL)
  RETURNS TABLE (entity_code text, why text)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_run_touched$
DECLARE
  r_key record;
  v_births numeric[];
  v_expected numeric[];
BEGIN
  IF p_codes IS NULL THEN
    v_births := birth.fn_birth_run_births(p_run);
    SELECT ARRAY[coalesce(sum(s.sign * r.fingerprint[1]), 0), coalesce(sum(s.sign * r.fingerprint[2]), 0), coalesce(sum(s.sign * r.fingerprint[3]), 0)] INTO v_expected
    FROM birth.birth_receipt r, LATERAL (SELECT CASE r.purpose WHEN 'APPLY' THEN 1 ELSE -1 END) AS s(sign) WHERE r.run_id = p_run.run_id;
    IF v_births <> v_expected THEN
      RETURN QUERY SELECT NULL::text, format('receipts leave %s births of the run, the registry holds %s', v_expected[1], v_births[1]);
    END IF;
  END IF;
  -- Planned each time, for these codes: a plan for any would read all births of the run.
  RETURN QUERY EXECUTE
    'SELECT b.entity_code::text, ''differs from its receipt'' FROM birth.birth_registry b'
    ' WHERE b.run_id = $1.run_id AND ($2 IS NULL OR b.entity_code = ANY ($2))'
    ' AND (b.collection_name <> $1.collection_name OR b.dot_origin <> $1.dot_origin'
    '      OR b.born_at NOT IN (SELECT r.born_at FROM birth.birth_receipt r WHERE r.run_id = $1.run_id AND r.purpose = ''APPLY''))'
    USING p_run, p_codes;
  FOR r_key IN
    SELECT k.conrelid::regclass AS relation, c.relnamespace, n.nspname, a.attname AS column_name, k.conname
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'f' AND k.confrelid = 'birth.birth_registry'::regclass AND k.conparentid = 0
  LOOP
    IF NOT (has_schema_privilege('birth_scanner', r_key.relnamespace, 'USAGE') AND has_table_privilege('birth_scanner', r_key.relation, 'SELECT')) THEN
      RETURN QUERY SELECT NULL::text, format('%s references births (%s) and cannot be read: GRANT USAGE ON SCHEMA %I TO birth_scanner; GRANT SELECT ON %s TO birth_scanner;',
        r_key.relation, r_key.conname, r_key.nspname, r_key.relation);
      CONTINUE;
    END IF;
    RETURN QUERY SELECT s.entity_code, format('referenced by %s (%s)', r_key.relation, r_key.conname)
    FROM birth.fn_birth_scan(format(
      'SELECT b.entity_code::text FROM birth.birth_registry b'
      ' WHERE b.run_id = $7 AND ($8 IS NULL OR b.entity_code = ANY ($8)) AND EXISTS (SELECT FROM %s r WHERE r.%I = b.entity_code)',
      r_key.relation, r_key.column_name), p_run_id := p_run.run_id, p_codes := p_codes) AS s(entity_code text);
  END LOOP;
END;
$fn_birth_run_touched$;

COMMENT ON FUNCTION birth.fn_birth_run_touched(birth.birth_backfill_ledger_v2, text[]) IS
  'Births of a run that differ from their receipts or are referenced by a foreign key: code and reason. Specification: 6, R6.';

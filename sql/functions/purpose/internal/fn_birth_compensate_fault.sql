-- COMPENSATE: births of the run that were touched since they were written: they differ from their receipts, they died,
-- or something references them. With p_codes only those births are asked about, which their batch has locked: nothing
-- can begin to reference them any more.
-- Returns: an error of the catalogue that names up to twenty, or NULL.
-- Calls: fn_birth_run_births, fn_birth_scan, fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2,
  p_codes text[] DEFAULT NULL)
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_compensate_fault$
DECLARE
  c_most CONSTANT integer := 20;
  r_key record;
  v_births numeric[];
  v_expected numeric[];
  v_some text[];
  v_touched text[] := '{}';
BEGIN
  IF p_codes IS NULL THEN
    v_births := birth.fn_birth_run_births(p_run);
    SELECT ARRAY[coalesce(sum(s.sign * r.fingerprint[1]), 0), coalesce(sum(s.sign * r.fingerprint[2]), 0),
                 coalesce(sum(s.sign * r.fingerprint[3]), 0)] INTO v_expected
    FROM birth.birth_receipt r CROSS JOIN LATERAL (SELECT CASE r.purpose WHEN 'COMPENSATE' THEN -1
      ELSE 1 END) AS s(sign)
    WHERE r.run_id = p_run.run_id;
    IF v_births <> v_expected THEN
      v_touched := ARRAY[format('receipts leave %s births of the run, the registry holds %s', v_expected[1],
        v_births[1])];
    END IF;
  END IF;
  -- Planned each time, for these codes: a plan for any would read all births of the run.
  EXECUTE 'SELECT array_agg(t.entity_code || '' differs from its receipt'')'
    ' FROM (SELECT b.entity_code FROM birth.birth_registry b'
    ' WHERE b.run_id = $1.run_id AND ($2 IS NULL OR b.entity_code = ANY ($2))'
    ' AND (b.collection_name <> $1.collection_name OR b.dot_origin <> $1.dot_origin'
    ' OR b.born_at NOT IN (SELECT r.born_at FROM birth.birth_receipt r'
    ' WHERE r.run_id = $1.run_id AND r.purpose = $1.purpose))'
    ' LIMIT $3) t'
    INTO v_some USING p_run, p_codes, c_most;
  v_touched := v_touched || v_some;
  EXECUTE 'SELECT array_agg(t.entity_code || '' died'')'
    ' FROM (SELECT b.entity_code FROM birth.birth_registry b JOIN birth.birth_death d ON d.entity_code = b.entity_code'
    ' WHERE b.run_id = $1.run_id AND ($2 IS NULL OR b.entity_code = ANY ($2)) LIMIT $3) t'
    INTO v_some USING p_run, p_codes, c_most;
  v_touched := v_touched || v_some;
  FOR r_key IN
    SELECT k.conrelid::regclass AS relation, c.relnamespace, n.nspname, a.attname AS column_name, k.conname,
           c.relrowsecurity AND NOT (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = 'birth_scanner') AS hidden
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'f' AND k.confrelid = 'birth.birth_registry'::regclass AND k.conparentid = 0
  LOOP
    IF r_key.hidden THEN
      v_touched := v_touched || format(
        '%s references births (%s) and cannot be read under row level security: '
        'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser',
        r_key.relation, r_key.conname);
      CONTINUE;
    END IF;
    IF NOT (has_schema_privilege('birth_scanner', r_key.relnamespace, 'USAGE')
            AND has_table_privilege('birth_scanner', r_key.relation, 'SELECT')) THEN
      v_touched := v_touched || format(
        '%s references births (%s) and cannot be read: GRANT USAGE ON SCHEMA %I TO birth_scanner; '
        'GRANT SELECT ON %s TO birth_scanner;',
        r_key.relation, r_key.conname, r_key.nspname, r_key.relation);
      CONTINUE;
    END IF;
    SELECT array_agg(format('%s referenced by %s (%s)', s.entity_code, r_key.relation, r_key.conname)) INTO v_some
    FROM birth.fn_birth_scan(format(CASE WHEN p_codes IS NULL
      -- Filtered after the join: statistics from before a run say that it has no births.
      THEN 'SELECT DISTINCT b.entity_code::text FROM (SELECT b.entity_code, b.run_id FROM %s r'
           ' JOIN birth.birth_registry b ON b.entity_code = r.%I OFFSET 0) b WHERE b.run_id = $7 LIMIT $6'
      ELSE 'SELECT b.entity_code::text FROM birth.birth_registry b'
           ' WHERE b.run_id = $7 AND b.entity_code = ANY ($8)'
           ' AND EXISTS (SELECT FROM %s r WHERE r.%I = b.entity_code) LIMIT $6' END,
      r_key.relation, r_key.column_name), p_run_id := p_run.run_id, p_codes := p_codes,
        p_rows := c_most) AS s(entity_code text);
    v_touched := v_touched || v_some;
  END LOOP;
  RETURN CASE WHEN v_touched <> '{}' THEN birth.fn_birth_error('births_touched',
    array_to_string(v_touched[1:c_most], '; ')) END;
END;
$fn_birth_compensate_fault$;

COMMENT ON FUNCTION birth.fn_birth_compensate_fault(birth.birth_backfill_ledger_v2, text[]) IS
  'NB313 as jsonb when births of a run differ from their receipts or are referenced by a foreign key, else NULL. '
  'Specification: 6, R6.';

-- DEATH: ends the births of a slice. They are locked first, so that no row takes one of their codes meanwhile (the
-- gateway holds the birth that it found), and the source is read once more after that. What an earlier run had found
-- dead, and returned since, goes on record before this run takes its place.
-- Returns: the fingerprint of the deaths; NB310.
-- Calls: fn_birth_identity_definition, fn_birth_scan, fn_birth_life_living, fn_birth_raise, fn_birth_act_record,
--        fn_birth_life_write
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[],
    p_fingerprint numeric[])
  RETURNS numeric[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
AS $fn_birth_death_write$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
  v_births bigint;
  v_living bigint;
  v_died bigint;
BEGIN
  SELECT count(*) INTO v_births
  FROM (SELECT FROM birth.birth_registry b
        WHERE b.entity_code = ANY (p_codes) AND b.collection_name = p_run.collection_name
        ORDER BY b.entity_code FOR UPDATE) l;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name;
  SELECT s.living INTO v_living
  FROM birth.fn_birth_scan(format(
    'SELECT count(*) FROM (SELECT %s AS code FROM %s t WHERE %s) s WHERE s.code = ANY ($8)',
    r_identity.code_sql, r_identity.source_sql, birth.fn_birth_life_living(r_collection)), p_codes := p_codes)
  AS s(living bigint);
  PERFORM birth.fn_birth_act_record('refound', p_collection := p_run.collection_name,
    p_detail := jsonb_build_object('run_id', d.run_id, 'codes', d.codes))
  FROM (SELECT d.run_id, jsonb_agg(d.entity_code ORDER BY d.entity_code) AS codes FROM birth.birth_death d
        WHERE d.entity_code = ANY (p_codes) AND d.returned_at IS NOT NULL AND d.run_id IS NOT NULL
        GROUP BY d.run_id) d;
  v_died := birth.fn_birth_life_write(p_run.collection_name, p_codes, 'FOUND', p_run_id := p_run.run_id);
  IF v_living > 0 OR v_births <> cardinality(p_codes) OR v_died <> cardinality(p_codes) THEN
    PERFORM birth.fn_birth_raise('source_changed',
      format('%s codes to end: %s have a living row again, %s have a birth, %s were not dead', cardinality(p_codes),
        v_living, v_births, v_died));
  END IF;
  RETURN p_fingerprint;
END;
$fn_birth_death_write$;

COMMENT ON FUNCTION birth.fn_birth_death_write(birth.birth_backfill_ledger_v2, text[], numeric[]) IS
  'Purpose DEATH: writes the deaths of a slice and returns their fingerprint. NB310. Specification: 5.2.';

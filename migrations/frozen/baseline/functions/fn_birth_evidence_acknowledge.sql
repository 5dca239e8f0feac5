-- A DBA confirms the export of a table, by its digest. A downgrade may then drop exactly these rows.
-- SECURITY DEFINER: only routines of birth_definer write acts.
-- Returns: the number of rows acknowledged.
-- Calls: fn_birth_act_record, fn_birth_actor, fn_birth_evidence, fn_birth_raise
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_evidence_acknowledge$
DECLARE
  r_evidence record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_evidence_acknowledge');
  SELECT e.rows, e.digest INTO STRICT r_evidence FROM birth.fn_birth_evidence(p_table) e;
  IF p_digest IS DISTINCT FROM r_evidence.digest THEN
    PERFORM birth.fn_birth_raise('bad_argument',
      format('p_digest is %s; birth.%s holds %s rows, digest %s', coalesce(p_digest, 'NULL'), p_table,
        r_evidence.rows, r_evidence.digest),
      'export the table again and acknowledge the digest of the new export');
  END IF;
  PERFORM birth.fn_birth_act_record(
    p_act := 'evidence_acknowledged', p_reason := p_table,
    p_detail := jsonb_build_object('rows', r_evidence.rows, 'digest', r_evidence.digest));
  RETURN r_evidence.rows;
END;
$fn_birth_evidence_acknowledge$;

COMMENT ON FUNCTION birth.fn_birth_evidence_acknowledge(text, text) IS
  'Confirms the export of a table by its digest, so that a downgrade may drop its rows; returns their number. DBA. '
  'NB102 (the digest is not the current one), NB110, NB111, NB112. Specification: 3.';

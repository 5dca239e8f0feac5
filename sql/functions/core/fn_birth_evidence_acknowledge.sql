-- A DBA has exported a table's rows and lets a downgrade drop them: exactly these rows, by their digest.
-- SECURITY DEFINER, because nobody else writes acts.
-- Returns: the rows acknowledged.
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
      format('p_digest is %s; birth.%s holds %s rows, digest %s', coalesce(p_digest, 'NULL'), p_table, r_evidence.rows, r_evidence.digest),
      'export the table as it is now, and acknowledge the digest of that');
  END IF;
  PERFORM birth.fn_birth_act_record(
    p_act := 'evidence_acknowledged', p_reason := p_table,
    p_detail := jsonb_build_object('rows', r_evidence.rows, 'digest', r_evidence.digest));
  RETURN r_evidence.rows;
END;
$fn_birth_evidence_acknowledge$;

COMMENT ON FUNCTION birth.fn_birth_evidence_acknowledge(text, text) IS
  'Lets a downgrade drop the rows a table holds now, named by their digest; returns how many. NB110 for others than a DBA, '
  'NB102 for a digest that is not the current one. Specification: 3.';

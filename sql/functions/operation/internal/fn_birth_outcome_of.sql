-- What an SQLSTATE means for a run: the catalogue says it of ours; of PostgreSQL's, a lock, a timeout, a cancel, a lost connection, a full disk or a
-- serialization failure is the world's doing (stopped), and everything else is a check (failed).
-- Returns: jsonb with error and outcome.
-- Calls: fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_outcome_of(p_sqlstate text)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_outcome_of$
  SELECT CASE
    WHEN p_sqlstate LIKE 'NB%' THEN birth.fn_birth_error(p_sqlstate, '')
    ELSE jsonb_build_object('error', p_sqlstate,
      'outcome', CASE WHEN p_sqlstate IN ('55P03', '57014') OR left(p_sqlstate, 2) IN ('40', '53', '57', '58', '08') THEN 'stopped' ELSE 'failed' END)
  END;
$fn_birth_outcome_of$;

COMMENT ON FUNCTION birth.fn_birth_outcome_of(text) IS
  'Whether an SQLSTATE stops or fails a run, and the error''s name. Specification: 6.';

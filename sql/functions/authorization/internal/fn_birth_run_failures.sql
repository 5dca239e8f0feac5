-- How often a run has failed: counted when a verdict is recorded, and again when the verdict is asked for.
-- Returns: the number of outcomes that were failed.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2)
  RETURNS bigint
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_failures$
BEGIN
  RETURN (SELECT count(*) FROM birth.birth_act a
    WHERE a.lineage = p_run.lineage AND a.run_id = p_run.run_id AND a.act = 'outcome'
      AND a.detail ->> 'status' = 'failed');
END;
$fn_birth_run_failures$;

COMMENT ON FUNCTION birth.fn_birth_run_failures(birth.birth_backfill_ledger_v2) IS
  'Number of outcomes of a run that were failed. Specification: 6, R5.';

-- Refuses a change of policy, table or identity while a run of the collection is open: running, or stopped or failed
-- with births that no later run or compensation settled. Before stage2_5 there is no ledger and no run.
-- Returns: nothing; NB116.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_open_run(p_collection text)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_open_run$
DECLARE
  v_run text;
BEGIN
  IF to_regclass('birth.birth_backfill_ledger_v2') IS NULL THEN
    RETURN;
  END IF;
  SELECT format('run %s of collection %s is %s', l.run_id, l.collection_name, l.status) INTO v_run
  FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name = p_collection
    AND (l.status = 'running'
         OR (l.status IN ('stopped', 'failed')
             AND (l.actual_inserted > l.compensated_rows OR l.compensating_since IS NOT NULL)
             AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n
                             WHERE n.lineage = l.lineage AND n.planned_at > l.planned_at
                               AND n.status IN ('done', 'compensated'))))
  LIMIT 1;
  IF v_run IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('definition_in_use', v_run);
  END IF;
END;
$fn_birth_open_run$;

COMMENT ON FUNCTION birth.fn_birth_open_run(text) IS
  'Refuses with NB116 while a run of the collection is open: running, or stopped or failed with births that nothing '
  'settled. Specification: 6.1 R5.';

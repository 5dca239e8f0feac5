-- The writer's checks without its writing. A dry run tells every blocker in a notice; asked for real, the first one raises.
-- Returns: the run's row as it would go on; in a dry run status blocked when something stands in the way.
-- Calls: fn_birth_raise, fn_birth_refuse, fn_birth_source_lock, fn_birth_run_startable, fn_birth_run_examine
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_ask(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_dry_run boolean)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_ask$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_state record;
  v_blocker jsonb;
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', p_run_id));
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  PERFORM birth.fn_birth_run_startable(r_run, p_collection, 'APPLY', true);
  SELECT * INTO r_state FROM birth.fn_birth_run_examine(r_run, p_permit_id, p_expected_delta, p_max_rows);
  FOR v_blocker IN SELECT b.value FROM jsonb_array_elements(r_state.blockers) AS b LOOP
    IF NOT p_dry_run THEN
      PERFORM birth.fn_birth_refuse(v_blocker);
    END IF;
    RAISE NOTICE '%: %', v_blocker ->> 'code', v_blocker ->> 'message' USING DETAIL = v_blocker ->> 'detail', HINT = v_blocker ->> 'hint';
  END LOOP;
  IF r_state.blockers <> '[]' THEN
    r_run.status := 'blocked';
  END IF;
  r_run.expected_delta := least(r_state.missing, p_max_rows);
  RETURN r_run;
END;
$fn_birth_run_ask$;

COMMENT ON FUNCTION birth.fn_birth_run_ask(text, uuid, bigint, bigint, bigint, boolean) IS
  'Every check of a run, nothing written; a dry run notices all blockers and answers status blocked, otherwise the first raises. Specification: 6.';

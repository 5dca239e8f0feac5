-- The writer, called alone: a whole run in the caller's transaction, for a run without a committed batch, or its
-- checks. It only raises and records nothing. The batches of a run that sp_dot_birth_qt001_apply drives are
-- fn_birth_run_step's: the same fn_birth_run_batch.
-- SECURITY DEFINER: it alone turns a permit into births.
-- Returns: one row: run_id, status, expected_delta, actual_inserted, skipped, blocked, resume_marker.
-- Calls: fn_birth_raise, fn_birth_actor, fn_birth_run_holder, fn_birth_run_begin, fn_birth_run_batch
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_qt001_apply(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint,
      p_batch_size integer,
    p_dry_run boolean DEFAULT true, p_execute boolean DEFAULT false,
      p_dot_origin text DEFAULT 'dot-birth-backfill-apply')
  RETURNS TABLE (run_id uuid, status text, expected_delta bigint, actual_inserted bigint, skipped bigint,
    blocked bigint, resume_marker text[])
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET lock_timeout = '5s'
AS $fn_dot_birth_qt001_apply$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_fitted bigint;
BEGIN
  IF p_dry_run IS NULL OR p_execute IS NULL OR (p_dry_run AND p_execute) THEN
    PERFORM birth.fn_birth_raise('switch_conflict',
      format('p_dry_run is %s, p_execute is %s', coalesce(p_dry_run::text, 'NULL'), coalesce(p_execute::text, 'NULL')));
  END IF;
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_apply', 'sp_dot_birth_qt001_apply');
  IF p_execute AND EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l
                           WHERE l.run_id = p_run_id
                             AND birth.fn_birth_run_holder(l.run_id, l.epoch) = pg_backend_pid()) THEN
    PERFORM birth.fn_birth_raise('driver_required',
      format('this session holds run %s through the procedure', p_run_id));
  END IF;
  r_run := birth.fn_birth_run_begin(p_collection, p_run_id, p_permit_id, p_expected_delta, p_max_rows, p_batch_size,
    p_dot_origin, 'APPLY',
    CASE WHEN p_execute THEN 'once' WHEN p_dry_run THEN 'dry_run' ELSE 'ask' END);
  IF p_execute THEN
    r_run := birth.fn_birth_run_batch(r_run, p_batch_size);
    -- The proof, when the whole run fitted in; a row more, to be undone, when it did not.
    v_fitted := r_run.actual_inserted;
    r_run := birth.fn_birth_run_batch(r_run, 1);
    IF r_run.status <> 'done' THEN
      PERFORM birth.fn_birth_raise('driver_required',
        format('%s of %s births fit into one batch of %s rows', v_fitted, r_run.expected_delta, p_batch_size));
    END IF;
  END IF;
  RETURN QUERY SELECT r_run.run_id, r_run.status, r_run.expected_delta, r_run.actual_inserted, r_run.skipped,
    r_run.blocked, r_run.resume_marker;
END;
$fn_dot_birth_qt001_apply$;

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_apply(
  text, uuid, bigint, bigint, bigint, integer, boolean, boolean, text) IS
  'Writes a whole permitted run in one transaction; a dry run by default. Operator. Every refusal of NB1 to NB4. '
  'Specification: 6.';

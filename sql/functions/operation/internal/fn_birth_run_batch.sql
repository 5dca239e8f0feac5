-- One batch of any purpose: visits up to p_batch rows of what is left, slice by slice, and moves marker, counts, permit
-- and receipt in the transaction that writes. Codes are written in chunks, because an array ends at 1 GB. The call that
-- finds nothing left proves the run, in a transaction of its own, so that no insert waits for a code of the last batch
-- meanwhile. COMPENSATE counts down what the purpose counted up. Granted to nobody: fn_birth_run_step checks before it
-- calls, the rehearsal rolls back after.
-- Returns: the run's row as it is now.
-- Calls: fn_birth_purpose, fn_birth_raise, fn_birth_run_finish, fn_birth_refuse, fn_birth_checks, fn_birth_run_receipt
-- Writes: birth_backfill_ledger_v2, birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_batch$
DECLARE
  c_chunk CONSTANT bigint := 10000;
  v_undo CONSTANT boolean := p_run.compensating_since IS NOT NULL;
  v_purpose CONSTANT text := CASE WHEN v_undo THEN 'COMPENSATE' ELSE p_run.purpose END;
  v_left CONSTANT bigint := CASE WHEN v_undo THEN p_run.actual_inserted - p_run.compensated_rows
                                 ELSE p_run.expected_delta - p_run.actual_inserted END;
  r_run birth.birth_backfill_ledger_v2;
  r_purpose record;
  r_slice record;
  r_part birth.birth_backfill_ledger_v2;
  v_marker text[] := p_run.resume_marker;
  v_visited bigint := 0;
  v_rows bigint;
  v_written numeric[] := ARRAY[0, 0, 0];
  v_chunk numeric[];
  v_end boolean := v_left = 0;
BEGIN
  SELECT * INTO r_purpose FROM birth.fn_birth_purpose(v_purpose, CASE WHEN v_undo THEN p_run.purpose END);
  WHILE NOT v_end AND v_visited < p_batch LOOP
    v_rows := least(c_chunk, p_batch - v_visited);
    EXECUTE format('SELECT * FROM birth.%I($1, $2, $3)', r_purpose.slice)
      INTO r_slice USING p_run, v_marker, v_rows;
    -- The run, from the end of the slice before to the end of this one.
    r_part := p_run;
    r_part.resume_marker := v_marker;
    r_part.target_upper := coalesce(r_slice.last_key, p_run.target_upper);
    EXECUTE format('SELECT birth.%I($1, $2, $3)', r_purpose.write)
      INTO v_chunk USING r_part, r_slice.codes, r_slice.fingerprint;
    v_visited := v_visited + r_slice.visited;
    v_marker := coalesce(r_slice.last_key, v_marker);
    v_written := ARRAY[v_written[1] + v_chunk[1], v_written[2] + v_chunk[2], v_written[3] + v_chunk[3]];
    IF v_written[1] > v_left THEN
      PERFORM birth.fn_birth_raise(CASE WHEN v_undo THEN 'false_done' ELSE 'source_changed' END,
        format('rows were added to the set of the run: %s are left, %s would be written', v_left, v_written[1]));
    END IF;
    v_end := v_written[1] = v_left OR r_slice.visited < v_rows OR (r_slice.last_key = p_run.target_upper) IS TRUE;
  END LOOP;
  IF v_visited = 0 THEN
    RETURN birth.fn_birth_run_finish(p_run, v_purpose);
  END IF;
  -- Else the next batch would visit the same rows, for ever.
  IF v_written[1] = 0 AND v_marker IS NOT DISTINCT FROM p_run.resume_marker THEN
    PERFORM birth.fn_birth_raise('false_done',
      format('run %s: a batch visited %s rows, wrote none and came no further', p_run.run_id, v_visited));
  END IF;

  IF v_undo THEN
    UPDATE birth.birth_backfill_ledger_v2 l
    SET batches = l.batches + 1, last_batch_at = clock_timestamp(),
        compensated_rows = l.compensated_rows + v_written[1]::bigint
    WHERE l.run_id = p_run.run_id
    RETURNING l.* INTO r_run;
  ELSE
    UPDATE birth.birth_backfill_ledger_v2 l
    SET batches = l.batches + 1, last_batch_at = clock_timestamp(),
        actual_inserted = l.actual_inserted + v_written[1]::bigint,
        visited = l.visited + v_visited, skipped = l.skipped + v_visited - v_written[1]::bigint,
        resume_marker = v_marker,
        written_fingerprint = ARRAY[l.written_fingerprint[1] + v_written[1],
                                    l.written_fingerprint[2] + v_written[2],
                                    l.written_fingerprint[3] + v_written[3]]
    WHERE l.run_id = p_run.run_id
    RETURNING l.* INTO r_run;
    -- Rows that left the range are told by the sums already: the batch is undone, and what it would have written is
    -- left for a new plan.
    IF v_end AND r_run.written_fingerprint <> r_run.target_fingerprint THEN
      PERFORM birth.fn_birth_raise('source_changed',
        format('run %s wrote %s of a target of %s', p_run.run_id, r_run.actual_inserted, p_run.expected_delta));
    END IF;
  END IF;
  -- What was revoked or ran out while the batch was written admits it no more; a revocation that is being committed is
  -- waited for.
  PERFORM FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = r_run.permit_id FOR UPDATE;
  PERFORM birth.fn_birth_refuse(c.blocker)
  FROM birth.fn_birth_checks('spend', r_run, v_purpose, r_run, v_written[1]::bigint) c
  WHERE NOT c.pass ORDER BY c.number;
  UPDATE birth.birth_admission_permit_v2 p
  SET spent_rows = p.spent_rows + v_written[1]::bigint
  WHERE p.permit_id = r_run.permit_id;
  PERFORM birth.fn_birth_run_receipt(r_run, v_purpose, CASE WHEN NOT v_undo THEN p_run.resume_marker END,
    v_visited, v_written);
  RETURN r_run;
END;
$fn_birth_run_batch$;

COMMENT ON FUNCTION birth.fn_birth_run_batch(birth.birth_backfill_ledger_v2, integer) IS
  'Writes one batch of a run with marker, receipt, permit and ledger; with nothing left, proves the run. Granted to '
  'nobody. NB108, NB202 to NB206, NB309, NB310, NB313. Specification: 6 steps 8 to 10.';

-- The writing of one batch: visits up to p_batch source rows, registers their codes, moves marker, receipt, permit and ledger in the same transaction.
-- The call that finds nothing left to visit proves the run: in a transaction of its own, so that nobody waits for a code of the last batch while
-- everything is counted. Codes go to the registry in chunks, because an array ends at 1 GB.
-- Granted to nobody: the writer checks before it calls, the rehearsal rolls back after.
-- Returns: the run's row as it is now.
-- Calls: fn_birth_run_slice, fn_birth_register_set, fn_birth_run_inserted, fn_birth_raise, fn_birth_permit_spend, fn_birth_run_receipt, fn_birth_run_finish
-- Writes: birth_backfill_ledger_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_run_write(p_run birth.birth_backfill_ledger_v2, p_batch integer)
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_write$
DECLARE
  c_chunk CONSTANT integer := 10000;
  r_run birth.birth_backfill_ledger_v2 := p_run;
  r_slice record;
  r_set record;
  v_marker text[] := p_run.resume_marker;
  v_visited bigint := 0;
  v_written numeric[] := '{0,0,0}';
  v_chunk numeric[];
  v_end boolean := p_run.actual_inserted = p_run.expected_delta;
BEGIN
  WHILE NOT v_end AND v_visited < p_batch LOOP
    SELECT * INTO r_slice FROM birth.fn_birth_run_slice(p_run, v_marker, least(c_chunk, p_batch - v_visited));
    v_end := r_slice.visited < least(c_chunk, p_batch - v_visited) OR r_slice.last_key = p_run.target_upper;
    v_visited := v_visited + r_slice.visited;
    v_marker := coalesce(r_slice.last_key, v_marker);
    r_set := birth.fn_birth_register_set(p_run.collection_name, r_slice.codes, p_run.dot_origin, p_run.run_id,
      p_run.existing_births = p_run.orphans);
    IF r_set.foreign_codes <> '{}' THEN
      PERFORM birth.fn_birth_raise('code_foreign', format('collection %s: %s codes, such as %L', p_run.collection_name,
        cardinality(r_set.foreign_codes), r_set.foreign_codes[1]));
    END IF;
    v_chunk := CASE r_set.born WHEN cardinality(r_slice.codes) THEN r_slice.fingerprint WHEN 0 THEN '{0,0,0}'
               ELSE birth.fn_birth_run_inserted(p_run, r_slice.codes) END;
    v_written := ARRAY[v_written[1] + v_chunk[1], v_written[2] + v_chunk[2], v_written[3] + v_chunk[3]];
    IF v_chunk[1] <> r_set.born THEN
      PERFORM birth.fn_birth_raise('false_done', format('%s births inserted, %s of the run found', r_set.born, v_chunk[1]));
    END IF;
    IF p_run.actual_inserted + v_written[1] > p_run.expected_delta THEN
      PERFORM birth.fn_birth_raise('source_changed', format('rows without a birth were added in the range: %s would exceed the target of %s',
        p_run.actual_inserted + v_written[1], p_run.expected_delta));
    END IF;
    v_end := v_end OR p_run.actual_inserted + v_written[1] = p_run.expected_delta;
  END LOOP;
  IF v_visited = 0 THEN
    RETURN birth.fn_birth_run_finish(p_run);
  END IF;

  UPDATE birth.birth_backfill_ledger_v2 l
  SET batches = l.batches + 1, visited = l.visited + v_visited, actual_inserted = l.actual_inserted + v_written[1]::bigint,
      skipped = l.skipped + v_visited - v_written[1]::bigint, resume_marker = v_marker, last_batch_at = clock_timestamp(),
      written_fingerprint = ARRAY[l.written_fingerprint[1] + v_written[1], l.written_fingerprint[2] + v_written[2], l.written_fingerprint[3] + v_written[3]]
  WHERE l.run_id = p_run.run_id
  RETURNING l.* INTO r_run;
  -- Rows that left the range are told by the sums already: the batch is undone, and what it would have written is left for a new plan.
  IF v_end AND r_run.written_fingerprint <> r_run.target_fingerprint THEN
    PERFORM birth.fn_birth_raise('source_changed', format('run %s wrote %s of a target of %s', p_run.run_id, r_run.actual_inserted, p_run.expected_delta));
  END IF;
  PERFORM birth.fn_birth_permit_spend(r_run, 'APPLY', v_written[1]::bigint);
  PERFORM birth.fn_birth_run_receipt(r_run, 'APPLY', p_run.resume_marker, v_visited, v_written);
  RETURN r_run;
END;
$fn_birth_run_write$;

COMMENT ON FUNCTION birth.fn_birth_run_write(birth.birth_backfill_ledger_v2, integer) IS
  'Writes one batch with marker, receipt, permit and ledger; with nothing left to visit, proves the run. Granted to nobody. NB108, NB202 to NB206, NB309, NB310. Specification: 6 steps 8 to 10.';

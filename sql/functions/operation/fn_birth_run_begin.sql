-- Begins or continues a run, for its own purpose or to undo it: every check in full, the target pinned when it begins,
-- the attempt on record. A check that fails raises and leaves everything as it was. The drivers commit it before the
-- first batch.
-- p_mode: drive (the session holds the run from now on), once (the caller's transaction is the whole run), ask (every
-- check, nothing written, the first failure raises), dry_run (every failure is a notice). A run whose one batch settles
-- it is not driven: cut off behind that batch, it could not go on.
-- SECURITY DEFINER: reads the source table and writes the ledger with birth_definer's rights.
-- Returns: the run's row; asked, what it would do, and status blocked when a check of a dry run does not pass.
-- Calls: fn_birth_actor, fn_birth_purpose, fn_birth_raise, fn_birth_run_lock, fn_birth_source_lock, fn_birth_run_set,
--        fn_birth_checks, fn_birth_refuse, fn_birth_run_claim
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_run_begin(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer,
    p_dot_origin text, p_purpose text DEFAULT NULL, p_mode text DEFAULT 'drive')
  RETURNS birth.birth_backfill_ledger_v2
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET constraint_exclusion = off
  SET lock_timeout = '5s'
AS $fn_birth_run_begin$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_now birth.birth_backfill_ledger_v2;
  r_purpose record;
  r_set record;
  v_purpose text;
  v_foreign text[];
  v_scope text;
  v_blocker jsonb;
  v_status text;
  v_fault text;
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  v_purpose := coalesce(p_purpose, r_run.purpose);
  SELECT * INTO r_purpose
  FROM birth.fn_birth_purpose(v_purpose, CASE v_purpose WHEN 'COMPENSATE' THEN r_run.purpose END);
  PERFORM birth.fn_birth_actor('birth_operator', VARIADIC ARRAY(
    SELECT d.door FROM birth.fn_birth_purpose() p CROSS JOIN unnest(p.doors) WITH ORDINALITY AS d(door, number)
    WHERE (p.purpose = r_purpose.purpose OR r_purpose.purpose IS NULL) AND (d.number = 1 OR p_mode <> 'drive')));
  v_fault := CASE
    WHEN p_mode IS NULL OR p_mode NOT IN ('drive', 'once', 'ask', 'dry_run')
        OR p_mode = 'drive' AND r_purpose.settles AND r_purpose.undoes IS NULL THEN format('p_mode is %L', p_mode)
    WHEN p_collection IS NULL AND r_purpose.numbers THEN 'p_collection is required'
    WHEN p_run_id IS NULL THEN 'p_run_id is required'
    WHEN p_permit_id IS NULL THEN 'p_permit_id is required'
    WHEN p_expected_delta <= 0 OR p_expected_delta IS NULL AND r_purpose.numbers
      THEN format('p_expected_delta is %s', coalesce(p_expected_delta::text, 'NULL'))
    WHEN p_max_rows <= 0 OR p_max_rows IS NULL AND r_purpose.numbers
      THEN format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL'))
    WHEN p_batch IS NULL OR p_batch <= 0 THEN format('the batch size is %s', coalesce(p_batch::text, 'NULL'))
    WHEN (p_dot_origin IS NOT NULL OR r_purpose.numbers)
        AND (p_dot_origin ~ '[^[:space:]]' AND octet_length(p_dot_origin) <= 63) IS NOT TRUE
      THEN format('p_dot_origin is %L', p_dot_origin)
    -- Births of the gateway and births of a run are told apart by it; a rehearsal leaves no birth.
    WHEN upper(btrim(p_dot_origin) COLLATE "C") IN ('QT-002', 'REHEARSAL')
      THEN format('p_dot_origin is %L, which no run may call itself', p_dot_origin)
  END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', v_fault);
  END IF;
  IF r_purpose.numbers
     AND NOT EXISTS (SELECT FROM birth.collection_registry c WHERE c.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF p_mode IN ('drive', 'once') THEN
    r_run := birth.fn_birth_run_lock(p_run_id);
  ELSIF r_run.run_id IS NULL THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', p_run_id));
  END IF;
  IF r_purpose.purpose IS NULL OR v_purpose NOT IN (r_run.purpose, 'COMPENSATE')
     OR p_collection <> r_run.collection_name THEN
    PERFORM birth.fn_birth_raise('bad_argument',
      format('run %s is of collection %s and for %s, not %s for %s', p_run_id, r_run.collection_name, r_run.purpose,
        coalesce(p_collection, r_run.collection_name), v_purpose));
  END IF;
  IF r_purpose.source IS NOT NULL THEN
    PERFORM birth.fn_birth_source_lock(r_run.collection_name);
  END IF;

  r_now := r_run;
  r_now.permit_id := p_permit_id;
  r_now.batches := CASE p_mode WHEN 'once' THEN 0 END;
  r_now.dot_origin := coalesce(p_dot_origin, r_run.dot_origin, r_purpose.dot);
  FOREACH v_scope IN ARRAY ARRAY['claim', 'start'] LOOP
    -- What is large is counted once what is small has passed.
    IF v_scope = 'start' AND v_purpose = r_run.purpose THEN
      SELECT * INTO r_set FROM birth.fn_birth_run_set(r_now);
      r_now := r_set.fresh;
      v_foreign := r_set.foreign_codes;
      r_now.max_rows := coalesce(p_max_rows, r_run.max_rows, r_now.planned_rows);
      r_now.expected_delta := coalesce(p_expected_delta,
        CASE WHEN r_run.started_at IS NULL THEN least(r_now.planned_rows, r_now.max_rows)
             ELSE r_run.expected_delta END);
    END IF;
    FOR v_blocker IN
      SELECT c.blocker FROM birth.fn_birth_checks(v_scope, r_run, v_purpose, r_now, p_foreign := v_foreign) c
      WHERE NOT c.pass ORDER BY c.number
    LOOP
      IF p_mode <> 'dry_run' THEN
        PERFORM birth.fn_birth_refuse(v_blocker);
      END IF;
      RAISE NOTICE '%: %', v_blocker ->> 'code', v_blocker ->> 'message'
        USING DETAIL = coalesce(v_blocker ->> 'detail', ''), HINT = v_blocker ->> 'hint';
      v_status := 'blocked';
    END LOOP;
  END LOOP;
  IF p_mode IN ('ask', 'dry_run') THEN
    r_run.status := coalesce(v_status, r_run.status);
    r_run.expected_delta := CASE WHEN v_purpose = r_run.purpose THEN least(r_now.planned_rows, r_now.max_rows)
                                 ELSE r_run.expected_delta END;
    RETURN r_run;
  END IF;
  r_run := birth.fn_birth_run_claim(r_run, r_now, v_purpose, p_mode = 'drive');
  -- An attempt that is rolled back leaves this line in the server's log, and nothing else.
  RAISE LOG 'birth: run %, attempt % begins, by %, backend %',
    r_run.run_id, r_run.epoch, session_user, pg_backend_pid();
  RETURN r_run;
END;
$fn_birth_run_begin$;

COMMENT ON FUNCTION birth.fn_birth_run_begin(text, uuid, bigint, bigint, bigint, integer, text, text, text) IS
  'Checks everything, pins the target set and claims the run for this session; a refusal changes nothing. Called by '
  'the drivers. Operator. Specification: 6, R8, R10, R14.';

-- Name: birth; Type: SCHEMA; Schema: -; Owner: birth_definer

CREATE SCHEMA birth;

ALTER SCHEMA birth OWNER TO birth_definer;

-- Name: fn_birth_act_part(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_act_part(p_act text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    WHEN p_act IN ('plan', 'attempt') THEN 'execution'
    WHEN p_act IN ('review', 'permit_confirm') THEN 'review'
    WHEN p_act = 'permit_open' THEN 'admission'
  END;
$$;

ALTER FUNCTION birth.fn_birth_act_part(p_act text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_act_part(p_act text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_act_part(p_act text) IS 'The part that an act takes in a run: execution, review, admission, or NULL. Specification: 6.1 R7.';

-- Name: fn_birth_act_record(text, uuid, bigint, text, text, bigint, text, jsonb, uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid DEFAULT NULL::uuid, p_permit_id bigint DEFAULT NULL::bigint, p_collection text DEFAULT NULL::text, p_dot text DEFAULT NULL::text, p_epoch bigint DEFAULT NULL::bigint, p_reason text DEFAULT NULL::text, p_detail jsonb DEFAULT '{}'::jsonb, p_lineage uuid DEFAULT NULL::uuid) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_fault text;
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_durable();
  IF birth.fn_birth_act_part(p_act) IS NOT NULL THEN
    -- A verdict NOT_SAFE_NEEDS_FIX never waits. The check before each batch finds two acts recorded at the same moment.
    IF p_detail ->> 'verdict' IS DISTINCT FROM 'NOT_SAFE_NEEDS_FIX' THEN
      PERFORM birth.fn_birth_lineage_lock(p_lineage);
    END IF;
    v_fault := birth.fn_birth_people_check(p_run_id, p_lineage, p_act);
    IF v_fault IS NOT NULL THEN
      PERFORM birth.fn_birth_raise('separation_of_duties', v_fault);
    END IF;
  END IF;
  v_at := birth.fn_birth_clock();
  INSERT INTO birth.birth_act
    (act, actor_id, acted_at, run_id, lineage, permit_id, collection_name, dot_name, epoch, reason, detail)
  VALUES (p_act, birth.fn_birth_login_id(), v_at, p_run_id, p_lineage, p_permit_id, p_collection, p_dot, p_epoch,
    p_reason,
    -- A run's births have the server's time: an audit needs to know by how much the server's clock was behind.
    p_detail || CASE WHEN v_at > clock_timestamp()
      THEN jsonb_build_object('clock_behind', extract(epoch FROM v_at - clock_timestamp())) ELSE '{}' END);
  RETURN v_at;
END;
$$;

ALTER FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid) IS 'Records an act of session_user and returns its time. NB209: it would give one person two parts in a chain of plans; NB303: another act on the chain is open. Specification: 6.1 R7.';

-- Name: fn_birth_actor(text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF NOT birth.fn_birth_is_member(session_user, p_role) THEN
    PERFORM birth.fn_birth_raise('role_required', format('login %s is not a member of %s', session_user, p_role));
  END IF;
  IF NOT EXISTS (SELECT FROM unnest(p_routines) AS r(routine)
                 WHERE strpos(lower(current_query() COLLATE "C"), r.routine) > 0) THEN
    PERFORM birth.fn_birth_raise('routine_not_named',
      format('the statement sent by %s does not name %s', session_user, array_to_string(p_routines, ' or ')));
  END IF;
  IF current_setting('transaction_read_only') = 'on' THEN
    PERFORM birth.fn_birth_raise('read_only', CASE WHEN pg_is_in_recovery() THEN 'this server is a standby'
      ELSE format('default_transaction_read_only is %s', current_setting('default_transaction_read_only')) END);
  END IF;
  -- Separation of duties depends on acts that others committed; an old snapshot does not show them.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM birth.fn_birth_raise('isolation_level',
      format('this transaction is %s', current_setting('transaction_isolation')));
  END IF;
  RETURN session_user;
END;
$$;

ALTER FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_actor(p_role text, VARIADIC p_routines text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) IS 'The acting login. NB110: it is not a member of the role; NB111: the statement sent names none of the routines; NB112: not READ COMMITTED; NB120: a read-only transaction. Specification: 6.1 R7.';

-- Name: fn_birth_alerts(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_alerts() RETURNS TABLE(raised_at timestamp with time zone, raised_by text, command text, object text, detail text)
    LANGUAGE plpgsql ROWS 10
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  RETURN QUERY SELECT t.raised_at, t.raised_by, t.command, t.object, t.detail FROM birth.trigger_guard_alerts t;
  IF NOT EXISTS (
    SELECT FROM pg_namespace n
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'alert'
    JOIN pg_roles s ON s.oid = n.nspowner AND s.rolsuper
    JOIN pg_roles t ON t.oid = c.relowner AND t.rolsuper
    WHERE n.nspname = 'birth_guard') THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE $alerts$
    SELECT a.raised_at, a.raised_by, a.command, a.object, a.detail
    FROM birth_guard.alert a
    WHERE a.source_table IS NULL OR EXISTS (
      SELECT FROM birth.collection_registry c
      WHERE c.schema_name = a.source_schema AND c.table_name = a.source_table
        AND (SELECT h.act FROM birth.birth_act h
             WHERE h.collection_name = c.collection_name AND h.act IN ('attach', 'detach') AND h.acted_at <= a.raised_at
             ORDER BY h.acted_at DESC LIMIT 1) IS DISTINCT FROM 'detach')
  $alerts$;
END;
$_$;

ALTER FUNCTION birth.fn_birth_alerts() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_alerts(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_alerts() IS 'Every alert: trigger_guard_alerts and what the optional event triggers recorded. Specification: 6.';

-- Name: fn_birth_anchor_record(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_anchor_record(p_stage text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_permits bigint := 0;
  v_rows bigint;
BEGIN
  -- The permits come with later stages.
  IF to_regclass('birth.birth_admission_permit') IS NOT NULL THEN
    EXECUTE 'SELECT count(*) FROM birth.birth_admission_permit p WHERE p.status = ''OPEN''' INTO v_permits;
  END IF;
  DELETE FROM birth.birth_stage_anchor a WHERE a.stage = p_stage;
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT p_stage, s.subject, s.value
  FROM (
    SELECT 'coverage.' || k.kind AS subject,
           (SELECT count(*) FROM birth.collection_registry c
            WHERE starts_with(c.coverage_status, k.kind))::text AS value
    FROM unnest(ARRAY['BIRTH_REQUIRED', 'BIRTH_DEFERRED_NEEDS_REVIEW', 'BIRTH_EXEMPT_']) AS k(kind)
    UNION ALL
    SELECT 'gateway.required', coalesce(jsonb_agg(DISTINCT g.collection_name), '[]')::text
    FROM birth.v_birth_gateway_trigger g
    JOIN birth.collection_registry c ON c.collection_name = g.collection_name AND c.coverage_status = 'BIRTH_REQUIRED'
    WHERE g.enabled
    UNION ALL
    SELECT 'body.' || p.proname, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')
    FROM pg_proc p
    WHERE p.pronamespace = 'birth'::regnamespace
      AND (p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
           OR p.proname IN (SELECT d.routine FROM birth.dot_registry d WHERE d.dangerous))
    UNION ALL
    SELECT 'dots.frozen', count(*)::text FROM birth.v_birth_dot_status d WHERE d.dangerous AND d.frozen
    UNION ALL
    SELECT 'permits.open', v_permits::text
    UNION ALL
    SELECT 'alerts', count(*)::text FROM birth.fn_birth_alerts()
    UNION ALL
    -- The body that DOT-119 would have set up, without white space: fn_dot_birth_trigger_setup has it in
    -- migrations/objects; a test compares the two.
    SELECT 'body.old_gateway', '11a35a8fb4bc1302b92b1756dd44065afcd1dbfc3dfafe58812aaaa27df07367'
  ) s;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END;
$$;

ALTER FUNCTION birth.fn_birth_anchor_record(p_stage text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_anchor_record(p_stage text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_anchor_record(p_stage text) IS 'Records what the guards of a stage compare with; returns how many values. For releases. Specification: 3.';

-- Name: birth_backfill_ledger_v2; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_backfill_ledger_v2 (
    run_id uuid NOT NULL,
    lineage uuid NOT NULL,
    predecessor uuid,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    purpose text DEFAULT 'APPLY'::text NOT NULL,
    status text DEFAULT 'planned'::text NOT NULL,
    stop_reason text,
    dry_run boolean DEFAULT true NOT NULL,
    source_rows bigint NOT NULL,
    existing_births bigint NOT NULL,
    orphans bigint NOT NULL,
    dead bigint DEFAULT 0 NOT NULL,
    unresolvable bigint NOT NULL,
    duplicates bigint NOT NULL,
    collisions bigint NOT NULL,
    planned_rows bigint NOT NULL,
    planned_fingerprint numeric[] NOT NULL,
    seed_a bigint NOT NULL,
    seed_b bigint NOT NULL,
    algorithm text NOT NULL,
    server_major integer NOT NULL,
    contract_hash text NOT NULL,
    identity_hash text NOT NULL,
    planned_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    planned_by text NOT NULL,
    wanted jsonb,
    max_rows bigint,
    expected_delta bigint NOT NULL,
    target_upper text[],
    target_fingerprint numeric[] DEFAULT '{0,0,0}'::numeric[] NOT NULL,
    accepted_orphans bigint DEFAULT 0 NOT NULL,
    alerts_before bigint,
    dot_origin text COLLATE pg_catalog."C",
    permit_id bigint,
    executed_by text,
    epoch bigint DEFAULT 0 NOT NULL,
    holder_pid integer,
    contract_token text,
    batches bigint DEFAULT 0 NOT NULL,
    visited bigint DEFAULT 0 NOT NULL,
    actual_inserted bigint DEFAULT 0 NOT NULL,
    skipped bigint DEFAULT 0 NOT NULL,
    blocked bigint DEFAULT 0 NOT NULL,
    written_fingerprint numeric[] DEFAULT '{0,0,0}'::numeric[] NOT NULL,
    resume_marker text[],
    started_at timestamp with time zone,
    last_batch_at timestamp with time zone,
    finished_at timestamp with time zone,
    compensating_since timestamp with time zone,
    compensated_rows bigint DEFAULT 0 NOT NULL,
    CONSTRAINT bbl2_counts CHECK (((LEAST(source_rows, existing_births, orphans, dead, unresolvable, duplicates, collisions, planned_rows, expected_delta, accepted_orphans, epoch, batches, visited, actual_inserted, skipped, blocked, compensated_rows) >= 0) AND (actual_inserted <= expected_delta) AND (expected_delta <= planned_rows) AND (compensated_rows <= actual_inserted))),
    CONSTRAINT bbl2_executed CHECK ((dry_run = (status = 'planned'::text))),
    CONSTRAINT bbl2_fingerprints CHECK (((cardinality(planned_fingerprint) = 3) AND (array_position(planned_fingerprint, NULL::numeric) IS NULL) AND (cardinality(target_fingerprint) = 3) AND (array_position(target_fingerprint, NULL::numeric) IS NULL) AND (cardinality(written_fingerprint) = 3) AND (array_position(written_fingerprint, NULL::numeric) IS NULL))),
    CONSTRAINT bbl2_no_false_compensation CHECK ((((status <> 'compensated'::text) OR ((compensated_rows = actual_inserted) AND (actual_inserted > 0) AND (compensating_since IS NOT NULL))) IS TRUE)),
    CONSTRAINT bbl2_no_false_done CHECK ((((status <> 'done'::text) OR ((expected_delta > 0) AND (actual_inserted = expected_delta) AND (target_fingerprint[1] = (expected_delta)::numeric) AND (written_fingerprint = target_fingerprint) AND (permit_id IS NOT NULL) AND (executed_by IS NOT NULL) AND (finished_at IS NOT NULL))) IS TRUE)),
    CONSTRAINT bbl2_one_way CHECK (((compensating_since IS NULL) OR (status = ANY (ARRAY['running'::text, 'stopped'::text, 'failed'::text, 'compensated'::text])))),
    CONSTRAINT bbl2_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text, 'TRANSITION'::text, 'DEATH'::text]))),
    CONSTRAINT bbl2_reason CHECK (((status = ANY (ARRAY['stopped'::text, 'failed'::text])) = (stop_reason IS NOT NULL))),
    CONSTRAINT bbl2_status CHECK ((status = ANY (ARRAY['planned'::text, 'running'::text, 'stopped'::text, 'failed'::text, 'done'::text, 'compensated'::text]))),
    CONSTRAINT bbl2_written CHECK ((written_fingerprint[1] = (actual_inserted)::numeric))
)
WITH (fillfactor='70');

ALTER TABLE birth.birth_backfill_ledger_v2 OWNER TO birth_definer;

-- Name: TABLE birth_backfill_ledger_v2; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_backfill_ledger_v2 IS 'Plans and their runs: what was counted, what may be written, what was written, who holds it. Specification: 2, 6.';

-- Name: COLUMN birth_backfill_ledger_v2.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.run_id IS 'The run.';

-- Name: COLUMN birth_backfill_ledger_v2.lineage; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.lineage IS 'The first run of the chain of plans.';

-- Name: COLUMN birth_backfill_ledger_v2.predecessor; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.predecessor IS 'The unfinished run this plan follows.';

-- Name: COLUMN birth_backfill_ledger_v2.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.collection_name IS 'The collection.';

-- Name: COLUMN birth_backfill_ledger_v2.purpose; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.purpose IS 'What the run is for: APPLY writes births, TRANSITION changes a policy. fn_birth_purpose lists them.';

-- Name: COLUMN birth_backfill_ledger_v2.status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.status IS 'planned, running, stopped, failed, done or compensated.';

-- Name: COLUMN birth_backfill_ledger_v2.stop_reason; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.stop_reason IS 'Why it stopped or failed: an error of the catalogue or an SQLSTATE.';

-- Name: COLUMN birth_backfill_ledger_v2.dry_run; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.dry_run IS 'true until executed.';

-- Name: COLUMN birth_backfill_ledger_v2.source_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.source_rows IS 'S: rows of the source table.';

-- Name: COLUMN birth_backfill_ledger_v2.existing_births; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.existing_births IS 'B: births of the collection.';

-- Name: COLUMN birth_backfill_ledger_v2.orphans; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.orphans IS 'Births of the collection without a source row and without a death; of a death run, what it is to end.';

-- Name: COLUMN birth_backfill_ledger_v2.dead; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.dead IS 'Births of the collection without a source row and with an open death. With the orphans they make O.';

-- Name: COLUMN birth_backfill_ledger_v2.unresolvable; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.unresolvable IS 'U: rows without a code.';

-- Name: COLUMN birth_backfill_ledger_v2.duplicates; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.duplicates IS 'D: rows whose code another row of the collection has.';

-- Name: COLUMN birth_backfill_ledger_v2.collisions; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.collisions IS 'X: codes that another collection owns.';

-- Name: COLUMN birth_backfill_ledger_v2.planned_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_rows IS 'M: codes without a birth.';

-- Name: COLUMN birth_backfill_ledger_v2.planned_fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_fingerprint IS 'Fingerprint of the set of codes without a birth.';

-- Name: COLUMN birth_backfill_ledger_v2.seed_a; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.seed_a IS 'Seed of the first sum.';

-- Name: COLUMN birth_backfill_ledger_v2.seed_b; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.seed_b IS 'Seed of the second sum.';

-- Name: COLUMN birth_backfill_ledger_v2.algorithm; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.algorithm IS 'Algorithm of the fingerprint.';

-- Name: COLUMN birth_backfill_ledger_v2.server_major; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.server_major IS 'Server major the fingerprint was computed on; another one needs a new plan.';

-- Name: COLUMN birth_backfill_ledger_v2.contract_hash; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.contract_hash IS 'The contract the plan was computed under.';

-- Name: COLUMN birth_backfill_ledger_v2.identity_hash; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.identity_hash IS 'Policy, identity and table the plan was computed under.';

-- Name: COLUMN birth_backfill_ledger_v2.planned_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_at IS 'When it was planned.';

-- Name: COLUMN birth_backfill_ledger_v2.planned_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_by IS 'By which login.';

-- Name: COLUMN birth_backfill_ledger_v2.wanted; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.wanted IS 'Arguments of the plan beside its collection, by their names; NULL: there are none.';

-- Name: COLUMN birth_backfill_ledger_v2.max_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.max_rows IS 'The bound of the run; NULL until it begins.';

-- Name: COLUMN birth_backfill_ledger_v2.expected_delta; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.expected_delta IS 'Size of the target set: planned_rows, or max_rows where that is less.';

-- Name: COLUMN birth_backfill_ledger_v2.target_upper; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.target_upper IS 'Key of the last row of the target set.';

-- Name: COLUMN birth_backfill_ledger_v2.target_fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.target_fingerprint IS 'Fingerprint of the target set.';

-- Name: COLUMN birth_backfill_ledger_v2.accepted_orphans; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.accepted_orphans IS 'What the verdict accepted.';

-- Name: COLUMN birth_backfill_ledger_v2.alerts_before; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.alerts_before IS 'trigger_guard_alerts when the run first began.';

-- Name: COLUMN birth_backfill_ledger_v2.dot_origin; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.dot_origin IS 'What its births carry as dot_origin.';

-- Name: COLUMN birth_backfill_ledger_v2.permit_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.permit_id IS 'The permit last used.';

-- Name: COLUMN birth_backfill_ledger_v2.executed_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.executed_by IS 'Login that last executed it.';

-- Name: COLUMN birth_backfill_ledger_v2.epoch; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.epoch IS 'Number of the attempt; a batch of an earlier one fails.';

-- Name: COLUMN birth_backfill_ledger_v2.holder_pid; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.holder_pid IS 'Backend of the attempt.';

-- Name: COLUMN birth_backfill_ledger_v2.contract_token; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.contract_token IS 'Catalogue state at the last full contract check.';

-- Name: COLUMN birth_backfill_ledger_v2.batches; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.batches IS 'Receipts written.';

-- Name: COLUMN birth_backfill_ledger_v2.visited; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.visited IS 'Source rows visited.';

-- Name: COLUMN birth_backfill_ledger_v2.actual_inserted; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.actual_inserted IS 'Births written.';

-- Name: COLUMN birth_backfill_ledger_v2.skipped; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.skipped IS 'Visited rows that had a birth of their own collection, or no code.';

-- Name: COLUMN birth_backfill_ledger_v2.blocked; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.blocked IS 'Visited rows whose code another collection owned; a batch with any is undone.';

-- Name: COLUMN birth_backfill_ledger_v2.written_fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.written_fingerprint IS 'Fingerprint of the births written.';

-- Name: COLUMN birth_backfill_ledger_v2.resume_marker; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.resume_marker IS 'Key of the last row visited; NULL before the first.';

-- Name: COLUMN birth_backfill_ledger_v2.started_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.started_at IS 'When the run first began.';

-- Name: COLUMN birth_backfill_ledger_v2.last_batch_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.last_batch_at IS 'When the last batch was written.';

-- Name: COLUMN birth_backfill_ledger_v2.finished_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.finished_at IS 'When it was done or compensated.';

-- Name: COLUMN birth_backfill_ledger_v2.compensating_since; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.compensating_since IS 'When its compensation began; from then on it is closed to apply.';

-- Name: COLUMN birth_backfill_ledger_v2.compensated_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.compensated_rows IS 'Births removed.';

-- Name: CONSTRAINT bbl2_no_false_done ON birth_backfill_ledger_v2; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON CONSTRAINT bbl2_no_false_done ON birth.birth_backfill_ledger_v2 IS 'done means: exactly the target set was written, in number and as a set. Holds whoever writes the row.';

-- Name: fn_birth_apply_set(birth.birth_backfill_ledger_v2, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) RETURNS TABLE(source_rows bigint, existing_births bigint, orphans bigint, dead bigint, unresolvable bigint, duplicates bigint, collisions bigint, foreign_codes text[], missing bigint, fingerprint numeric[], range_fingerprint numeric[], upper text[])
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_identity record;
  r_key record;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  IF r_identity.code_sql IS NULL OR birth.fn_birth_source_grants(p_run.collection_name, 'SELECT') <> '' THEN
    RETURN;
  ELSIF p_rows IS NULL THEN
    -- A key of another identity may not even be of its type.
    RETURN QUERY
    SELECT m.source_rows, m.existing_births, m.orphans, m.dead, m.unresolvable, m.duplicates, m.collisions,
      m.collision_examples, m.missing,
           m.fingerprint, m.range_fingerprint, NULL::text[]
    FROM birth.fn_birth_measure(p_run.collection_name, p_run.seed_a, p_run.seed_b,
      CASE WHEN p_run.identity_hash = birth.fn_birth_identity_hash(p_run.collection_name)
        THEN p_run.target_upper END) m;
    RETURN;
  END IF;
  SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns);
  missing := p_rows;
  IF p_rows = p_run.planned_rows THEN
    fingerprint := p_run.planned_fingerprint;
    SELECT s.upper INTO upper
    FROM birth.fn_birth_scan(format(
      'SELECT ARRAY[%s] FROM (SELECT %s FROM %s t WHERE ROW(%s) IS NOT NULL ORDER BY %s LIMIT 1) s',
      r_key.last, r_key.named, r_identity.source_sql, r_key.ascending, r_key.descending)) AS s(upper text[]);
  ELSE
    SELECT s.upper, s.fingerprint INTO upper, fingerprint
    FROM birth.fn_birth_scan(format($walk$
      SELECT ARRAY[%1$s], ARRAY[count(*), sum(hashtextextended(s.code, $2)), sum(hashtextextended(s.code, $3))]
      FROM (SELECT %2$s, c.code, row_number() OVER (ORDER BY %3$s) AS number
            FROM %4$s t CROSS JOIN LATERAL (SELECT %5$s AS code) c
              LEFT JOIN birth.birth_registry b ON b.entity_code = c.code
            WHERE c.code IS NOT NULL AND b.entity_code IS NULL ORDER BY %3$s LIMIT $6) s
    $walk$, r_key.numbered, r_key.named, r_key.ascending, r_identity.source_sql, r_identity.code_sql),
      p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_rows := p_rows) AS s(upper text[], fingerprint numeric[]);
  END IF;
  RETURN NEXT;
END;
$_$;

ALTER FUNCTION birth.fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) IS 'Purpose APPLY: counts and fingerprint of the codes without a birth, or the upper key of the first p_rows. Specification: 6, R10, R12.';

-- Name: fn_birth_apply_slice(birth.birth_backfill_ledger_v2, text[], bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) RETURNS TABLE(visited bigint, codes text[], fingerprint numeric[], last_key text[])
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_identity record;
  r_key record;
BEGIN
  PERFORM birth.fn_birth_source_lock(p_run.collection_name);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  IF r_identity.code_sql IS DISTINCT FROM (SELECT c.birth_code_sql FROM birth.collection_registry c
                                           WHERE c.collection_name = p_run.collection_name) THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: the table changed while the run was on: %s', p_run.collection_name, r_identity.reason));
  END IF;
  SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns, r_identity.key_types);
  RETURN QUERY SELECT s.* FROM birth.fn_birth_scan(format($slice$
    SELECT count(*), coalesce(array_agg(s.code) FILTER (WHERE s.code IS NOT NULL), '{}'),
           ARRAY[count(s.code), coalesce(sum(hashtextextended(s.code, $2)), 0),
             coalesce(sum(hashtextextended(s.code, $3)), 0)],
           CASE WHEN count(*) > 0 THEN ARRAY[%1$s] END
    FROM (SELECT %2$s, %3$s AS code FROM %4$s t WHERE %5$s AND %6$s ORDER BY %7$s LIMIT $6) s
  $slice$, r_key.last, r_key.named, r_identity.code_sql, r_identity.source_sql,
    r_key.upto, CASE WHEN p_after IS NULL THEN 'true' ELSE r_key.after END,
    r_key.ascending),
    p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_after := p_after, p_upper := p_run.target_upper,
      p_rows := p_rows)
  AS s(visited bigint, codes text[], fingerprint numeric[], last_key text[]);
END;
$_$;

ALTER FUNCTION birth.fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) IS 'Purpose APPLY: the next rows of a run''s range: visited, codes, fingerprint, last key. NB105 when the table changed. Specification: 6.';

-- Name: fn_birth_apply_write(birth.birth_backfill_ledger_v2, text[], numeric[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) RETURNS numeric[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_born bigint;
  v_written numeric[];
  v_there bigint;
  r_identity record;
  r_key record;
BEGIN
  SELECT r.codes INTO v_born
  FROM birth.fn_birth_register(p_run.collection_name, p_codes, p_run.dot_origin, p_run.run_id, p_dry_run := false,
    p_fresh := p_run.existing_births = p_run.orphans + p_run.dead) r
  WHERE r.outcome = 'born';
  -- A life trigger that took an unborn row made this batch wait for it. It is committed now, and the row is gone.
  IF (SELECT c.life_mode FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name) <> 'off' THEN
    SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
    SELECT * INTO r_key FROM birth.fn_birth_key_lists(r_identity.key_columns, r_identity.key_types);
    SELECT s.there INTO v_there
    FROM birth.fn_birth_scan(format(
      'SELECT count(*) FROM (SELECT %s AS code FROM %s t WHERE %s AND %s) s WHERE s.code = ANY ($8)',
      r_identity.code_sql, r_identity.source_sql, r_key.upto,
      CASE WHEN p_run.resume_marker IS NULL THEN 'true' ELSE r_key.after END),
      p_after := p_run.resume_marker, p_upper := p_run.target_upper, p_codes := p_codes) AS s(there bigint);
    IF v_there < cardinality(p_codes) THEN
      PERFORM birth.fn_birth_raise('source_changed',
        format('%s of %s rows were deleted while their batch was written', cardinality(p_codes) - v_there,
          cardinality(p_codes)));
    END IF;
  END IF;
  IF v_born = cardinality(p_codes) THEN
    RETURN p_fingerprint;
  END IF;
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(b.entity_code, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(b.entity_code, p_run.seed_b)), 0)] INTO v_written
  FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c
  JOIN birth.birth_registry b ON b.entity_code = c.code AND b.run_id = p_run.run_id;
  IF v_written[1] <> v_born THEN
    PERFORM birth.fn_birth_raise('false_done', format('%s births inserted, %s of the run found', v_born, v_written[1]));
  END IF;
  RETURN v_written;
END;
$_$;

ALTER FUNCTION birth.fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) IS 'Purpose APPLY: registers the codes of a slice and returns the fingerprint of the births written. NB108, NB309. Specification: 6 step 8.';

-- Name: fn_birth_births_since(text, timestamp with time zone, timestamp with time zone, uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid) RETURNS TABLE(entity_code text, born_at timestamp with time zone, run_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET max_parallel_workers_per_gather TO '0'
    SET jit TO 'off'
    AS $$
BEGIN
  RETURN QUERY
  SELECT b.entity_code, b.born_at, b.run_id
  FROM birth.birth_registry b
  WHERE b.run_id IS NULL AND b.born_at >= p_since AND b.born_at <= p_until AND b.collection_name = p_collection
  UNION ALL
  SELECT b.entity_code, b.born_at, b.run_id
  FROM birth.birth_backfill_ledger_v2 l JOIN birth.birth_registry b ON b.run_id = l.run_id
  WHERE l.collection_name = p_collection AND l.run_id <> p_run_id AND l.last_batch_at >= p_since
    AND b.born_at >= p_since AND b.born_at <= p_until
  LIMIT 1000;
END;
$$;

ALTER FUNCTION birth.fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid) IS 'Births of a collection between two times that a run did not write, a thousand at most. Specification: 6.';

-- Name: fn_birth_census(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_census(p_collection text) RETURNS TABLE("check" text, rows bigint, examples text[], pass boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
  v_required boolean;
  v_grants text := birth.fn_birth_source_grants(p_collection, 'SELECT');
BEGIN
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  v_required := r_collection.coverage_status = 'BIRTH_REQUIRED';
  IF r_identity.relation IS NOT NULL AND v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s needs SELECT', p_collection),
      'let the owner of the table: ' || v_grants);
  END IF;
  IF r_identity.code_sql IS NULL THEN
    RETURN QUERY SELECT 'identity is not eligible: ' || r_identity.reason, NULL::bigint, '{}'::text[], NOT v_required;
  ELSE
    RETURN QUERY
    SELECT s."check", s.rows, s.examples, s.pass OR s.if_required AND NOT v_required
      FROM birth.fn_birth_scan(format($census$
      WITH source AS MATERIALIZED (SELECT %1$s AS code, %3$s AS living FROM %2$s t),
      code AS MATERIALIZED (SELECT s.code, count(*) AS n, bool_or(s.living) AS living FROM source s
        WHERE s.code IS NOT NULL GROUP BY s.code),
      own AS (SELECT b.entity_code FROM birth.birth_registry b WHERE b.collection_name = $1),
      pair AS MATERIALIZED (SELECT c.code, c.living, o.entity_code,
          (d.collection_name = $1 AND d.returned_at IS NULL) IS TRUE AS dead
        FROM code c
        FULL JOIN own o ON o.entity_code = c.code
        LEFT JOIN birth.birth_death d ON d.entity_code = coalesce(c.code, o.entity_code)),
      unborn AS MATERIALIZED (SELECT p.code, b.collection_name FROM pair p
        LEFT JOIN birth.birth_registry b ON b.entity_code = p.code WHERE p.entity_code IS NULL)
      SELECT 'rows without a birth', count(*), coalesce((array_agg(u.code ORDER BY u.code))[1:10], '{}'),
        count(*) = 0, true
      FROM unborn u WHERE u.collection_name IS NULL
      UNION ALL
      SELECT 'births without a row or a death', count(*),
        coalesce((array_agg(p.entity_code ORDER BY p.entity_code))[1:10], '{}'),
        count(*) = 0, false
      FROM pair p WHERE p.entity_code IS NOT NULL AND p.living IS NOT TRUE AND NOT p.dead
      UNION ALL
      SELECT 'dead with a living row', count(*), coalesce((array_agg(p.code ORDER BY p.code))[1:10], '{}'),
        count(*) = 0, false
      FROM pair p WHERE p.living AND p.dead
      UNION ALL
      SELECT 'codes owned by another collection', count(*),
        coalesce((array_agg(format('%%s (%%s)', u.code, u.collection_name) ORDER BY u.code))[1:10], '{}'), count(*) = 0,
        false
      FROM unborn u WHERE u.collection_name IS NOT NULL
      UNION ALL
      SELECT 'duplicate codes', count(*), coalesce((array_agg(c.code ORDER BY c.code))[1:10], '{}'), count(*) = 0, false
        FROM code c WHERE c.n > 1
      UNION ALL
      SELECT 'rows without a code', count(*), '{}', count(*) = 0, true FROM source s WHERE s.code IS NULL
    $census$, r_identity.code_sql, r_identity.source_sql, birth.fn_birth_life_living(r_collection)),
      p_collection := p_collection)
    AS s("check" text, rows bigint, examples text[], pass boolean, if_required boolean);
  END IF;
  RETURN QUERY SELECT d.side_door, d.rows, d.examples, d.rows = 0 OR NOT v_required
    FROM birth.fn_birth_side_doors(p_collection, r_identity.relation) d;
END;
$_$;

ALTER FUNCTION birth.fn_birth_census(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_census(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_census(p_collection text) IS 'Two-way census of a collection: check, rows, examples, pass. NB103, NB112, NB115. Specification: 7.';

-- Name: fn_birth_census_record(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_census_record(p_collection text) RETURNS TABLE("check" text, rows bigint, examples text[], pass boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- Before the rows are read: a rule that holds then holds for all that is read.
  v_rule CONSTANT jsonb := birth.fn_birth_rule_state(p_collection);
  r_check record;
  v_checks jsonb := '[]';
  v_unborn numeric := 0;
  v_unexplained bigint;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_birth_census_record');
  FOR r_check IN SELECT * FROM birth.fn_birth_census(p_collection) LOOP
    v_checks := v_checks || jsonb_build_object('check', r_check."check", 'rows', r_check.rows, 'pass', r_check.pass);
    -- NULL: the identity is not eligible, and nothing was counted.
    v_unborn := v_unborn + CASE
      WHEN r_check.rows IS NULL THEN NULL
      WHEN r_check."check" IN ('rows without a birth', 'rows without a code', 'codes owned by another collection',
                               'duplicate codes') THEN r_check.rows
      ELSE 0 END;
    IF r_check."check" = 'births without a row or a death' THEN
      v_unexplained := r_check.rows;
    END IF;
    RETURN QUERY SELECT r_check."check", r_check.rows, r_check.examples, r_check.pass;
  END LOOP;
  PERFORM birth.fn_birth_act_record('census', p_collection := p_collection,
    p_detail := v_rule || jsonb_build_object('unborn', v_unborn, 'checks', v_checks,
      'births', birth.fn_birth_collection_births(p_collection), 'unexplained', v_unexplained,
      'dead', (SELECT count(*) FROM birth.birth_death d
               WHERE d.collection_name = p_collection AND d.returned_at IS NULL)));
END;
$$;

ALTER FUNCTION birth.fn_birth_census_record(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_census_record(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_census_record(p_collection text) IS 'Takes the census of a collection and records it as an act; returns check, rows, examples, pass. Operator. NB103, NB110 to NB112, NB115. Specification: 4.1, 5.2, 7.';

-- Name: fn_birth_checks(text, birth.birth_backfill_ledger_v2, text, birth.birth_backfill_ledger_v2, bigint, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint DEFAULT 0, p_foreign text[] DEFAULT NULL::text[]) RETURNS TABLE(number bigint, check_name text, found text, expected text, pass boolean, blocker jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_undo CONSTANT boolean := p_purpose = 'COMPENSATE';
  v_first CONSTANT boolean := NOT v_undo AND p_run.started_at IS NULL;
  r_purpose record;
  r_source record;
  r_permit birth.birth_admission_permit_v2;
  r_review birth.v_birth_verdict_standing;
  v_dot text;
  v_frozen boolean;
  v_holder integer;
  v_home text;
  v_distributed text;
  v_people text;
  v_stop text;
  v_drift text;
  v_stage0 text;
  v_verdict_fault text;
  v_accepted bigint;
  v_target bigint;
  v_held numeric[];
  v_asked boolean := false;
  v_fault jsonb;
  v_alerts bigint;
BEGIN
  IF p_scope <> ALL (ARRAY['plan', 'permit', 'confirm', 'claim', 'start', 'batch', 'spend', 'end']) IS NOT FALSE THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_scope is %L', p_scope));
  END IF;
  SELECT * INTO r_purpose FROM birth.fn_birth_purpose(p_purpose, CASE WHEN v_undo THEN p_run.purpose END);
  v_dot := CASE WHEN p_scope = 'plan' THEN r_purpose.plan_dot WHEN p_scope IN ('claim', 'batch') THEN r_purpose.dot END;
  IF v_dot IS NOT NULL THEN
    -- Of a DOT that is not registered it stays NULL, which does not pass: a misspelt name would never be frozen.
    SELECT d.frozen INTO v_frozen FROM birth.v_birth_dot_status d WHERE d.dot_name = v_dot;
  END IF;
  IF p_scope IN ('plan', 'claim', 'batch') THEN
    v_distributed := birth.fn_birth_distributed();
  END IF;
  IF p_scope IN ('claim', 'batch') THEN
    v_holder := birth.fn_birth_run_holder(p_run.run_id, p_run.epoch);
    SELECT format('this is %s; confirmed was %s', h.home,
             coalesce(format('%s, at %s by %s', h.confirmed_home, h.confirmed_at, h.confirmed_by), 'none'))
    INTO v_home
    FROM birth.v_birth_home h WHERE NOT h.confirmed;
    v_people := birth.fn_birth_people_check(p_run.run_id, p_run.lineage);
    SELECT format('run %s, by %s: %s', p_run.run_id, a.actor, a.reason)
    INTO v_stop
    FROM birth.birth_act a
    WHERE a.lineage = p_run.lineage AND a.run_id = p_run.run_id AND a.act = 'stop' AND a.epoch = p_run.epoch LIMIT 1;
  END IF;
  IF r_purpose.source IS NOT NULL AND p_scope IN ('plan', 'start', 'end') THEN
    SELECT p.may_register, p.reason AS policy, i.relation, i.code_sql, i.status, i.reason, c.birth_code_sql,
           birth.fn_birth_source_grants(p_run.collection_name, 'SELECT') AS grants,
           c.gateway_mode = 'enforce' AND NOT EXISTS (
             SELECT FROM birth.v_birth_gateway_trigger g
             WHERE g.collection_name = p_run.collection_name AND g.relation = i.relation AND g.enabled) AS unguarded
    INTO r_source
    FROM birth.fn_birth_policy_decision(p_run.collection_name) p
    CROSS JOIN birth.fn_birth_identity_definition(p_run.collection_name) i
    JOIN birth.collection_registry c ON c.collection_name = p_run.collection_name;
  ELSE
    SELECT NULL::boolean AS may_register, NULL::text AS policy, NULL::oid AS relation, NULL::text AS code_sql,
           NULL::text AS status, NULL::text AS reason, NULL::text AS birth_code_sql, NULL::text AS grants,
           NULL::boolean AS unguarded
    INTO r_source;
  END IF;
  IF p_scope IN ('permit', 'start', 'batch') THEN
    -- A verdict that says no comes first, whenever it was given.
    SELECT v.* INTO r_review FROM birth.v_birth_verdict_standing v
    WHERE v.run_id = p_run.run_id AND v.purpose = p_purpose
    ORDER BY v.verdict = 'SAFE' LIMIT 1;
    v_verdict_fault := CASE
      WHEN r_review.review_id IS NULL THEN 'nobody reviewed it'
      WHEN r_review.verdict <> 'SAFE'
        THEN format('%s found it %s: %s', r_review.reviewed_by, r_review.verdict, r_review.findings)
      WHEN r_review.failures_seen < birth.fn_birth_run_failures(p_run) THEN 'it failed after the verdict'
      WHEN r_review.planned_fingerprint <> p_run.planned_fingerprint THEN 'the verdict was about another planned set'
      WHEN r_review.contract_hash <> birth.fn_birth_contract_hash() THEN 'the contract changed after the verdict'
      -- What is written already is what changed it: then only the proof is left.
      WHEN NOT (r_purpose.settles AND CASE WHEN v_undo THEN p_run.compensated_rows ELSE p_run.actual_inserted END > 0)
           AND r_review.identity_hash IS DISTINCT FROM birth.fn_birth_identity_hash(p_run.collection_name)
        THEN 'policy, identity or table changed after the verdict'
    END;
  END IF;
  IF p_scope = 'start' OR p_scope = 'batch' AND p_now.contract_token IS DISTINCT FROM p_run.contract_token THEN
    IF (SELECT d.all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard d) IS NOT TRUE THEN
      SELECT coalesce(string_agg(format('%s %s: %s', g.kind, g.object, g.drift), '; '), 'no release is recorded')
      INTO v_drift
      FROM birth.v_birth_gateway_release_drift_guard g WHERE g.blocks;
    END IF;
    SELECT string_agg(g.check_name, '; ')
    INTO v_stage0
    FROM birth.v_birth_stage0_still_enforced_guard g WHERE g.pass IS NOT TRUE;
  END IF;
  IF p_scope IN ('confirm', 'start', 'batch', 'spend') THEN
    SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_now.permit_id;
  END IF;
  IF p_scope = 'start' THEN
    SELECT v.accept_orphans INTO v_accepted FROM birth.v_birth_verdict_standing v
    WHERE v.run_id = p_run.run_id AND v.purpose = p_purpose AND v.verdict = 'SAFE';
    v_target := CASE
      WHEN v_undo THEN p_run.actual_inserted
      WHEN v_first THEN least(p_now.planned_rows, p_now.max_rows)
      ELSE p_run.expected_delta
    END;
    p_rows := v_target - CASE WHEN v_undo THEN p_run.compensated_rows ELSE p_run.actual_inserted END;
  END IF;
  -- It may read tables of others: only for an operator, and before a run once verdict and permit allow it.
  v_asked := r_purpose.fault IS NOT NULL AND birth.fn_birth_is_member(session_user, 'birth_operator')
    AND (p_scope = 'plan' OR p_scope = 'start' AND v_verdict_fault IS NULL AND r_permit.status = 'OPEN');
  IF v_asked THEN
    EXECUTE format('SELECT birth.%I($1)', r_purpose.fault) INTO v_fault USING p_run;
  END IF;
  IF p_scope = 'end' OR p_scope = 'start' AND NOT v_first AND NOT v_undo THEN
    v_held := birth.fn_birth_run_proof(p_run);
  END IF;
  IF p_scope = 'end' THEN
    SELECT count(*) - greatest(p_run.alerts_before, (
             SELECT max(v.alerts_seen) FROM birth.birth_review v
             WHERE v.run_id = p_run.run_id AND v.purpose = p_purpose AND v.verdict = 'SAFE'))
    INTO v_alerts
    FROM birth.fn_birth_alerts();
  END IF;

  RETURN QUERY
  SELECT c.number, c.check_name, c.found, c.expected, c.pass IS TRUE,
         CASE WHEN c.pass IS NOT TRUE THEN birth.fn_birth_error(c.error, c.found, c.hint) END
  FROM (SELECT row_number() OVER () AS number, l.* FROM (VALUES
    -- scopes, check, pass, error, found, expected, hint
    ('plan permit confirm claim start batch spend end', 'the purpose is one of the list',
     r_purpose.purpose IS NOT NULL, 'bad_argument',
     format('purpose %L of a run for %L', p_purpose, p_run.purpose), 'known', NULL),

    -- status, holder, freeze, home, people
    (CASE WHEN NOT v_undo THEN 'claim' END, 'the run can begin or go on',
     p_run.status IN ('planned', 'running', 'stopped', 'failed') AND p_run.compensating_since IS NULL, 'run_status',
     format('run %s is %s%s; %s rows written', p_run.run_id, p_run.status,
       CASE WHEN p_run.compensating_since IS NOT NULL THEN ' and being compensated' END, p_run.actual_inserted),
     'not over', NULL),
    (CASE WHEN v_undo THEN 'claim' END, 'the run can be undone',
     p_run.status IN ('done', 'running', 'stopped', 'failed') AND p_run.actual_inserted > 0, 'run_status',
     format('run %s is %s; %s rows written', p_run.run_id, p_run.status, p_run.actual_inserted),
     'something written', NULL),
    ('batch', 'the run is under way',
     p_run.status = 'running' AND v_undo = (p_run.compensating_since IS NOT NULL), 'run_status',
     format('run %s is %s', p_run.run_id, p_run.status), 'running', NULL),
    -- A session that was cut off behind the last COMMIT of a run still has its lock, and any login can take such a
    -- lock: only the backend that the ledger names holds the run, while it is running.
    ('claim', 'no other session holds the run',
     (v_holder <> pg_backend_pid() AND v_holder = p_run.holder_pid AND p_run.status = 'running') IS NOT TRUE,
     'run_held',
     format('run %s is held by backend %s, executed by %s', p_run.run_id, v_holder, p_run.executed_by),
     'held by nobody else', NULL),
    ('batch', 'this session holds the run',
     p_run.holder_pid = pg_backend_pid() AND v_holder = pg_backend_pid(), 'run_taken_over',
     format('run %s is in attempt %s, held by backend %s', p_run.run_id, p_run.epoch, p_run.holder_pid),
     'held by this session', NULL),
    ('claim', 'a run without the driver has no committed batch',
     p_now.batches IS NULL OR p_run.batches = p_now.batches, 'driver_required',
     format('run %s has %s committed batches', p_run.run_id, p_run.batches), '0', NULL),
    ('batch', 'no stop was requested',
     v_stop IS NULL, 'stop_requested',
     v_stop, 'none', NULL),
    ('plan claim batch', 'the operation is not frozen',
     v_dot IS NULL OR NOT v_frozen, CASE WHEN v_frozen IS NULL THEN 'dot_unknown' ELSE 'dot_frozen' END,
     v_dot, 'not frozen', NULL),
    ('claim batch', 'this database is the confirmed home',
     v_home IS NULL, 'home_unconfirmed',
     v_home, 'confirmed', NULL),
    ('plan claim batch', 'no table of birthdb is distributed',
     v_distributed IS NULL, 'registry_distributed',
     v_distributed, 'none', NULL),
    ('claim batch', 'nobody has two parts in the chain of plans',
     v_people IS NULL, 'separation_of_duties',
     v_people, 'one part each', NULL),
    ('batch', 'the executor sends the batch',
     p_run.executed_by = session_user, 'separation_of_duties',
     format('run %s is held by %s', p_run.run_id, p_run.executed_by), session_user::text, NULL),
    ('claim', 'the origin is the one that the run began with',
     p_run.dot_origin IS NULL OR p_now.dot_origin = p_run.dot_origin, 'delta_mismatch',
     format('p_dot_origin is %L, the run began with %L', p_now.dot_origin, p_run.dot_origin), p_run.dot_origin,
     'pass what the first CALL of the run passed'),

    -- step 2: eligibility; steps 3 and 4: collision, duplicates, parity
    (CASE WHEN r_purpose.source IS NOT NULL THEN 'plan start end' END, 'the policy asks for births',
     r_source.may_register, 'policy_not_required',
     format('collection %s: %s', p_run.collection_name, r_source.policy), 'BIRTH_REQUIRED', NULL),
    (CASE WHEN r_purpose.source IS NOT NULL THEN 'plan start end' END, 'the identity is eligible',
     r_source.code_sql IS NOT NULL, 'identity_not_eligible',
     format('collection %s: %s, %s', p_run.collection_name, r_source.status, r_source.reason), 'ELIGIBLE', NULL),
    (CASE WHEN r_purpose.source IS NOT NULL AND r_source.code_sql IS NOT NULL THEN 'plan start end' END,
     'the identity is the classified one',
     r_source.code_sql = r_source.birth_code_sql, 'identity_not_eligible',
     format('collection %s: the table changed since it was classified', p_run.collection_name), 'as classified',
     'classify the collection again, as it was or as it should be'),
    (CASE WHEN r_purpose.source IS NOT NULL THEN 'plan start end' END, 'an enforced collection has its gateway',
     r_source.unguarded IS NOT TRUE, 'gateway_missing',
     format('collection %s', p_run.collection_name), 'attached and enabled', NULL),
    -- Both now and when it was counted: the owner can revoke and grant in between.
    (CASE WHEN r_purpose.source IS NOT NULL AND r_source.relation IS NOT NULL THEN 'plan start end' END,
     'the source can be read',
     r_source.grants = '' AND (r_source.code_sql IS NULL OR p_now.source_rows IS NOT NULL), 'source_privilege',
     format('collection %s needs SELECT', p_run.collection_name), 'SELECT granted',
     'let the owner of the table: ' || r_source.grants),
    (CASE WHEN r_purpose.source IS NOT NULL THEN 'plan start end' END, 'no other collection owns a code',
     (p_now.collisions > 0) IS NOT TRUE, 'code_foreign',
     format('collection %s: %s codes, such as %s', p_run.collection_name, p_now.collisions,
       array_to_string(p_foreign, ', ')), '0', NULL),
    (CASE WHEN r_purpose.source IS NOT NULL THEN 'plan start end' END, 'no two rows have one code',
     (p_now.duplicates > 0) IS NOT TRUE, 'code_duplicate',
     format('collection %s: %s rows', p_run.collection_name, p_now.duplicates), '0', NULL),
    (CASE WHEN v_first THEN 'start' END, 'there are no more orphans than the plan counted',
     (p_now.orphans > p_run.orphans) IS NOT TRUE, 'plan_stale',
     format('%s orphans, the plan counted %s', p_now.orphans, p_run.orphans), p_run.orphans::text,
     format('plan again with birth.%s', r_purpose.plan)),
    -- Orphans may be entities registered under other codes.
    (CASE WHEN NOT v_undo THEN 'start' END, 'the verdict accepts the orphans of the plan',
     p_run.orphans = 0 OR v_accepted = p_run.orphans, 'parity_broken',
     format('%s births of collection %s have no source row; the verdict accepts %s', p_run.orphans,
       p_run.collection_name, coalesce(v_accepted, 0)), p_run.orphans::text, NULL),

    -- step 5: contract, stage 0, verdict
    ('start batch', 'the contract holds',
     v_drift IS NULL, 'contract_drift',
     v_drift, 'no drift that blocks', NULL),
    ('start batch', 'stage 0 is still enforced',
     v_stage0 IS NULL, 'stage0_not_enforced',
     v_stage0, 'every guard passes', NULL),
    ('permit start batch', 'a current verdict is SAFE',
     v_verdict_fault IS NULL, 'verdict_missing',
     format('run %s, %s: %s', p_run.run_id, p_purpose, v_verdict_fault), 'SAFE', NULL),

    -- step 6: permit
    ('confirm start batch spend', 'the permit exists',
     r_permit.permit_id IS NOT NULL, 'permit_unknown',
     format('permit %s', coalesce(p_now.permit_id::text, 'NULL')), 'known', NULL),
    ('batch', 'the permit is that of the attempt',
     p_run.permit_id = p_now.permit_id, 'permit_scope',
     format('the attempt holds permit %s', p_run.permit_id), p_run.permit_id::text, NULL),
    (CASE WHEN r_permit.permit_id IS NOT NULL THEN 'confirm start batch spend' END, 'the permit is open',
     r_permit.status = 'OPEN', CASE r_permit.status WHEN 'EXPIRED' THEN 'permit_expired' ELSE 'permit_not_open' END,
     format('permit %s is %s since %s', r_permit.permit_id, r_permit.status, r_permit.closed_at), 'OPEN', NULL),
    -- A revocation counts as soon as it is an act.
    (CASE WHEN r_permit.status = 'OPEN' THEN 'confirm start batch spend' END, 'the permit was not revoked',
     NOT EXISTS (
       SELECT FROM birth.birth_act a
       WHERE a.lineage = p_run.lineage AND a.permit_id = r_permit.permit_id AND a.act = 'permit_revoke'),
     'permit_not_open',
     format('permit %s was revoked', r_permit.permit_id), 'not revoked', NULL),
    (CASE WHEN r_permit.status = 'OPEN' THEN 'confirm start batch spend' END, 'the permit has not expired',
     r_permit.expires_at > birth.fn_birth_clock(), 'permit_expired',
     format('permit %s expired at %s', r_permit.permit_id, r_permit.expires_at), 'later', NULL),
    (CASE WHEN r_permit.permit_id IS NOT NULL THEN 'confirm start batch spend' END,
     'the permit is for this run and purpose',
     r_permit.collection_name = p_run.collection_name AND r_permit.run_id = p_run.run_id
       AND r_permit.purpose = p_purpose, 'permit_scope',
     format('permit %s is for %s of collection %s, run %s', r_permit.permit_id, r_permit.purpose,
       r_permit.collection_name, r_permit.run_id),
     format('%s, run %s', p_purpose, p_run.run_id), NULL),
    (CASE WHEN r_permit.permit_id IS NOT NULL THEN 'start batch spend' END, 'the permit is confirmed',
     r_permit.confirmed_by IS NOT NULL, 'permit_not_confirmed',
     format('permit %s', r_permit.permit_id), 'confirmed', NULL),
    (CASE WHEN r_permit.permit_id IS NOT NULL THEN 'start batch spend' END, 'the permit has enough rows left',
     r_permit.max_rows - r_permit.spent_rows >= p_rows, 'permit_exhausted',
     format('permit %s has %s of %s rows left, the run needs %s', r_permit.permit_id,
       r_permit.max_rows - r_permit.spent_rows, r_permit.max_rows, p_rows), p_rows::text, NULL),

    -- step 7: the numbers of the CALL are those of the run, and the set is the one that was planned
    (CASE WHEN v_first AND r_permit.permit_id IS NOT NULL THEN 'start' END, 'the bound is within the permit',
     r_permit.max_rows - r_permit.spent_rows >= p_now.max_rows, 'bound_exceeded',
     format('p_max_rows is %s', p_now.max_rows), (r_permit.max_rows - r_permit.spent_rows)::text, NULL),
    (CASE WHEN NOT v_first AND NOT v_undo THEN 'start' END, 'the records hold what the receipts count',
     v_held = p_run.written_fingerprint, 'false_done',
     format('receipts count %s rows, the records hold %s', p_run.actual_inserted, v_held[1]),
     p_run.actual_inserted::text, NULL),
    (CASE WHEN NOT v_first AND NOT v_undo THEN 'start' END, 'written and missing make the target',
     ARRAY[v_held[1] + p_now.target_fingerprint[1], v_held[2] + p_now.target_fingerprint[2],
       v_held[3] + p_now.target_fingerprint[3]] = p_run.target_fingerprint, 'source_changed',
     format('%s written and %s missing of a target of %s', v_held[1], p_now.target_fingerprint[1],
       p_run.expected_delta), p_run.expected_delta::text, NULL),
    (CASE WHEN v_first THEN 'start' END, 'the set is the planned one',
     p_now.planned_fingerprint = p_run.planned_fingerprint
       AND p_run.server_major = current_setting('server_version_num')::integer / 10000, 'plan_stale',
     format('%s planned, %s left now%s', p_run.planned_rows, p_now.planned_rows,
       CASE WHEN p_run.planned_rows = p_now.planned_rows THEN ', and not the same' END),
     p_run.planned_rows::text, format('plan again with birth.%s', r_purpose.plan)),
    (CASE WHEN v_first THEN 'plan start' END, 'there is something to do',
     (p_now.planned_rows = 0) IS NOT TRUE, 'nothing_to_do',
     format('collection %s', p_run.collection_name), 'more than 0', NULL),
    (CASE WHEN NOT v_undo AND (p_now.planned_rows > 0 OR NOT v_first) IS NOT FALSE THEN 'start' END,
     'the CALL names the numbers of the run',
     p_now.expected_delta = v_target AND (v_first OR p_now.max_rows = p_run.max_rows), 'delta_mismatch',
     format('p_expected_delta is %s, p_max_rows %s; the run would write %s%s', p_now.expected_delta, p_now.max_rows,
       v_target, CASE WHEN NOT v_first THEN format(' with p_max_rows %s', p_run.max_rows) END), v_target::text, NULL),
    (CASE WHEN v_asked THEN 'plan start' END, 'the purpose itself finds nothing in the way',
     v_fault IS NULL, v_fault ->> 'error',
     v_fault ->> 'detail', 'nothing', v_fault ->> 'hint'),

    -- step 9: no false done
    (CASE WHEN NOT v_undo THEN 'end' END, 'the records hold what was counted',
     v_held = p_run.written_fingerprint, 'false_done',
     format('run %s counted %s rows, the records hold %s', p_run.run_id, p_run.actual_inserted, v_held[1]),
     p_run.actual_inserted::text, NULL),
    (CASE WHEN v_undo THEN 'end' END, 'the records hold nothing of it any more',
     v_held = '{0,0,0}' AND p_run.compensated_rows = p_run.actual_inserted, 'false_done',
     format('%s of %s rows undone, the records still hold %s', p_run.compensated_rows, p_run.actual_inserted,
       v_held[1]), '0', NULL),
    (CASE WHEN NOT v_undo THEN 'end' END, 'the records hold the target',
     v_held = p_run.target_fingerprint, 'source_changed',
     format('run %s wrote %s of a target of %s', p_run.run_id, v_held[1], p_run.expected_delta),
     p_run.expected_delta::text, NULL),
    (CASE WHEN NOT v_undo THEN 'end' END, 'no alert came that no reviewer saw',
     v_alerts <= 0, 'alerts_grew',
     format('%s alerts since the run began or was last found safe', v_alerts), '0', NULL)
  ) AS l(scopes, check_name, pass, error, found, expected, hint)) c
  WHERE p_scope = ANY (string_to_array(c.scopes, ' '))
  ORDER BY c.number;
END;
$_$;

ALTER FUNCTION birth.fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint, p_foreign text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint, p_foreign text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint, p_foreign text[]) IS 'The checks of a scope in the order of refusals: check, found, expected, pass, and the error as jsonb. Specification: 6.';

-- Name: fn_birth_clock(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_clock() RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN (SELECT greatest(clock_timestamp(), max(a.acted_at) + interval '1 microsecond') FROM birth.birth_act a);
END;
$$;

ALTER FUNCTION birth.fn_birth_clock() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_clock(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_clock() IS 'The server''s time, or a microsecond after the newest act if the clock is behind it. O(1). Specification: 6.1 R18.';

-- Name: fn_birth_code_tells(text[], text[], regtype[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_whole CONSTANT regtype[] := ARRAY['int2'::regtype, 'int4'::regtype, 'int8'::regtype];
  v_first integer := 1;
  v_last integer := cardinality(p_literals);
BEGIN
  -- Past either end, and next to another column, there is no literal: the comparison is NULL and the loop ends.
  WHILE p_literals[v_first] IS NOT NULL OR p_types[v_first] = 'uuid'::regtype
     OR p_types[v_first] = ANY (c_whole) AND strpos('0123456789', left(p_literals[v_first + 1], 1)) = 0
     OR p_types[v_first] = 'numeric'::regtype AND strpos('.0123456789', left(p_literals[v_first + 1], 1)) = 0 LOOP
    v_first := v_first + 1;
  END LOOP;
  WHILE p_literals[v_last] IS NOT NULL OR p_types[v_last] = 'uuid'::regtype
     OR p_types[v_last] = ANY (c_whole) AND strpos('-0123456789', right(p_literals[v_last - 1], 1)) = 0
     OR p_types[v_last] = 'numeric'::regtype AND strpos('-.0123456789', right(p_literals[v_last - 1], 1)) = 0 LOOP
    v_last := v_last - 1;
  END LOOP;
  RETURN ARRAY(
    SELECT c.name FROM unnest(p_columns) WITH ORDINALITY AS c(name, position)
    WHERE c.name IS NOT NULL AND (c.position < v_first OR c.position > v_last OR v_first = v_last));
END;
$$;

ALTER FUNCTION birth.fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[]) IS 'The columns whose values can be read back from a code, given the pieces of its template in order. Specification: 4, R3.';

-- Name: fn_birth_collection_births(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_collection_births(p_collection text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $_$
DECLARE
  v_births bigint;
BEGIN
  -- Dynamic, because PL/pgSQL runs a static SELECT INTO in one process.
  EXECUTE 'SELECT count(*) FROM birth.birth_registry b WHERE b.collection_name = $1' INTO v_births USING p_collection;
  RETURN v_births;
END;
$_$;

ALTER FUNCTION birth.fn_birth_collection_births(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_collection_births(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_collection_births(p_collection text) IS 'How many births a collection has. Specification: 6, R10.';

-- Name: fn_birth_collection_register(text, text, text, text, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_fault text;
  v_known boolean;
  v_same boolean;
  r_before birth.collection_registry;
  r_source record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_collection_register');
  IF p_collection IS NULL OR btrim(p_collection) = '' OR octet_length(p_collection) > 63
     OR p_schema IS NULL OR p_table IS NULL
     OR greatest(octet_length(p_schema), octet_length(p_table)) > 63 OR p_governed IS NULL
     OR coalesce(p_coverage_status, '') !~ '^BIRTH_(REQUIRED|DEFERRED_NEEDS_REVIEW|EXEMPT_[A-Z0-9_]+)$' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('collection %L, table %L.%L, coverage status %L, governed %L',
      p_collection, p_schema, p_table, p_coverage_status, p_governed),
      'the names have 1 to 63 bytes; the coverage status is BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW '
      'or BIRTH_EXEMPT_<REASON>');
  END IF;
  SELECT c.collection_name INTO v_fault FROM birth.collection_registry c
  WHERE c.schema_name = p_schema AND c.table_name = p_table AND c.collection_name <> p_collection;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('source_claimed',
      format('table %I.%I belongs to collection %s', p_schema, p_table, v_fault));
  END IF;
  -- A table that does not exist yet may be registered; one that can never be a source may not.
  SELECT * INTO r_source FROM birth.fn_birth_source_status(p_collection, p_schema::name, p_table::name);
  IF r_source.status = 'BLOCKED_SOURCE'
     AND NOT (r_source.exemptible AND starts_with(p_coverage_status, 'BIRTH_EXEMPT_')) THEN
    PERFORM birth.fn_birth_raise('source_missing', r_source.reason, r_source.next_step);
  END IF;
  SELECT min(g.collection_name) INTO v_fault
  FROM birth.v_birth_gateway_trigger g JOIN birth.collection_registry c ON c.collection_name = g.collection_name
  WHERE g.relation = r_source.relation AND g.collection_name <> p_collection;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('source_claimed',
      format('table %I.%I has the gateway of collection %s', p_schema, p_table, v_fault));
  END IF;
  SELECT c.* INTO r_before FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  v_known := FOUND;
  PERFORM birth.fn_birth_open_run(p_collection);
  IF v_known AND (r_before.coverage_status, r_before.governed) <> (p_coverage_status, p_governed) THEN
    PERFORM birth.fn_birth_raise('transition_required',
      format('collection %s is %s, governed %s', p_collection, r_before.coverage_status, r_before.governed),
      format('SELECT * FROM birth.fn_dot_birth_qt005_plan(p_collection := %L, p_to_status := %L, p_to_governed := %L);'
             '  -- an operator', p_collection, p_coverage_status, p_governed));
  ELSIF v_known AND (r_before.schema_name, r_before.table_name) <> (p_schema::name, p_table::name)
    AND (r_before.coverage_status = 'BIRTH_REQUIRED'
         OR EXISTS (SELECT FROM birth.birth_registry b WHERE b.collection_name = p_collection))
    AND (r_source.relation = (
      -- Of several that have its gateway, the one that got it last; a restored copy has other OIDs.
      SELECT g.relation FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection
      ORDER BY (g.relation = r_before.gate_relation) IS TRUE DESC, g.relation = r_source.relation DESC
      LIMIT 1)) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('transition_required',
      format('collection %s is required or has births, and %I.%I is not the table that got its gateway last',
        p_collection, p_schema, p_table),
      'register where its gateway stands, see birth.v_birth_gateway_trigger; another table is another collection');
  END IF;
  -- The table is the same under its old name, and under the name to which it was renamed.
  v_same := ((r_before.schema_name, r_before.table_name) = (p_schema::name, p_table::name)
             OR r_before.gate_relation = r_source.relation) IS TRUE;

  BEGIN
    -- Not ON CONFLICT DO UPDATE: it locks the row as if its key changed, and a gateway that records a finding would
    -- wait.
    UPDATE birth.collection_registry c
    SET schema_name = p_schema, table_name = p_table,
        admitted_at = CASE WHEN v_same THEN c.admitted_at END, admitted_by = CASE WHEN v_same THEN c.admitted_by END,
        admitted_how = CASE WHEN v_same THEN c.admitted_how END
    WHERE c.collection_name = p_collection;
    IF NOT FOUND THEN
      INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status, governed)
      VALUES (p_collection, p_schema, p_table, p_coverage_status, p_governed);
    END IF;
  EXCEPTION WHEN unique_violation THEN
    PERFORM birth.fn_birth_raise('source_claimed',
      format('table %I.%I was registered by another session just now', p_schema, p_table));
  END;
  PERFORM birth.fn_birth_act_record('register', p_collection := p_collection,
    p_detail := jsonb_build_object('table', format('%I.%I', p_schema, p_table), 'coverage_status', p_coverage_status,
      'governed', p_governed));
  RETURN format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);', p_schema, p_table);
END;
$_$;

ALTER FUNCTION birth.fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean) IS 'Enters a collection or corrects its table; returns the next step. Steward. NB102, NB110 to NB112, NB114, NB116, NB117, NB506. Specification: 2, 4, 4.1.';

-- Name: fn_birth_collection_withdraw(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_collection_withdraw(p_collection text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  v_uses text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_collection_withdraw');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  v_uses := concat_ws(', ',
    CASE WHEN birth.fn_birth_collection_births(p_collection) > 0 THEN 'births' END,
    CASE WHEN EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l WHERE l.collection_name = p_collection)
           OR EXISTS (SELECT FROM birth.birth_backfill_ledger l WHERE l.collection_name = p_collection)
           OR EXISTS (SELECT FROM birth.birth_admission_permit p WHERE p.collection_name = p_collection)
      THEN 'runs' END,
    CASE WHEN EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection)
      THEN 'a gateway' END,
    CASE WHEN EXISTS (SELECT FROM birth.birth_gateway_finding f WHERE f.collection_name = p_collection)
      THEN 'findings' END,
    CASE WHEN (SELECT count(*) FROM birth.birth_act a WHERE a.collection_name = p_collection
                 AND a.act_id > ALL (SELECT w.act_id FROM birth.birth_act w
                                     WHERE w.collection_name = p_collection AND w.act = 'withdraw')) > 1
      THEN 'acts since it was registered' END,
    CASE WHEN (r_collection.governed OR NOT starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_'))
           AND EXISTS (SELECT FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                       WHERE n.nspname = r_collection.schema_name AND t.relname = r_collection.table_name)
      THEN 'a table that is not exempt' END);
  IF v_uses <> '' THEN
    PERFORM birth.fn_birth_raise('collection_in_use', format('collection %s has %s', p_collection, v_uses));
  END IF;
  DELETE FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('withdraw', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('table', format('%I.%I', r_collection.schema_name, r_collection.table_name),
      'coverage_status', r_collection.coverage_status, 'governed', r_collection.governed));
  RETURN 'SELECT * FROM birth.v_birth_attention;';
END;
$$;

ALTER FUNCTION birth.fn_birth_collection_withdraw(p_collection text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_collection_withdraw(p_collection text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_collection_withdraw(p_collection text, p_reason text) IS 'Takes back the registration of a collection without births, runs and gateway; returns the next step. Steward. NB102, NB103, NB110 to NB112, NB120, NB121. Specification: 2, 4.1.';

-- Name: fn_birth_compensate_fault(birth.birth_backfill_ledger_v2, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2, p_codes text[] DEFAULT NULL::text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $_$
DECLARE
  c_most CONSTANT integer := 20;
  r_key record;
  v_births numeric[];
  v_expected numeric[];
  v_some text[];
  v_touched text[] := '{}';
BEGIN
  IF p_codes IS NULL THEN
    v_births := birth.fn_birth_run_births(p_run);
    SELECT ARRAY[coalesce(sum(s.sign * r.fingerprint[1]), 0), coalesce(sum(s.sign * r.fingerprint[2]), 0),
                 coalesce(sum(s.sign * r.fingerprint[3]), 0)] INTO v_expected
    FROM birth.birth_receipt r CROSS JOIN LATERAL (SELECT CASE r.purpose WHEN 'COMPENSATE' THEN -1
      ELSE 1 END) AS s(sign)
    WHERE r.run_id = p_run.run_id;
    IF v_births <> v_expected THEN
      v_touched := ARRAY[format('receipts leave %s births of the run, the registry holds %s', v_expected[1],
        v_births[1])];
    END IF;
  END IF;
  -- Planned each time, for these codes: a plan for any would read all births of the run.
  EXECUTE 'SELECT array_agg(t.entity_code || '' differs from its receipt'')'
    ' FROM (SELECT b.entity_code FROM birth.birth_registry b'
    ' WHERE b.run_id = $1.run_id AND ($2 IS NULL OR b.entity_code = ANY ($2))'
    ' AND (b.collection_name <> $1.collection_name OR b.dot_origin <> $1.dot_origin'
    ' OR b.born_at NOT IN (SELECT r.born_at FROM birth.birth_receipt r'
    ' WHERE r.run_id = $1.run_id AND r.purpose = $1.purpose))'
    ' LIMIT $3) t'
    INTO v_some USING p_run, p_codes, c_most;
  v_touched := v_touched || v_some;
  EXECUTE 'SELECT array_agg(t.entity_code || '' died'')'
    ' FROM (SELECT b.entity_code FROM birth.birth_registry b JOIN birth.birth_death d ON d.entity_code = b.entity_code'
    ' WHERE b.run_id = $1.run_id AND ($2 IS NULL OR b.entity_code = ANY ($2)) LIMIT $3) t'
    INTO v_some USING p_run, p_codes, c_most;
  v_touched := v_touched || v_some;
  FOR r_key IN
    SELECT k.conrelid::regclass AS relation, c.relnamespace, n.nspname, a.attname AS column_name, k.conname,
           c.relrowsecurity AND NOT (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = 'birth_scanner') AS hidden
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'f' AND k.confrelid = 'birth.birth_registry'::regclass AND k.conparentid = 0
  LOOP
    IF r_key.hidden THEN
      v_touched := v_touched || format(
        '%s references births (%s) and cannot be read under row level security: '
        'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser',
        r_key.relation, r_key.conname);
      CONTINUE;
    END IF;
    IF NOT (has_schema_privilege('birth_scanner', r_key.relnamespace, 'USAGE')
            AND has_table_privilege('birth_scanner', r_key.relation, 'SELECT')) THEN
      v_touched := v_touched || format(
        '%s references births (%s) and cannot be read: GRANT USAGE ON SCHEMA %I TO birth_scanner; '
        'GRANT SELECT ON %s TO birth_scanner;',
        r_key.relation, r_key.conname, r_key.nspname, r_key.relation);
      CONTINUE;
    END IF;
    SELECT array_agg(format('%s referenced by %s (%s)', s.entity_code, r_key.relation, r_key.conname)) INTO v_some
    FROM birth.fn_birth_scan(format(CASE WHEN p_codes IS NULL
      -- Filtered after the join: statistics from before a run say that it has no births.
      THEN 'SELECT DISTINCT b.entity_code::text FROM (SELECT b.entity_code, b.run_id FROM %s r'
           ' JOIN birth.birth_registry b ON b.entity_code = r.%I OFFSET 0) b WHERE b.run_id = $7 LIMIT $6'
      ELSE 'SELECT b.entity_code::text FROM birth.birth_registry b'
           ' WHERE b.run_id = $7 AND b.entity_code = ANY ($8)'
           ' AND EXISTS (SELECT FROM %s r WHERE r.%I = b.entity_code) LIMIT $6' END,
      r_key.relation, r_key.column_name), p_run_id := p_run.run_id, p_codes := p_codes,
        p_rows := c_most) AS s(entity_code text);
    v_touched := v_touched || v_some;
  END LOOP;
  RETURN CASE WHEN v_touched <> '{}' THEN birth.fn_birth_error('births_touched',
    array_to_string(v_touched[1:c_most], '; ')) END;
END;
$_$;

ALTER FUNCTION birth.fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2, p_codes text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2, p_codes text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2, p_codes text[]) IS 'NB313 as jsonb when births of a run differ from their receipts or are referenced by a foreign key, else NULL. Specification: 6, R6.';

-- Name: fn_birth_compensate_slice(birth.birth_backfill_ledger_v2, text[], bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) RETURNS TABLE(visited bigint, codes text[], fingerprint numeric[], last_key text[])
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  -- Deaths that are being written are waited for; those that begin wait, and find no birth. Whether or not the
  -- collection has life triggers: they may be attached meanwhile.
  LOCK TABLE birth.birth_death IN SHARE MODE;
  RETURN QUERY
  SELECT count(*), coalesce(array_agg(o.entity_code), '{}'), NULL::numeric[], NULL::text[]
  FROM (SELECT b.entity_code FROM birth.birth_registry b WHERE b.run_id = p_run.run_id LIMIT p_rows FOR UPDATE) o;
END;
$$;

ALTER FUNCTION birth.fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) IS 'Purpose COMPENSATE: the next births of a run, locked: visited and codes. Specification: 6, R6.';

-- Name: fn_birth_compensate_write(birth.birth_backfill_ledger_v2, text[], numeric[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) RETURNS numeric[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  v_removed numeric[];
BEGIN
  PERFORM birth.fn_birth_refuse(birth.fn_birth_compensate_fault(p_run, p_codes));
  WITH removed AS (DELETE FROM birth.birth_registry b WHERE b.entity_code = ANY (p_codes) RETURNING b.entity_code)
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(d.entity_code, p_run.seed_a)), 0),
               coalesce(sum(hashtextextended(d.entity_code, p_run.seed_b)), 0)]
  INTO v_removed FROM removed d;
  RETURN v_removed;
END;
$$;

ALTER FUNCTION birth.fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) IS 'Purpose COMPENSATE: removes the births of a slice and returns their fingerprint. NB313. Specification: 6, R6.';

-- Name: fn_birth_constraint_violations(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_constraint_violations() RETURNS TABLE(run_id uuid, violated text, violations bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET standard_conforming_strings TO 'on'
    SET jit TO 'off'
    SET enable_seqscan TO 'on'
    SET enable_indexscan TO 'off'
    SET enable_indexonlyscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $_$
DECLARE
  r_query record;
BEGIN
  FOR r_query IN
    WITH relation AS (
      SELECT c.object AS name, c.parts -> 'signature' AS columns,
             CASE WHEN c.parts -> 'signature' @> '[{"name": "run_id"}]' THEN 't.run_id' ELSE 'NULL::uuid' END AS run
      FROM birth.v_birth_contract_recorded c
      WHERE c.kind = 'table' AND c.object <> 'birth_registry'
    ), rule AS (
      SELECT substr(c.object, strpos(c.object, '.') + 1) AS name, split_part(c.object, '.', 1) AS relation,
             c.parts ->> 'signature' AS text
      FROM birth.v_birth_contract_recorded c WHERE c.kind = 'constraint'
      UNION ALL
      SELECT c.object, m[1], format('UNIQUE (%s) %s', m[2], m[3])
      FROM birth.v_birth_contract_recorded c
      CROSS JOIN LATERAL regexp_match(c.parts ->> 'signature',
        '^CREATE UNIQUE INDEX [^ ]+ ON birth[.]([^ ]+) USING btree [(]([^()]+)[)](?: (WHERE .+))?$') AS m
      WHERE c.kind = 'index' AND m IS NOT NULL
    ), condition AS (
      SELECT r.name AS relation, format('NOT NULL of %I', a.value ->> 'name') AS name,
             format('num_nulls(t.%I) = 0', a.value ->> 'name') AS text
      FROM relation r CROSS JOIN LATERAL jsonb_array_elements(r.columns) AS a WHERE a.value ? 'not null'
      UNION ALL
      SELECT u.relation, u.name, substr(u.text, 7) FROM rule u WHERE starts_with(u.text, 'CHECK (')
      UNION ALL
      SELECT u.relation, u.name, format('num_nulls(%1$s) > 0 OR ((%1$s) IN (SELECT %3$s FROM %2$s)) IS TRUE', m[1],
        m[2], m[3])
      FROM rule u CROSS JOIN LATERAL regexp_match(u.text, '^FOREIGN KEY [(](.+)[)] REFERENCES ([^ (]+)[(](.+)[)]') AS m
      WHERE m IS NOT NULL
    )
    SELECT r.name AS relation, format('SELECT %s, v.name, count(*) FROM birth.%s t '
               'CROSS JOIN LATERAL (VALUES %s) AS v(name, fine) WHERE v.fine IS FALSE GROUP BY 1, 2',
             r.run, r.name, string_agg(format('(%L, (%s))', format('%s: %s', r.name, c.name), c.text), ', ')) AS text
    FROM relation r JOIN condition c ON c.relation = r.name
    GROUP BY r.name, r.run
    UNION ALL
    SELECT r.name, format('SELECT (array_agg(%s))[1], %L, count(*) FROM birth.%s t %s '
             'GROUP BY %5$s HAVING count(*) > 1 AND num_nulls(%5$s) = 0',
             r.run, format('%s: %s', r.name, u.name), r.name, m[2], m[1])
    FROM relation r JOIN rule u ON u.relation = r.name
    CROSS JOIN LATERAL regexp_match(u.text, '^(?:PRIMARY KEY|UNIQUE) [(]([^()]+)[)](?: (WHERE .+))?') AS m
    WHERE m IS NOT NULL
  LOOP
    BEGIN
      RETURN QUERY EXECUTE r_query.text;
    EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
      RETURN QUERY SELECT NULL::uuid, format('%s cannot be read: %s', r_query.relation, SQLERRM), NULL::bigint;
    END;
  END LOOP;
END;
$_$;

ALTER FUNCTION birth.fn_birth_constraint_violations() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_constraint_violations(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_constraint_violations() IS 'Rows that violate a constraint of the release, whatever the catalogue says of it: run, constraint, how many. Specification: 6, 6.1 R11.';

-- Name: fn_birth_contract_compare(jsonb, jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb DEFAULT '{}'::jsonb) RETURNS TABLE(kind text, object text, drift text, blocks boolean, wanted jsonb, live jsonb, differs text[], added text[], removed text[])
    LANGUAGE plpgsql STABLE ROWS 300
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
BEGIN
  RETURN QUERY
  WITH recorded AS MATERIALIZED (
    SELECT split_part(w.key, ' ', 1) AS kind, substr(w.key, strpos(w.key, ' ') + 1) AS object, w.value AS entry,
      w.value ->> 'exact' AS exact
    FROM jsonb_each(p_wanted) w
  ), member AS MATERIALIZED (
    -- An extension in the schema is one difference: what it made there goes with it.
    SELECT CASE m.classid
             WHEN 'pg_proc'::regclass THEN m.objid::regprocedure::text
             WHEN 'pg_class'::regclass THEN m.objid::regclass::text
             ELSE i.identity END AS name
    FROM pg_depend e
    JOIN pg_depend m ON m.refclassid = e.classid AND m.refobjid = e.objid AND m.deptype = 'e'
    CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) i
    WHERE e.classid = 'pg_extension'::regclass AND e.refclassid = 'pg_namespace'::regclass
      AND e.refobjid = to_regnamespace('birth')
  ), pair AS (
    SELECT coalesce(r.kind, l.kind) AS kind, coalesce(r.object, l.object) AS object, r.entry, l.parts AS live,
           r.exact = l.exact_sha256 AS same
    FROM recorded r
    FULL JOIN birth.fn_birth_contract_live(p_rules) l ON l.kind = r.kind AND l.object = r.object
  ), differing AS (
    -- Parts are long; they are shown only where they differ.
    SELECT p.kind, p.object, p.entry -> 'parts' AS wanted, p.live::jsonb AS live
    FROM pair p
    WHERE p.same IS NOT TRUE AND NOT (p.entry IS NULL AND EXISTS (
      SELECT FROM member m
      WHERE m.name IN (CASE p.kind WHEN 'cast' THEN p.object ELSE 'birth.' || p.object END,
        'birth.' || substring(p.object FROM '^(?:"(?:[^"]|"")+"|[^".]+)'),
        CASE p.kind WHEN 'index' THEN substring(p.live::jsonb ->> 'signature' FROM ' ON (birth[.][^ ]+) ') END)))
  ), different AS (
    SELECT p.*, w.*,
           ARRAY(SELECT jsonb_array_elements_text(p.live -> 'privileges')
                 EXCEPT SELECT jsonb_array_elements_text(p.wanted -> 'privileges') ORDER BY 1) AS added,
           ARRAY(SELECT jsonb_array_elements_text(p.wanted -> 'privileges')
                 EXCEPT SELECT jsonb_array_elements_text(p.live -> 'privileges') ORDER BY 1) AS removed
    FROM differing p
    CROSS JOIN LATERAL (
      SELECT array_agg(k.part ORDER BY k.rank) AS differs
      FROM unnest(ARRAY['signature', 'body', 'configuration', 'owner', 'state',
        'privileges', 'tuning']) WITH ORDINALITY AS k(part, rank)
      WHERE (p.wanted -> k.part) IS DISTINCT FROM (p.live -> k.part)
    ) w
  ), classified AS (
    SELECT d.*,
           CASE
             WHEN d.live IS NULL THEN 'missing'
             WHEN d.wanted IS NULL AND d.kind IN ('gateway', 'function', 'procedure')
               AND EXISTS (SELECT FROM recorded r WHERE r.kind IN ('gateway', 'function', 'procedure')
                             AND split_part(r.object, '(', 1) = split_part(d.object, '(', 1)) THEN 'overload'
             WHEN d.wanted IS NULL THEN 'extra'
             WHEN d.differs[1] <> 'state' THEN d.differs[1]
             WHEN d.live -> 'state' ? 'enabled'
               OR (d.live -> 'state' -> 'triggers') IS DISTINCT FROM (d.wanted -> 'state' -> 'triggers') THEN 'disabled'
             WHEN d.live -> 'state' -> 'validated' = 'false' THEN 'not validated'
             ELSE 'state'
           END AS drift,
           -- The table that a constraint, trigger, rule, policy or statistics object is on, when the contract knows it.
           EXISTS (SELECT FROM recorded r WHERE r.kind IN ('table', 'view')
             AND r.object = substring(d.object FROM '^(?:"(?:[^"]|"")+"|[^".]+)')) AS on_ours,
           -- SELECT and USAGE change nothing, nor does what default privileges take.
           EXISTS (SELECT FROM unnest(d.added) AS a(entry)
                   WHERE a.entry !~ '^("([^"]|"")+"|[^"=]+)=((SELECT|USAGE)[*]?( |[(]|$)|[A-Z]+[*]? taken )'
                     AND NOT starts_with(a.entry, coalesce(d.live ->> 'owner', '') || '=')) AS opens,
           -- The routines run as the owners. Another role: a difference that lets its members do more than read.
           d.object IN ('birth_definer', 'birth_scanner')
             OR d.live -> 'configuration' ?| ARRAY['SUPERUSER', 'CREATEROLE']
             OR EXISTS (SELECT FROM unnest(d.added) AS a(entry)
                        WHERE a.entry ~ '^(birth_|'
                          'pg_(write_all_data|execute_server_program|write_server_files)([ *]|$)|'
                          '("([^"]|"")+"|[^" ]+) (SUPERUSER|CREATEROLE))'
                          -- A membership that the contract has, with an option less, gives nothing more.
                          AND NOT d.wanted -> 'privileges' ? regexp_replace(a.entry, ' NO(INHERIT|SET)', '', 'g')
                       ) AS seizes
    FROM different d
  )
  SELECT p.kind, p.object, 'ok' AS drift, false AS blocks, NULL::jsonb AS wanted, NULL::jsonb AS live,
    NULL::text[] AS differs, NULL::text[] AS added, NULL::text[] AS removed
  FROM pair p WHERE p.same
  UNION ALL
  SELECT c.kind, c.object, c.drift,
         CASE
           WHEN c.kind = 'role' THEN c.drift = 'missing' OR c.seizes
           WHEN c.drift = 'tuning' THEN false
           WHEN c.drift = 'privileges' THEN c.opens
           WHEN c.drift = 'extra' THEN CASE
             WHEN c.kind IN ('table', 'view', 'sequence') THEN c.opens
             -- An index over plain columns only speeds up reading. One that is unique, partial or over an expression
             -- affects every row that is written.
             WHEN c.kind = 'index'
               THEN (c.live ->> 'signature') !~ (E'^CREATE INDEX (?:"(?:[^"]|"")+"|\\w+) ON birth[.]\\w+ USING \\w+ '
                 '[(](?:\\w+(?: COLLATE "C")?(?: \\w+_ops)?(?: DESC)?(?: NULLS \\w+)?(?:, )?)+[)]'
                 '(?: INCLUDE [(][\\w, ]+[)])?$')
               AND EXISTS (SELECT FROM recorded r WHERE r.kind = 'table'
                 AND strpos(c.live ->> 'signature', ' ON birth.' || r.object || ' ') > 0)
             -- A foreign key from elsewhere runs code of its table's owner as the owner of ours.
             WHEN c.kind IN ('constraint', 'trigger', 'rule', 'policy', 'statistics')
               THEN c.on_ours OR c.live ? 'undo'
             WHEN c.kind = 'cast' THEN c.object ~ '(^[(]| AS )birth[.]'
             -- A type: to PostgreSQL, birth.f('x') is a cast where there is a type f.
             ELSE c.kind IN ('gateway', 'function', 'procedure', 'type', 'extension', 'dependency', 'subscription') END
           WHEN c.kind = 'index' THEN c.drift <> 'missing' OR (c.wanted ->> 'signature') LIKE 'CREATE UNIQUE %'
           ELSE true
         END,
         c.wanted, c.live, c.differs, c.added, c.removed
  FROM classified c;
END;
$_$;

ALTER FUNCTION birth.fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb) IS 'Every object of a contract against the database: drift, whether it blocks, what was wanted, what is there, and what differs. Specification: 7.';

-- Name: fn_birth_contract_drift(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_drift() RETURNS TABLE(kind text, object text, drift text, expected text, found text, blocks boolean, repair text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 300
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
  v_rules CONSTANT jsonb := (SELECT coalesce(jsonb_object_agg(substr(a.subject, 6), a.value), '{}')
                             FROM birth.birth_stage_anchor a WHERE a.stage = 'contract'
                               AND starts_with(a.subject, 'rule.'));
  v_kinds text[];
  v_objects text[];
  v_same boolean;
BEGIN
  -- Usually nothing differs: the recorded parts are read only if a hash differs.
  SELECT array_agg(l.kind), array_agg(l.object), coalesce(bool_and(r.exact_sha256 IS NOT DISTINCT FROM l.exact_sha256),
    true)
  INTO v_kinds, v_objects, v_same
  FROM (SELECT n.kind, n.object, n.exact_sha256 FROM birth.v_birth_contract_recorded n WHERE n.kind <> 'claim') r
  FULL JOIN birth.fn_birth_contract_live(v_rules) l ON l.kind = r.kind AND l.object = r.object;
  IF v_same THEN
    RETURN QUERY SELECT o.kind, o.object, 'ok', NULL::text, NULL::text, false, NULL::text
      FROM unnest(v_kinds, v_objects) AS o(kind, object);
    RETURN;
  END IF;
  RETURN QUERY
  SELECT c.kind, c.object, c.drift,
         CASE c.drift WHEN 'privileges' THEN nullif(array_to_string(c.removed, ', '), '')
           ELSE (SELECT string_agg(format('%s: %s', k.part, c.wanted ->> k.part), '; ' ORDER BY k.rank)
                 FROM unnest(c.differs) WITH ORDINALITY AS k(part, rank) WHERE c.wanted IS NOT NULL) END,
         CASE c.drift WHEN 'privileges' THEN nullif(array_to_string(c.added, ', '), '')
           ELSE (SELECT string_agg(format('%s: %s', k.part, c.live ->> k.part), '; ' ORDER BY k.rank)
                 FROM unnest(c.differs) WITH ORDINALITY AS k(part, rank) WHERE c.live IS NOT NULL) END,
         c.blocks,
         CASE WHEN c.drift <> 'ok' THEN birth.fn_birth_contract_repair(c.kind, c.object, c.drift, c.wanted, c.live,
           c.added, c.removed,
           (SELECT r.definition FROM birth.v_birth_contract_recorded r WHERE r.kind = c.kind
             AND r.object = c.object)) END
  FROM birth.fn_birth_contract_compare(
    (SELECT jsonb_object_agg(r.kind || ' ' || r.object, jsonb_build_object('parts', r.parts, 'exact', r.exact_sha256))
     FROM birth.v_birth_contract_recorded r WHERE r.kind <> 'claim'), v_rules) c;
END;
$$;

ALTER FUNCTION birth.fn_birth_contract_drift() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_drift(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_drift() IS 'Every object of the contract against the database: drift, expected, found, whether it blocks, and the statement that repairs it. Specification: 7.';

-- Name: fn_birth_contract_hash(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_hash() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN (
    SELECT encode(sha256(convert_to(string_agg(concat_ws(E'\t', r.kind, r.object, r.exact_sha256), E'\n'
      ORDER BY r.kind, r.object), 'UTF8')), 'hex')
    FROM birth.v_birth_contract_recorded r
    WHERE r.kind <> 'claim');
END;
$$;

ALTER FUNCTION birth.fn_birth_contract_hash() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_hash(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_hash() IS 'SHA-256 of the contract in force; NULL when nothing was recorded. Specification: 7.';

-- Name: fn_birth_contract_live(jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_live(p_rules jsonb DEFAULT '{}'::jsonb) RETURNS TABLE(kind text, object text, parts text, exact_sha256 text)
    LANGUAGE plpgsql STABLE ROWS 300
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET standard_conforming_strings TO 'on'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
BEGIN
  RETURN QUERY
  WITH relation AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner, c.relacl, c.reloptions, c.relpersistence,
           c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relchecks, c.relhasindex,
           c.relhastriggers, c.relhasrules, c.reltype, c.reloftype, c.relam, c.reltablespace, c.reltoastrelid
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('birth') AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  ), routine AS MATERIALIZED (
    SELECT p.oid, p.proname, p.prokind, p.prosrc, p.prolang, p.provolatile, p.proparallel, p.proisstrict,
           p.prosecdef, p.proleakproof, p.procost, p.prorows, p.prosupport, p.proconfig, p.proowner, p.protrftypes,
           coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
    FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('birth')
  ), attribute AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.atthasdef,
           a.attidentity, a.attgenerated, a.attacl, a.attstattarget, a.attstorage, a.attcompression, a.attoptions
    FROM pg_attribute a
    WHERE a.attrelid = ANY (ARRAY(SELECT o.oid FROM relation o)) AND a.attnum > 0 AND NOT a.attisdropped
  ), sequence AS MATERIALIZED (
    SELECT r.oid, d.refobjsubid AS attnum, s.oid AS sequence, s.relname, s.relpersistence, s.relacl, s.relowner,
           format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
             q.seqtypid::regtype, q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
             CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS settings
    FROM relation r
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.refobjsubid > 0
      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_sequence q ON q.seqrelid = s.oid
    WHERE r.relkind <> 'v'
      -- Of the sequences that a column owns, the one of its identity or default.
      AND (d.deptype = 'i' OR EXISTS (
        SELECT FROM pg_attrdef f
        JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid
          AND u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid
        WHERE f.adrelid = r.oid AND f.adnum = d.refobjsubid))
  ), index AS MATERIALIZED (
    SELECT i.oid, x.indrelid, i.relname, i.reloptions, i.reltablespace, x.indisclustered, x.indimmediate,
           x.indexprs IS NOT NULL AS computes, x.indisvalid AND x.indisready AND x.indislive AS valid,
           -- Options are tuning.
           CASE WHEN i.reloptions IS NULL THEN pg_get_indexdef(i.oid) ELSE replace(pg_get_indexdef(i.oid), (
             SELECT format(' WITH (%s)', string_agg(format('%I=%s', o.option_name,
               CASE WHEN quote_ident(o.option_value) = o.option_value THEN o.option_value
                    ELSE quote_literal(o.option_value) END), ', '))
             FROM pg_options_to_table(i.reloptions) o), '') END AS definition
    FROM relation r
    JOIN pg_index x ON x.indrelid = r.oid
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE r.relkind <> 'v'
  ), fallback AS MATERIALIZED (
    SELECT d.oid, d.adrelid, d.adnum, d.adbin FROM pg_attrdef d
    WHERE d.adrelid = ANY (ARRAY(SELECT r.oid FROM relation r))
  ), dependent AS MATERIALIZED (
    -- fn_birth_contract_token finds the objects by these rows: without its row an object changes unseen.
    SELECT d.classid, d.objid FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace('birth') AND d.refobjsubid = 0
  ), other AS MATERIALIZED (
    -- What no other branch describes.
    SELECT d.classid, d.objid, i.type, i.identity,
           coalesce((SELECT s.refobjid FROM pg_shdepend s
                     WHERE s.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                       AND s.classid = d.classid AND s.objid = d.objid AND s.deptype = 'o'), 10) AS owner
    FROM dependent d
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
    WHERE CASE d.classid
      WHEN 'pg_proc'::regclass THEN false
      WHEN 'pg_default_acl'::regclass THEN false
      WHEN 'pg_class'::regclass THEN d.objid NOT IN (SELECT r.oid FROM relation r)
        AND d.objid NOT IN (SELECT s.sequence FROM sequence s)
      WHEN 'pg_statistic_ext'::regclass THEN NOT EXISTS (
        SELECT FROM pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid WHERE s.oid = d.objid)
      -- The multirange of a range.
      ELSE NOT EXISTS (
        SELECT FROM pg_depend p WHERE p.classid = d.classid AND p.objid = d.objid AND p.deptype = 'i') END
  ), held AS MATERIALIZED (
    -- base: what PostgreSQL grants by itself, where an ACL says what differs from that.
    SELECT 'relation' AS class, r.oid, coalesce(r.relacl, acldefault('r', r.relowner)) AS acl,
           '{}'::aclitem[] AS base, r.relowner AS owner, '' AS suffix
    FROM relation r
    UNION ALL
    SELECT 'relation', r.oid, w.acl, w.base, r.relowner, format(' %son the row type', w.taken)
    FROM relation r
    JOIN pg_type t ON t.oid = r.reltype AND t.typacl IS NOT NULL
      AND t.oid = ANY (ARRAY(SELECT u.reltype FROM relation u))
    CROSS JOIN LATERAL acldefault('T', t.typowner) AS b(acl)
    CROSS JOIN LATERAL (VALUES ('', t.typacl, b.acl), ('taken ', b.acl, t.typacl)) AS w(taken, acl, base)
    UNION ALL
    SELECT 'relation', a.attrelid, a.attacl, '{}', r.relowner, format('(%I)', a.attname)
    FROM attribute a JOIN relation r ON r.oid = a.attrelid
    WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'relation', s.oid, coalesce(s.relacl, acldefault('s', s.relowner)), '{}', s.relowner,
           format(' on the sequence of %I', a.attname)
    FROM sequence s JOIN attribute a ON a.attrelid = s.oid AND a.attnum = s.attnum
    UNION ALL
    SELECT 'routine', p.oid, p.acl, '{}', p.proowner, ''
    FROM routine p
    UNION ALL
    SELECT 'other', s.oid, coalesce(s.relacl, acldefault('s', s.relowner)), '{}', s.relowner, ''
    FROM other o JOIN pg_class s ON s.oid = o.objid
    WHERE o.classid = 'pg_class'::regclass
    UNION ALL
    SELECT 'other', t.oid, coalesce(t.typacl, acldefault('T', t.typowner)), '{}', t.typowner, ''
    FROM other o JOIN pg_type t ON t.oid = o.objid
    WHERE o.classid = 'pg_type'::regclass
    UNION ALL
    SELECT 'schema', n.oid, coalesce(n.nspacl, acldefault('n', n.nspowner)), '{}', n.nspowner, ''
    FROM pg_namespace n
    WHERE n.oid = to_regnamespace('birth')
    UNION ALL
    SELECT 'schema', to_regnamespace('birth'), w.acl, w.base, d.defaclrole,
           format(' %sby default on new %s of %I%s', w.taken, d.defaclobjtype, pg_get_userbyid(d.defaclrole),
             CASE d.defaclnamespace WHEN 0 THEN ' anywhere' END)
    FROM pg_default_acl d
    CROSS JOIN LATERAL (SELECT CASE d.defaclnamespace WHEN 0
      THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)
      ELSE '{}' END AS acl) b
    CROSS JOIN LATERAL (VALUES ('', d.defaclacl, b.acl), ('taken ', b.acl, d.defaclacl)) AS w(taken, acl, base)
    WHERE d.defaclnamespace = to_regnamespace('birth')
       OR d.defaclnamespace = 0 AND d.defaclrole = to_regrole('birth_definer')
  ), granted AS MATERIALIZED (
    -- Who may do what. Names are quoted where they need it, so that no name reads as another entry. A star is the
    -- grant option. The grantor is left out, because a restore changes it. So is the owner's MAINTAIN, which
    -- PostgreSQL 17 added and which a dump of an earlier server does not grant.
    -- Most objects share a few lists; each list is written once.
    SELECT h.acl, h.base, h.owner, h.suffix, (
             SELECT string_agg(to_json(e.entry)::text, ', ' ORDER BY e.entry COLLATE "C")
             FROM (
               SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                        || '=' || x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END
                        || h.suffix AS entry
               FROM aclexplode(nullif(h.acl, '{}')) x
               WHERE NOT (x.privilege_type = 'MAINTAIN' AND x.grantee = h.owner)
                 AND NOT EXISTS (
                   SELECT FROM aclexplode(nullif(h.base, '{}')) b WHERE (b.grantee, b.privilege_type, b.is_grantable)
                     = (x.grantee, x.privilege_type, x.is_grantable))
             ) e) AS entries
    FROM (SELECT DISTINCT d.acl, d.base, d.owner, d.suffix FROM held d) h
  ), privileges AS MATERIALIZED (
    SELECT p.class, p.oid, '[' || CASE p.lists
             WHEN 1 THEN p.entries
             ELSE (SELECT string_agg(to_json(e.entry)::text, ', ' ORDER BY e.entry COLLATE "C")
                   FROM json_array_elements_text(('[' || p.entries || ']')::json) AS e(entry))
           END || ']' AS entries
    FROM (
      SELECT h.class, h.oid, count(*) AS lists, string_agg(g.entries, ', ') AS entries
      FROM held h
      JOIN granted g ON g.acl = h.acl AND g.base = h.base AND g.owner = h.owner AND g.suffix = h.suffix
        AND g.entries IS NOT NULL
      GROUP BY h.class, h.oid
    ) p
  ), type AS MATERIALIZED (
    SELECT t.oid, u.atttypmod, t.typcollation, t.typstorage, to_json(format_type(t.oid, u.atttypmod))::text AS name
    FROM (SELECT DISTINCT a.atttypid, a.atttypmod FROM attribute a) u
    JOIN pg_type t ON t.oid = u.atttypid
    WHERE t.oid = ANY (ARRAY(SELECT DISTINCT a.atttypid FROM attribute a))
  ), columns AS MATERIALIZED (
    SELECT a.attrelid AS oid, '[' || string_agg(concat(
             '{"name": ', to_json(a.attname), ', "type": ', t.name,
             ', "default": ' || to_json(pg_get_expr(d.adbin, d.adrelid))::text,
             ', "identity": "' || nullif(a.attidentity::text, '') || '"',
             CASE WHEN a.attnotnull THEN ', "not null": true' END,
             ', "sequence": ' || to_json(s.settings)::text,
             CASE WHEN s.relpersistence <> 'p' THEN ', "unlogged": true' END,
             CASE WHEN a.attcollation <> t.typcollation THEN ', "collation": ' || (
               SELECT to_json(quote_ident(c.collname))::text FROM pg_collation c WHERE c.oid = a.attcollation) END,
             ', "generated": "' || nullif(a.attgenerated::text, '') || '"',
             ', "sequence name": ' || to_json(s.relname)::text,
             '}'), ', ' ORDER BY a.attnum) || ']' AS list,
             bool_and(a.atthasdef = (d.oid IS NOT NULL)) AS defaulted
    FROM attribute a
    JOIN type t ON t.oid = a.atttypid AND t.atttypmod = a.atttypmod
    LEFT JOIN fallback d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN sequence s ON s.oid = a.attrelid AND s.attnum = a.attnum
    GROUP BY a.attrelid
  ), tuned AS MATERIALIZED (
    SELECT u.oid, '[' || string_agg(to_json(u.action)::text, ', ' ORDER BY u.action COLLATE "C") || ']' AS actions
    FROM (
      SELECT r.oid, format('SET (%s)', o.option) AS action
      FROM relation r CROSS JOIN LATERAL unnest(r.reloptions) AS o(option) WHERE r.relkind <> 'v'
      UNION ALL
      SELECT r.oid, format('SET (toast.%s)', o.option)
      FROM relation r
      JOIN pg_class t ON t.oid = r.reltoastrelid
      CROSS JOIN LATERAL unnest(t.reloptions) AS o(option)
      WHERE t.oid = ANY (ARRAY(SELECT u.reltoastrelid FROM relation u))
      UNION ALL
      SELECT i.oid, format('SET (%s)', o.option) FROM index i CROSS JOIN LATERAL unnest(i.reloptions) AS o(option)
      UNION ALL
      SELECT p.oid, format('SET TABLESPACE %I', s.spcname)
      FROM (SELECT r.oid, r.reltablespace FROM relation r UNION ALL SELECT i.oid, i.reltablespace FROM index i) p
      JOIN pg_tablespace s ON s.oid = p.reltablespace
      UNION ALL
      SELECT i.indrelid, format('CLUSTER ON %I', i.relname) FROM index i WHERE i.indisclustered
      UNION ALL
      SELECT i.oid, format('ALTER COLUMN %s SET STATISTICS %s', a.attnum, a.attstattarget)
      FROM index i JOIN pg_attribute a ON a.attrelid = i.oid AND a.attstattarget >= 0
      WHERE i.computes
      UNION ALL
      SELECT a.attrelid, format('ALTER COLUMN %I SET %s', a.attname, c.setting)
      FROM attribute a
      JOIN type t ON t.oid = a.atttypid AND t.atttypmod = a.atttypmod
      CROSS JOIN LATERAL (
        SELECT 'STATISTICS ' || a.attstattarget AS setting WHERE a.attstattarget >= 0
        UNION ALL
        SELECT 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
          ELSE 'EXTENDED' END
        WHERE a.attstorage <> t.typstorage
        UNION ALL
        SELECT 'COMPRESSION ' || CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END WHERE a.attcompression <> ''
        UNION ALL
        SELECT format('(%s)', o.option) FROM unnest(a.attoptions) AS o(option)
      ) c
      WHERE a.attstattarget >= 0 OR a.attstorage <> t.typstorage OR a.attcompression <> '' OR a.attoptions IS NOT NULL
    ) u
    GROUP BY u.oid
  ), role AS MATERIALIZED (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
           r.rolbypassrls, r.rolinherit, r.rolconnlimit, r.rolvaliduntil, r.rolconfig
    FROM pg_roles r
    WHERE r.rolname = ANY ('{
      birth_definer, birth_scanner, birth_reader, birth_steward, birth_operator, birth_reviewer, birth_permit_owner,
      birth_dba, birth_source_owner}'::name[])
  ), membership AS MATERIALIZED (
    -- Every role that a role can act as, and by which membership; a star is ADMIN. It stops at the roles of the
    -- contract, which have a row each. From PostgreSQL 16 on each grantor's row has options, of which the most count.
    WITH RECURSIVE member AS (
      SELECT m.member AS role, m.roleid, m.roleid AS direct, m.admin_option,
             to_jsonb(m) ->> 'inherit_option' AS inherits, to_jsonb(m) ->> 'set_option' AS sets
      FROM pg_auth_members m
      WHERE m.member IN (SELECT r.oid FROM role r)
        -- A release makes birth_definer a member of the other owners, and ends that before it commits.
        AND NOT (m.member = to_regrole('birth_definer') AND pg_get_userbyid(m.roleid) = ANY ('{birth_scanner}'::name[])
                 AND age(m.xmin) <= 0)
      UNION
      SELECT b.role, m.roleid, b.direct, m.admin_option, b.inherits, b.sets
      FROM member b JOIN pg_auth_members m ON m.member = b.roleid
      WHERE b.roleid NOT IN (SELECT r.oid FROM role r)
    )
    SELECT m.role, concat(
             quote_ident(o.rolname),
             CASE WHEN o.rolsuper THEN ' SUPERUSER' END,
             CASE WHEN o.rolcreaterole THEN ' CREATEROLE' END,
             CASE WHEN max(m.inherits) = 'false' THEN ' NOINHERIT' END,
             CASE WHEN max(m.sets) = 'false' THEN ' NOSET' END,
             CASE WHEN bool_or(m.admin_option) THEN '*' END,
             ' by ' || CASE WHEN m.roleid <> m.direct THEN quote_ident(pg_get_userbyid(m.direct)) END) AS entry
    FROM member m JOIN pg_roles o ON o.oid = m.roleid
    GROUP BY m.role, m.roleid, m.direct, o.rolname, o.rolsuper, o.rolcreaterole
  ), described AS (
    SELECT CASE WHEN p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id',
                'fn_birth_policy_decision', 'fn_birth_resolve_identity', 'fn_birth_register') THEN
                'gateway' WHEN p.prokind = 'p' THEN 'procedure' ELSE 'function' END AS kind,
           substr(p.oid::regprocedure::text, 7) AS object,
           concat(
             '{"body": "',
             encode(sha256(convert_to(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'),
             '", "owner": ', to_json(pg_get_userbyid(p.proowner)),
             CASE WHEN p.oid NOT IN (SELECT d.objid FROM dependent d WHERE d.classid = 'pg_proc'::regclass)
               THEN ', "state": {"contradicts": ["pg_depend"]}'
               WHEN p.protrftypes IS NOT NULL THEN ', "state": {"transforms": true}' END,
             ', "signature": ', to_json(format('%s(%s) %s',
               CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' WHEN 'w' THEN 'WINDOW'
                 ELSE 'FUNCTION' END,
               pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))),
             ', "privileges": ', x.entries,
             ', "configuration": [', to_json(l.lanname), ', "', p.provolatile, '", "', p.proparallel, '", ',
             p.proisstrict::text, ', ', p.prosecdef::text, ', ', p.proleakproof::text, ', ', to_jsonb(p.procost), ', ',
             to_jsonb(p.prorows), ', ', to_json(p.prosupport::text), ', ',
             CASE
               WHEN p.proconfig IS NULL THEN 'null'
               WHEN cardinality(p.proconfig) = 1 THEN to_json(p.proconfig)::text
               ELSE coalesce((
                 SELECT '[' || string_agg(to_json(s.setting)::text, ', ' ORDER BY s.setting COLLATE "C") || ']'
                 FROM unnest(p.proconfig) AS s(setting)), 'null')
             END,
             ']}') AS parts
    FROM routine p
    JOIN pg_language l ON l.oid = p.prolang
    JOIN privileges x ON x.class = 'routine' AND x.oid = p.oid
    UNION ALL
    SELECT CASE WHEN r.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, quote_ident(r.name),
           concat(
             '{"body": ', coalesce(CASE WHEN r.relkind IN ('v', 'm') THEN '"' || coalesce(
               CASE WHEN p_rules ? r.name THEN (
                 SELECT split_part(p_rules ->> r.name, ' ', 2)
                 FROM pg_rewrite w
                 WHERE w.ev_class = r.oid AND w.rulename = '_RETURN'
                   -- The rule refers to objects by OID; such an object may have been renamed and another one created.
                   AND split_part(p_rules ->> r.name, ' ', 1) = hashtextextended(
                     coalesce((
                       SELECT string_agg(
                                CASE x.refclassid
                                  WHEN 'pg_class'::regclass THEN x.refobjid::regclass::text
                                  WHEN 'pg_proc'::regclass THEN x.refobjid::regprocedure::text
                                END, ' ' ORDER BY x.refclassid, x.refobjid)
                       FROM (SELECT DISTINCT d.refclassid, d.refobjid FROM pg_depend d
                             WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid) x), ''),
                     hashtextextended(w.ev_action::text, 0))::text) END,
               encode(sha256(convert_to(pg_get_viewdef(r.oid), 'UTF8')), 'hex')) || '"' END, 'null'),
             ', "owner": ', to_json(pg_get_userbyid(r.relowner)),
             ', "state": ', jsonb_build_object(
                 'kind', r.relkind, 'persistence', r.relpersistence, 'replica identity', r.relreplident,
                 'row security', r.relrowsecurity, 'forced', r.relforcerowsecurity,
                 'children', (
                   SELECT jsonb_agg(i.inhrelid::regclass::text ORDER BY i.inhrelid::regclass::text COLLATE "C")
                   FROM pg_inherits i WHERE i.inhparent = r.oid))
               -- A role that may write the parent writes these rows. A contract has no parent, so an entry is drift.
               || coalesce((
                 SELECT jsonb_build_object(
                   CASE WHEN r.relispartition THEN 'partition of' ELSE 'parents' END,
                   jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhparent::regclass::text COLLATE "C"))
                 FROM pg_inherits i WHERE i.inhrelid = r.oid HAVING count(*) > 0), '{}')
               || CASE WHEN r.reloftype = 0 THEN '{}' ELSE jsonb_build_object('of', ARRAY[r.reloftype::regtype]) END
               -- An index and a view have none, and 2 is heap on every server.
               || CASE WHEN r.relam IN (0, 2) THEN '{}' ELSE jsonb_build_object('access method', ARRAY(
                 SELECT m.amname FROM pg_am m WHERE m.oid = r.relam)) END
               || CASE WHEN n.list = '' THEN '{}' ELSE format('{"contradicts": [%s]}', n.list)::jsonb END,
             ', "tuning": ' || u.actions,
             ', "signature": ', coalesce(c.list, '[]'),
             ', "privileges": ', coalesce(x.entries, '[]'),
             ', "configuration": ', coalesce((
               SELECT '[' || string_agg(to_json(o.option)::text, ', ' ORDER BY o.option COLLATE "C") || ']'
               FROM unnest(r.reloptions) AS o(option) WHERE r.relkind = 'v'), 'null'),
             '}')
    FROM relation r
    LEFT JOIN columns c ON c.oid = r.oid
    LEFT JOIN tuned u ON u.oid = r.oid
    LEFT JOIN privileges x ON x.class = 'relation' AND x.oid = r.oid
    CROSS JOIN LATERAL (
      -- Flags that switch off what the contract has. An object that the contract does not have is drift anyway.
      SELECT concat_ws(', ',
               CASE WHEN r.relkind NOT IN ('v', 'm')
                 AND r.relchecks <> (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'c')
                 THEN '"relchecks"' END,
               CASE WHEN NOT r.relhasindex AND r.relkind <> 'v'
                 AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid) THEN '"relhasindex"' END,
               CASE WHEN NOT r.relhastriggers AND r.relkind <> 'v'
                 AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = r.oid) THEN '"relhastriggers"' END,
               CASE WHEN NOT r.relhasrules AND r.relkind = 'v' THEN '"relhasrules"' END,
               CASE WHEN NOT c.defaulted THEN '"atthasdef"' END,
               CASE WHEN r.oid NOT IN (SELECT d.objid FROM dependent d WHERE d.classid = 'pg_class'::regclass)
                 THEN '"pg_depend"' END) AS list
      OFFSET 0
    ) n
    UNION ALL
    SELECT 'constraint', format('%I.%I', r.name, k.conname),
           concat(
             -- What enforces it: the index of a key, the triggers of a foreign key.
             '{"state": {"index": ', coalesce(to_json(x.definition
               || CASE WHEN x.indimmediate = k.condeferrable THEN ', not immediate' ELSE '' END)::text, 'null'),
             ', "valid": ', coalesce(x.valid::text, 'null'),
             ', "triggers": ', coalesce(CASE WHEN k.contype NOT IN ('c', 'n') THEN (
               SELECT to_json(string_agg(s.text, ', ' ORDER BY s.text COLLATE "C"))::text
               FROM (
                 SELECT concat_ws(' ', t.tgenabled, t.tgfoid, t.tgtype,
                          CASE t.tgrelid WHEN k.conrelid THEN 'from' WHEN k.confrelid THEN 'to' END,
                          CASE WHEN t.tgqual IS NOT NULL OR t.tgattr::text <> '' THEN 'partly' END) AS text
                 FROM pg_trigger t WHERE t.tgconstraint = k.oid
               ) s) END, 'null'),
             ', "validated": ', k.convalidated::text,
             '}', ', "tuning": ' || u.actions,
             ', "signature": ', -- A constraint that is being dropped has no definition any more.
             coalesce(to_json(
               CASE WHEN k.convalidated THEN d.definition
                    ELSE regexp_replace(d.definition, ' NOT VALID$', '') END)::text, 'null'),
             '}')
    FROM relation r
    JOIN pg_constraint k ON k.conrelid = r.oid
    CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d(definition)
    LEFT JOIN index x ON x.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
    LEFT JOIN tuned u ON u.oid = x.oid
    WHERE k.contype <> 'n' OR NOT k.convalidated
    UNION ALL
    SELECT 'index', quote_ident(i.relname),
           concat(
             '{"state": {"valid": ', (i.valid AND i.indimmediate)::text,
             '}', ', "tuning": ' || u.actions,
             ', "signature": ', to_json(i.definition),
             '}')
    FROM index i
    LEFT JOIN tuned u ON u.oid = i.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'trigger', format('%I.%I', r.name, t.tgname),
           jsonb_build_object(
             'signature', pg_get_triggerdef(t.oid),
             'state', jsonb_build_object('enabled', t.tgenabled))::text
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
    -- Those of foreign keys belong to their constraints; any other internal trigger was not made by the server.
    WHERE NOT t.tgisinternal
       OR NOT EXISTS (SELECT FROM pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 'f')
    UNION ALL
    SELECT 'rule', format('%I.%I', r.name, w.rulename),
           jsonb_build_object(
             'signature', pg_get_ruledef(w.oid),
             'state', jsonb_build_object('enabled', w.ev_enabled))::text
    FROM relation r
    JOIN pg_rewrite w ON w.ev_class = r.oid
      AND NOT (w.rulename = '_RETURN' AND w.ev_type = '1' AND r.relkind IN ('v', 'm'))
    UNION ALL
    SELECT 'policy', format('%I.%I', r.name, l.polname),
           jsonb_build_object(
             'signature', concat_ws(' ', l.polcmd, l.polpermissive,
               pg_get_expr(l.polqual, l.polrelid), pg_get_expr(l.polwithcheck, l.polrelid), 'TO',
               (SELECT string_agg(CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END, ', '
                         ORDER BY pg_get_userbyid(u.role) COLLATE "C") FROM unnest(l.polroles) AS u(role))))::text
    FROM relation r JOIN pg_policy l ON l.polrelid = r.oid
    UNION ALL
    SELECT 'statistics', format('%I.%I', r.name, s.stxname),
           jsonb_build_object(
             'signature', pg_get_statisticsobjdef(s.oid),
             'name', format('%s.%I', s.stxnamespace::regnamespace, s.stxname))::text
    FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
    UNION ALL
    SELECT replace(o.type, ' ', '_'),
           CASE WHEN starts_with(o.identity, 'birth.') THEN substr(o.identity, 7) ELSE o.identity END,
           concat(
             '{"undo": ', to_json(CASE o.type
               WHEN 'extension' THEN (
                 -- Moved or dropped, it takes along what was added to it: an object of the owner is none of its own.
                 SELECT format(CASE
                     WHEN e.extrelocatable AND to_regnamespace('public') IS NOT NULL AND NOT EXISTS (
                       SELECT FROM pg_depend m
                       JOIN pg_shdepend s ON s.classid = m.classid AND s.objid = m.objid AND s.deptype = 'o'
                         AND pg_get_userbyid(s.refobjid) = ANY ('{birth_scanner}'::name[] || 'birth_definer'::name)
                         AND s.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                       WHERE m.refclassid = o.classid AND m.refobjid = o.objid AND m.deptype = 'e')
                     THEN 'ALTER EXTENSION %1$s SET SCHEMA public'
                     ELSE '-- extension %1$s lies in the schema and cannot be moved: its owner takes objects of the '
                       'contract out of it, ALTER EXTENSION %1$s DROP these, then drops it and makes it in another'
                     END, o.identity)
                 FROM pg_extension e WHERE e.oid = o.objid)
               WHEN 'publication namespace' THEN format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA birth',
                 (pg_identify_object_as_address(o.classid, o.objid, 0)).object_args[1])
               ELSE format('DROP %s %s', upper(replace(o.type, ' object', '') COLLATE "C"), o.identity) END),
             ', "owner": ', to_json(pg_get_userbyid(o.owner)),
             ', "privileges": ', coalesce(x.entries, '[]'),
             '}')
    FROM other o
    LEFT JOIN privileges x ON x.class = 'other' AND x.oid = o.objid
    UNION ALL
    SELECT 'publication', format('%I of %s', p.pubname, coalesce(quote_ident(t.name), 'all tables')),
           jsonb_build_object('undo', CASE WHEN t.name IS NULL
             THEN format('-- publication %I is of all tables of the database: its owner may make one of chosen tables, '
                         'and drop it', p.pubname)
             ELSE format('ALTER PUBLICATION %I DROP TABLE birth.%I', p.pubname, t.name) END)::text
    FROM pg_publication p
    CROSS JOIN LATERAL (
      SELECT r.name FROM pg_publication_rel m JOIN relation r ON r.oid = m.prrelid WHERE m.prpubid = p.oid
      UNION ALL
      SELECT NULL WHERE p.puballtables
    ) t
    UNION ALL
    SELECT 'subscription', format('%I of %I', s.subname, r.name),
           jsonb_build_object('undo', format('-- subscription %1$I writes birth.%2$I: on the publisher take the '
             'table out of the publication; then ALTER SUBSCRIPTION %1$I REFRESH PUBLICATION', s.subname, r.name))::text
    FROM pg_subscription_rel m
    JOIN relation r ON r.oid = m.srrelid
    JOIN pg_subscription s ON s.oid = m.srsubid
    UNION ALL
    SELECT DISTINCT 'constraint', format('%s.%I', k.conrelid::regclass, k.conname),
           jsonb_build_object(
             'undo', format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
             'signature', pg_get_constraintdef(k.oid))::text
    FROM relation r
    JOIN pg_trigger t ON t.tgrelid = r.oid AND t.tgisinternal AND t.tgconstrrelid <> 0
    JOIN pg_constraint k ON k.oid = t.tgconstraint AND k.confrelid = r.oid
    WHERE r.name <> ALL ('{birth_registry}') AND k.conrelid NOT IN (SELECT o.oid FROM relation o)
    UNION ALL
    SELECT 'cast', i.identity, jsonb_build_object('undo', 'DROP CAST ' || i.identity)::text
    FROM pg_cast c
    CROSS JOIN LATERAL pg_identify_object('pg_cast'::regclass, c.oid, 0) i
    -- 16384: PostgreSQL's own have lower numbers.
    WHERE c.oid >= 16384
      AND (c.castfunc IN (SELECT p.oid FROM routine p) OR EXISTS (
        SELECT FROM pg_type t WHERE t.oid IN (c.castsource, c.casttarget)
                                AND t.typnamespace = to_regnamespace('birth')))
    UNION ALL
    SELECT 'dependency', format('%s %s on extension %I', i.type, i.identity, e.extname),
           jsonb_build_object('undo', format(CASE d.deptype
             WHEN 'e' THEN 'ALTER EXTENSION %1$I DROP %2$s %3$s'
             ELSE 'ALTER %2$s %3$s NO DEPENDS ON EXTENSION %1$I' END,
             e.extname, upper(i.type COLLATE "C"), i.identity))::text
    FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype IN ('e', 'x')
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
    -- What an extension made in our schema is its own.
    WHERE e.extnamespace <> to_regnamespace('birth')
      AND CASE d.classid
        WHEN 'pg_proc'::regclass THEN d.objid IN (SELECT p.oid FROM routine p)
        WHEN 'pg_class'::regclass THEN d.objid IN (
          SELECT r.oid FROM relation r UNION ALL SELECT x.oid FROM index x UNION ALL SELECT s.sequence FROM sequence s)
        WHEN 'pg_trigger'::regclass THEN EXISTS (
          SELECT FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE t.oid = d.objid)
        WHEN 'pg_namespace'::regclass THEN d.objid = to_regnamespace('birth')
        ELSE (d.classid, d.objid) IN (SELECT o.classid, o.objid FROM other o) END
    UNION ALL
    SELECT 'schema', n.nspname::text,
           concat(
             '{"owner": ', to_json(pg_get_userbyid(n.nspowner)),
             ', "privileges": ', coalesce(x.entries, '[]'),
             '}')
    FROM pg_namespace n
    LEFT JOIN privileges x ON x.class = 'schema' AND x.oid = n.oid
    WHERE n.oid = to_regnamespace('birth')
    UNION ALL
    SELECT 'role', quote_ident(r.rolname),
           concat(
             '{"privileges": ', coalesce((
               SELECT '[' || string_agg(to_json(m.entry)::text, ', ' ORDER BY m.entry COLLATE "C") || ']'
               FROM membership m WHERE m.role = r.oid), '[]'),
             ', "configuration": ', coalesce(nullif(to_jsonb(array_remove(ARRAY[
                 CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
                 CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                 CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
                 CASE WHEN r.rolcanlogin THEN 'LOGIN' END,
                 CASE WHEN r.rolreplication THEN 'REPLICATION' END,
                 -- The other owners read what is granted to them, and a DBA decides whether past row level security.
                 CASE WHEN r.rolbypassrls AND r.rolname <> ALL ('{birth_scanner}'::name[]) THEN 'BYPASSRLS' END,
                 CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
                 CASE WHEN r.rolconnlimit <> -1 THEN 'CONNECTION LIMIT' END,
                 CASE WHEN r.rolvaliduntil <> 'infinity' THEN 'VALID UNTIL' END], NULL)
               || ARRAY(SELECT 'SET ' || c.setting FROM unnest(r.rolconfig) AS c(setting)))::text, '[]'), 'null'),
             '}')
    FROM role r
  )
  SELECT d.kind, d.object, d.parts, encode(sha256(convert_to(d.parts, 'UTF8')), 'hex') AS exact_sha256
  FROM described d;
END;
$_$;

ALTER FUNCTION birth.fn_birth_contract_live(p_rules jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_live(p_rules jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_live(p_rules jsonb) IS 'Every object of schema birth as it is now: kind, object, parts (body, signature, configuration, owner, privileges, state), their SHA-256. Specification: 7.';

-- Name: fn_birth_contract_objects(jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_objects(p_manifest jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (p_manifest -> 'objects') || coalesce(p_manifest #> ARRAY['on', m.major], '{}')
  FROM (SELECT (current_setting('server_version_num')::integer / 10000)::text AS major) m
  WHERE p_manifest -> 'servers' ? m.major;
$$;

ALTER FUNCTION birth.fn_birth_contract_objects(p_manifest jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_objects(p_manifest jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_objects(p_manifest jsonb) IS 'The contract that the manifest of a release has for the major version of this server; NULL when it has none. Specification: 7.';

-- Name: fn_birth_contract_recolumn(text, jsonb, jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_recolumn(p_table text, p_wanted jsonb, p_live jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH renamed AS (
    SELECT w.value ->> 'name' AS name, l.value ->> 'name' AS found
    FROM jsonb_array_elements(p_wanted -> 'signature') WITH ORDINALITY w
    JOIN jsonb_array_elements(p_live -> 'signature') WITH ORDINALITY l USING (ordinality)
    WHERE l.value - 'name' = w.value - 'name'
      AND w.value -> 'name' NOT IN (SELECT o.value -> 'name' FROM jsonb_array_elements(p_live -> 'signature') o)
      AND l.value -> 'name' NOT IN (SELECT o.value -> 'name' FROM jsonb_array_elements(p_wanted -> 'signature') o)
  ), columns AS (
    SELECT coalesce(w.value, l.value) ->> 'name' AS name, w.value AS wanted, l.value AS live
    FROM jsonb_array_elements(p_wanted -> 'signature') w
    FULL JOIN jsonb_array_elements(p_live -> 'signature') l ON l.value -> 'name' = w.value -> 'name'
    WHERE coalesce(w.value, l.value) ->> 'name' NOT IN (
      SELECT r.name FROM renamed r UNION ALL SELECT r.found FROM renamed r)
  ), action AS (
    SELECT 1 AS rank, format('DROP COLUMN %I', c.name) AS text FROM columns c WHERE c.wanted IS NULL
    UNION ALL
    SELECT 2, format('ALTER COLUMN %1$I TYPE %2$s%3$s USING %1$I::%2$s', c.name, c.wanted ->> 'type',
      ' COLLATE ' || (c.wanted ->> 'collation'))
    FROM columns c
    WHERE (c.wanted -> 'type', c.wanted -> 'collation') IS DISTINCT FROM (c.live -> 'type', c.live -> 'collation')
      AND c.wanted IS NOT NULL AND c.live IS NOT NULL
    UNION ALL
    SELECT 3, format('ALTER COLUMN %I %s NOT NULL', c.name, CASE WHEN c.wanted ? 'not null' THEN 'SET' ELSE 'DROP' END)
    FROM columns c WHERE (c.wanted ? 'not null') <> (c.live ? 'not null')
    UNION ALL
    SELECT 4, format('ALTER COLUMN %I %s', c.name, coalesce('SET DEFAULT ' || (c.wanted ->> 'default'), 'DROP DEFAULT'))
    FROM columns c
    WHERE (c.wanted -> 'default') IS DISTINCT FROM (c.live -> 'default')
      AND c.wanted IS NOT NULL AND c.live IS NOT NULL
    UNION ALL
    SELECT 5, format('ALTER COLUMN %I %s', c.name, CASE
      WHEN c.wanted ? 'identity' THEN format('ADD GENERATED %s AS IDENTITY',
        CASE c.wanted ->> 'identity' WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)
      ELSE 'DROP IDENTITY' END)
    FROM columns c WHERE (c.wanted ? 'identity') <> (c.live ? 'identity')
    UNION ALL
    SELECT 6, format('ALTER COLUMN %I SET GENERATED %s', c.name,
      CASE c.wanted ->> 'identity' WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)
    FROM columns c WHERE (c.wanted ->> 'identity') <> (c.live ->> 'identity')
  ), altered AS (
    SELECT s.rank, format('ALTER SEQUENCE birth.%s %s', quote_ident(c.live ->> 'sequence name'), s.text) AS text
    FROM columns c
    CROSS JOIN LATERAL (VALUES
      (1, c.wanted ->> 'sequence', c.live -> 'sequence' <> c.wanted -> 'sequence'),
      (2, CASE WHEN c.wanted ? 'unlogged' THEN 'SET UNLOGGED' ELSE 'SET LOGGED' END,
       (c.live ? 'unlogged') <> (c.wanted ? 'unlogged')),
      (3, 'RENAME TO ' || quote_ident(c.wanted ->> 'sequence name'),
       c.live -> 'sequence name' <> c.wanted -> 'sequence name')
    ) AS s(rank, text, differs)
    WHERE s.differs AND c.live ? 'sequence' AND c.wanted ? 'sequence'
  )
  SELECT concat_ws('; ',
    (SELECT string_agg(
              format('-- column %s of %s is gone with its values: restore the table from a backup', c.name, p_table),
              E'\n' ORDER BY c.name)
     FROM columns c WHERE c.live IS NULL) || E'\n',
    (SELECT string_agg(format('ALTER TABLE birth.%s RENAME COLUMN %I TO %I', p_table, r.found, r.name), '; ')
     FROM renamed r),
    (SELECT format('ALTER TABLE birth.%s %s', p_table, string_agg(a.text, ', ' ORDER BY a.rank, a.text))
     FROM action a HAVING count(*) > 0),
    (SELECT string_agg(a.text, '; ' ORDER BY a.rank, a.text) FROM altered a),
    -- A new sequence starts after the highest value in the table.
    (SELECT string_agg(
              format('SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%L, %L), '
                '(SELECT coalesce(pg_catalog.max(%I), 0) OPERATOR(pg_catalog.+) 1 FROM birth.%s), false)',
                'birth.' || p_table, c.name, c.name, p_table), '; ' ORDER BY c.name)
     FROM columns c WHERE c.wanted ? 'identity' AND NOT c.live ? 'identity'))
  WHERE EXISTS (SELECT FROM action) OR EXISTS (SELECT FROM renamed) OR EXISTS (SELECT FROM altered)
     OR EXISTS (SELECT FROM columns c WHERE c.live IS NULL);
$_$;

ALTER FUNCTION birth.fn_birth_contract_recolumn(p_table text, p_wanted jsonb, p_live jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_recolumn(p_table text, p_wanted jsonb, p_live jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_recolumn(p_table text, p_wanted jsonb, p_live jsonb) IS 'The ALTER TABLE that gives a table the columns of the contract; NULL when it has them. Specification: 7.';

-- Name: fn_birth_contract_record(text, jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_record(p_release text, p_manifest jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, MDY'
    SET "IntervalStyle" TO 'postgres'
    SET quote_all_identifiers TO 'off'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET standard_conforming_strings TO 'on'
    AS $$
DECLARE
  v_major CONSTANT integer := current_setting('server_version_num')::integer / 10000;
  v_objects CONSTANT jsonb := coalesce(birth.fn_birth_contract_objects(p_manifest),
    (SELECT jsonb_object_agg(l.kind || ' ' || l.object, jsonb_build_object('parts', l.parts::jsonb))
      FROM birth.fn_birth_contract_live() l));
  v_rows bigint;
BEGIN
  INSERT INTO birth.birth_gateway_release_registry
    (generation, release, kind, object, parts, definition, exact_sha256, semantic_sha256, normalized_md5, algorithm,
      server_major)
  WITH wanted AS (
    SELECT split_part(o.key, ' ', 1) AS kind, substr(o.key, strpos(o.key, ' ') + 1) AS object,
      o.value -> 'parts' AS parts, o.value ->> 'semantic' AS semantic
    FROM (SELECT v.key, v.value FROM jsonb_each(v_objects) v
          UNION ALL
          SELECT 'claim ' || c.key, jsonb_build_object('parts', c.value) FROM jsonb_each(p_manifest -> 'claims') c) o
  ), exact AS (
    SELECT w.*, encode(sha256(convert_to(w.parts::text, 'UTF8')), 'hex') AS sha256 FROM wanted w
  ), newest AS (
    SELECT DISTINCT ON (r.kind, r.object) r.kind, r.object, r.exact_sha256, r.semantic_sha256, r.server_major
    FROM birth.birth_gateway_release_registry r
    ORDER BY r.kind, r.object, r.generation DESC
  )
  SELECT (SELECT coalesce(max(g.generation), 0) + 1 FROM birth.birth_gateway_release_registry g),
         p_release, coalesce(w.kind, n.kind), coalesce(w.object, n.object), w.parts,
         CASE WHEN w.kind IN ('gateway', 'function', 'procedure')
           THEN pg_get_functiondef(to_regprocedure('birth.' || w.object))
              WHEN w.kind = 'view' THEN format('CREATE OR REPLACE VIEW birth.%s%s AS%s%s', w.object,
                (SELECT ' WITH (' || string_agg(o.option, ', ') || ')'
                 FROM jsonb_array_elements_text(CASE jsonb_typeof(w.parts -> 'configuration') WHEN 'array'
                   THEN w.parts -> 'configuration' ELSE '[]' END) AS o(option)),
                E'\n', pg_get_viewdef(to_regclass('birth.' || w.object))) END,
         w.sha256, w.semantic,
         (SELECT md5(replace(replace(replace(p.prosrc, ' ', ''), E'\n', ''), E'\t', '')) FROM pg_proc p
          WHERE w.kind IN ('gateway', 'function', 'procedure') AND p.oid = to_regprocedure('birth.' || w.object)),
         coalesce(p_manifest ->> 'algorithm', 'live'), v_major
  FROM exact w
  FULL JOIN newest n ON n.kind = w.kind AND n.object = w.object
  WHERE (w.sha256, w.semantic, v_major) IS DISTINCT FROM (n.exact_sha256, n.semantic_sha256, n.server_major)
    AND (w.kind IS NOT NULL OR n.exact_sha256 IS NOT NULL);
  GET DIAGNOSTICS v_rows = ROW_COUNT;

  -- How this database stores the recorded views, so that a later check can trust an unchanged rule. A view may have
  -- been replaced since it was compared: only the rule of the recorded body is kept.
  DELETE FROM birth.birth_stage_anchor a WHERE a.stage = 'contract';
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT 'contract', 'rule.' || r.object, hashtextextended(coalesce(
           (SELECT string_agg(CASE x.refclassid WHEN 'pg_class'::regclass THEN x.refobjid::regclass::text
                                WHEN 'pg_proc'::regclass THEN x.refobjid::regprocedure::text END, ' '
                                  ORDER BY x.refclassid, x.refobjid)
            FROM (SELECT DISTINCT d.refclassid, d.refobjid FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass
              AND d.objid = w.oid) x), ''),
           hashtextextended(w.ev_action::text, 0))::text || ' ' || (r.parts ->> 'body')
  FROM birth.v_birth_contract_recorded r
  JOIN pg_class c ON c.relnamespace = 'birth'::regnamespace AND c.relname = r.object
  JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename = '_RETURN'
  WHERE r.kind = 'view' AND encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex') = r.parts ->> 'body';
  RETURN v_rows;
END;
$$;

ALTER FUNCTION birth.fn_birth_contract_record(p_release text, p_manifest jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_record(p_release text, p_manifest jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_record(p_release text, p_manifest jsonb) IS 'Appends what a release changed to birth_gateway_release_registry; returns how many rows. For releases. Specification: 7.';

-- Name: fn_birth_contract_regrant(text, text, text[], text[], text[], jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH entry AS (
    SELECT 'REVOKE' AS verb, unnest(p_added) AS text
    UNION ALL
    SELECT 'GRANT', unnest(p_removed)
  ), privilege AS (
    SELECT CASE WHEN m[6] IS NULL THEN e.verb WHEN e.verb = 'GRANT' THEN 'REVOKE' ELSE 'GRANT' END AS verb,
           m[1] AS grantee, m[2] AS name, m[3] = '*' AS passed_on, m[4] AS column_list,
           m[5] AS sequence_column, m[7] AS class, m[8] AS creator, m[9] AS anywhere, m[10] AS row_type
    FROM entry e
    CROSS JOIN LATERAL regexp_match(e.text,
      '^("(?:[^"]|"")+"|[^"=]+)=([A-Z]+)([*]?)([(](?:"(?:[^"]|"")+"|[^"()]+)[)])?'
      '(?: on the sequence of (.*))?( taken)?(?: by default on new ([A-Za-z]) of ("(?:[^"]|"")+"|[^" ]+)( anywhere)?)?'
      '( on the row type)?$') AS m
    WHERE p_type <> 'ROLE'
  ), membership AS (
    SELECT DISTINCT e.verb, coalesce(m[2], m[1]) AS role,
           e.verb = 'REVOKE' AND coalesce(p_kept ? m[1], false) AS admin
    FROM entry e
    CROSS JOIN LATERAL regexp_match(e.text, '^("(?:[^"]|"")+"|[^ *]+)[ A-Z]*[*]?(?: by (.+))?$') AS m
    WHERE p_type = 'ROLE'
  ), statement AS (
    SELECT v.verb, v.grantee, v.name, concat_ws(' ',
             'ALTER DEFAULT PRIVILEGES FOR ROLE ' || v.creator
               || CASE WHEN v.anywhere IS NULL THEN ' IN SCHEMA ' || p_name ELSE '' END,
             v.verb, v.name || coalesce(' ' || v.column_list, ''), 'ON',
             CASE
               WHEN v.class = 'S' THEN 'SEQUENCES'
               WHEN v.class = 'f' THEN 'ROUTINES'
               WHEN v.class = 'T' THEN 'TYPES'
               WHEN v.class = 'r' THEN 'TABLES'
               WHEN v.class = 'n' THEN 'SCHEMAS'
               WHEN v.class = 'L' THEN 'LARGE OBJECTS'
               WHEN v.row_type IS NOT NULL THEN 'TYPE ' || p_name
               WHEN v.sequence_column IS NOT NULL
                 THEN 'SEQUENCE ' || pg_get_serial_sequence(p_name, v.sequence_column)
               ELSE replace(p_type, 'VIEW', 'TABLE') || ' ' || p_name
             END,
             CASE v.verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, v.grantee,
             CASE WHEN v.passed_on THEN CASE v.verb WHEN 'GRANT' THEN 'WITH GRANT OPTION' ELSE 'CASCADE' END END
           ) AS text
    FROM privilege v
    WHERE v.grantee <> ALL (array_remove(p_owners, NULL))
      -- A sequence that is gone comes back with its column.
      AND (v.sequence_column IS NULL OR pg_get_serial_sequence(p_name, v.sequence_column) IS NOT NULL)
    UNION ALL
    SELECT m.verb, p_name, m.role, concat('GRANT ', m.role, ' TO ', p_name,
             CASE WHEN current_setting('server_version_num')::integer >= 160000
               THEN ' WITH INHERIT TRUE, SET TRUE' END)
    FROM membership m WHERE m.verb = 'GRANT'
    UNION ALL
    -- From PostgreSQL 16 on a membership is revoked of each who granted it.
    SELECT m.verb, p_name, m.role, concat(
             'REVOKE ', CASE WHEN m.admin THEN 'ADMIN OPTION FOR ' END, m.role, ' FROM ', p_name,
             CASE WHEN current_setting('server_version_num')::integer >= 160000
               THEN format(' GRANTED BY %I', pg_get_userbyid(g.grantor)) END)
    FROM membership m
    JOIN pg_auth_members g ON g.roleid = to_regrole(m.role) AND g.member = to_regrole(p_name)
      AND (g.admin_option OR NOT m.admin)
    WHERE m.verb = 'REVOKE'
  )
  SELECT string_agg(s.text, '; ' ORDER BY s.verb DESC, s.grantee, s.name, s.text) FROM statement s;
$_$;

ALTER FUNCTION birth.fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb) IS 'The GRANTs and REVOKEs that restore the privileges on an object or the memberships of a role; NULL when there are none. Specification: 7.';

-- Name: fn_birth_contract_repair(text, text, text, jsonb, jsonb, text[], text[], text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_repair(p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[], p_definition text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH thing AS (
    SELECT CASE WHEN p_kind IN ('gateway', 'function') THEN 'FUNCTION'
                ELSE upper(replace(p_kind, '_', ' ') COLLATE "C") END AS type,
           CASE WHEN p_kind IN ('schema', 'role') THEN p_object ELSE 'birth.' || p_object END AS name,
           -- A quoted name may hold a dot, and anything else.
           n.parent,
           CASE WHEN n.parent = p_object THEN p_object ELSE substr(p_object, length(n.parent) + 2) END AS child,
           CASE
             WHEN p_kind IN ('gateway', 'function', 'procedure') THEN 'ROUTINE'
             WHEN p_live #>> '{state,kind}' = 'm' THEN 'MATERIALIZED VIEW'
             WHEN p_live #>> '{state,kind}' = 'f' THEN 'FOREIGN TABLE'
             ELSE upper(p_kind COLLATE "C")
           END AS found,
           p_definition IS NOT NULL
             AND (p_drift = 'missing' OR (p_wanted -> 'signature') IS DISTINCT FROM (p_live -> 'signature')
                  OR (p_wanted #> '{state,kind}') IS DISTINCT FROM (p_live #> '{state,kind}')) AS anew,
           p_wanted IS NOT NULL AND p_live IS NOT NULL AS both_there,
           -- CREATE OR REPLACE restores a routine's row in pg_depend; an invalid index is created again.
           p_drift IN ('body', 'signature', 'configuration')
             OR p_drift = 'state' AND p_kind IN ('gateway', 'function', 'procedure', 'index') AS shape
    FROM (SELECT substring(p_object FROM '^(?:"(?:[^"]|"")+"|[^".]+)') AS parent) n
  ), dependent AS (
    -- The views of the schema that have to go first where an object is dropped; each is missing then.
    WITH RECURSIVE reader AS (
      SELECT w.ev_class AS oid
      FROM thing t
      JOIN pg_depend d ON d.refclassid = CASE p_kind WHEN 'view' THEN 'pg_class' ELSE 'pg_proc' END::regclass
        AND d.refobjid = CASE p_kind WHEN 'view' THEN to_regclass(t.name)::oid ELSE to_regprocedure(t.name) END
      JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
      WHERE t.anew AND t.both_there
      UNION
      SELECT w.ev_class
      FROM reader r
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
      JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    )
    SELECT format('DROP VIEW %s; ', string_agg(DISTINCT format('birth.%I', c.relname), ', ')) AS text
    FROM reader r
    JOIN pg_class c ON c.oid = r.oid AND c.relnamespace = to_regnamespace('birth') AND c.relkind = 'v'
    CROSS JOIN thing t
    WHERE format('birth.%I', c.relname) <> t.name
    HAVING count(*) > 0
  ), statement AS (
    -- its definition
    SELECT 1 AS rank, CASE
      WHEN p_wanted IS NULL AND p_live ? 'undo' THEN p_live ->> 'undo'
      WHEN p_kind = 'role' THEN CASE WHEN p_live IS NULL THEN format('CREATE ROLE %s NOLOGIN', p_object) END
      WHEN p_wanted IS NULL AND p_kind = 'constraint'
        THEN format('ALTER TABLE birth.%s DROP CONSTRAINT %s', t.parent, t.child)
      WHEN p_wanted IS NULL AND p_kind IN ('trigger', 'rule', 'policy')
        THEN format('DROP %s %s ON birth.%s', t.type, t.child, t.parent)
      WHEN p_wanted IS NULL AND p_kind = 'statistics' THEN format('DROP STATISTICS %s', p_live ->> 'name')
      WHEN p_wanted IS NULL THEN format('DROP %s %s', t.found, t.name)
      WHEN t.anew AND t.both_there
        THEN format('%sDROP %s %s; %s', (SELECT d.text FROM dependent d), t.found, t.name, p_definition)
      WHEN p_definition IS NOT NULL AND (t.anew OR t.shape) THEN p_definition
      WHEN p_kind = 'constraint' AND p_drift = 'missing'
        -- One that has another name now may be needed by foreign keys.
        THEN coalesce((
          SELECT format('ALTER TABLE birth.%s RENAME CONSTRAINT %I TO %s', t.parent, k.conname, t.child)
          FROM pg_constraint k
          WHERE k.conrelid = to_regclass('birth.' || t.parent)
            AND pg_get_constraintdef(k.oid) = p_wanted ->> 'signature' LIMIT 1),
          format('ALTER TABLE birth.%s ADD CONSTRAINT %s %s', t.parent, t.child, p_wanted ->> 'signature'))
      WHEN p_kind = 'constraint' AND t.shape
        THEN format('ALTER TABLE birth.%1$s DROP CONSTRAINT %2$s, ADD CONSTRAINT %2$s %3$s',
          t.parent, t.child, p_wanted ->> 'signature')
      WHEN p_kind IN ('index', 'trigger') AND p_drift = 'missing' THEN p_wanted ->> 'signature'
      WHEN p_kind = 'index' AND t.shape THEN format('DROP INDEX %s; %s', t.name, p_wanted ->> 'signature')
      WHEN p_kind = 'trigger' AND t.shape
        THEN format('DROP TRIGGER %s ON birth.%s; %s', t.child, t.parent, p_wanted ->> 'signature')
      WHEN p_kind = 'table' AND t.both_there THEN birth.fn_birth_contract_recolumn(p_object, p_wanted, p_live)
      WHEN p_drift = 'missing'
        THEN format('-- %s %s is gone: give it its name and schema back where it only has others now; otherwise '
          'restore it from a backup', replace(p_kind, '_', ' '), p_object)
    END AS text
    FROM thing t
    UNION ALL
    -- its owner; by CASE, because up to PostgreSQL 17 a plan may evaluate the text before the WHERE, and %I refuses
    -- NULL
    SELECT 2, CASE WHEN t.anew OR (t.both_there AND (p_wanted ->> 'owner') <> (p_live ->> 'owner'))
      THEN format('ALTER %s %s OWNER TO %I', t.type, t.name, p_wanted ->> 'owner') END
    FROM thing t
    UNION ALL
    -- its state
    SELECT 3, CASE
      WHEN s.key = 'validated' THEN format('ALTER TABLE birth.%s VALIDATE CONSTRAINT %s', t.parent, t.child)
      WHEN s.key = 'index'
        THEN format('UPDATE pg_catalog.pg_index SET indisunique = true, indimmediate = true '
          'WHERE indexrelid = %L::pg_catalog.regclass; REINDEX INDEX birth.%s', 'birth.' || t.child, t.child)
      WHEN s.key = 'valid' THEN format('REINDEX INDEX birth.%s', t.child)
      -- Created again, so that the rows are checked that were added while its triggers were disabled.
      WHEN s.key = 'triggers'
        THEN format('ALTER TABLE birth.%1$s DROP CONSTRAINT %2$s, ADD CONSTRAINT %2$s %3$s',
          t.parent, t.child, p_wanted ->> 'signature')
      WHEN s.key = 'enabled'
        THEN format('ALTER TABLE birth.%s ENABLE %s%s %s', t.parent,
          CASE s.value ->> 0 WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END, t.type, t.child)
      WHEN s.key = 'row security'
        THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY', t.name,
          CASE s.value WHEN 'true' THEN 'ENABLE' ELSE 'DISABLE' END)
      WHEN s.key = 'forced'
        THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY', t.name,
          CASE s.value WHEN 'true' THEN 'FORCE' ELSE 'NO FORCE' END)
      WHEN s.key = 'persistence'
        THEN format('ALTER TABLE %s SET %s', t.name, CASE s.value WHEN '"u"' THEN 'UNLOGGED' ELSE 'LOGGED' END)
      WHEN s.key = 'replica identity' THEN format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', t.name)
      WHEN s.key = 'children'
        THEN (SELECT string_agg(format('ALTER TABLE %s NO INHERIT %s', c.child, t.name), '; ')
              FROM jsonb_array_elements_text(p_live -> 'state' -> 'children') AS c(child))
      ELSE format('-- the %s of %s %s cannot be altered: restore it from a backup', s.key, p_kind, p_object)
    END
    FROM thing t
    CROSS JOIN LATERAL jsonb_each(p_wanted -> 'state') s
    WHERE t.both_there AND NOT t.anew AND s.value <> (p_live -> 'state' -> s.key)
      AND NOT (p_kind = 'index' AND t.shape)
    UNION ALL
    SELECT 3, CASE s.key
      WHEN 'parents' THEN format('ALTER TABLE %s NO INHERIT %s', t.name, p.parent)
      WHEN 'of' THEN format('ALTER TABLE %s NOT OF', t.name)
      WHEN 'access method' THEN format('ALTER TABLE %s SET ACCESS METHOD heap', t.name)
      ELSE format('ALTER TABLE %s DETACH PARTITION %s', p.parent, t.name)
    END
    FROM thing t
    CROSS JOIN LATERAL jsonb_each(p_live -> 'state') s
    CROSS JOIN LATERAL jsonb_array_elements_text(s.value) AS p(parent)
    WHERE t.both_there AND s.key IN ('parents', 'partition of', 'of', 'access method')
      AND (p_wanted -> 'state' -> s.key) IS DISTINCT FROM s.value
    UNION ALL
    -- its flags that contradict the rows which they sum up, after an UPDATE of the catalogue; for a superuser
    SELECT 3, format($flags$UPDATE pg_catalog.pg_class c SET
    relchecks = (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
    relhasindex = EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid),
    relhastriggers = EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid),
    relhasrules = EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)
WHERE c.oid = %1$L::pg_catalog.regclass;
UPDATE pg_catalog.pg_attribute a SET
    atthasdef = EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)
WHERE a.attrelid = %1$L::pg_catalog.regclass AND a.attnum > 0;
INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0,
       'pg_catalog.pg_namespace'::pg_catalog.regclass, c.relnamespace, 0, 'n'
FROM pg_catalog.pg_class c
WHERE c.oid = %1$L::pg_catalog.regclass AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjsubid = 0)$flags$, t.name)
      -- Disabled indexes are rebuilt, because rows may have been added meanwhile.
      || coalesce((SELECT format('; REINDEX TABLE %s', t.name) FROM pg_class c
                   WHERE c.oid = to_regclass(t.name) AND NOT c.relhasindex
                     AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid)), '')
    FROM thing t
    WHERE t.both_there AND p_kind IN ('table', 'view') AND p_live -> 'state' ? 'contradicts'
    UNION ALL
    -- the attributes and settings of a role
    SELECT 3, format('ALTER ROLE %s %s', p_object, CASE
      WHEN starts_with(a.name, 'SET ') THEN 'RESET ' || substring(a.name FROM '^SET ([^=]+)=')
      WHEN a.name = 'NOINHERIT' THEN 'INHERIT'
      WHEN a.name = 'CONNECTION LIMIT' THEN 'CONNECTION LIMIT -1'
      WHEN a.name = 'VALID UNTIL' THEN 'VALID UNTIL ''infinity'''
      ELSE 'NO' || a.name
    END)
    FROM jsonb_array_elements_text(
      CASE jsonb_typeof(p_live -> 'configuration') WHEN 'array' THEN p_live -> 'configuration' ELSE '[]' END) AS a(name)
    WHERE p_kind = 'role' AND NOT coalesce(p_wanted -> 'configuration' ? a.name, false)
    UNION ALL
    -- its privileges
    SELECT 4, birth.fn_birth_contract_regrant(t.type, t.name,
      CASE
        WHEN NOT t.anew THEN p_added
        WHEN t.type IN ('FUNCTION', 'PROCEDURE') THEN ARRAY['PUBLIC=EXECUTE']
        ELSE '{}'
      END,
      CASE WHEN NOT t.anew THEN p_removed ELSE ARRAY(SELECT jsonb_array_elements_text(p_wanted -> 'privileges')) END,
      CASE WHEN t.anew OR (p_wanted ->> 'owner') <> (p_live ->> 'owner')
        THEN ARRAY[p_wanted ->> 'owner', p_live ->> 'owner'] ELSE '{}' END,
      p_wanted -> 'privileges')
    FROM thing t
    WHERE t.anew OR t.both_there OR p_kind = 'role'
    UNION ALL
    -- its tuning: that of an index goes with it
    SELECT a.rank, format('ALTER %s %s %s', CASE p_kind WHEN 'table' THEN 'TABLE' ELSE 'INDEX' END,
      CASE p_kind WHEN 'constraint' THEN 'birth.' || t.child ELSE t.name END, a.action)
    FROM thing t
    CROSS JOIN LATERAL (
      SELECT 5 AS rank, CASE
          WHEN l.action ~ ' STORAGE [A-Z]+$' THEN (
            SELECT format('ALTER COLUMN %I SET STORAGE %s', c.attname, CASE y.typstorage WHEN 'p' THEN 'PLAIN'
              WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)
            FROM pg_attribute c JOIN pg_type y ON y.oid = c.atttypid
            WHERE c.attrelid = to_regclass(t.name)
              AND starts_with(l.action, format('ALTER COLUMN %I SET STORAGE', c.attname)))
          WHEN starts_with(l.action, 'CLUSTER ON ') THEN 'SET WITHOUT CLUSTER'
          WHEN starts_with(l.action, 'SET TABLESPACE ') THEN (
            SELECT format('SET TABLESPACE %I', s.spcname)
            FROM pg_database b JOIN pg_tablespace s ON s.oid = b.dattablespace WHERE b.datname = current_database())
          ELSE regexp_replace(regexp_replace(regexp_replace(l.action, 'SET ([(][^=]+)=.*[)]$', E'RESET \\1)'),
            'STATISTICS [0-9]+$', 'STATISTICS -1'), 'COMPRESSION [a-z0-9]+$', 'COMPRESSION default') END AS action
      FROM jsonb_array_elements_text(p_live -> 'tuning') AS l(action)
      WHERE p_drift = 'tuning' AND NOT coalesce(p_wanted -> 'tuning' ? l.action, false)
      UNION ALL
      SELECT 6, w.action FROM jsonb_array_elements_text(p_wanted -> 'tuning') AS w(action)
      WHERE p_drift = 'tuning' AND NOT coalesce(p_live -> 'tuning' ? w.action, false)
         OR p_kind IN ('index', 'constraint')
    ) a
  )
  SELECT string_agg(s.text, '; ' ORDER BY s.rank, s.text) FROM statement s WHERE s.text IS NOT NULL;
$_$;

ALTER FUNCTION birth.fn_birth_contract_repair(p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[], p_definition text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_repair(p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[], p_definition text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_repair(p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[], p_definition text) IS 'The statement that repairs a drift, for birth_definer or a superuser; a comment where none can. Specification: 7.';

-- Name: fn_birth_contract_token(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_contract_token() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  v_schema CONSTANT oid := to_regnamespace('birth');
  v_definer CONSTANT oid := to_regrole('birth_definer');
  v_members numeric;
  v_routines oid[];
  v_relations oid[];
BEGIN
  SELECT array_agg(d.objid) FILTER (WHERE d.classid = 'pg_proc'::regclass),
    array_agg(d.objid) FILTER (WHERE d.classid = 'pg_class'::regclass),
    sum(hash_record_extended(ROW(d.classid, d.objid), 15))
  INTO v_routines, v_relations, v_members
  FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = v_schema AND d.refobjsubid = 0;
  RETURN (
    SELECT count(*) || ' ' || sum(v.version) + v_members FROM (
      SELECT hash_record_extended(ROW(n.xmin, n.ctid), 0) AS version FROM pg_namespace n WHERE n.oid = v_schema
      UNION ALL SELECT hash_record_extended(ROW(p.xmin, p.ctid), 1) FROM pg_proc p WHERE p.oid = ANY (v_routines)
      UNION ALL SELECT hash_record_extended(ROW(c.xmin, c.ctid), 2) FROM pg_class c WHERE c.oid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(a.xmin, a.ctid), 3) FROM pg_attribute a
        WHERE a.attrelid = ANY (v_relations) AND a.attnum > 0
      UNION ALL SELECT hash_record_extended(ROW(f.xmin, f.ctid), 4) FROM pg_attrdef f
        WHERE f.adrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(k.xmin, k.ctid), 5) FROM pg_constraint k
        WHERE k.conrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(x.xmin, x.ctid, i.xmin, i.ctid), 6) FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid
      WHERE x.indrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(t.xmin, t.ctid), 7) FROM pg_trigger t
        WHERE t.tgrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(w.xmin, w.ctid), 8) FROM pg_rewrite w
        WHERE w.ev_class = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(l.xmin, l.ctid), 9) FROM pg_policy l
        WHERE l.polrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(h.xmin, h.ctid), 10) FROM pg_inherits h
        WHERE h.inhparent = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(e.xmin, e.ctid), 11) FROM pg_default_acl e
      WHERE e.defaclnamespace = v_schema OR e.defaclnamespace = 0 AND e.defaclrole = v_definer
      UNION ALL SELECT hash_record_extended(ROW(q.xmin, q.ctid), 12) FROM pg_sequence q
        WHERE q.seqrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(s.xmin, s.ctid), 13) FROM pg_statistic_ext s
        WHERE s.stxrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(h.xmin, h.ctid), 14) FROM pg_inherits h
        WHERE h.inhrelid = ANY (v_relations)
    ) v);
END;
$$;

ALTER FUNCTION birth.fn_birth_contract_token() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_contract_token(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_contract_token() IS 'Row versions of the catalogue rows of schema birth: equal means that nothing changed since a full check. Specification: 7.';

-- Name: fn_birth_death_codes(birth.birth_backfill_ledger_v2, text[], bigint, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_codes(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean) RETURNS TABLE(source_rows bigint, visited bigint, codes text[], fingerprint numeric[], last_key text[])
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  IF r_identity.code_sql IS NULL OR birth.fn_birth_source_grants(p_run.collection_name, 'SELECT') <> '' THEN
    RETURN;
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name;
  RETURN QUERY
  SELECT s.* FROM birth.fn_birth_scan(format($death$
    WITH source AS MATERIALIZED (SELECT %1$s AS code, %2$s AS living FROM %3$s t),
    living AS (SELECT DISTINCT s.code FROM source s WHERE s.living AND s.code IS NOT NULL),
    own AS (SELECT b.entity_code FROM birth.birth_registry b
      WHERE b.collection_name = $1 AND ($4 IS NULL OR b.entity_code > ($4)[1])),
    pair AS MATERIALIZED (SELECT o.entity_code, l.code FROM own o FULL JOIN living l ON l.code = o.entity_code)
    SELECT (SELECT count(*) FROM source), count(*), CASE WHEN %4$L THEN coalesce(array_agg(o.entity_code), '{}') END,
           ARRAY[count(*), coalesce(sum(hashtextextended(o.entity_code, $2)), 0),
             coalesce(sum(hashtextextended(o.entity_code, $3)), 0)],
           CASE WHEN count(*) > 0 THEN ARRAY[max(o.entity_code)] END
    FROM (SELECT p.entity_code FROM pair p LEFT JOIN birth.birth_death d ON d.entity_code = p.entity_code
          WHERE p.entity_code IS NOT NULL AND p.code IS NULL AND (d.entity_code IS NULL OR d.returned_at IS NOT NULL)
          ORDER BY p.entity_code LIMIT $6) o
  $death$, r_identity.code_sql, birth.fn_birth_life_living(r_collection), r_identity.source_sql, p_list),
    p_collection := p_run.collection_name, p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_after := p_after,
    p_rows := p_rows)
  AS s(source_rows bigint, visited bigint, codes text[], fingerprint numeric[], last_key text[]);
END;
$_$;

ALTER FUNCTION birth.fn_birth_death_codes(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_codes(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_codes(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean) IS 'Purpose DEATH: the next births without a living row and without an open death: rows of the source, visited, codes, fingerprint, last code. Specification: 5.2.';

-- Name: fn_birth_death_fault(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT birth.fn_birth_error('births_touched', string_agg(t.what, '; '))
  FROM (
    SELECT d.entity_code || CASE WHEN d.returned_at IS NOT NULL THEN ' returned'
                                 WHEN d.manner <> 'FOUND' THEN ' died again' ELSE ' has a successor' END AS what
    FROM birth.birth_death d
    WHERE d.run_id = p_run.run_id
      AND (d.returned_at IS NOT NULL OR d.manner <> 'FOUND' OR d.successor IS NOT NULL)
    UNION ALL
    SELECT format('%s codes were found again by a later run', jsonb_array_length(a.detail -> 'codes'))
    FROM birth.birth_act a
    WHERE a.act = 'refound' AND a.collection_name = p_run.collection_name
      AND a.detail ->> 'run_id' = p_run.run_id::text
    UNION ALL
    SELECT format('%s went with a downgrade', a.detail #>> '{fingerprint,0}')
    FROM birth.birth_act a
    WHERE a.act = 'deaths_dropped' AND a.lineage = p_run.lineage AND a.run_id = p_run.run_id
    LIMIT 20
  ) t
  HAVING count(*) > 0;
$$;

ALTER FUNCTION birth.fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2) IS 'NB313 as jsonb when deaths of a run were touched after it, else NULL. Specification: 5.2.';

-- Name: fn_birth_death_proof(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2) RETURNS numeric[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH held AS (
    SELECT d.entity_code FROM birth.birth_death d
    WHERE d.run_id = p_run.run_id AND d.collection_name = p_run.collection_name
    UNION ALL
    SELECT c.code COLLATE "C"
    FROM birth.birth_act a
    CROSS JOIN LATERAL jsonb_array_elements_text(
      CASE jsonb_typeof(a.detail -> 'codes') WHEN 'array' THEN a.detail -> 'codes' ELSE '[]' END) AS c(code)
    WHERE a.act = 'refound' AND a.collection_name = p_run.collection_name
      AND a.detail ->> 'run_id' = p_run.run_id::text
  ), part AS (
    SELECT count(*)::numeric AS births, sum(hashtextextended(h.entity_code, p_run.seed_a)) AS a,
           sum(hashtextextended(h.entity_code, p_run.seed_b)) AS b
    FROM held h
    JOIN birth.birth_registry r ON r.entity_code = h.entity_code AND r.collection_name = p_run.collection_name
    UNION ALL
    SELECT k.sums[1], k.sums[2], k.sums[3]
    FROM birth.birth_act a
    CROSS JOIN LATERAL (SELECT translate(a.detail ->> 'fingerprint', '[]', '{}')::numeric[] AS sums
                        WHERE a.detail ->> 'fingerprint' ~ '^[[][0-9]+(, -?[0-9]+){2}[]]$') k
    WHERE a.act = 'deaths_dropped' AND a.lineage = p_run.lineage AND a.run_id = p_run.run_id
  )
  SELECT ARRAY[sum(p.births), coalesce(sum(p.a), 0), coalesce(sum(p.b), 0)] FROM part p;
$_$;

ALTER FUNCTION birth.fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2) IS 'Purpose DEATH: fingerprint of the deaths that the records hold of a run. Specification: 5.2.';

-- Name: fn_birth_death_set(birth.birth_backfill_ledger_v2, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) RETURNS TABLE(source_rows bigint, existing_births bigint, orphans bigint, dead bigint, unresolvable bigint, duplicates bigint, collisions bigint, foreign_codes text[], missing bigint, fingerprint numeric[], range_fingerprint numeric[], upper text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT c.source_rows, birth.fn_birth_collection_births(p_run.collection_name), c.visited, 0::bigint, 0::bigint,
         0::bigint, 0::bigint, NULL::text[], c.visited, c.fingerprint, c.fingerprint, c.last_key
  FROM birth.fn_birth_death_codes(p_run, NULL, p_rows, false) c;
$$;

ALTER FUNCTION birth.fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) IS 'Purpose DEATH: counts and fingerprint of the births that would end. Specification: 5.2.';

-- Name: fn_birth_death_slice(birth.birth_backfill_ledger_v2, text[], bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) RETURNS TABLE(visited bigint, codes text[], fingerprint numeric[], last_key text[])
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_source_lock(p_run.collection_name);
  RETURN QUERY SELECT c.visited, c.codes, c.fingerprint, c.last_key
    FROM birth.fn_birth_death_codes(p_run, p_after, p_rows, true) c;
END;
$$;

ALTER FUNCTION birth.fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) IS 'Purpose DEATH: the next births to end: visited, codes, fingerprint, last key. Specification: 5.2.';

-- Name: fn_birth_death_undo(birth.birth_backfill_ledger_v2, text[], numeric[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) RETURNS numeric[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_refuse(birth.fn_birth_death_fault(p_run));
  DELETE FROM birth.birth_death d WHERE d.entity_code = ANY (p_codes) AND d.lives = 1;
  UPDATE birth.birth_death d
  SET returned_at = d.died_at, run_id = NULL, manner = 'DELETE', return_allowed_by = NULL, return_allowed_at = NULL
  WHERE d.entity_code = ANY (p_codes);
  RETURN (SELECT ARRAY[count(*), coalesce(sum(hashtextextended(c.code COLLATE "C", p_run.seed_a)), 0),
                       coalesce(sum(hashtextextended(c.code COLLATE "C", p_run.seed_b)), 0)]
          FROM unnest(p_codes) AS c(code));
END;
$$;

ALTER FUNCTION birth.fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) IS 'The undoing of DEATH: removes the deaths of a slice and returns their fingerprint. NB313. Specification: 5.2.';

-- Name: fn_birth_death_undo_slice(birth.birth_backfill_ledger_v2, text[], bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) RETURNS TABLE(visited bigint, codes text[], fingerprint numeric[], last_key text[])
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT count(*), coalesce(array_agg(o.entity_code), '{}'), NULL::numeric[], NULL::text[]
  FROM (SELECT d.entity_code FROM birth.birth_death d WHERE d.run_id = p_run.run_id
        ORDER BY d.entity_code LIMIT p_rows FOR UPDATE) o;
$$;

ALTER FUNCTION birth.fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) IS 'The undoing of DEATH: the next deaths of a run, locked: visited and codes. Specification: 5.2.';

-- Name: fn_birth_death_violations(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_violations() RETURNS TABLE(run_id uuid, violated text, violations bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT d.run_id, 'birth_death: a birth of its collection', count(*)
  FROM birth.birth_death d
  WHERE NOT EXISTS (SELECT FROM birth.birth_registry b
                    WHERE b.entity_code = d.entity_code AND b.collection_name = d.collection_name)
  GROUP BY d.run_id
  UNION ALL
  SELECT d.run_id, 'birth_death: a death run of its collection', count(*)
  FROM birth.birth_death d
  WHERE d.run_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l
                    WHERE l.run_id = d.run_id AND l.collection_name = d.collection_name AND l.purpose = 'DEATH')
  GROUP BY d.run_id
  UNION ALL
  -- What a run found has the time of one of its receipts, and nothing else has.
  SELECT d.run_id, 'birth_death: the time of a receipt', count(*)
  FROM birth.birth_death d
  LEFT JOIN (SELECT DISTINCT r.run_id, r.born_at FROM birth.birth_receipt r WHERE r.purpose = 'DEATH') r
    ON r.run_id = d.run_id AND r.born_at = d.died_at
  WHERE d.run_id IS NOT NULL AND (r.run_id IS NOT NULL) <> (d.manner = 'FOUND')
  GROUP BY d.run_id
  UNION ALL
  -- The triggers see a successor where a code is changed in place; any other was said by a steward.
  SELECT d.run_id, 'birth_death: the act of its successor', count(*)
  FROM birth.birth_death d
  WHERE d.successor IS NOT NULL AND d.manner <> 'REKEY'
    AND NOT EXISTS (SELECT FROM birth.birth_act a
                    WHERE a.act = 'succeed' AND a.detail ->> 'entity_code' = d.entity_code
                      AND a.detail ->> 'successor' = d.successor)
  GROUP BY d.run_id
  UNION ALL
  SELECT d.run_id, 'birth_death: the act of its return', count(*)
  FROM birth.birth_death d
  WHERE d.return_allowed_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_act a
                    WHERE a.act = 'return' AND a.detail ->> 'entity_code' = d.entity_code
                      AND a.actor = d.return_allowed_by)
  GROUP BY d.run_id;
$$;

ALTER FUNCTION birth.fn_birth_death_violations() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_violations(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_violations() IS 'Deaths that births, receipts, the ledger or acts contradict: run, what is violated, how many. Specification: 9.';

-- Name: fn_birth_death_write(birth.birth_backfill_ledger_v2, text[], numeric[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) RETURNS numeric[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $_$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
  v_births bigint;
  v_living bigint;
  v_died bigint;
BEGIN
  SELECT count(*) INTO v_births
  FROM (SELECT FROM birth.birth_registry b
        WHERE b.entity_code = ANY (p_codes) AND b.collection_name = p_run.collection_name
        ORDER BY b.entity_code FOR UPDATE) l;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name;
  SELECT s.living INTO v_living
  FROM birth.fn_birth_scan(format(
    'SELECT count(*) FROM (SELECT %s AS code FROM %s t WHERE %s) s WHERE s.code = ANY ($8)',
    r_identity.code_sql, r_identity.source_sql, birth.fn_birth_life_living(r_collection)), p_codes := p_codes)
  AS s(living bigint);
  PERFORM birth.fn_birth_act_record('refound', p_collection := p_run.collection_name,
    p_detail := jsonb_build_object('run_id', d.run_id, 'codes', d.codes))
  FROM (SELECT d.run_id, jsonb_agg(d.entity_code ORDER BY d.entity_code) AS codes FROM birth.birth_death d
        WHERE d.entity_code = ANY (p_codes) AND d.returned_at IS NOT NULL AND d.run_id IS NOT NULL
        GROUP BY d.run_id) d;
  v_died := birth.fn_birth_life_write(p_run.collection_name, p_codes, 'FOUND', p_run_id := p_run.run_id);
  IF v_living > 0 OR v_births <> cardinality(p_codes) OR v_died <> cardinality(p_codes) THEN
    PERFORM birth.fn_birth_raise('source_changed',
      format('%s codes to end: %s have a living row again, %s have a birth, %s were not dead', cardinality(p_codes),
        v_living, v_births, v_died));
  END IF;
  RETURN p_fingerprint;
END;
$_$;

ALTER FUNCTION birth.fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) IS 'Purpose DEATH: writes the deaths of a slice and returns their fingerprint. NB310. Specification: 5.2.';

-- Name: fn_birth_distributed(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_distributed() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_tables text;
BEGIN
  IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
    EXECUTE $citus$
      SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
      FROM pg_catalog.pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
      WHERE c.relnamespace = 'birth'::regnamespace
    $citus$ INTO v_tables;
  END IF;
  RETURN v_tables;
END;
$_$;

ALTER FUNCTION birth.fn_birth_distributed() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_distributed(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_distributed() IS 'Names of the tables of schema birth that Citus distributes, or NULL. Specification: 10.';

-- Name: fn_birth_dot_freeze(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_dot birth.dot_registry;
BEGIN
  PERFORM birth.fn_birth_actor(
    CASE WHEN pg_has_role(session_user, 'birth_dba', 'MEMBER') THEN 'birth_dba' ELSE 'birth_operator' END,
    'fn_birth_dot_freeze');
  SELECT d.* INTO r_dot FROM birth.dot_registry d WHERE d.dot_name = p_dot OR d.dot_code = p_dot;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('dot_unknown', format('DOT %L', p_dot));
  END IF;
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('freezing %s: p_reason is empty', r_dot.dot_name));
  END IF;
  PERFORM birth.fn_birth_act_record('freeze', p_dot := r_dot.dot_name, p_reason := p_reason);
  RETURN CASE WHEN r_dot.dangerous
    THEN format('%s is dangerous: it was frozen already and stays frozen', r_dot.dot_name)
    ELSE format('SELECT birth.fn_birth_dot_unfreeze(p_dot := %L, p_reason := ''...'');  -- a DBA', r_dot.dot_name) END;
END;
$$;

ALTER FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_dot_freeze(p_dot text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text) IS 'Freezes a DOT, by name or number; returns the next step. Operator or DBA. NB102, NB110, NB111, NB402. Specification: 1, 2.';

-- Name: fn_birth_dot_unfreeze(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_dot_unfreeze(p_dot text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_dot birth.v_birth_dot_status;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_dot_unfreeze');
  SELECT d.* INTO r_dot FROM birth.v_birth_dot_status d WHERE d.dot_name = p_dot OR d.dot_code = p_dot;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('dot_unknown', format('DOT %L', p_dot));
  END IF;
  IF r_dot.dangerous THEN
    PERFORM birth.fn_birth_raise('dot_dangerous', format('%s (%s)', r_dot.dot_name, r_dot.dot_code));
  END IF;
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('unfreezing %s: p_reason is empty', r_dot.dot_name));
  END IF;
  IF NOT r_dot.frozen THEN
    RETURN format('%s is not frozen', r_dot.dot_name);
  END IF;
  PERFORM birth.fn_birth_act_record('unfreeze', p_dot := r_dot.dot_name, p_reason := p_reason,
    p_detail := jsonb_build_object('lifts', to_jsonb(r_dot.freeze_acts)));
  RETURN format('%s may run again', r_dot.dot_name);
END;
$$;

ALTER FUNCTION birth.fn_birth_dot_unfreeze(p_dot text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_dot_unfreeze(p_dot text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_dot_unfreeze(p_dot text, p_reason text) IS 'Lifts the freezes of a DOT, by name or number; returns its new state. DBA. NB102, NB110, NB111, NB402, NB403. Specification: 1, 2.';

-- Name: fn_birth_durable(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_durable() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT set_config('synchronous_commit',
    CASE WHEN 'remote_apply' IN (s.setting, s.reset_val) THEN 'remote_apply' ELSE 'on' END, true)
  FROM pg_settings s WHERE s.name = 'synchronous_commit';
$$;

ALTER FUNCTION birth.fn_birth_durable() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_durable(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_durable() IS 'Pins synchronous_commit for this transaction: remote_apply if that is set, else on. Specification: 6.1 R8.';

-- Name: fn_birth_error(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_error jsonb;
BEGIN
  SELECT pg_catalog.jsonb_build_object(
           'error', e.error, 'code', e.code, 'message', e.message, 'detail', p_detail,
           'hint', coalesce(p_hint, e.hint), 'outcome', e.outcome)
  INTO v_error
  FROM (VALUES
    ('switch_conflict', 'NB101', 'failed',
     'p_dry_run and p_execute contradict each other',
     'to execute, pass p_dry_run := false and p_execute := true'),
    ('bad_argument', 'NB102', 'failed',
     'an argument is missing or out of range',
     'correct the argument named in the detail, then send the statement again'),
    ('unknown_collection', 'NB103', 'failed',
     'the collection is not registered',
     'register it with birth.fn_birth_collection_register, or correct the name'),
    ('policy_not_required', 'NB104', 'failed',
     'the policy of the collection is not BIRTH_REQUIRED',
     'only BIRTH_REQUIRED collections get births; a policy changes by a transition: birth.fn_dot_birth_qt005_plan'),
    ('identity_not_eligible', 'NB105', 'failed',
     'the identity of the collection is not eligible',
     'choose an identity with birth.fn_birth_identity_classify; birth.fn_birth_identity_propose suggests one'),
    ('identity_malformed', 'NB106', 'failed',
     'the identity definition is malformed',
     'see birth.fn_birth_identity_classify for the strategies and the template syntax'),
    ('code_missing', 'NB107', 'failed',
     'an entity code is NULL, blank or longer than 512 bytes',
     'correct the identity columns of these rows, or choose another identity'),
    ('code_foreign', 'NB108', 'failed',
     'an entity code belongs to another collection',
     'set a prefix for one of the two collections with birth.fn_birth_identity_classify, then plan again'),
    ('code_duplicate', 'NB109', 'failed',
     'two rows of the collection have the same entity code',
     'choose an identity that is unique for each row, then plan again'),
    ('role_required', 'NB110', 'failed',
     'the login is not a member of the role that this routine requires',
     'ask a DBA to grant the role, or ask a member to send the statement'),
    ('routine_not_named', 'NB111', 'failed',
     'the statement sent by the client does not name the routine',
     'call the routine directly in the statement, not through a function or a view'),
    ('isolation_level', 'NB112', 'failed',
     'the routine requires isolation level READ COMMITTED',
     'SET default_transaction_isolation = ''read committed'', then send the statement again'),
    ('timeout_would_cut', 'NB113', 'failed',
     'a timeout of the session would cut the run',
     'set it to 0, then send the CALL again'),
    ('source_missing', 'NB114', 'failed',
     'the table does not exist or cannot be a source',
     'create the table, or correct schema and table with birth.fn_birth_collection_register'),
    ('source_privilege', 'NB115', 'failed',
     'birth_definer lacks a privilege on the source table',
     'ask the owner of the table to grant the privilege named in the detail'),
    ('definition_in_use', 'NB116', 'failed',
     'the collection has an open run',
     'finish or compensate the run first'),
    ('transition_required', 'NB117', 'failed',
     'the change needs a governance transition',
     'an operator plans it with birth.fn_dot_birth_qt005_plan; another person judges it, a third one permits it'),
    ('transition_blocked', 'NB118', 'failed',
     'the policy of the collection cannot change so now',
     'mend what the detail names, then send the statement again'),
    ('source_left_traces', 'NB119', 'failed',
     'code on the source table changed the state of this session',
     'disconnect, which releases the locks; ask the owner of the table to remove the code; then send the statement '
     'again'),
    ('read_only', 'NB120', 'stopped',
     'the transaction is read-only, and the routine writes',
     'SET default_transaction_read_only = off, then send the statement again, to the primary where this is a standby'),
    ('collection_in_use', 'NB121', 'failed',
     'the registration of the collection cannot be withdrawn',
     'it stays registered; its policy changes by a transition: birth.fn_dot_birth_qt005_plan'),
    ('permit_unknown', 'NB201', 'failed',
     'the permit does not exist',
     'ask a permit owner to open one with birth.fn_birth_permit_open'),
    ('permit_not_open', 'NB202', 'stopped',
     'the permit is no longer open',
     'a permit can be used once: ask a permit owner to open another'),
    ('permit_expired', 'NB203', 'stopped',
     'the permit has expired',
     'ask a permit owner to open another permit for the same run, then send the same CALL with its id'),
    ('permit_scope', 'NB204', 'failed',
     'the permit is for another collection, run or purpose',
     'use the permit of this collection, run and purpose'),
    ('permit_not_confirmed', 'NB205', 'failed',
     'the permit is not confirmed',
     'ask a reviewer to confirm it with birth.fn_birth_permit_confirm'),
    ('permit_exhausted', 'NB206', 'stopped',
     'the permit has too few rows left',
     'ask a permit owner to open another permit with enough rows'),
    ('permit_terms', 'NB207', 'failed',
     'the terms of the permit are not allowed',
     'pass a positive number of rows, a reason, and an expiry between birth.fn_birth_clock() and seven days from '
     'now; if the server''s clock is behind birth.fn_birth_clock(), correct the clock'),
    ('permit_in_the_way', 'NB208', 'failed',
     'the run already has an open permit',
     'use that permit, or revoke it first'),
    ('separation_of_duties', 'NB209', 'failed',
     'one person cannot hold two conflicting duties in a run',
     'ask another person: planner and executor, reviewer, and permit owner must be different people'),
    ('verdict_missing', 'NB210', 'failed',
     'the run has no current verdict SAFE',
     'ask a reviewer to record one with birth.fn_birth_review_record'),
    ('verdict_malformed', 'NB211', 'failed',
     'the verdict does not fit the run',
     'correct the argument named in the detail'),
    ('home_unconfirmed', 'NB212', 'stopped',
     'this database is a restored or cloned copy that no DBA has confirmed',
     'the original may spend the same permits: stop it or revoke its permits, then a DBA sends here: SELECT '
     'birth.fn_birth_home_confirm(p_reason := ''...'');'),
    ('verdict_stands', 'NB213', 'failed',
     'an earlier verdict NOT_SAFE_NEEDS_FIX is still in force',
     'after the fix, record a new verdict with the id of that verdict in p_supersedes'),
    ('run_unknown', 'NB301', 'failed',
     'the run does not exist',
     'plan one with birth.fn_dot_birth_qt001_plan(p_collection := ''...'', p_dry_run := false)'),
    ('run_status', 'NB302', 'failed',
     'the status of the run does not allow this operation',
     'see birth.v_birth_attention for the next step of the run'),
    ('run_held', 'NB303', 'stopped',
     'another session holds the run',
     'wait for that session, stop the run with birth.fn_birth_run_stop, or ask a DBA to take it over with '
     'birth.fn_birth_run_takeover; to end a session that only holds a lock: SELECT '
     'pg_catalog.pg_terminate_backend(...) with the backend in the detail'),
    ('run_taken_over', 'NB304', 'stopped',
     'another session took over the run',
     'another session runs it: wait, or cancel it with SELECT pg_catalog.pg_cancel_backend(...) and the backend in '
     'the detail'),
    ('plan_stale', 'NB305', 'failed',
     'the plan is out of date',
     'plan again'),
    ('delta_mismatch', 'NB306', 'failed',
     'the expected delta differs from what the run would write',
     'pass the numbers of the plan: p_expected_delta is the smaller of its expected_delta and p_max_rows'),
    ('bound_exceeded', 'NB307', 'failed',
     'p_max_rows is higher than the permit allows',
     'lower p_max_rows, or ask a permit owner to open a permit with more rows'),
    ('parity_broken', 'NB308', 'failed',
     'births and source rows of the collection do not reconcile',
     'see birth.fn_birth_census; if there are orphans, a verdict must accept exactly their number'),
    ('false_done', 'NB309', 'failed',
     'births in the registry do not match the ledger row of the run',
     'do not repair by hand: ask a reviewer to review the run, then compensate or resume it'),
    ('source_changed', 'NB310', 'stopped',
     'source rows changed after the plan',
     'see birth.v_birth_run_source_change, then plan again: what is written already stays'),
    ('stop_requested', 'NB311', 'stopped',
     'a stop of the run was requested',
     'send the same CALL again to continue'),
    ('driver_required', 'NB312', 'failed',
     'only the procedure can execute this run',
     'CALL birth.sp_dot_birth_qt001_apply with the same arguments'),
    ('births_touched', 'NB313', 'failed',
     'what the run wrote was changed or referenced after it',
     'see the detail: what was changed or referenced cannot be undone'),
    ('nothing_to_do', 'NB314', 'failed',
     'there is nothing to do',
     'what the plan asks for is so already'),
    ('alerts_grew', 'NB315', 'failed',
     'new trigger guard alerts were raised during the run',
     'see birth.fn_birth_alerts(), then ask a reviewer to review the run'),
    ('gateway_missing', 'NB316', 'failed',
     'the collection is in mode enforce but has no enabled gateway',
     'attach it with birth.fn_birth_gateway_attach, then plan again: until then, inserted rows get no birth'),
    ('rehearsal_over', 'NB317', 'failed',
     'the rehearsal has finished and is rolled back',
     'internal: birth.fn_dot_birth_qt001_rehearse always catches this error'),
    ('outcome_undone', 'NB318', 'failed',
     'the outcome of the last batch was rolled back',
     'end the session named in the detail; the next CALL then starts an attempt that repeats all checks'),
    ('dot_frozen', 'NB401', 'stopped',
     'the operation is frozen',
     'see birth.v_birth_attention; only a DBA can unfreeze it'),
    ('dot_unknown', 'NB402', 'failed',
     'the operation does not exist',
     'see birth.dot_registry for the names of the operations'),
    ('dot_dangerous', 'NB403', 'failed',
     'a dangerous operation stays frozen',
     'use dot-birth-backfill-plan and dot-birth-backfill-apply, or birth.fn_birth_gateway_attach'),
    ('contract_drift', 'NB404', 'failed',
     'the schema does not match its release',
     'see birth.v_birth_gateway_release_drift_guard for each object and the statement that repairs it'),
    ('stage0_not_enforced', 'NB405', 'failed',
     'a stage 0 guard does not pass',
     'see birth.v_birth_stage0_still_enforced_guard'),
    ('release_in_progress', 'NB406', 'stopped',
     'a release holds the lock of the schema',
     'wait until alembic has finished; to end a session that is not a release: SELECT '
     'pg_catalog.pg_terminate_backend(...) with the backend in the detail'),
    ('release_blocked', 'NB407', 'failed',
     'a run is active',
     'stop it with birth.fn_birth_run_stop, wait for its batch to end, then release'),
    ('not_birth_neutral', 'NB408', 'failed',
     'the release changed births',
     'the release was rolled back; report the revision'),
    ('evidence_kept', 'NB409', 'failed',
     'the downgrade would destroy evidence',
     'export it with: birthdb evidence; then a DBA acknowledges the digests with '
     'birth.fn_birth_evidence_acknowledge; then downgrade again'),
    ('release_privilege', 'NB410', 'failed',
     'the login lacks a privilege that a release needs',
     'ask a role with that right to grant what the detail names'),
    ('release_order', 'NB411', 'failed',
     'the database is at a different release',
     'another release may have come first: see alembic current; generate a script again from that release'),
    ('gateway_in_use', 'NB412', 'failed',
     'the gateway is still attached to tables',
     'ask the owners of the tables to drop the triggers named in the detail, then downgrade again'),
    ('definition_guarded', 'NB413', 'failed',
     'the object is part of the released contract',
     'change it by a release; to repair a drift, a member of birth_dba first sends in the same transaction: SELECT '
     'pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(''birth.release'', 0));'),
    ('server_unknown', 'NB414', 'failed',
     'the release has no contract for this server version',
     'install a newer birthdb, or release on a server version that it supports'),
    ('gate_in_use', 'NB415', 'failed',
     'collections are closed until they are admitted',
     'admit each with birth.fn_birth_gate_admit, or detach it with birth.fn_birth_gateway_detach; then downgrade '
     'again'),
    ('life_in_use', 'NB416', 'failed',
     'life triggers are still attached to tables',
     'detach each with birth.fn_birth_life_detach, then downgrade again'),
    ('registry_distributed', 'NB417', 'failed',
     'a table of birthdb is distributed by Citus',
     'birthdb runs on one server: move the table back with Citus'' undistribute_table, then send the statement again'),
    ('release_unfit', 'NB418', 'failed',
     'this birthdb does not fit the release of the database',
     'install the birthdb that has the release of the database, or release: birthdb alembic upgrade head'),
    ('gateway_no_identity', 'NB501', 'failed',
     'a row cannot get an entity code',
     'set the identity columns of the row; a steward can switch the gateway to observe'),
    ('gateway_foreign', 'NB502', 'failed',
     'the entity code of a row belongs to another collection',
     'give the row another code: this one stays with the collection in the detail, even after its row is deleted; if'
     ' two collections produce the same codes, a steward sets a prefix with birth.fn_birth_identity_classify or '
     'switches the gateway to observe'),
    ('gateway_unregistered', 'NB503', 'failed',
     'the trigger names a collection that is not registered',
     'register the collection with birth.fn_birth_collection_register, or ask the owner to drop the trigger'),
    ('gateway_attached', 'NB504', 'failed',
     'the gateway is already attached to the table',
     'change its mode with birth.fn_birth_gateway_mode'),
    ('gateway_absent', 'NB505', 'failed',
     'the collection has no gateway',
     'attach it with birth.fn_birth_gateway_attach'),
    ('source_claimed', 'NB506', 'failed',
     'the table belongs to another collection',
     'use that collection: one collection covers a table and all its partitions'),
    ('gateway_shadowed', 'NB507', 'failed',
     'a temporary relation hides the transition table of the gateway',
     'drop birth_new_rows from the temporary schema of this session, then insert again'),
    ('not_admitted', 'NB508', 'failed',
     'the collection takes no rows before it is admitted',
     'admit it with birth.fn_birth_gate_admit: a steward who neither registered nor classified it last'),
    ('table_ungated', 'NB509', 'failed',
     'a table of a gated schema is not governed',
     'for each table in the detail send its statement, as a steward and before this transaction ends; then send this'
     ' statement again'),
    ('admission_refused', 'NB510', 'failed',
     'the collection cannot be admitted',
     'see birth.v_birth_gate for its state and next step'),
    ('code_dead', 'NB511', 'failed',
     'the code of a row is dead',
     'give the row a new code; if it is the same thing again, a steward sends before: SELECT '
     'birth.fn_birth_return(p_code := ''...'', p_reason := ''...'');'),
    ('code_taken', 'NB512', 'failed',
     'a row cannot take the code of another row''s birth',
     'give the row a code that was never used; a steward can set the life of the collection back to observe'),
    ('truncate_refused', 'NB513', 'failed',
     'the table of a collection whose life is enforced cannot be truncated',
     'delete the rows instead; a steward can set the life of the collection back to observe with '
     'birth.fn_birth_life_mode'),
    ('not_retired', 'NB514', 'failed',
     'a row that is not retired cannot be deleted',
     'set its life column to a value that means dead, then delete it'),
    ('succession_refused', 'NB515', 'failed',
     'the successor cannot be recorded',
     'the former code is dead, the successor is living, and both are births of one collection'),
    ('fence_late', 'NB516', 'failed',
     'a transaction that has already written cannot record the fence',
     'send it as a separate statement: SELECT birth.fn_birth_gateway_fence();'),
    ('life_unread', 'NB517', 'failed',
     'the table could not be read to see whether a code is still in use',
     'correct what the detail says; a steward can set the life of the collection back to observe'),
    ('life_attached', 'NB518', 'failed',
     'the life triggers are already attached',
     'change the mode with birth.fn_birth_life_mode, or detach them first with birth.fn_birth_life_detach'),
    ('life_absent', 'NB519', 'failed',
     'the collection has no life triggers',
     'attach them with birth.fn_birth_life_attach'),
    ('life_refused', 'NB520', 'failed',
     'the life of the collection cannot be recorded this way',
     'correct what the detail says, then send the statement again'),
    ('code_not_dead', 'NB521', 'failed',
     'the code is not dead',
     'see birth.birth_death for the codes that are'),
    ('birth_absent', 'NB522', 'failed',
     'rows ended that never had a birth',
     'nothing is lost: a backfill gives births to the rows that are left'),
    ('trigger_in_the_way', 'NB523', 'failed',
     'another trigger on the table or on one of its partitions has the name of one that is created',
     'its owner drops or renames it; then attach again')
  ) AS e(error, code, outcome, message, hint)
  WHERE p_error IN (e.error, e.code);

  IF v_error IS NULL THEN
    RAISE EXCEPTION 'there is no such error: %', p_error
      USING ERRCODE = 'undefined_object', HINT = 'add it to sql/errors.toml, then make generate';
  END IF;
  RETURN v_error;
END
$$;

ALTER FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_error(p_error text, p_detail text, p_hint text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text) IS 'One refusal of the catalogue as jsonb: error, code, message, detail, hint, outcome. p_error is its name or its SQLSTATE; p_hint replaces the hint of the catalogue. Raises undefined_object (42704) for anything else. Specification: 8.';

-- Name: fn_birth_evidence(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_evidence(p_table text) RETURNS TABLE(table_name text, rows bigint, digest text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    AS $_$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_class c
    WHERE c.relnamespace = 'birth'::regnamespace AND c.relname = p_table AND c.relkind IN ('r', 'p'))
  THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_table is %s: no table of schema birth',
      coalesce(p_table, 'NULL')));
  END IF;
  -- Two sums over hashes with different seeds: the same in any order, and changes do not cancel out in both.
  RETURN QUERY EXECUTE format($digest$
    SELECT %L::text, count(*), format('%%s:%%s:%%s', count(*),
      coalesce(sum(hashtextextended((t.*)::text, 1)), 0), coalesce(sum(hashtextextended((t.*)::text, 2)), 0))
    FROM birth.%I t $digest$, p_table, p_table);
END;
$_$;

ALTER FUNCTION birth.fn_birth_evidence(p_table text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_evidence(p_table text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_evidence(p_table text) IS 'Row count and order-independent digest (count:sum:sum) of a table of schema birth. NB102 for another table. Specification: 3.';

-- Name: fn_birth_evidence_acknowledge(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

ALTER FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_evidence_acknowledge(p_table text, p_digest text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) IS 'Confirms the export of a table by its digest, so that a downgrade may drop its rows; returns their number. DBA. NB102 (the digest is not the current one), NB110, NB111, NB112. Specification: 3.';

-- Name: fn_birth_finding_acknowledge(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_finding_acknowledge(p_collection text, p_reason text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_rows bigint;
  v_folded jsonb;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_finding_acknowledge');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  IF NOT EXISTS (SELECT FROM birth.collection_registry c WHERE c.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  WITH gone AS (
    DELETE FROM birth.birth_gateway_finding f WHERE f.collection_name = p_collection
    RETURNING f.error, f.row_count, f.found_at, f.inserted_by, f.examples[1] AS example
  ), folded AS (
    SELECT g.error, sum(g.row_count) AS row_count, jsonb_build_object(
             'rows', sum(g.row_count), 'transactions', count(*),
             'first_at', min(g.found_at), 'last_at', max(g.found_at),
             'logins', (array_agg(DISTINCT g.inserted_by))[1:10],
             'examples', coalesce((array_agg(DISTINCT g.example) FILTER (WHERE g.example IS NOT NULL))[1:10], '{}')
           ) AS detail
    FROM gone g GROUP BY g.error
  )
  SELECT sum(f.row_count), jsonb_object_agg(f.error, f.detail) INTO v_rows, v_folded FROM folded f;
  IF v_rows IS NOT NULL THEN
    PERFORM birth.fn_birth_act_record('finding_acknowledged', p_collection := p_collection, p_reason := p_reason,
      p_detail := v_folded);
  END IF;
  RETURN coalesce(v_rows, 0);
END;
$$;

ALTER FUNCTION birth.fn_birth_finding_acknowledge(p_collection text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_finding_acknowledge(p_collection text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_finding_acknowledge(p_collection text, p_reason text) IS 'Folds the findings of a collection into one act (rows, transactions, first and last time, logins, examples by reason) and deletes them; returns the number of rows. Steward. NB102, NB103, NB110, NB111, NB112. Specification: 5.';

-- Name: fn_birth_finding_record(text, text, bigint, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_finding_record(p_collection text, p_error text, p_rows bigint, p_examples text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  INSERT INTO birth.birth_gateway_finding AS f (collection_name, error, row_count, examples)
  SELECT p_collection, p_error, p_rows, coalesce(p_examples[1:10], '{}')
  WHERE p_rows > 0
  ON CONFLICT ON CONSTRAINT birth_gateway_finding_pkey DO UPDATE
  SET row_count = f.row_count + excluded.row_count, times = f.times + 1,
      examples = (f.examples || excluded.examples)[1:10]
  WHERE f.times < 1000;
$$;

ALTER FUNCTION birth.fn_birth_finding_record(p_collection text, p_error text, p_rows bigint, p_examples text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_finding_record(p_collection text, p_error text, p_rows bigint, p_examples text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_finding_record(p_collection text, p_error text, p_rows bigint, p_examples text[]) IS 'Records rows that a trigger let pass, one finding per transaction, collection and reason. Specification: 5, 5.2.';

-- Name: fn_birth_gate(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gate(p_schema text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_tables bigint;
  v_open bigint;
  v_detail text;
BEGIN
  -- A misspelt name would check nothing.
  IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = p_schema OR p_schema IS NULL) THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('schema %L does not exist', p_schema));
  END IF;
  SELECT count(*), count(*) FILTER (WHERE g.open),
         string_agg(format('%I.%I is %s: %s', g.schema_name, g.table_name, g.state, g.next_step), E'\n'
                    ORDER BY g.schema_name, g.table_name) FILTER (WHERE g.open)
  INTO v_tables, v_open, v_detail
  FROM (SELECT v.schema_name, v.table_name, v.state, v.next_step, v.state IN ('UNKNOWN', 'REGISTERED', 'READY') AS open
        FROM birth.v_birth_gate v WHERE v.mode = 'enforce' AND (v.schema_name = p_schema OR p_schema IS NULL)) g;
  IF v_open > 0 THEN
    PERFORM birth.fn_birth_raise('table_ungated', v_detail);
  END IF;
  RETURN v_tables;
END;
$$;

ALTER FUNCTION birth.fn_birth_gate(p_schema text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gate(p_schema text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gate(p_schema text) IS 'Refuses while a table of an enforcing schema, or of p_schema alone, is UNKNOWN, REGISTERED or READY; returns the number of tables. For the end of a migration. NB102; NB509 names each table and its next step. Specification: 5.1.';

-- Name: fn_birth_gate_admit(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gate_admit(p_collection text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
  v_rule CONSTANT jsonb := birth.fn_birth_rule_state(p_collection);
  r_collection birth.collection_registry;
  r_found record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gate_admit');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  ELSIF r_collection.admitted_at IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('admission_refused',
      format('collection %s was admitted as %s by %s at %s', p_collection, r_collection.admitted_how,
        r_collection.admitted_by, r_collection.admitted_at));
  END IF;
  -- The last of each kind of act, by name and by login (R7); the registry's columns for what was loaded without acts.
  IF EXISTS (
    SELECT FROM unnest(ARRAY['register', 'classify']) AS k(act)
    CROSS JOIN LATERAL (SELECT a.actor, a.actor_id FROM birth.birth_act a
                        WHERE a.collection_name = p_collection AND a.act = k.act
                        ORDER BY a.acted_at DESC LIMIT 1) l
    WHERE l.actor = session_user OR l.actor_id = birth.fn_birth_login_id())
    OR session_user IN (r_collection.registered_by, r_collection.classified_by) THEN
    PERFORM birth.fn_birth_raise('separation_of_duties',
      format('%s registered or classified collection %s', session_user, p_collection),
      'ask another steward to admit it');
  END IF;
  SELECT f.how, f.fault, f.next_step INTO r_found FROM birth.fn_birth_gate_read(r_collection) f;
  IF r_found.fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('admission_refused', format('collection %s: %s', p_collection, r_found.fault),
      r_found.next_step);
  END IF;
  UPDATE birth.collection_registry c
  SET gate_closed = false, admitted_at = clock_timestamp(), admitted_by = session_user, admitted_how = r_found.how,
      gate_relation = (SELECT t.oid FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                       WHERE n.nspname = c.schema_name AND t.relname = c.table_name)
  WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('admit', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('how', r_found.how, 'closed', r_collection.gate_closed)
      || CASE WHEN r_found.how IN ('EMPTY', 'PROVEN') THEN v_rule || '{"unborn": 0}' ELSE '{}' END);
  RETURN coalesce(
    (SELECT string_agg(format('DROP TRIGGER %I ON %I.%I;  -- by the table''s owner: it has done its work',
                              t.tgname, m.nspname, l.relname), E'\n' ORDER BY l.oid)
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = r_collection.schema_name
     CROSS JOIN LATERAL (SELECT c.oid AS relid UNION SELECT p.relid FROM pg_partition_tree(c.oid) p) f
     JOIN pg_trigger t ON t.tgrelid = f.relid AND t.tgfoid = to_regprocedure('birth.fn_birth_gate_insert()')
     JOIN pg_class l ON l.oid = f.relid
     JOIN pg_namespace m ON m.oid = l.relnamespace
     WHERE c.relname = r_collection.table_name),
    format('SELECT * FROM birth.v_birth_gate WHERE collection_name OPERATOR(pg_catalog.=) %L;', p_collection));
END;
$$;

ALTER FUNCTION birth.fn_birth_gate_admit(p_collection text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gate_admit(p_collection text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gate_admit(p_collection text, p_reason text) IS 'Admits a collection, by another steward than registered or classified it last; returns the next step. NB102, NB103, NB110, NB111, NB112, NB209, NB510; 55P03 after two seconds. Specification: 5.1.';

-- Name: fn_birth_gate_insert(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gate_insert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF (SELECT bool_or(s.mode = 'enforce') AND bool_and(c.admitted_at IS NULL)
      FROM (SELECT TG_RELID AS relid UNION SELECT a.relid FROM pg_partition_ancestors(TG_RELID) a) f
      JOIN pg_class t ON t.oid = f.relid
      JOIN pg_namespace n ON n.oid = t.relnamespace
      LEFT JOIN birth.birth_gate_scope s ON s.schema_name = n.nspname
      LEFT JOIN birth.collection_registry c ON c.schema_name = n.nspname AND c.table_name = t.relname) THEN
    PERFORM birth.fn_birth_raise('not_admitted', format('table %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME));
  END IF;
  RETURN NEW;
END;
$$;

ALTER FUNCTION birth.fn_birth_gate_insert() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gate_insert(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gate_insert() IS 'Trigger birth_gate of a table that the optional event trigger saw created: NB508 until its collection is admitted. Specification: 5.1.';

-- Name: collection_registry; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.collection_registry (
    collection_name text NOT NULL COLLATE pg_catalog."C",
    schema_name name NOT NULL,
    table_name name NOT NULL,
    coverage_status text NOT NULL,
    governed boolean DEFAULT false NOT NULL,
    birth_code_strategy text,
    birth_code_column text,
    birth_code_prefix text,
    birth_code_template text,
    birth_code_sql text,
    birth_code_row_sql text,
    birth_code_columns text[] DEFAULT '{}'::text[] NOT NULL,
    birth_code_types regtype[] DEFAULT '{}'::regtype[] NOT NULL,
    birth_code_part boolean DEFAULT false NOT NULL,
    birth_code_distinct boolean DEFAULT false NOT NULL,
    gateway_mode text DEFAULT 'observe'::text NOT NULL,
    gateway_owner name,
    rule_version bigint DEFAULT 1 NOT NULL,
    policy_version bigint DEFAULT 1 NOT NULL,
    registered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    registered_by text DEFAULT SESSION_USER NOT NULL,
    classified_at timestamp with time zone,
    classified_by text,
    gate_closed boolean DEFAULT false NOT NULL,
    gate_relation oid,
    admitted_at timestamp with time zone,
    admitted_by text,
    admitted_how text,
    life_mode text DEFAULT 'off'::text NOT NULL,
    life_column text,
    life_dead text[] DEFAULT '{}'::text[] NOT NULL,
    life_key text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT collection_registry_admission CHECK (
CASE
    WHEN (admitted_how IS NULL) THEN ((admitted_at IS NULL) AND (admitted_by IS NULL))
    ELSE ((admitted_how = ANY (ARRAY['EMPTY'::text, 'PROVEN'::text, 'EXEMPT'::text, 'DEFERRED'::text, 'GRANDFATHERED'::text])) AND (admitted_at IS NOT NULL) AND (admitted_by IS NOT NULL) AND (NOT gate_closed))
END),
    CONSTRAINT collection_registry_coverage CHECK (((coverage_status = ANY (ARRAY['BIRTH_REQUIRED'::text, 'BIRTH_DEFERRED_NEEDS_REVIEW'::text])) OR (coverage_status ~ '^BIRTH_EXEMPT_[A-Z0-9_]+$'::text))),
    CONSTRAINT collection_registry_identity CHECK (
CASE birth_code_strategy
    WHEN 'column'::text THEN ((birth_code_column IS NOT NULL) AND (birth_code_prefix IS NULL) AND (birth_code_template IS NULL))
    WHEN 'synthetic_id'::text THEN ((birth_code_column IS NOT NULL) AND (btrim(birth_code_prefix) <> ''::text) AND (birth_code_prefix IS NOT NULL) AND (birth_code_template IS NULL))
    WHEN 'legacy'::text THEN ((birth_code_template IS NOT NULL) AND (birth_code_column IS NULL) AND (birth_code_prefix IS NULL))
    ELSE ((birth_code_strategy IS NULL) AND (birth_code_column IS NULL) AND (birth_code_prefix IS NULL) AND (birth_code_template IS NULL) AND (birth_code_sql IS NULL))
END),
    CONSTRAINT collection_registry_life CHECK (((life_mode = ANY (ARRAY['off'::text, 'observe'::text, 'enforce'::text])) AND ((life_mode = 'off'::text) OR (life_key <> '{}'::text[])) AND ((life_column IS NULL) = (life_dead = '{}'::text[])))),
    CONSTRAINT collection_registry_mode CHECK ((gateway_mode = ANY (ARRAY['observe'::text, 'enforce'::text]))),
    CONSTRAINT collection_registry_name CHECK (((btrim(collection_name) <> ''::text) AND (octet_length(collection_name) <= 63)))
);

ALTER TABLE birth.collection_registry OWNER TO birth_definer;

-- Name: TABLE collection_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.collection_registry IS 'The collections: source table, policy, identity and gateway mode of each. Specification: 4.';

-- Name: COLUMN collection_registry.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.collection_name IS 'Name of the collection; stored in each of its births.';

-- Name: COLUMN collection_registry.schema_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.schema_name IS 'Schema of the source table.';

-- Name: COLUMN collection_registry.table_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.table_name IS 'Name of the source table.';

-- Name: COLUMN collection_registry.coverage_status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.coverage_status IS 'Policy: BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW or BIRTH_EXEMPT_<reason>.';

-- Name: COLUMN collection_registry.governed; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.governed IS 'Whether the collection is governed.';

-- Name: COLUMN collection_registry.birth_code_strategy; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_strategy IS 'Identity: column, synthetic_id or legacy; NULL while unclassified.';

-- Name: COLUMN collection_registry.birth_code_column; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_column IS 'Strategies column and synthetic_id: the column from which the code is made.';

-- Name: COLUMN collection_registry.birth_code_prefix; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_prefix IS 'Strategy synthetic_id: the prefix before the key.';

-- Name: COLUMN collection_registry.birth_code_template; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_template IS 'Strategy legacy: a template, for example APR-{id:06}.';

-- Name: COLUMN collection_registry.birth_code_sql; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_sql IS 'The code as an SQL expression over a row named t, derived by fn_birth_identity_definition at classification; the gateway evaluates it.';

-- Name: COLUMN collection_registry.birth_code_row_sql; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_row_sql IS 'The same as a statement over one row $1; the row-level gateway evaluates it.';

-- Name: COLUMN collection_registry.birth_code_columns; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_columns IS 'The columns that birth_code_sql reads.';

-- Name: COLUMN collection_registry.birth_code_types; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_types IS 'Types of birth_code_columns at classification (int8 for every integer type, text for varchar). If the types are different now, the gateway does not evaluate birth_code_sql.';

-- Name: COLUMN collection_registry.birth_code_part; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_part IS 'Whether the identity is a part of the table''s key, on a steward''s word that no two rows share it; the gateway looks for another row with the code.';

-- Name: COLUMN collection_registry.birth_code_distinct; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_distinct IS 'Whether no two rows can have one code, by the key of the table at classification. Then a row whose code was there already is the one that was there; else the gateway records it.';

-- Name: COLUMN collection_registry.gateway_mode; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.gateway_mode IS 'observe: let every insert through and record what enforce would refuse; enforce: refuse it.';

-- Name: COLUMN collection_registry.gateway_owner; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.gateway_owner IS 'Owner of the table when the gateway was attached. If the table was renamed, its rows get births only if it still has this owner.';

-- Name: COLUMN collection_registry.rule_version; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.rule_version IS 'Incremented by each change of policy, mode or identity, and when the gateway is attached; v_birth_gateway_fence shows whether the change holds.';

-- Name: COLUMN collection_registry.policy_version; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.policy_version IS 'Incremented by each change of coverage_status or governed, so that one that was changed back is noticed too.';

-- Name: COLUMN collection_registry.registered_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.registered_at IS 'When the collection was registered.';

-- Name: COLUMN collection_registry.registered_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.registered_by IS 'Login that registered the collection.';

-- Name: COLUMN collection_registry.classified_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.classified_at IS 'When the identity was last classified.';

-- Name: COLUMN collection_registry.classified_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.classified_by IS 'Login that last classified the identity.';

-- Name: COLUMN collection_registry.gate_closed; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.gate_closed IS 'The gateway refuses every row (NB508) until the collection is admitted. Set when the gateway is attached to an empty table of a schema whose gate enforces.';

-- Name: COLUMN collection_registry.gate_relation; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.gate_relation IS 'OID of the table that was admitted, or got the gateway, last. On another table an admission does not count.';

-- Name: COLUMN collection_registry.admitted_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.admitted_at IS 'When the collection was admitted; NULL: it is not.';

-- Name: COLUMN collection_registry.admitted_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.admitted_by IS 'Login that admitted it.';

-- Name: COLUMN collection_registry.admitted_how; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.admitted_how IS 'EMPTY: its table had no row (QT-003); PROVEN: every row had its birth (QT-003R); EXEMPT, DEFERRED: by its policy; GRANDFATHERED: registered before the gate existed.';

-- Name: COLUMN collection_registry.life_mode; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.life_mode IS 'off: the ends of rows are not recorded; observe: they are, and what enforce would refuse is a finding; enforce: that is refused.';

-- Name: COLUMN collection_registry.life_column; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.life_column IS 'The column by whose value a row is retired; NULL: a row lives as long as it is there.';

-- Name: COLUMN collection_registry.life_dead; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.life_dead IS 'Its values, as text, that mean dead.';

-- Name: COLUMN collection_registry.life_key; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.life_key IS 'The columns of the unique key by which a living row is looked for; empty while no life trigger is attached.';

-- Name: fn_birth_gate_read(birth.collection_registry); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gate_read(p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_name CONSTANT text := p_collection.collection_name;
  v_source CONSTANT text := format('%I.%I', p_collection.schema_name, p_collection.table_name);
  -- Those for the trigger come last: they may end in a comment.
  v_grants CONSTANT text := btrim(birth.fn_birth_source_grants(v_name, 'SELECT') || ' '
                                  || birth.fn_birth_source_grants(v_name, 'TRIGGER'));
  r_identity record;
  r_count record;
  v_filled boolean;
  v_read boolean := false;
BEGIN
  IF starts_with(p_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    how := 'EXEMPT';
    RETURN;
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(v_name);
  next_step := format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);  -- a steward', v_name,
                      CASE p_collection.coverage_status WHEN 'BIRTH_REQUIRED' THEN 'enforce' ELSE 'observe' END);
  fault := CASE
    WHEN NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                     WHERE g.collection_name = v_name AND g.relation = r_identity.relation AND g.enabled)
      THEN format('no enabled gateway on %s', v_source)
    WHEN EXISTS (SELECT FROM birth.v_birth_gateway_gap g WHERE g.collection_name = v_name)
      THEN format('no gateway on partition %s', (SELECT min(g.partition::text) FROM birth.v_birth_gateway_gap g
                                                 WHERE g.collection_name = v_name)) END;
  IF fault IS NOT NULL THEN
    RETURN;
  ELSIF p_collection.coverage_status <> 'BIRTH_REQUIRED' THEN
    how := 'DEFERRED';
    RETURN;
  ELSIF r_identity.code_sql IS NULL THEN
    fault := format('its identity is %s: %s', r_identity.status, r_identity.reason);
    next_step := format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);',
                        p_collection.schema_name, p_collection.table_name);
    RETURN;
  ELSIF v_grants <> '' THEN
    fault := format('privileges are missing to lock and read %s', v_source);
    next_step := 'let the owner of the table: ' || v_grants;
    RETURN;
  END IF;

  BEGIN
    -- By a name that no trigger of the owner's has.
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE INSERT ON %s FOR EACH %s EXECUTE FUNCTION birth.fn_birth_gate_insert()',
      'birth_' || gen_random_uuid(), v_source, (SELECT CASE c.relkind WHEN 'p' THEN 'ROW' ELSE 'STATEMENT' END
                 FROM pg_class c WHERE c.oid = r_identity.relation));
    -- What was disabled while it waited for the lock.
    IF NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                   WHERE g.collection_name = v_name AND g.relation = r_identity.relation AND g.enabled)
       OR EXISTS (SELECT FROM birth.v_birth_gateway_gap g WHERE g.collection_name = v_name) THEN
      fault := format('no enabled gateway on %s, or on a partition of it', v_source);
    ELSE
      SELECT s.filled INTO v_filled
      FROM birth.fn_birth_scan(format('SELECT EXISTS (SELECT FROM %s)', r_identity.source_sql)) AS s(filled boolean);
      IF v_filled THEN
        SELECT m.* INTO r_count FROM birth.fn_birth_measure(v_name, 0, 0) m;
      END IF;
    END IF;
    v_read := true;
    RAISE EXCEPTION 'the lock is released';
  EXCEPTION WHEN raise_exception THEN
    IF NOT v_read THEN
      RAISE;
    END IF;
  END;
  IF fault IS NOT NULL THEN
    RETURN;
  ELSIF NOT v_filled THEN
    how := 'EMPTY';
  ELSIF (r_count.missing, r_count.duplicates, r_count.collisions, r_count.unresolvable, r_count.orphans)
        = (0, 0, 0, 0, 0) THEN
    how := 'PROVEN';
  ELSE
    fault := format('of %s rows %s have no birth, %s no code, %s the code of another row, %s the code of another '
      'collection; %s births have no row', r_count.source_rows, r_count.missing, r_count.unresolvable,
      r_count.duplicates, r_count.collisions, r_count.orphans);
    next_step := format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L);'
                        '  -- an operator; when its run is done, admit again', v_name);
  END IF;
END;
$$;

ALTER FUNCTION birth.fn_birth_gate_read(p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gate_read(p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gate_read(p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text) IS 'On what a collection could be admitted now: how (EMPTY, PROVEN, EXEMPT, DEFERRED), or fault and next step. Specification: 5.1.';

-- Name: fn_birth_gate_scope(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gate_scope(p_schema text, p_mode text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_before text;
  v_unknown text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gate_scope');
  IF p_mode NOT IN ('observe', 'enforce') OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_reason %L', p_mode, p_reason),
      'the mode is observe or enforce, or NULL to take the schema out; and a reason is required');
  END IF;
  SELECT s.mode INTO v_before FROM birth.birth_gate_scope s WHERE s.schema_name = p_schema;
  IF p_mode IS NULL THEN
    DELETE FROM birth.birth_gate_scope s WHERE s.schema_name = p_schema;
    IF NOT FOUND THEN
      PERFORM birth.fn_birth_raise('bad_argument', format('schema %L is not under the gate', p_schema),
        'SELECT * FROM birth.birth_gate_scope;');
    END IF;
  ELSE
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = p_schema AND n.nspname !~ '^pg_'
                   AND n.nspname NOT IN ('information_schema', 'birth', 'birth_guard')) THEN
      PERFORM birth.fn_birth_raise('bad_argument',
        format('schema %L does not exist, or is no schema of the application', p_schema),
        'name a schema that holds tables of the application');
    END IF;
    INSERT INTO birth.birth_gate_scope AS s (schema_name, mode, reason) VALUES (p_schema, p_mode, p_reason)
    ON CONFLICT (schema_name) DO UPDATE
    SET mode = excluded.mode, since = excluded.since, set_by = excluded.set_by, reason = excluded.reason;
    IF p_mode = 'enforce' THEN
      SELECT string_agg(format('%I.%I: %s', g.schema_name, g.table_name, g.next_step), E'\n' ORDER BY g.table_name)
      INTO v_unknown FROM birth.v_birth_gate g WHERE g.schema_name = p_schema AND g.state = 'UNKNOWN';
      IF v_unknown IS NOT NULL THEN
        PERFORM birth.fn_birth_raise('table_ungated', v_unknown,
          'register each table in the detail, then send this statement again');
      END IF;
    END IF;
  END IF;
  PERFORM birth.fn_birth_act_record('gate_scope', p_reason := p_reason,
    p_detail := jsonb_build_object('schema', p_schema, 'mode', p_mode, 'before', v_before));
  RETURN CASE WHEN p_mode IS NULL THEN 'SELECT * FROM birth.birth_gate_scope;'
    ELSE format('SELECT * FROM birth.v_birth_gate WHERE schema_name OPERATOR(pg_catalog.=) %L;', p_schema) END;
END;
$$;

ALTER FUNCTION birth.fn_birth_gate_scope(p_schema text, p_mode text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gate_scope(p_schema text, p_mode text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gate_scope(p_schema text, p_mode text, p_reason text) IS 'Brings a schema under the gate in mode observe or enforce, or takes it out (NULL); returns the next step. Steward. NB102, NB110, NB111, NB112; NB509 names the tables that nobody registered. Specification: 5.1.';

-- Name: fn_birth_gateway_again(text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_again(p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[], OUT refusal jsonb) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
DECLARE
  v_key text[];
  v_column text;
  v_held bigint;
  v_taken bigint;
  v_written bigint;
BEGIN
  born := 0;
  taken := 0;
  -- The usual case: one row of a collection whose ends are not recorded, which was there before and never died.
  IF cardinality(p_codes) = 1 AND current_setting('transaction_isolation') = 'read committed' THEN
    PERFORM FROM birth.collection_registry c JOIN birth.birth_registry b ON b.collection_name = c.collection_name
    WHERE c.collection_name = p_collection AND c.life_key = '{}' AND b.entity_code = p_codes[1]
    FOR KEY SHARE OF b;
    IF FOUND AND NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = p_codes[1]) THEN
      RETURN;
    END IF;
  END IF;
  -- Before births are locked, as a compensation does: deaths may follow in this transaction.
  SELECT c.life_key, c.life_column INTO v_key, v_column
  FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF v_key <> '{}' THEN
    LOCK TABLE birth.birth_death IN ROW EXCLUSIVE MODE;
  END IF;
  -- Bounded: a foreign rule or trigger on the registry that discards births would make this loop endless.
  FOR v_time IN 1 .. 10 LOOP
    SELECT count(*) INTO v_held
    FROM (SELECT FROM birth.birth_registry b
          WHERE b.entity_code = ANY (p_codes) AND b.collection_name = p_collection
          ORDER BY b.entity_code
          FOR KEY SHARE) h;
    SELECT count(*), count(DISTINCT b.entity_code), (array_agg(b.entity_code))[1:10]
    INTO taken, v_taken, examples
    FROM unnest(p_codes) AS c(code),
      -- Not to be turned round: where the registry was small when it was analysed, every code would be compared with
      -- every birth.
      LATERAL (SELECT r.entity_code FROM birth.birth_registry r
               WHERE r.entity_code = c.code AND r.collection_name <> p_collection OFFSET 0) b;
    EXIT WHEN v_held + v_taken = (SELECT count(DISTINCT c.code COLLATE "C") FROM unnest(p_codes) AS c(code));
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT c.code, p_collection, 'QT-002' FROM unnest(p_codes) AS c(code)
    ORDER BY c.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_written = ROW_COUNT;
    born := born + v_written;
  END LOOP;
  -- Where things retire by status, the life trigger knows which of the rows are living.
  IF v_column IS NULL THEN
    refusal := birth.fn_birth_life_return(p_collection, p_codes);
  END IF;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_again(p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[], OUT refusal jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_again(p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[], OUT refusal jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_again(p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[], OUT refusal jsonb) IS 'Locks the births of codes that were there already until the transaction ends, and writes again what was removed meanwhile; says which codes belong to another collection; ends their deaths. NB511. Specification: 5, 5.2.';

-- Name: fn_birth_gateway_attach(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_attach(p_collection text, p_mode text DEFAULT 'observe'::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
  v_source text;
  v_step text;
  r_identity record;
  r_collection birth.collection_registry;
  v_grants text;
  v_by_row boolean;
  v_replicated boolean;
  v_by_id boolean;
  v_same boolean;
  v_closing boolean;
  v_closed boolean := false;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_attach');
  IF p_mode IS NULL OR p_mode NOT IN ('observe', 'enforce') THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L is neither observe nor enforce', p_mode));
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  v_source := format('%I.%I', r_collection.schema_name, r_collection.table_name);
  IF r_identity.relation IS NULL OR r_identity.status = 'BLOCKED_SOURCE' THEN
    PERFORM birth.fn_birth_raise('source_missing', r_identity.reason, s.next_step)
    FROM birth.fn_birth_source_status(p_collection, r_collection.schema_name, r_collection.table_name) s;
  END IF;
  IF p_mode = 'enforce' AND starts_with(r_identity.status, 'BLOCKED_') THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: %s, %s: every insert would be refused', p_collection, r_identity.status,
        r_identity.reason));
  END IF;
  SELECT coalesce(g.repair, (SELECT min(p.repair) FROM birth.v_birth_gateway_gap p
                             WHERE p.collection_name = p_collection),
           format('SELECT birth.fn_birth_gateway_mode(p_collection := %L, p_mode := %L, p_reason := ''...'');'
                  '  -- a steward', p_collection, p_mode)) INTO v_step
  FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection AND g.relation = r_identity.relation;
  IF FOUND THEN
    PERFORM birth.fn_birth_raise('gateway_attached', format('collection %s, table %s', p_collection, v_source), v_step);
  END IF;
  -- PostgreSQL clones the trigger to each partition under its name.
  SELECT format('DROP TRIGGER birth_gateway ON %s;  -- its owner', t.tgrelid::regclass) INTO v_step
  FROM pg_trigger t
  WHERE t.tgname = 'birth_gateway' AND t.tgparentid = 0
    AND t.tgrelid IN (SELECT r_identity.relation UNION SELECT p.relid FROM pg_partition_tree(r_identity.relation) p)
  ORDER BY t.tgrelid LIMIT 1;
  IF FOUND THEN
    PERFORM birth.fn_birth_raise('trigger_in_the_way', format('collection %s, table %s', p_collection, v_source),
      v_step);
  END IF;
  -- An exempt collection may have been admitted before its table was there.
  v_same := coalesce(r_collection.gate_relation = r_identity.relation, r_collection.admitted_at IS NOT NULL);
  v_closing := CASE WHEN v_same THEN r_collection.gate_closed
                    ELSE EXISTS (SELECT FROM birth.birth_gate_scope s
                                 WHERE s.schema_name = r_collection.schema_name AND s.mode = 'enforce') END;
  -- Those for the trigger come last: they may end in a comment.
  v_grants := btrim(CASE WHEN v_closing OR r_collection.birth_code_part
                         THEN birth.fn_birth_source_grants(p_collection, 'SELECT') || ' ' ELSE '' END
                    || birth.fn_birth_source_grants(p_collection, 'TRIGGER'));
  IF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege',
      format('collection %s: privileges are missing for a trigger on %s, or to read its rows', p_collection, v_source),
      'let the owner of the table: ' || v_grants);
  END IF;

  SELECT c.relkind = 'p' OR c.relispartition,
         EXISTS (SELECT FROM birth.fn_birth_replicated_tables(c.oid) r WHERE NOT r.born)
  INTO v_by_row, v_replicated
  FROM pg_class c WHERE c.oid = r_identity.relation;
  v_by_id := NOT v_by_row AND NOT v_replicated AND r_identity.status = 'ELIGIBLE_SYNTHETIC_ID'
             AND r_collection.birth_code_column = 'id';
  EXECUTE format('CREATE TRIGGER birth_gateway AFTER INSERT ON %s %s EXECUTE FUNCTION birth.%I(%L)', v_source,
    CASE WHEN v_by_row OR v_replicated THEN 'FOR EACH ROW'
         ELSE 'REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT' END,
    CASE WHEN v_by_id THEN 'fn_birth_registry_auto_id' ELSE 'fn_birth_registry_auto' END, p_collection);
  IF v_closing THEN
    SELECT NOT s.filled INTO v_closed
    FROM birth.fn_birth_scan(format('SELECT EXISTS (SELECT FROM %s)', v_source)) AS s(filled boolean);
  END IF;
  -- A new version where the mode is as before, too: what found every row born says nothing of the time without gateway.
  UPDATE birth.collection_registry c
  SET gateway_mode = p_mode, rule_version = c.rule_version + 1,
      gateway_owner = (SELECT pg_get_userbyid(t.relowner) FROM pg_class t WHERE t.oid = r_identity.relation),
      gate_closed = v_closed, gate_relation = r_identity.relation,
      admitted_at = CASE WHEN v_same THEN c.admitted_at END, admitted_by = CASE WHEN v_same THEN c.admitted_by END,
      admitted_how = CASE WHEN v_same THEN c.admitted_how END
  WHERE c.collection_name = p_collection
  RETURNING c.rule_version INTO r_collection.rule_version;
  -- CREATE TRIGGER waits for every open writer of the table, so mode and rule hold at once: this act is a fence too.
  PERFORM birth.fn_birth_act_record('attach', p_collection := p_collection,
    p_detail := jsonb_build_object('mode', p_mode, 'rule_version', r_collection.rule_version,
      'closed', v_closed));
  RETURN CASE WHEN v_closed
    THEN format('SELECT birth.fn_birth_gate_admit(p_collection := %L, p_reason := ''...'');'
                '  -- another steward than registered or classified it', p_collection)
    WHEN v_replicated
    THEN format('ALTER TABLE %s ENABLE ALWAYS TRIGGER birth_gateway;'
                '  -- by the table''s owner: replicated rows fire no other trigger', v_source)
    ELSE format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L);', p_collection) END;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_attach(p_collection text, p_mode text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_attach(p_collection text, p_mode text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_attach(p_collection text, p_mode text) IS 'Creates the gateway trigger of a collection in mode observe or enforce, and closes the collection if the gate says so; returns the next step. Steward. NB102, NB103, NB105, NB110, NB111, NB114, NB115, NB504, NB523; 55P03 after two seconds. Specification: 5, 5.1.';

-- Name: fn_birth_gateway_collection(text, oid, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text) RETURNS birth.collection_registry
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  v_usable boolean;
  v_covered boolean;
  v_registered oid;
  v_error jsonb;
BEGIN
  -- A trigger without a transition table would read the session's own relation of that name, and run its code with
  -- birth_definer's rights.
  IF to_regclass('pg_temp.birth_new_rows') IS NOT NULL THEN
    v_error := birth.fn_birth_error('gateway_shadowed', format('pg_temp.birth_new_rows, of backend %s',
      pg_backend_pid()));
  ELSE
    SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
    IF NOT FOUND THEN
      v_error := birth.fn_birth_error('gateway_unregistered',
        format('the trigger on %I.%I names %L', p_schema, p_table, p_collection));
    END IF;
  END IF;
  IF v_error IS NULL THEN
    -- An old snapshot may show an earlier mode, policy or identity. Inserting the row again does nothing, but if the
    -- row was changed since the snapshot it raises 40001. Unlike a row lock it writes nothing and blocks no steward.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      INSERT INTO birth.collection_registry SELECT r_collection.* ON CONFLICT DO NOTHING;
      IF FOUND THEN
        RAISE serialization_failure USING MESSAGE = 'could not serialize access due to concurrent delete';
      END IF;
    END IF;
    SELECT count(*) > 0 AND count(*) = cardinality(r_collection.birth_code_columns) INTO v_usable
    FROM pg_attribute a
    WHERE a.attrelid = p_relation AND a.attname = ANY (r_collection.birth_code_columns::name[])
      AND a.attnum > 0 AND NOT a.attisdropped
      -- The usual types first: each row of a partition comes here.
      AND CASE WHEN a.atttypid IN (20, 21, 23) THEN 20 WHEN a.atttypid = 1043 THEN 25 WHEN a.atttypid < 10000
          THEN a.atttypid ELSE (SELECT y.type FROM birth.fn_birth_type_text(a.atttypid) y) END
          = r_collection.birth_code_types[array_position(r_collection.birth_code_columns, a.attname::text)];
    v_covered := p_table = r_collection.table_name AND p_schema = r_collection.schema_name;
    IF NOT v_covered THEN
      SELECT c.oid INTO v_registered FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = r_collection.schema_name AND c.relname = r_collection.table_name;
      -- A partition, the usual case, is asked first: each of its rows comes here.
      v_covered := (p_relation = v_registered OR pg_partition_root(p_relation) = v_registered) IS TRUE;
      IF NOT v_covered THEN
        v_covered := EXISTS (
          SELECT FROM (SELECT p_relation AS relid UNION ALL SELECT p.relid FROM pg_partition_ancestors(p_relation) p) a
          JOIN pg_class c ON c.oid = a.relid
          WHERE CASE WHEN v_registered IS NULL
                     THEN c.relpersistence <> 't' AND pg_get_userbyid(c.relowner) = r_collection.gateway_owner
                     ELSE c.oid = v_registered END);
      END IF;
    END IF;
    IF r_collection.gate_closed
       AND (r_collection.gate_relation = p_relation
            OR r_collection.gate_relation IN (SELECT a.relid FROM pg_partition_ancestors(p_relation) a)
            OR v_covered
               AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                               WHERE g.relation = r_collection.gate_relation AND g.collection_name = p_collection)
               AND NOT EXISTS (SELECT FROM birth.birth_registry b WHERE b.collection_name = p_collection)) THEN
      v_error := birth.fn_birth_error('not_admitted', format('collection %s, table %I.%I', p_collection, p_schema,
        p_table));
    END IF;
  END IF;
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_error ->> 'code', MESSAGE = v_error ->> 'message', DETAIL = v_error ->> 'detail',
      HINT = v_error ->> 'hint', SCHEMA = p_schema, TABLE = p_table,
      CONSTRAINT = coalesce((SELECT min(g.tgname) FROM pg_trigger g
                             WHERE g.tgrelid = p_relation
                               AND g.tgfoid IN (to_regprocedure('birth.fn_birth_registry_auto()'),
                                                to_regprocedure('birth.fn_birth_registry_auto_id()'))), ''),
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  IF NOT v_usable OR NOT v_covered THEN
    r_collection.birth_code_sql := 'NULL::text';
    r_collection.birth_code_row_sql := 'SELECT NULL::text';
  END IF;
  RETURN r_collection;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text) IS 'The collection of a gateway trigger; its code yields NULL if the trigger is on another table, or an identity column is missing or of another type (int8 stands for every integer, text for varchar). NB503, NB507, NB508; 40001 if the snapshot shows an earlier state of the collection. Specification: 5, 6.1 R2.';

-- Name: fn_birth_gateway_detach(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_detach(p_collection text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
  v_own text;
  v_for_owner text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_detach');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('gateway_absent', format('collection %s', p_collection));
  END IF;
  SELECT string_agg(d.statement, ' ') FILTER (WHERE d.own),
         coalesce(string_agg(d.statement, ' ') FILTER (WHERE NOT d.own), '')
  INTO v_own, v_for_owner
  FROM (SELECT format('DROP TRIGGER %I ON %s;', g.trigger_name, g.relation::regclass) AS statement,
               pg_has_role('birth_definer', g.owner, 'USAGE') AS own
        FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection) d;
  UPDATE birth.collection_registry c
  SET gateway_mode = 'observe', rule_version = c.rule_version + (c.gateway_mode <> 'observe')::integer
  WHERE c.collection_name = p_collection;
  -- The act comes first: with it on record the drop raises no alert (fn_birth_alerts).
  PERFORM birth.fn_birth_act_record('detach', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('for_owner', v_for_owner));
  IF v_own IS NOT NULL THEN
    EXECUTE v_own;
  END IF;
  RETURN CASE v_for_owner WHEN '' THEN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection)
    ELSE v_for_owner || '  -- by the owner of the table' END;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_detach(p_collection text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_detach(p_collection text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_detach(p_collection text, p_reason text) IS 'Drops the gateway triggers of a collection, or returns the statement for the owner of the table; mode becomes observe. Steward. NB102, NB103, NB110, NB111, NB505. Specification: 5, R16.';

-- Name: fn_birth_gateway_fence(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_fence() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_fence');
  IF pg_current_xact_id_if_assigned() IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('fence_late', format('transaction %s wrote before', pg_current_xact_id_if_assigned()));
  END IF;
  -- In one statement: its snapshot, which shows the changes, is taken before the number is assigned.
  PERFORM birth.fn_birth_act_record('fence', p_collection := f.collection_name, p_detail := jsonb_build_object(
    'rule_version', f.rule_version, 'xid', pg_current_xact_id()::text,
    'cluster', (SELECT s.system_identifier::text FROM pg_control_system() s)))
  FROM birth.v_birth_gateway_fence f
  WHERE NOT f.holds;
  RETURN 'SELECT * FROM birth.v_birth_gateway_fence WHERE NOT holds;';
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_fence() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_fence(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_fence() IS 'Records from which transaction on changed modes, policies and identities hold; returns the next step. Send it after the change is committed. Steward. NB110, NB111, NB112, NB516. Specification: 5.';

-- Name: fn_birth_gateway_mode(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_identity record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_mode');
  IF p_mode IS NULL OR p_mode NOT IN ('observe', 'enforce') OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_reason %L', p_mode, p_reason),
      'the mode is observe or enforce, and a reason is required');
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('gateway_absent', format('collection %s', p_collection));
  END IF;
  IF p_mode = 'enforce' THEN
    SELECT i.status, i.reason, coalesce(bool_or(g.enabled), false) AS enabled, max(g.repair) AS repair INTO r_identity
    FROM birth.fn_birth_identity_definition(p_collection) i
    LEFT JOIN birth.v_birth_gateway_trigger g ON g.collection_name = p_collection AND g.relation = i.relation
    GROUP BY i.status, i.reason;
    IF starts_with(r_identity.status, 'BLOCKED_') THEN
      PERFORM birth.fn_birth_raise('identity_not_eligible',
        format('collection %s: %s, %s: every insert would be refused', p_collection, r_identity.status,
          r_identity.reason));
    ELSIF NOT r_identity.enabled THEN
      PERFORM birth.fn_birth_raise('gateway_absent', format('the gateway of collection %s is disabled, or not on its '
        'table', p_collection), r_identity.repair);
    END IF;
  END IF;
  UPDATE birth.collection_registry c
  SET gateway_mode = p_mode, rule_version = c.rule_version + (c.gateway_mode <> p_mode)::integer
  WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('mode', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('mode', p_mode));
  RETURN CASE p_mode
    WHEN 'enforce'
      THEN 'SELECT birth.fn_birth_gateway_fence();  -- a steward, in a new transaction after this one is committed'
    ELSE format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection) END;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text) IS 'Switches a collection''s gateway to observe or enforce, without DDL; returns the next step. Steward. NB102, NB103, NB105, NB110, NB111, NB505. Specification: 5.';

-- Name: fn_birth_gateway_no_code(birth.collection_registry, oid, bigint, bigint, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_no_code(p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_table CONSTANT text := coalesce(pg_partition_root(p_relation), p_relation)::regclass;
  v_reason text;
BEGIN
  -- As fn_birth_gateway_collection says it.
  IF p_collection.birth_code_sql <> 'NULL::text' THEN
    RETURN birth.fn_birth_error('gateway_no_identity',
      format('collection %s: %s', p_collection.collection_name, concat_ws(', ',
        CASE WHEN p_rows > p_long THEN format('%s rows with no value, or a blank one, in %s', p_rows - p_long,
          array_to_string(p_collection.birth_code_columns, ', ')) END,
        CASE WHEN p_long > 0 THEN format('%s rows with a code of more than 512 bytes', p_long) END,
        'such as ' || array_to_string(p_keys, ', '))),
      CASE WHEN p_long = p_rows THEN format('shorten %s: a code has at most 512 bytes',
        array_to_string(p_collection.birth_code_columns, ', ')) END);
  END IF;
  IF NOT EXISTS (
      SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = p_collection.schema_name AND c.relname = p_collection.table_name
        AND (c.oid = p_relation OR c.oid IN (SELECT p.relid FROM pg_partition_ancestors(p_relation) p))) THEN
    RETURN birth.fn_birth_error('gateway_no_identity',
      format('collection %s: %s rows for table %s, but its table is %I.%I', p_collection.collection_name, p_rows,
        v_table, p_collection.schema_name, p_collection.table_name),
      format('insert into the table of the collection, and ask the owner of the other one to send: DROP TRIGGER '
        'birth_gateway ON %s; if it is the right one, a steward registers it with birth.fn_birth_collection_register',
        v_table));
  END IF;
  SELECT i.reason INTO v_reason FROM birth.fn_birth_identity_definition(p_collection.collection_name) i
  WHERE starts_with(i.status, 'BLOCKED_');
  RETURN birth.fn_birth_error('gateway_no_identity',
    format('collection %s: %s rows for table %s, whose columns are not those that were classified: %s',
      p_collection.collection_name, p_rows, v_table,
      coalesce(v_reason, 'they were changed after the snapshot of this transaction was taken')),
    'send the transaction again; if it is refused again, a steward decides the identity anew with '
    'birth.fn_birth_identity_classify, or switches the gateway to observe');
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_no_code(p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_no_code(p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_no_code(p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[]) IS 'The refusal of rows without a code, with the reason: another table, other columns, no value, or a code that is too long. NB501. Specification: 5, 8.';

-- Name: fn_birth_gateway_report(birth.collection_registry, oid, bigint, bigint, bigint, text[], bigint, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_report(p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint, p_examples text[], p_long bigint, p_keys text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_again bigint := p_unborn - p_unresolved - p_taken;
BEGIN
  IF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.gateway_mode = 'enforce' THEN
    IF p_unresolved > 0 THEN
      RETURN birth.fn_birth_gateway_no_code(p_collection, p_relation, p_unresolved, p_long, p_keys);
    ELSIF p_taken > 0 THEN
      RETURN birth.fn_birth_error('gateway_foreign',
        format('collection %s: %s codes, such as %s', p_collection.collection_name, p_taken,
          (SELECT string_agg(format('%L, which belongs to collection %s', b.entity_code, b.collection_name), '; '
                    ORDER BY b.entity_code)
           FROM birth.birth_registry b WHERE b.entity_code = ANY (p_examples[1:3]))));
    END IF;
  END IF;
  -- A code that was there already may be of another row. For a part of the key the trigger has looked.
  IF p_collection.birth_code_distinct OR p_collection.birth_code_part THEN
    v_again := 0;
  END IF;
  IF p_unresolved + p_taken + v_again = 0 THEN
    RETURN NULL;
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, v.error, v.row_count, v.examples)
  FROM (VALUES ('gateway_no_identity', p_unresolved, '{}'::text[]),
               ('gateway_foreign', p_taken, p_examples),
               ('code_duplicate', v_again, '{}'::text[])) AS v(error, row_count, examples)
  WHERE v.row_count > 0;
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_report(p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint, p_examples text[], p_long bigint, p_keys text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_report(p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint, p_examples text[], p_long bigint, p_keys text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_report(p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint, p_examples text[], p_long bigint, p_keys text[]) IS 'The refusal of rows without a birth (required and enforced: NB501, NB502); or NULL, and they are findings, one row per transaction and reason. Records rows that may share another row''s birth. Specification: 5, 6.1 R3, 8.';

-- Name: fn_birth_gateway_shared(birth.collection_registry, oid, text[], text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_shared(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_shared text[];
  v_fault text;
BEGIN
  PERFORM FROM birth.birth_registry b WHERE b.entity_code = ANY (p_codes) ORDER BY b.entity_code FOR NO KEY UPDATE;
  BEGIN
    v_shared := birth.fn_birth_source_look(p_collection, p_relation, p_collection.birth_code_columns, p_codes, p_keys,
      'true', 1);
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR query_canceled OR lock_not_available
      OR insufficient_resources THEN
      RAISE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_fault = MESSAGE_TEXT;
      v_shared := p_codes;
  END;
  IF v_shared = '{}' THEN
    RETURN NULL;
  ELSIF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.gateway_mode = 'enforce' THEN
    RETURN birth.fn_birth_error('code_duplicate',
      format('collection %s: %s codes that another row has, such as %s%s', p_collection.collection_name,
        cardinality(v_shared), (SELECT string_agg(format('%L', e.code), ', ') FROM unnest(v_shared[1:3]) AS e(code)),
        '; the rows could not be read: ' || v_fault),
      CASE WHEN v_fault IS NULL
        THEN 'give the row another code, or delete the other row first and commit; a steward can set the gateway of '
             'the collection back to observe'
        ELSE 'let the owner of the table grant SELECT on it to birth_scanner, and switch row level security off' END);
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, 'code_duplicate', cardinality(v_shared),
    v_shared);
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_birth_gateway_shared(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_shared(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_shared(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) IS 'The refusal of rows whose code another row has, where an identity is a part of the key: NB109; or NULL, and they are findings. Specification: 4, 5.';

-- Name: fn_birth_gateway_statement(text, birth.collection_registry, oid, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_gateway_statement(p_what text, p_collection birth.collection_registry, p_relation oid DEFAULT NULL::oid, p_rows text DEFAULT 'birth_new_rows'::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_column text;
  v_key text[];
BEGIN
  IF p_what = 'insert' THEN
    RETURN format(
      'INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)'
      ' SELECT s.code, $1, ''QT-002'' FROM (SELECT %s AS code FROM birth_new_rows t) s'
      ' WHERE s.code IS NOT NULL ORDER BY s.code', p_collection.birth_code_sql);
  ELSIF p_what = 'apart' THEN
    RETURN format(
      'SELECT coalesce((SELECT b.entity_code FROM birth.birth_registry b WHERE b.entity_code >= c.first'
      ' ORDER BY b.entity_code LIMIT 1) > c.last, true)'
      ' FROM (SELECT min(s.code) AS first, max(s.code) AS last FROM (SELECT %s AS code FROM birth_new_rows t) s) c',
      p_collection.birth_code_sql);
  ELSIF p_what = 'unborn' THEN
    RETURN format(
      'SELECT coalesce(sum(k.unresolved), 0)::bigint AS unresolved, coalesce(sum(a.born), 0)::bigint AS born,'
      ' coalesce(sum(a.taken), 0)::bigint AS taken, min(a.examples) AS examples,'
      ' min(a.refusal::text)::jsonb AS refusal'
      ' FROM ('
      'SELECT array_agg(c.code) FILTER (WHERE c.code IS NOT NULL) AS codes,'
      ' count(*) FILTER (WHERE c.code IS NULL) AS unresolved FROM ('
      'SELECT s.code, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (SELECT %s AS code FROM birth_new_rows t) s'
      ' LEFT JOIN birth.birth_registry b ON b.entity_code = s.code AND b.xmin = pg_current_xact_id()::xid'
      ' AND b.collection_name = $1 WHERE b.entity_code IS NULL) c'
      ' GROUP BY c.chunk ORDER BY c.chunk) k CROSS JOIN LATERAL birth.fn_birth_gateway_again($1, k.codes) a',
      p_collection.birth_code_sql);
  ELSIF p_what IN ('shared', 'shared row') THEN
    RETURN format(
      'SELECT min(birth.fn_birth_gateway_shared($2, $3, k.codes, k.keys)::text)::jsonb'
      ' FROM (SELECT array_agg(c.code) AS codes, array_agg(c.keys) AS keys FROM ('
      'SELECT s.*, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (SELECT DISTINCT %s AS code, ARRAY[%s] AS keys FROM %s t) s WHERE s.code IS NOT NULL) c'
      ' GROUP BY c.chunk ORDER BY c.chunk) k',
      p_collection.birth_code_sql,
      (SELECT string_agg(format((birth.fn_birth_type_text(k.type)).text_sql, 't.' || quote_ident(k.name)), ', ')
       FROM unnest(p_collection.birth_code_columns, p_collection.birth_code_types) AS k(name, type)),
      CASE p_what WHEN 'shared' THEN 'birth_new_rows' ELSE (
        SELECT format('(SELECT %s)', string_agg(format('($1).%1$I AS %1$I', n.name), ', '))
        FROM unnest(p_collection.birth_code_columns) AS n(name)) END);
  ELSIF p_what IN ('keys', 'keys row') THEN
    IF p_collection.birth_code_sql = 'NULL::text' THEN
      RETURN 'SELECT 0, NULL::text[]';
    END IF;
    SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO v_key
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
      AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
    WHERE i.indrelid = p_relation AND i.indisprimary AND current_setting('transaction_isolation') = 'read committed'
      AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relrowsecurity AND (
        c.oid = p_relation OR c.oid IN (SELECT p.relid FROM pg_partition_ancestors(p_relation) p)))
    HAVING bool_and(a.atttypid < 16384 AND has_column_privilege(
      session_user, coalesce(pg_partition_root(p_relation), p_relation), a.attname::text, 'SELECT'));
    RETURN format(
      E'SELECT count(*) FILTER (WHERE r.long), (array_agg(r.key) FILTER (WHERE r.key IS NOT NULL))[1:3] FROM (SELECT'
      ' num_nulls(%1$s) = 0 AND btrim(concat(%1$s), E'' \\t\\n\\r\\f\\x0b'') COLLATE "C" <> '''' AS long, %2$s AS key'
      ' FROM %3$s t WHERE %4$s IS NULL) r',
      (SELECT string_agg(format('t.%I', n.name), ', ') FROM unnest(p_collection.birth_code_columns) AS n(name)),
      coalesce((SELECT format('format(''(%%s)=(%%s)'', %L, left(concat_ws('', '', %s), 60))',
                  string_agg(n.name, ', '), string_agg(format('t.%I', n.name), ', '))
                FROM unnest(v_key) AS n(name) HAVING count(*) > 0), 'NULL::text'),
      CASE p_what WHEN 'keys' THEN 'birth_new_rows' ELSE (
        SELECT format('(SELECT %s)', string_agg(format('($1).%1$I AS %1$I', n.name), ', '))
        FROM (SELECT unnest(p_collection.birth_code_columns) UNION SELECT unnest(v_key)) AS n(name)) END,
      p_collection.birth_code_sql);
  END IF;
  BEGIN
    FOREACH v_column IN ARRAY p_collection.birth_code_columns LOOP
      -- Raises if there is no such column, whatever the snapshot: (row).name would call a function of that name.
      PERFORM has_column_privilege(p_relation, v_column, 'SELECT');
    END LOOP;
  EXCEPTION WHEN undefined_column THEN
    RETURN 'SELECT false';
  END;
  RETURN format(CASE p_what WHEN 'typed row' THEN 'SELECT %s' ELSE 'SELECT %s FROM %I t LIMIT 1' END,
    (SELECT coalesce(string_agg(format(
              '%3$s IN (pg_typeof(%1$s.%2$I)::oid, coalesce((birth.fn_birth_type_text(pg_typeof(%1$s.%2$I))).type, 0))',
              CASE p_what WHEN 'typed row' THEN '($1)' ELSE 't' END, k.name, k.type), ' AND '),
            'false')
     FROM ROWS FROM (unnest(p_collection.birth_code_columns), unnest(p_collection.birth_code_types::oid[]))
       AS k(name, type)), p_rows);
END;
$_$;

ALTER FUNCTION birth.fn_birth_gateway_statement(p_what text, p_collection birth.collection_registry, p_relation oid, p_rows text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_gateway_statement(p_what text, p_collection birth.collection_registry, p_relation oid, p_rows text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_gateway_statement(p_what text, p_collection birth.collection_registry, p_relation oid, p_rows text) IS 'A statement of a gateway function over its new rows: typed, typed row, apart, insert, unborn, shared, shared row, keys or keys row. Specification: 5, 6.1 R2, 8.';

-- Name: fn_birth_home_confirm(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_home_confirm(p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_home birth.v_birth_home;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_home_confirm');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT h.* INTO r_home FROM birth.v_birth_home h;
  PERFORM birth.fn_birth_act_record('home', p_reason := p_reason, p_detail := r_home.home
    || jsonb_build_object('timeline', r_home.timeline));
  RETURN format('permits are spent in database %s again; a run goes on with the CALL it was begun with',
    current_database());
END;
$$;

ALTER FUNCTION birth.fn_birth_home_confirm(p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_home_confirm(p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_home_confirm(p_reason text) IS 'Confirms that this database, and no other copy of it, spends its permits; returns what then holds. DBA. NB102, NB110, NB111.';

-- Name: fn_birth_identity_classify(text, text, text, text, text, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_classify(p_collection text, p_strategy text, p_column text DEFAULT NULL::text, p_prefix text DEFAULT NULL::text, p_template text DEFAULT NULL::text, p_part_of_key boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_identity record;
  v_before text;
  v_fault text;
  v_text bigint := octet_length(p_prefix);
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_identity_classify');
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF (CASE p_strategy
        WHEN 'column' THEN p_column IS NOT NULL AND p_prefix IS NULL AND p_template IS NULL
        WHEN 'synthetic_id' THEN p_column IS NOT NULL AND btrim(p_prefix, E' \t\n\r\f\x0b') <> '' AND p_template IS NULL
        WHEN 'legacy' THEN p_template IS NOT NULL AND p_column IS NULL AND p_prefix IS NULL
      END) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('identity_malformed',
      format('strategy %L, column %L, prefix %L, template %L', left(p_strategy, 80), left(p_column, 80),
        left(p_prefix, 80), left(p_template, 80)),
      'column takes p_column; synthetic_id takes p_column and p_prefix; legacy takes p_template');
  END IF;
  IF p_template IS NOT NULL THEN
    SELECT sum(octet_length(t.literal)) INTO v_text FROM birth.fn_birth_template_parse(p_template) t;
  END IF;
  IF v_text > 512 THEN
    PERFORM birth.fn_birth_raise('identity_malformed', format('the text around the columns has %s bytes', v_text),
      'a code has at most 512 bytes: shorten the prefix or the template');
  END IF;
  PERFORM birth.fn_birth_open_run(p_collection);
  SELECT i.code_sql INTO v_before FROM birth.fn_birth_identity_definition(p_collection) i;

  UPDATE birth.collection_registry c
  SET birth_code_strategy = p_strategy, birth_code_column = p_column, birth_code_prefix = p_prefix,
      birth_code_template = p_template, birth_code_sql = NULL, birth_code_row_sql = NULL, birth_code_columns = '{}',
      birth_code_types = '{}', birth_code_part = p_part_of_key IS TRUE, classified_at = clock_timestamp(),
      classified_by = session_user,
      rule_version = c.rule_version + 1
  WHERE c.collection_name = p_collection;
  r_identity := birth.fn_birth_identity_store(p_collection);
  IF starts_with(r_identity.status, 'BLOCKED_') THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: %s, %s', p_collection, r_identity.status, r_identity.reason),
      (SELECT birth.fn_birth_type_way_out(i.relation, i.columns)
              || '; then birth.fn_birth_identity_propose suggests it'
       FROM birth.fn_birth_identity_definition(p_collection) i));
  END IF;
  v_fault := birth.fn_birth_identity_loss(p_collection, v_before);
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('transition_required', v_fault,
      'a birth is not given another code: choose an identity under which these rows keep theirs');
  END IF;
  PERFORM birth.fn_birth_act_record('classify', p_collection := p_collection,
    p_detail := jsonb_strip_nulls(jsonb_build_object(
      'strategy', p_strategy, 'column', p_column, 'prefix', p_prefix, 'template', p_template,
      'part_of_key', CASE WHEN p_part_of_key THEN true END,
      -- A writer that is open now may commit births under the former identity: v_birth_attention.
      'under_gateway', (SELECT true FROM birth.collection_registry c
                        WHERE c.collection_name = p_collection AND c.birth_code_sql <> v_before
                          AND EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                                      WHERE g.collection_name = p_collection)))));
  RETURN format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L);', p_collection);
END;
$$;

ALTER FUNCTION birth.fn_birth_identity_classify(p_collection text, p_strategy text, p_column text, p_prefix text, p_template text, p_part_of_key boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_classify(p_collection text, p_strategy text, p_column text, p_prefix text, p_template text, p_part_of_key boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_classify(p_collection text, p_strategy text, p_column text, p_prefix text, p_template text, p_part_of_key boolean) IS 'Decides a collection''s identity: column, synthetic_id or legacy; with p_part_of_key a part of the table''s key, where no two rows share it; returns the next step. A code is for good: choose none with personal data. Steward. NB103, NB105, NB106, NB110, NB111, NB115 to NB117. Specification: 4, 4.1, 5.2.';

-- Name: fn_birth_identity_code(birth.collection_registry, oid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_code(p_collection birth.collection_registry, p_relation oid, OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
DECLARE
  v_may_be_blank boolean;
  v_may_be_long boolean;
  v_tests text;
BEGIN
  -- Every strategy is a template: a column alone, a prefix and a column, or the pieces as written.
  WITH piece AS (
    SELECT v.position, v.literal, v.name, NULL::integer AS width
    FROM (VALUES (1, p_collection.birth_code_prefix, NULL), (2, NULL, p_collection.birth_code_column))
      AS v(position, literal, name)
    WHERE p_collection.birth_code_strategy <> 'legacy' AND coalesce(v.literal, v.name) IS NOT NULL
    UNION ALL
    SELECT p.ordinal, p.literal, p.column_name, p.width
    FROM birth.fn_birth_template_parse(p_collection.birth_code_template) p
    WHERE p_collection.birth_code_strategy = 'legacy'
  ), typed AS (
    SELECT p.*, a.attname IS NOT NULL AS present, a.atttypid::regtype AS written, a.attgenerated = 'v' AS is_virtual,
           y.type, format(y.text_sql, 't.' || quote_ident(p.name)) AS text_sql, y.fault
    FROM piece p
    LEFT JOIN pg_attribute a
      ON a.attrelid = p_relation AND a.attname = p.name AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y ON a.attname IS NOT NULL
  )
  SELECT
    string_agg(CASE
      WHEN t.literal IS NOT NULL THEN format('%L', t.literal)
      WHEN t.width IS NULL THEN t.text_sql
      ELSE format(
        '(CASE WHEN t.%1$I < 0 THEN ''-'' ELSE '''' END || lpad(ltrim(t.%1$I::text, ''-''),'
        ' greatest(%2$s - (t.%1$I < 0)::integer, length(ltrim(t.%1$I::text, ''-''))), ''0''))', t.name, t.width)
    END, ' || ' ORDER BY t.position),
    array_agg(DISTINCT t.name) FILTER (WHERE t.name IS NOT NULL),
    (SELECT array_agg(d.type ORDER BY d.name)
     FROM (SELECT DISTINCT n.name, n.type FROM typed n WHERE n.name IS NOT NULL) d),
    birth.fn_birth_code_tells(array_agg(t.literal ORDER BY t.position), array_agg(t.name ORDER BY t.position),
      array_agg(t.type ORDER BY t.position)),
    bool_and(coalesce(btrim(t.literal, E' \t\n\r\f\x0b') = '',
                      t.type IN ('text'::regtype, 'bpchar'::regtype, 'anyenum'::regtype))),
    bool_or(coalesce(t.type IN ('text'::regtype, 'bpchar'::regtype, 'numeric'::regtype), false))
      -- A date or time has up to 29 characters, a label of an enum up to 63 bytes.
      OR sum(coalesce(octet_length(t.literal), CASE t.type WHEN 'int8'::regtype THEN greatest(t.width, 20)
                                                 WHEN 'uuid'::regtype THEN 36 ELSE 63 END)) > 512,
    min(CASE
      WHEN t.name IS NULL THEN NULL
      WHEN NOT t.present THEN format('BLOCKED_NO_COLUMN column %s does not exist', t.name)
      WHEN t.is_virtual
        THEN format('BLOCKED_TYPE column %s is a virtual generated column, which a trigger cannot read', t.name)
      WHEN t.type IS NULL THEN format('BLOCKED_TYPE column %s, of type %s, %s', t.name, t.written, t.fault)
      WHEN t.width IS NOT NULL AND t.type <> 'int8'::regtype
        THEN format('BLOCKED_TYPE only an integer is padded, column %s is %s', t.name, t.written)
    END)
  INTO code_sql, columns, types, told, v_may_be_blank, v_may_be_long, fault
  FROM typed t;
  v_tests := concat_ws(' AND ',
    CASE WHEN v_may_be_long THEN format('octet_length(%s) <= 512', code_sql) END,
    CASE WHEN v_may_be_blank THEN format(
      E'((%1$s) COLLATE "C" >= ''!'' OR btrim(%1$s, E'' \\t\\n\\r\\f\\x0b'') COLLATE "C" <> '''')', code_sql) END);
  code_sql := format(CASE v_tests WHEN '' THEN '(%1$s) COLLATE "C"'
    ELSE '(CASE WHEN %2$s THEN %1$s END) COLLATE "C"' END, code_sql, v_tests);
END;
$_$;

ALTER FUNCTION birth.fn_birth_identity_code(p_collection birth.collection_registry, p_relation oid, OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_code(p_collection birth.collection_registry, p_relation oid, OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_code(p_collection birth.collection_registry, p_relation oid, OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text) IS 'The code of a collection as SQL over a row t, its columns, their types, those that a code tells; or the fault. Specification: 4, R3.';

-- Name: fn_birth_identity_definition(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_definition(p_collection text) RETURNS TABLE(status text, reason text, relation oid, source_sql text, code_sql text, columns text[], types regtype[], key_columns text[], key_types text[], codes_distinct boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET quote_all_identifiers TO 'off'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  r_code record;
BEGIN
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  source_sql := format('%I.%I', r_collection.schema_name, r_collection.table_name);
  SELECT s.status, s.reason, s.relation INTO status, reason, relation
  FROM birth.fn_birth_source_status(p_collection, r_collection.schema_name, r_collection.table_name) s;
  -- The catalogue as the parser sees it, which an old snapshot does not show.
  IF status IS NULL AND (CASE WHEN has_schema_privilege(r_collection.schema_name::text, 'USAGE')
                              THEN to_regclass(source_sql)::oid <> relation END) IS TRUE THEN
    status := 'BLOCKED_NO_TABLE';
    reason := format('table %s was replaced after this snapshot was taken', source_sql);
  END IF;
  IF status IS NULL AND r_collection.birth_code_strategy IS NULL THEN
    status := 'BLOCKED_UNCLASSIFIED';
    reason := 'no identity was decided';
  END IF;
  IF status IS NOT NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;

  SELECT i.* INTO r_code FROM birth.fn_birth_identity_code(r_collection, relation) i;
  columns := r_code.columns;
  types := r_code.types;
  -- The same expression over a column of another type is another code. Until it is classified there are no types.
  IF r_code.fault IS NULL AND r_collection.birth_code_columns = columns AND r_collection.birth_code_types <> types THEN
    r_code.fault := format('BLOCKED_TYPE %s were %s when they were classified, and are %s',
      array_to_string(columns, ', '), array_to_string(r_collection.birth_code_types, ', '),
      array_to_string(types, ', '));
  END IF;
  IF r_code.fault IS NOT NULL THEN
    status := split_part(r_code.fault, ' ', 1);
    reason := substr(r_code.fault, strpos(r_code.fault, ' ') + 1);
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT k.columns, k.types INTO key_columns, key_types
  FROM birth.fn_birth_source_keys(fn_birth_identity_definition.relation) WITH ORDINALITY
    AS k(name, is_primary, columns, types, place)
  WHERE k.columns <@ r_code.columns
  ORDER BY k.place LIMIT 1;
  IF key_columns IS NULL AND r_collection.birth_code_part THEN
    -- A row that a NULL or an unreadable column hides from the key would be left out of a run.
    SELECT k.columns, k.types INTO key_columns, key_types
    FROM birth.fn_birth_source_keys(fn_birth_identity_definition.relation) WITH ORDINALITY
      AS k(name, is_primary, columns, types, place)
    WHERE r_code.columns <@ k.columns AND NOT EXISTS (
      SELECT FROM pg_attribute a CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
      WHERE a.attrelid = fn_birth_identity_definition.relation AND a.attname = ANY (k.columns::name[])
        AND (NOT a.attnotnull OR y.type IS NULL))
    ORDER BY k.place LIMIT 1;
  END IF;
  IF key_columns IS NULL THEN
    status := 'BLOCKED_NO_UNIQUE_KEY';
    reason := format('no unique, immediate, complete index over %s', array_to_string(columns, ', '));
    RETURN NEXT;
    RETURN;
  END IF;

  code_sql := r_code.code_sql;
  -- The key holds while the table is locked: fn_birth_source_lock comes first. A single column is always told. An
  -- identity that is a part of the key is on a steward's word.
  codes_distinct := key_columns <@ columns AND (cardinality(columns) = 1 OR key_columns <@ r_code.told);
  -- A child that is attached at this moment does not belong to the table that was checked.
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind = 'r') THEN
    source_sql := 'ONLY ' || source_sql;
  END IF;
  status := 'ELIGIBLE_' || upper(r_collection.birth_code_strategy COLLATE "C");
  reason := format('scanned by %s', array_to_string(key_columns, ', '));
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_identity_definition(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_definition(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_definition(p_collection text) IS 'The identity of a collection: ELIGIBLE_COLUMN, ELIGIBLE_SYNTHETIC_ID, ELIGIBLE_LEGACY or BLOCKED_..., its code as SQL over a row t, and its scan key. NB103 for an unknown collection. Specification: 4, R2, R3.';

-- Name: fn_birth_identity_hash(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_hash(p_collection text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT encode(sha256(convert_to(jsonb_build_array(
    c.collection_name, c.schema_name, c.table_name, c.coverage_status, c.governed, c.policy_version,
    c.birth_code_strategy, c.birth_code_column,
    c.birth_code_prefix, c.birth_code_template, c.birth_code_sql)::text, 'UTF8')), 'hex')
  FROM birth.collection_registry c
  WHERE c.collection_name = p_collection;
$$;

ALTER FUNCTION birth.fn_birth_identity_hash(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_hash(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_hash(p_collection text) IS 'SHA-256 over policy, identity and table of a collection, to which verdicts and runs are bound. Specification: 6.1 R5.';

-- Name: fn_birth_identity_loss(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_loss(p_collection text, p_code_before text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_grants text;
  r_identity record;
  v_lost bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM birth.birth_registry b WHERE b.collection_name = p_collection) THEN
    RETURN NULL;
  END IF;
  v_grants := birth.fn_birth_source_grants(p_collection, 'SELECT');
  IF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s has births: its rows are counted',
      p_collection), 'let the owner of the table: ' || v_grants);
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  IF p_code_before IS NULL THEN
    SELECT m.missing + m.collisions + m.unresolvable INTO v_lost FROM birth.fn_birth_measure(p_collection, 0, 0) m;
  ELSE
    SELECT s.lost INTO v_lost
    FROM birth.fn_birth_scan(format(
      -- Filtered after the join: statistics from before a backfill say that the collection has no births.
      'SELECT count(*) FROM (SELECT b.collection_name FROM (SELECT %s AS before, %s AS after FROM %s t) s'
      ' JOIN birth.birth_registry b ON b.entity_code = s.before'
      ' WHERE s.after IS DISTINCT FROM s.before OFFSET 0) b WHERE b.collection_name = $1', p_code_before,
      r_identity.code_sql, r_identity.source_sql),
      p_collection := p_collection) AS s(lost bigint);
  END IF;
  RETURN CASE WHEN v_lost > 0 THEN format('%s rows of collection %s would lose their birth', v_lost, p_collection) END;
END;
$_$;

ALTER FUNCTION birth.fn_birth_identity_loss(p_collection text, p_code_before text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_loss(p_collection text, p_code_before text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_loss(p_collection text, p_code_before text) IS 'How many rows would lose their birth by a new identity, in words; NULL when none. NB115. Specification: 4.1.';

-- Name: fn_birth_identity_propose(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_propose(p_schema text, p_table text) RETURNS TABLE(strategy text, "column" text, template text, reason text, next_step text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH named AS (
    SELECT n.collection, s.*
    FROM (SELECT coalesce((SELECT r.collection_name FROM birth.collection_registry r
                           WHERE r.schema_name = p_schema AND r.table_name = p_table), p_table) AS collection) n
    CROSS JOIN LATERAL birth.fn_birth_source_status(n.collection, coalesce(p_schema, '')::name,
      coalesce(p_table, '')::name) s
  ), source AS (
    -- Tables of one name in two schemas get two prefixes.
    SELECT c.oid, r.collection,
           CASE WHEN EXISTS (SELECT FROM pg_class o JOIN pg_namespace m ON m.oid = o.relnamespace
                             WHERE o.relname = c.relname AND o.oid <> c.oid AND o.relkind IN ('r', 'p')
                               AND o.relpersistence <> 't'
                               AND m.nspname NOT IN ('birth', 'pg_catalog', 'information_schema'))
             THEN p_schema || '-' ELSE '' END || c.relname AS prefix
    FROM named r JOIN pg_class c ON c.oid = r.relation
    WHERE r.status IS NULL
  ), key AS (
    SELECT k.is_primary, k.columns AS names, t.complete, t.textual, t.eligible
    FROM source s
    CROSS JOIN LATERAL birth.fn_birth_source_keys(s.oid) k
    CROSS JOIN LATERAL (
      SELECT bool_and(a.attnotnull) AS complete,
             bool_and(y.type IN ('text'::regtype, 'bpchar'::regtype)) AS textual,
             bool_and(a.attgenerated <> 'v' AND y.type IS NOT NULL) AS eligible
      FROM unnest(k.columns) AS n(name) JOIN pg_attribute a ON a.attrelid = s.oid AND a.attname = n.name
      CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
    ) t
  ), gateway AS (
    -- The arguments of a birth trigger; the catalogue keeps them as bytes, each ended by zero. After the collection
    -- come a column, a template, or a prefix and a column.
    SELECT t.tgname, a.arguments, p.proname = 'fn_birth_registry_auto_id' OR cardinality(a.arguments) > 2 AS by_id
    FROM source s
    JOIN pg_trigger t ON t.tgrelid = s.oid
    JOIN pg_proc p ON p.oid = t.tgfoid AND p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
    CROSS JOIN LATERAL (SELECT ARRAY(
      SELECT convert_from(decode(replace(b.hex, ' ', ''), 'hex'), getdatabaseencoding())
      FROM string_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', E'\\1 ', 'g'), '00 ')
        WITH ORDINALITY AS b(hex, position)
      WHERE b.position <= t.tgnargs
      ORDER BY b.position)) AS a(arguments)
    WHERE t.tgnargs > 1
  ), proposal AS (
    SELECT 1 AS rank, false AS is_primary,
           CASE WHEN g.by_id THEN 'synthetic_id' WHEN g.arguments[2] ~ '[{}]' THEN 'legacy'
                ELSE 'column' END AS strategy,
           CASE WHEN g.by_id THEN coalesce(g.arguments[3], 'id')
                WHEN g.arguments[2] !~ '[{}]' THEN g.arguments[2] END AS name,
           g.arguments[2] AS extra,
           format('from the arguments of trigger %s', g.tgname) AS reason
    FROM gateway g
    UNION ALL
    SELECT 2, k.is_primary, 'column', k.names[1], NULL, format('%s is unique, not null and text', k.names[1])
    FROM key k WHERE cardinality(k.names) = 1 AND k.complete AND k.textual AND k.eligible
    UNION ALL
    SELECT 3, k.is_primary, 'synthetic_id', k.names[1], s.prefix || '-',
           format('%s is a key of one column', k.names[1])
    FROM key k, source s WHERE cardinality(k.names) = 1 AND k.eligible AND NOT k.textual
    UNION ALL
    SELECT 4, k.is_primary, 'legacy', NULL,
           replace(replace(s.prefix, '{', '{{'), '}', '}}') || '-{' || array_to_string(k.names, '}/{') || '}',
           format('%s are a key', array_to_string(k.names, ', '))
    FROM key k, source s WHERE cardinality(k.names) > 1 AND k.eligible AND array_to_string(k.names, '') !~ '[{}:]'
    UNION ALL
    -- A key of a partitioned table has the columns that it is partitioned by. What is left of it may be unique too.
    SELECT 5, k.is_primary, CASE WHEN cardinality(r.names) = 1 THEN 'synthetic_id' ELSE 'legacy' END,
           CASE WHEN cardinality(r.names) = 1 THEN r.names[1] END,
           CASE WHEN cardinality(r.names) = 1 THEN s.prefix || '-'
                ELSE replace(replace(s.prefix, '{', '{{'), '}', '}}') || '-{' || array_to_string(r.names, '}/{') || '}'
           END,
           format('%s are a part of the key (%s): only where no two rows share them', array_to_string(r.names, ', '),
             array_to_string(k.names, ', '))
    FROM key k CROSS JOIN source s
    CROSS JOIN LATERAL (
      SELECT array_agg(n.name ORDER BY n.position) AS names
      FROM unnest(k.names) WITH ORDINALITY AS n(name, position)
      WHERE NOT EXISTS (
        SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid
          AND a.attnum = ANY (p.partattrs::smallint[])
        WHERE p.partrelid = s.oid AND a.attname = n.name)
    ) r
    WHERE r.names <> k.names AND k.eligible AND k.complete AND array_to_string(k.names, '') !~ '[{}:]'
  )
  (SELECT p.strategy, p.name,
         CASE p.strategy WHEN 'legacy' THEN p.extra WHEN 'synthetic_id' THEN format('%s{%s}', p.extra, p.name) END,
         p.reason,
         format('SELECT birth.fn_birth_identity_classify(p_collection := %L, p_strategy := %L%s);',
           s.collection, p.strategy,
           CASE p.strategy
             WHEN 'column' THEN format(', p_column := %L', p.name)
             WHEN 'synthetic_id' THEN format(', p_column := %L, p_prefix := %L', p.name, p.extra)
             ELSE format(', p_template := %L', p.extra)
           END || CASE p.rank WHEN 5 THEN ', p_part_of_key := true' ELSE '' END)
  FROM proposal p CROSS JOIN source s
  -- A name may change, the key of the table seldom does.
  ORDER BY p.rank > 1, p.is_primary DESC, p.rank, p.name, p.extra)
  UNION ALL
  SELECT NULL, NULL, NULL, f.reason, f.step
  FROM (
    SELECT CASE WHEN r.status IS NOT NULL THEN r.reason
                WHEN k.named IS NULL THEN 'no unique, immediate, complete index over columns'
                ELSE format('the keys (%s) have columns that may be NULL, whose type is refused, or that a template '
                            'cannot name', k.named) END AS reason,
           CASE WHEN r.relation IS NULL THEN 'create the table, or correct schema and table'
                WHEN r.status IS NOT NULL THEN coalesce(r.next_step, 'choose another table')
                ELSE coalesce(k.way_out, 'let the owner add a unique constraint over columns NOT NULL of an eligible '
                              'type; a stored generated column can be one') END AS step
    FROM named r
    CROSS JOIN (SELECT string_agg(array_to_string(k.names, ', '), '; ') AS named,
                       min(birth.fn_birth_type_way_out(s.oid, k.names)) AS way_out
                FROM key k CROSS JOIN source s) k
  ) f
  WHERE NOT EXISTS (SELECT FROM proposal p CROSS JOIN source s);
$$;

ALTER FUNCTION birth.fn_birth_identity_propose(p_schema text, p_table text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_propose(p_schema text, p_table text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_propose(p_schema text, p_table text) IS 'Proposed identities of a table, best first: strategy, column, template, reason, ready statement. From trigger arguments, unique text columns, keys. Specification: 4.';

-- Name: fn_birth_identity_store(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_identity_store(p_collection text, OUT status text, OUT reason text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_identity record;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  status := r_identity.status;
  reason := r_identity.reason;
  UPDATE birth.collection_registry c
  SET birth_code_sql = r_identity.code_sql, birth_code_columns = r_identity.columns,
      birth_code_row_sql = format('SELECT %s FROM (SELECT %s) AS t', r_identity.code_sql,
        (SELECT string_agg(format('($1).%1$I AS %1$I', n.name), ', ') FROM unnest(r_identity.columns) AS n(name))),
      birth_code_types = r_identity.types, birth_code_distinct = r_identity.codes_distinct AND NOT c.birth_code_part
  WHERE c.collection_name = p_collection AND r_identity.code_sql IS NOT NULL;
END;
$_$;

ALTER FUNCTION birth.fn_birth_identity_store(p_collection text, OUT status text, OUT reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_identity_store(p_collection text, OUT status text, OUT reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_identity_store(p_collection text, OUT status text, OUT reason text) IS 'Stores the expression, columns and types of an eligible identity for the gateway; returns its status and reason. Specification: 4.';

-- Name: fn_birth_is_member(name, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_is_member(p_login name, p_role text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF current_setting('server_version_num')::integer < 160000 THEN
    RETURN pg_has_role(p_login, p_role, 'MEMBER');
  END IF;
  RETURN pg_has_role(p_login, p_role, 'USAGE') OR pg_has_role(p_login, p_role, 'SET');
END;
$$;

ALTER FUNCTION birth.fn_birth_is_member(p_login name, p_role text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_is_member(p_login name, p_role text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_is_member(p_login name, p_role text) IS 'Whether a login can use a role: by inheritance or SET ROLE. Specification: 6.1 R7, R16.';

-- Name: fn_birth_key_lists(text[], text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_key_lists(p_key_columns text[], p_key_types text[] DEFAULT NULL::text[]) RETURNS TABLE(named text, ascending text, descending text, last text, numbered text, after text, upto text)
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  RETURN QUERY
  SELECT string_agg(format('t.%I AS key_%s', k.name, k.position), ', ' ORDER BY k.position),
         string_agg(format('t.%I', k.name), ', ' ORDER BY k.position),
         string_agg(format('t.%I DESC', k.name), ', ' ORDER BY k.position),
         string_agg(format('((array_agg(s.key_%s))[count(*)])::text', k.position), ', ' ORDER BY k.position),
         string_agg(format('max(s.key_%s::text) FILTER (WHERE s.number = $6)', k.position), ', ' ORDER BY k.position),
         format('ROW(%s) > ROW(%s)', string_agg(format('t.%I', k.name), ', ' ORDER BY k.position),
           string_agg(format('($4)[%s]::%s', k.position, k.type), ', ' ORDER BY k.position)),
         format('ROW(%s) <= ROW(%s)', string_agg(format('t.%I', k.name), ', ' ORDER BY k.position),
           string_agg(format('($5)[%s]::%s', k.position, k.type), ', ' ORDER BY k.position))
  FROM unnest(p_key_columns, p_key_types) WITH ORDINALITY AS k(name, type, position);
END;
$_$;

ALTER FUNCTION birth.fn_birth_key_lists(p_key_columns text[], p_key_types text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_key_lists(p_key_columns text[], p_key_types text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_key_lists(p_key_columns text[], p_key_types text[]) IS 'SQL pieces of keyset paging over a source''s key: select, order and aggregate lists, comparisons. Specification: 6.';

-- Name: fn_birth_life_attach(text, text, text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_attach(p_collection text, p_mode text DEFAULT 'observe'::text, p_column text DEFAULT NULL::text, p_dead text[] DEFAULT '{}'::text[]) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $_$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
  r_table record;
  v_column text;
  v_fault text;
  v_grants text;
  v_step text;
  v_changed text;
  v_args text;
  v_leaf oid;
  v_key text[];
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_life_attach');
  IF p_mode IS NULL OR p_mode NOT IN ('observe', 'enforce')
     OR p_dead IS NULL OR array_position(p_dead, NULL) IS NOT NULL OR (p_column IS NULL) <> (p_dead = '{}') THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_column %L, p_dead %L', p_mode, p_column, p_dead),
      'the mode is observe or enforce; p_column and the values in p_dead that mean dead belong together');
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF r_identity.relation IS NULL THEN
    PERFORM birth.fn_birth_raise('source_missing', r_identity.reason);
  ELSIF r_identity.code_sql IS NULL OR r_identity.code_sql IS DISTINCT FROM r_collection.birth_code_sql THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible', format('collection %s: %s, %s', p_collection,
      r_identity.status, r_identity.reason));
  ELSIF EXISTS (SELECT FROM birth.v_birth_life_trigger t
                WHERE t.collection_name = p_collection AND t.relation = r_identity.relation) THEN
    PERFORM birth.fn_birth_raise('life_attached', format('collection %s', p_collection));
  END IF;
  SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'p' OR c.relispartition AS by_row,
         EXISTS (SELECT FROM birth.fn_birth_replicated_tables(c.oid)) AS replicated,
         c.relrowsecurity AND NOT (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = 'birth_scanner') AS hidden
  INTO r_table
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = r_identity.relation;
  IF p_column IS NOT NULL THEN
    v_column := birth.fn_birth_life_column(r_identity.relation, p_column, p_dead);
  END IF;
  -- Where the identity is a part of the table's key, it is the key of the code if the code tells it.
  v_key := CASE
    WHEN r_identity.codes_distinct THEN r_identity.key_columns
    WHEN NOT r_identity.key_columns <@ r_identity.columns
         AND r_identity.columns <@ (birth.fn_birth_identity_code(r_collection, r_identity.relation)).told
      THEN r_identity.columns END;
  v_fault := CASE
    WHEN v_key IS NULL
      THEN format('two rows with different keys (%s) can have one code', array_to_string(r_identity.key_columns, ', '))
    WHEN v_column IS NOT NULL THEN v_column
    WHEN r_table.hidden
      THEN format('row level security of %s would hide rows from birth_scanner', r_table.name)
    WHEN r_table.replicated AND p_mode = 'enforce' THEN 'a refusal would stop the subscription: observe alone'
    WHEN NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                     WHERE g.collection_name = p_collection AND g.relation = r_identity.relation AND g.enabled)
      THEN 'the collection has no enabled gateway, which tells when a code comes back' END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('life_refused', format('collection %s: %s', p_collection, v_fault),
      CASE WHEN r_table.hidden THEN 'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser' END);
  END IF;
  v_grants := birth.fn_birth_source_grants(p_collection, 'SELECT')
              || birth.fn_birth_source_grants(p_collection, 'TRIGGER');
  IF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s: %s', p_collection, r_table.name),
      'let the owner of the table: ' || v_grants);
  END IF;
  SELECT format('DROP TRIGGER %I ON %s;  -- its owner', t.tgname, t.tgrelid::regclass) INTO v_step
  FROM pg_trigger t
  WHERE t.tgname IN ('birth_life_delete', 'birth_life_update', 'birth_life_insert', 'birth_life_truncate')
    AND t.tgparentid = 0
    AND t.tgrelid IN (SELECT r_identity.relation UNION SELECT p.relid FROM pg_partition_tree(r_identity.relation) p)
  ORDER BY t.tgrelid, t.tgname LIMIT 1;
  IF FOUND THEN
    PERFORM birth.fn_birth_raise('trigger_in_the_way', format('collection %s, table %s', p_collection, r_table.name),
      v_step);
  END IF;

  UPDATE birth.collection_registry c
  SET life_mode = p_mode, life_column = p_column, life_dead = p_dead, life_key = v_key
  WHERE c.collection_name = p_collection
  RETURNING c.* INTO r_collection;
  v_args := format('%L, %L', p_collection, birth.fn_birth_life_shape(r_collection));
  SELECT string_agg(format('%s COLLATE "C" IS DISTINCT FROM %s COLLATE "C"',
           format(n.text_sql, format('OLD.%I', n.name)), format(n.text_sql, format('NEW.%I', n.name))), ' OR ')
  INTO v_changed
  FROM (SELECT a.attname AS name, y.text_sql
        FROM pg_attribute a CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
        WHERE a.attrelid = r_identity.relation AND a.attname = ANY (r_collection.birth_code_columns::name[])
        UNION
        SELECT p_column::name, '%1$s::text' WHERE p_column IS NOT NULL) n;
  EXECUTE format('CREATE TRIGGER birth_life_delete AFTER DELETE ON %s %s EXECUTE FUNCTION birth.fn_birth_life_auto(%s)',
    r_table.name, CASE WHEN r_table.by_row OR r_table.replicated THEN 'FOR EACH ROW'
      ELSE 'REFERENCING OLD TABLE AS birth_old_rows FOR EACH STATEMENT' END, v_args);
  EXECUTE format('CREATE TRIGGER birth_life_update AFTER UPDATE ON %s FOR EACH ROW WHEN (%s)'
    ' EXECUTE FUNCTION birth.fn_birth_life_auto(%s)', r_table.name, v_changed, v_args);
  IF p_column IS NOT NULL THEN
    -- After the gateway's, by its name.
    EXECUTE format('CREATE TRIGGER birth_life_insert AFTER INSERT ON %s %s'
      ' EXECUTE FUNCTION birth.fn_birth_life_auto(%s)',
      r_table.name, CASE WHEN r_table.by_row OR r_table.replicated THEN 'FOR EACH ROW'
        ELSE 'REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT' END, v_args);
  END IF;
  FOR v_leaf IN SELECT p.relid FROM pg_partition_tree(r_identity.relation) p WHERE p.isleaf
                UNION SELECT r_identity.relation WHERE NOT EXISTS (SELECT FROM pg_partition_tree(r_identity.relation))
  LOOP
    EXECUTE format('CREATE TRIGGER birth_life_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
      ' EXECUTE FUNCTION birth.fn_birth_life_auto(%s)', v_leaf::regclass, v_args);
  END LOOP;
  PERFORM birth.fn_birth_act_record('life_attach', p_collection := p_collection,
    p_detail := jsonb_build_object('mode', p_mode, 'column', p_column, 'dead', p_dead));
  RETURN CASE WHEN r_table.replicated
    THEN (SELECT string_agg(format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', t.relation::regclass,
                              t.trigger_name), ' ')
          FROM birth.v_birth_life_trigger t WHERE t.collection_name = p_collection)
         || '  -- by the table''s owner: replicated rows fire no other trigger'
    ELSE format('SELECT * FROM birth.fn_dot_birth_qt006_plan(p_collection := %L);'
                '  -- an operator: what ended before', p_collection) END;
END;
$_$;

ALTER FUNCTION birth.fn_birth_life_attach(p_collection text, p_mode text, p_column text, p_dead text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_attach(p_collection text, p_mode text, p_column text, p_dead text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_attach(p_collection text, p_mode text, p_column text, p_dead text[]) IS 'Creates the life triggers of a collection in mode observe or enforce, with the column and values by which rows retire; returns the next step. Steward. NB102, NB103, NB105, NB110, NB111, NB114, NB115, NB518, NB520, NB523; 55P03 after two seconds. Specification: 5.2.';

-- Name: fn_birth_life_auto(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_auto() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
DECLARE
  r_collection birth.collection_registry;
  r_before record;
  r_after record;
  v_rows bigint;
  v_key text;
  v_type oid;
  v_prefix text;
  r_typed birth.collection_registry;
  v_typed boolean;
  v_living bigint;
  v_examples text[];
  v_long bigint;
  v_named text[];
  v_refusal jsonb;
  v_new CONSTANT text := CASE TG_OP WHEN 'INSERT' THEN 'birth_new_rows' ELSE 'birth_old_rows' END;
BEGIN
  IF to_regclass('pg_temp.birth_old_rows') IS NOT NULL THEN
    v_refusal := birth.fn_birth_error('gateway_shadowed', format('pg_temp.birth_old_rows, of backend %s',
      pg_backend_pid()));
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  IF TG_OP = 'DELETE' AND TG_LEVEL = 'STATEMENT' THEN
    -- Without a child table, whose rows the transition table has too.
    SELECT c.birth_code_types[1], coalesce(c.birth_code_prefix, '') INTO v_type, v_prefix
    FROM birth.collection_registry c
    WHERE c.collection_name = TG_ARGV[0] AND c.schema_name = TG_TABLE_SCHEMA AND c.table_name = TG_TABLE_NAME
      AND c.birth_code_column = (pg_identify_object_as_address('pg_class'::regclass, TG_RELID, 1)).object_names[3]
      AND NOT starts_with(c.birth_code_column, '........pg.dropped.')
      AND c.life_mode <> 'off' AND c.life_column IS NULL AND NOT starts_with(c.coverage_status, 'BIRTH_EXEMPT_')
      AND c.life_key = c.birth_code_columns AND NOT c.birth_code_part AND c.birth_code_types[1] IN (20, 25, 1700, 2950)
      AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = TG_RELID);
    IF v_type IS NULL THEN
      IF NOT EXISTS (SELECT FROM birth_old_rows) THEN
        RETURN NULL;
      END IF;
    ELSE
      -- Not cast to text: the planner would run what is constant in a cast of the owner's.
      SELECT count(*), min(CASE WHEN v_type = CASE pg_typeof(s."birth first")::oid WHEN 21 THEN 20 WHEN 23 THEN 20
                                                WHEN 1043 THEN 25 ELSE pg_typeof(s."birth first")::oid END
                           THEN nullif(format('%s', s."birth first"), '') END)
      INTO v_rows, v_key FROM (SELECT t."birth first" FROM birth_old_rows t("birth first") LIMIT 2) s;
      IF v_rows = 0 THEN
        RETURN NULL;
      END IF;
    END IF;
    IF v_rows = 1 AND v_key IS NOT NULL AND current_setting('transaction_isolation') = 'read committed' THEN
      INSERT INTO birth.birth_death AS d (entity_code, collection_name, manner)
      SELECT b.entity_code, b.collection_name, 'DELETE' FROM birth.birth_registry b
      WHERE b.entity_code = v_prefix || v_key AND b.collection_name = TG_ARGV[0]
        AND b.xmax = 0 AND b.born_at < now()
      ON CONFLICT (entity_code) DO UPDATE
      SET died_at = excluded.died_at, died_xid = excluded.died_xid, manner = excluded.manner, successor = NULL,
          returned_at = NULL
      WHERE d.returned_at IS NOT NULL;
      IF FOUND THEN
        RETURN NULL;
      END IF;
    END IF;
  END IF;

  -- A closed table takes no row; that one goes is nothing to refuse.
  IF TG_OP IN ('DELETE', 'TRUNCATE')
     AND EXISTS (SELECT FROM birth.collection_registry c WHERE c.collection_name = TG_ARGV[0] AND c.gate_closed) THEN
    RETURN NULL;
  END IF;
  r_collection := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  IF r_collection.life_mode = 'off' OR starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  -- Columns that were renamed, replaced or classified anew since.
  SELECT count(*) = cardinality(r_collection.birth_code_columns || r_collection.life_column)
           - (r_collection.life_column IS NULL)::integer AND r_collection.life_key <@ r_collection.birth_code_columns,
         min(a.atttypid) FILTER (WHERE a.attname = r_collection.life_column)
  INTO v_typed, v_type
  FROM (SELECT unnest(r_collection.birth_code_columns || r_collection.life_column)) AS n(name)
  JOIN pg_attribute a ON a.attrelid = TG_RELID AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
    AND (a.atttypid < 16384 OR (birth.fn_birth_type_text(a.atttypid)).type IS NOT NULL);
  -- Under an old snapshot the catalogue shows the columns as they were, and the rows have them as they are.
  IF v_typed AND TG_OP <> 'TRUNCATE' AND current_setting('transaction_isolation') <> 'read committed' THEN
    r_typed := r_collection;
    IF v_type IS NOT NULL THEN
      r_typed.birth_code_columns := r_typed.birth_code_columns || r_typed.life_column;
      r_typed.birth_code_types := r_typed.birth_code_types || v_type::regtype;
    END IF;
    IF TG_LEVEL = 'STATEMENT' THEN
      EXECUTE birth.fn_birth_gateway_statement('typed', r_typed, TG_RELID, v_new) INTO v_typed;
    ELSIF TG_OP = 'INSERT' THEN
      EXECUTE birth.fn_birth_gateway_statement('typed row', r_typed, TG_RELID) INTO v_typed USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('typed row', r_typed, TG_RELID) INTO v_typed USING OLD;
    END IF;
  END IF;
  IF NOT v_typed THEN
    v_refusal := birth.fn_birth_life_report(r_collection, 'life_unread', 1,
      ARRAY[format('columns of %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)]);
  ELSIF TG_OP = 'TRUNCATE' THEN
    v_refusal := birth.fn_birth_life_truncate(r_collection, TG_RELID);
  ELSIF TG_LEVEL = 'STATEMENT' THEN
    EXECUTE format(
      'SELECT coalesce(sum(k.living), 0), min(k.examples),'
      ' coalesce(min(birth.fn_birth_life_end($1, $2, k.codes, k.keys, $3)::text), min(CASE WHEN k.back IS NOT NULL'
      ' THEN birth.fn_birth_life_return(($1).collection_name, k.back)::text END))::jsonb'
      ' FROM (SELECT array_agg(r.code) FILTER (WHERE r.ends) AS codes, array_agg(r.keys) FILTER (WHERE r.ends) AS keys,'
      ' array_agg(r.code) FILTER (WHERE NOT r.ends AND r.code IS NOT NULL) AS back,'
      ' count(*) FILTER (WHERE r.living AND r.code IS NOT NULL) AS living,'
      ' (array_agg(r.code) FILTER (WHERE r.living))[1:3] AS examples'
      ' FROM (SELECT s.*, s.code IS NOT NULL AND ($4 OR NOT s.living) AS ends,'
      ' (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (%s FROM %s t) s) r GROUP BY r.chunk ORDER BY r.chunk) k',
      birth.fn_birth_life_row(r_collection, false), v_new)
    INTO v_living, v_examples, v_refusal
    USING r_collection, TG_RELID, CASE TG_OP WHEN 'INSERT' THEN 'STATUS' ELSE 'DELETE' END, TG_OP = 'DELETE';
  ELSIF TG_OP = 'INSERT' THEN
    EXECUTE birth.fn_birth_life_row(r_collection, true) INTO r_after USING NEW;
    IF r_after.living THEN
      v_refusal := birth.fn_birth_life_return(TG_ARGV[0], ARRAY[r_after.code]);
    ELSIF r_after.code IS NOT NULL THEN
      v_refusal := birth.fn_birth_life_end(r_collection, TG_RELID, ARRAY[r_after.code], ARRAY[r_after.keys],
        'STATUS');
    END IF;
  ELSE
    EXECUTE birth.fn_birth_life_row(r_collection, true) INTO r_before USING OLD;
    IF TG_OP = 'UPDATE' THEN
      EXECUTE birth.fn_birth_life_row(r_collection, true) INTO r_after USING NEW;
      -- A row that loses its code is told like one that comes without.
      IF r_after.code IS NULL AND r_before.code IS NOT NULL THEN
        EXECUTE birth.fn_birth_gateway_statement('keys row', r_collection, TG_RELID) INTO v_long, v_named USING NEW;
        v_refusal := birth.fn_birth_gateway_report(r_collection, TG_RELID, 1, 1, 0, '{}', v_long, v_named);
      END IF;
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_change(r_collection, TG_RELID, r_before.code, r_before.keys,
        r_before.living, r_after.code, r_after.keys, r_after.living));
    ELSIF r_before.code IS NOT NULL THEN
      v_refusal := birth.fn_birth_life_end(r_collection, TG_RELID, ARRAY[r_before.code], ARRAY[r_before.keys],
        'DELETE');
      v_living := r_before.living::integer;
      v_examples := ARRAY[r_before.code];
    END IF;
  END IF;
  -- Where things retire by status, a row that was not retired is not deleted. A row that moves to another partition
  -- cannot be told from one that is deleted there, so it is recorded alone.
  IF TG_OP = 'DELETE' AND r_collection.life_column IS NOT NULL THEN
    IF TG_LEVEL = 'ROW' THEN
      PERFORM birth.fn_birth_finding_record(TG_ARGV[0], 'not_retired', v_living, v_examples);
    ELSE
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_report(r_collection, 'not_retired', v_living, v_examples));
    END IF;
  END IF;
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  RETURN NULL;
END;
$_$;

ALTER FUNCTION birth.fn_birth_life_auto() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_auto(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_auto() IS 'Life trigger: records the deaths of rows that are deleted, retired, given another code or truncated. Argument: the collection. In mode enforce NB502, NB511 to NB514, NB517; NB501, NB503, NB507. Specification: 5.2.';

-- Name: fn_birth_life_change(birth.collection_registry, oid, text, text[], boolean, text, text[], boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_change(p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[], p_living_before boolean, p_code text, p_keys text[], p_living boolean) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_name CONSTANT text := p_collection.collection_name;
  v_back boolean;
  r_again record;
  v_refusal jsonb;
BEGIN
  IF p_code IS NOT DISTINCT FROM p_code_before THEN
    IF p_living_before AND NOT p_living THEN
      RETURN birth.fn_birth_life_end(p_collection, p_relation, ARRAY[p_code], ARRAY[p_keys], 'STATUS');
    ELSIF p_living AND NOT p_living_before THEN
      -- As a row that comes again does.
      PERFORM birth.fn_birth_gateway_again(c_name, ARRAY[p_code]);
      RETURN birth.fn_birth_life_return(c_name, ARRAY[p_code]);
    END IF;
    RETURN NULL;
  END IF;

  INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
  SELECT p_code, c_name, 'QT-002' WHERE p_code IS NOT NULL
  ON CONFLICT (entity_code) DO NOTHING;
  IF NOT FOUND AND p_code IS NOT NULL THEN
    SELECT d.successor = p_code_before INTO v_back
    FROM birth.birth_death d WHERE d.entity_code = p_code AND d.returned_at IS NULL;
    -- Dead, and not this row's own former code of this transaction: told by fn_birth_life_return.
    SELECT * INTO r_again FROM birth.fn_birth_gateway_again(c_name, ARRAY[p_code]);
    v_refusal := r_again.refusal;
    IF p_living AND p_collection.life_column IS NOT NULL THEN
      v_refusal := birth.fn_birth_life_return(c_name, ARRAY[p_code]);
    END IF;
    IF r_again.taken > 0 THEN
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_report(p_collection, 'gateway_foreign', 1, ARRAY[p_code]));
    ELSIF r_again.born = 0 AND v_back IS NOT TRUE THEN
      v_refusal := coalesce(v_refusal, birth.fn_birth_life_report(p_collection, 'code_taken', 1, ARRAY[p_code]));
    END IF;
  END IF;
  IF p_code_before IS NOT NULL THEN
    v_refusal := coalesce(v_refusal, birth.fn_birth_life_end(p_collection, p_relation, ARRAY[p_code_before],
      ARRAY[p_keys_before], 'REKEY', CASE WHEN p_living THEN p_code END));
  END IF;
  IF p_code IS NOT NULL AND NOT p_living THEN
    v_refusal := coalesce(v_refusal,
      birth.fn_birth_life_end(p_collection, p_relation, ARRAY[p_code], ARRAY[p_keys], 'STATUS'));
  END IF;
  RETURN v_refusal;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_change(p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[], p_living_before boolean, p_code text, p_keys text[], p_living boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_change(p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[], p_living_before boolean, p_code text, p_keys text[], p_living boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_change(p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[], p_living_before boolean, p_code text, p_keys text[], p_living boolean) IS 'What follows from a change of a row''s code or life column: birth, death with a successor, retirement or return; or the refusal in mode enforce: NB502, NB511, NB512, NB517. Specification: 5.2.';

-- Name: fn_birth_life_column(oid, text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_column(p_relation oid, p_column text, p_dead text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_id oid;
  v_type text;
  v_dead text;
  v_text text;
BEGIN
  SELECT a.atttypid, format_type(a.atttypid, a.atttypmod) INTO v_id, v_type FROM pg_attribute a
  WHERE a.attrelid = p_relation AND a.attname = p_column AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated <> 'v';
  IF v_id IS NULL THEN
    RETURN format('column %s does not exist or is virtual', p_column);
  ELSIF v_id NOT IN ('bool'::regtype, '"char"'::regtype, 'name'::regtype, 'int2'::regtype, 'int4'::regtype,
                     'int8'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'numeric'::regtype,
                     'uuid'::regtype) THEN
    RETURN format('the text of column %s depends on settings or code (type %s): a generated column can tell it',
      p_column, v_type);
  END IF;
  FOREACH v_dead IN ARRAY p_dead LOOP
    BEGIN
      EXECUTE format('SELECT %L::%s::text', v_dead, v_type) INTO v_text;
    EXCEPTION WHEN data_exception THEN
      v_text := NULL;
    END;
    IF v_text COLLATE "C" IS DISTINCT FROM v_dead COLLATE "C" THEN
      RETURN format('no value of column %s (type %s) reads %L%s', p_column, v_type, v_dead,
        CASE WHEN v_text IS NOT NULL THEN format('; it would read %L', v_text) END);
    END IF;
  END LOOP;
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_column(p_relation oid, p_column text, p_dead text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_column(p_relation oid, p_column text, p_dead text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_column(p_relation oid, p_column text, p_dead text[]) IS 'Why rows cannot retire by a column with these dead values; NULL when they can. Specification: 5.2.';

-- Name: fn_birth_life_detach(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_detach(p_collection text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
  v_own text;
  v_for_owner text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_life_detach');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  SELECT string_agg(d.statement, ' ') FILTER (WHERE d.own),
         coalesce(string_agg(d.statement, ' ') FILTER (WHERE NOT d.own), '')
  INTO v_own, v_for_owner
  FROM (SELECT format('DROP TRIGGER %I ON %s;', t.trigger_name, t.relation::regclass) AS statement,
               pg_has_role('birth_definer', t.owner, 'USAGE') AS own
        FROM birth.v_birth_life_trigger t WHERE t.collection_name = p_collection) d;
  IF v_own IS NULL AND v_for_owner = '' THEN
    PERFORM birth.fn_birth_raise('life_absent', format('collection %s', p_collection));
  END IF;
  UPDATE birth.collection_registry c
  SET life_mode = 'off', life_column = NULL, life_dead = '{}', life_key = '{}'
  WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('life_detach', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('for_owner', v_for_owner));
  IF v_own IS NOT NULL THEN
    EXECUTE v_own;
  END IF;
  RETURN CASE v_for_owner WHEN '' THEN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection)
    ELSE v_for_owner || '  -- by the owner of the table' END;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_detach(p_collection text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_detach(p_collection text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_detach(p_collection text, p_reason text) IS 'Drops the life triggers of a collection, or returns the statements for the owner of the table; life becomes off. Steward. NB102, NB103, NB110, NB111, NB519. Specification: 5.2.';

-- Name: fn_birth_life_end(birth.collection_registry, oid, text[], text[], text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_end(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text, p_successor text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  c_name CONSTANT text := p_collection.collection_name;
  v_dead text[];
  v_codes text[];
  v_unborn text[];
  v_foreign text[];
  v_fault text;
  v_refusal jsonb;
BEGIN
  LOCK TABLE birth.birth_death IN ROW EXCLUSIVE MODE;
  SELECT array_agg(c.code) FILTER (WHERE b.quiet AND b.own), array_agg(c.code) FILTER (WHERE NOT b.quiet AND b.own),
         array_agg(c.code) FILTER (WHERE b.own IS NULL), array_agg(c.code) FILTER (WHERE NOT b.own)
  INTO v_dead, v_codes, v_unborn, v_foreign
  FROM unnest(p_codes) AS c(code)
  LEFT JOIN (SELECT r.entity_code, r.collection_name = c_name AS own, r.xmax = 0 AND r.born_at < now()
               AND NOT p_collection.birth_code_part
               AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = p_relation) AS quiet
             FROM birth.birth_registry r) b ON b.entity_code = c.code
  WHERE c.code IS NOT NULL;
  IF v_codes IS NOT NULL THEN
    BEGIN
      v_dead := v_dead || ARRAY(
        SELECT unnest(v_codes)
        EXCEPT SELECT unnest(birth.fn_birth_life_look(p_collection, p_relation, p_codes, p_keys)));
    EXCEPTION
      WHEN serialization_failure OR deadlock_detected OR query_canceled THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_fault = MESSAGE_TEXT;
        v_refusal := birth.fn_birth_life_report(p_collection, 'life_unread', cardinality(v_codes), ARRAY[v_fault]);
    END;
  END IF;
  PERFORM birth.fn_birth_life_write(c_name, v_dead, p_manner, p_successor);
  IF v_refusal IS NOT NULL OR p_collection.coverage_status <> 'BIRTH_REQUIRED' THEN
    RETURN v_refusal;
  END IF;
  PERFORM birth.fn_birth_finding_record(c_name, 'gateway_foreign', cardinality(v_foreign), v_foreign);
  IF v_unborn IS NOT NULL THEN
    SELECT birth.fn_birth_life_end(p_collection, p_relation, array_agg(l.code ORDER BY c.number), p_keys, p_manner,
      p_successor)
    INTO v_refusal
    FROM unnest(p_codes) WITH ORDINALITY AS c(code, number)
    LEFT JOIN unnest(birth.fn_birth_life_unborn(c_name, v_unborn)) AS l(code) ON l.code = c.code
    HAVING count(l.code) > 0;
  END IF;
  RETURN v_refusal;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_end(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text, p_successor text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_end(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text, p_successor text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_end(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text, p_successor text) IS 'Writes the deaths of those of the codes that no living row has any more. NB517 in mode enforce. Specification: 5.2.';

-- Name: fn_birth_life_living(birth.collection_registry); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_living(p_collection birth.collection_registry) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE WHEN p_collection.life_column IS NULL THEN 'true'
    ELSE format('((t.%I::text COLLATE "C" = ANY (%L::text[])) IS NOT TRUE)', p_collection.life_column,
           p_collection.life_dead) END;
$$;

ALTER FUNCTION birth.fn_birth_life_living(p_collection birth.collection_registry) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_living(p_collection birth.collection_registry); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_living(p_collection birth.collection_registry) IS 'The condition, over a row t, under which it is living. Specification: 5.2.';

-- Name: fn_birth_life_look(birth.collection_registry, oid, text[], text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_look(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_living CONSTANT text[] := birth.fn_birth_source_look(p_collection, p_relation, p_collection.life_key, p_codes,
    p_keys, birth.fn_birth_life_living(p_collection), 0);
BEGIN
  RETURN coalesce(v_living, '{}');
END;
$$;

ALTER FUNCTION birth.fn_birth_life_look(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_look(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_look(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) IS 'Those of the codes that have a living row now, looked up by key. NB119. Specification: 5.2.';

-- Name: fn_birth_life_mode(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_mode(p_collection text, p_mode text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  v_fault text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_life_mode');
  IF p_mode IS NULL OR p_mode NOT IN ('off', 'observe', 'enforce') OR p_reason IS NULL
     OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_reason %L', p_mode, p_reason),
      'the mode is off, observe or enforce, and a reason is required');
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  ELSIF r_collection.life_key = '{}' THEN
    PERFORM birth.fn_birth_raise('life_absent', format('collection %s', p_collection));
  END IF;
  v_fault := CASE
    WHEN p_mode <> 'enforce' THEN NULL
    WHEN EXISTS (SELECT FROM birth.v_birth_life l WHERE l.collection_name = p_collection AND l.fault IS NOT NULL)
      THEN 'its triggers are missing, disabled, or of another identity: detach and attach'
    WHEN EXISTS (SELECT FROM birth.v_birth_life_trigger t
                 CROSS JOIN LATERAL birth.fn_birth_replicated_tables(t.relation) r
                 WHERE t.collection_name = p_collection)
      THEN 'a refusal would stop the subscription: observe alone' END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('life_refused', format('collection %s: %s', p_collection, v_fault));
  END IF;
  UPDATE birth.collection_registry c SET life_mode = p_mode WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('life_mode', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('mode', p_mode, 'before', r_collection.life_mode));
  RETURN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection);
END;
$$;

ALTER FUNCTION birth.fn_birth_life_mode(p_collection text, p_mode text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_mode(p_collection text, p_mode text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_mode(p_collection text, p_mode text, p_reason text) IS 'Switches the life of a collection to off, observe or enforce; returns the next step. Steward. NB102, NB103, NB110, NB111, NB519, NB520. Specification: 5.2.';

-- Name: fn_birth_life_report(birth.collection_registry, text, bigint, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_report(p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[] DEFAULT '{}'::text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF p_rows > 0 AND p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.life_mode = 'enforce' THEN
    RETURN birth.fn_birth_error(p_error, format('collection %s: %s', p_collection.collection_name, CASE
      -- Of these the example is no code: it names the table, or says what could not be read.
      WHEN p_error IN ('truncate_refused', 'life_unread') THEN p_examples[1]
      ELSE format('%s rows%s', p_rows, (
        SELECT ', such as ' || string_agg(format('%L', e.example) || CASE p_error WHEN 'gateway_foreign'
                 THEN coalesce((SELECT ', which belongs to collection ' || b.collection_name
                                FROM birth.birth_registry b WHERE b.entity_code = e.example), '') ELSE '' END, ', ')
        FROM unnest(p_examples[1:3]) AS e(example) WHERE e.example IS NOT NULL)) END));
  END IF;
  PERFORM birth.fn_birth_finding_record(p_collection.collection_name, p_error, p_rows, p_examples);
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_report(p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_report(p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_report(p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[]) IS 'The refusal of what a life trigger found (required and enforced), naming up to three; or NULL, and it is a finding. Specification: 5.2, 8.';

-- Name: fn_birth_life_return(text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_return(p_collection text, p_codes text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  v_alive bigint;
  v_own text[];
  v_later text[];
  v_denied text[];
  v_refusal jsonb;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    BEGIN
      INSERT INTO birth.birth_death (entity_code, collection_name, manner)
      SELECT c.code, p_collection, 'DELETE' FROM unnest(p_codes) AS c(code)
      WHERE c.code IS NOT NULL ORDER BY c.code COLLATE "C"
      ON CONFLICT (entity_code) DO NOTHING;
      GET DIAGNOSTICS v_alive = ROW_COUNT;
      RAISE EXCEPTION 'the probe is rolled back';
    EXCEPTION WHEN raise_exception THEN
      NULL;
    END;
    IF v_alive = (SELECT count(DISTINCT c.code COLLATE "C") FROM unnest(p_codes) AS c(code)) THEN
      RETURN NULL;
    END IF;
  END IF;
  SELECT array_agg(l.entity_code) FILTER (WHERE l.own), array_agg(l.entity_code) FILTER (WHERE NOT l.own),
         array_agg(l.entity_code) FILTER (WHERE NOT l.own AND l.return_allowed_at IS NULL)
  INTO v_own, v_later, v_denied
  FROM (
    SELECT d.entity_code, d.return_allowed_at,
           (d.died_xid = pg_current_xact_id_if_assigned() AND d.died_at = now()) IS TRUE AS own
    FROM birth.birth_death d
    WHERE d.entity_code = ANY (p_codes) AND d.collection_name IS NOT DISTINCT FROM p_collection
      AND d.returned_at IS NULL
    ORDER BY d.entity_code FOR UPDATE) l;
  IF v_own IS NOT NULL THEN
    DELETE FROM birth.birth_death d WHERE d.entity_code = ANY (v_own) AND d.lives = 1;
    UPDATE birth.birth_death d
    SET returned_at = d.died_at, successor = NULL, return_allowed_by = NULL, return_allowed_at = NULL
    WHERE d.entity_code = ANY (v_own);
  END IF;
  IF v_later IS NOT NULL THEN
    SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
    v_refusal := birth.fn_birth_life_report(r_collection, 'code_dead', cardinality(v_denied), v_denied);
    UPDATE birth.birth_death d
    SET returned_at = now(), lives = d.lives + 1, return_allowed_by = NULL, return_allowed_at = NULL
    WHERE d.entity_code = ANY (v_later);
  END IF;
  RETURN v_refusal;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_return(p_collection text, p_codes text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_return(p_collection text, p_codes text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_return(p_collection text, p_codes text[]) IS 'Ends the deaths of codes that a living row has again. NB511 in mode enforce; 40001 under an old snapshot. Specification: 5.2.';

-- Name: fn_birth_life_row(birth.collection_registry, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_row(p_collection birth.collection_registry, p_one boolean) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  SELECT format('SELECT %s AS code, %s AS living, ARRAY[%s]::text[] AS keys', p_collection.birth_code_sql,
           birth.fn_birth_life_living(p_collection),
           -- Of columns that are not those that were classified nothing is read.
           CASE WHEN p_collection.birth_code_sql = 'NULL::text' THEN 'NULL' ELSE (
             SELECT string_agg(format((birth.fn_birth_type_text(p_collection.birth_code_types[
                      array_position(p_collection.birth_code_columns, k.name)])).text_sql, format('t.%I', k.name)), ', '
                      ORDER BY k.position)
             FROM unnest(p_collection.life_key) WITH ORDINALITY AS k(name, position)) END)
         || CASE WHEN p_one THEN format(' FROM (SELECT %s) t',
              (SELECT string_agg(format('($1).%1$I AS %1$I', n.name), ', ')
               FROM (SELECT unnest(p_collection.birth_code_columns) UNION
                     SELECT p_collection.life_column WHERE p_collection.life_column IS NOT NULL) AS n(name)))
            ELSE '' END;
$_$;

ALTER FUNCTION birth.fn_birth_life_row(p_collection birth.collection_registry, p_one boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_row(p_collection birth.collection_registry, p_one boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_row(p_collection birth.collection_registry, p_one boolean) IS 'SQL of a row''s code, whether it is living, and its key, for a life trigger. Specification: 5.2.';

-- Name: fn_birth_life_shape(birth.collection_registry); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_shape(p_collection birth.collection_registry) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT md5(jsonb_build_array(p_collection.birth_code_columns, p_collection.life_column,
    p_collection.life_dead)::text);
$$;

ALTER FUNCTION birth.fn_birth_life_shape(p_collection birth.collection_registry) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_shape(p_collection birth.collection_registry); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_shape(p_collection birth.collection_registry) IS 'A hash of what the life triggers of a collection depend on. Specification: 5.2.';

-- Name: fn_birth_life_truncate(birth.collection_registry, oid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_name CONSTANT text := p_collection.collection_name;
  v_source text := format('ONLY %s t', p_relation::regclass);
  v_rows bigint;
  v_fault text;
BEGIN
  IF p_collection.coverage_status = 'BIRTH_REQUIRED' AND p_collection.life_mode = 'enforce' THEN
    RETURN birth.fn_birth_life_report(p_collection, 'truncate_refused', 1, ARRAY[p_relation::regclass::text]);
  END IF;
  IF NOT has_table_privilege('birth_scanner', p_relation, 'SELECT') THEN
    v_source := format('%s t WHERE t.tableoid = %s', pg_partition_root(p_relation)::regclass, p_relation);
  END IF;
  -- Before births are read; see fn_birth_life_end.
  LOCK TABLE birth.birth_death IN ROW EXCLUSIVE MODE;
  BEGIN
    SELECT sum(cardinality(s.codes)), sum(birth.fn_birth_life_write(c_name, k.own || CASE
             WHEN p_collection.coverage_status = 'BIRTH_REQUIRED' AND k.unborn IS NOT NULL
             THEN birth.fn_birth_life_unborn(c_name, k.unborn) END, 'DELETE'))
    INTO v_rows
    FROM birth.fn_birth_scan(format(
      'SELECT array_agg(c.code) FROM (SELECT s.code, (row_number() OVER (ORDER BY s.code) - 1) / 10000 AS chunk'
      ' FROM (SELECT %s AS code FROM %s) s WHERE s.code IS NOT NULL) c GROUP BY c.chunk ORDER BY c.chunk',
      p_collection.birth_code_sql, v_source)) AS s(codes text[])
    CROSS JOIN LATERAL (
      SELECT array_agg(c.code) FILTER (WHERE b.collection_name = c_name) AS own,
             array_agg(c.code) FILTER (WHERE b.entity_code IS NULL) AS unborn
      FROM unnest(s.codes) AS c(code) LEFT JOIN birth.birth_registry b ON b.entity_code = c.code
    ) k;
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR query_canceled THEN
      RAISE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_fault = MESSAGE_TEXT;
      PERFORM birth.fn_birth_life_report(p_collection, 'life_unread', 1, ARRAY[v_fault]);
  END;
  RETURN birth.fn_birth_life_report(p_collection, 'truncate_refused', v_rows, NULL);
END;
$$;

ALTER FUNCTION birth.fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid) IS 'Writes the deaths of all rows of a table that is about to be emptied. In mode enforce NB513. Specification: 5.2.';

-- Name: fn_birth_life_unborn(text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_unborn(p_collection text, p_codes text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  v_unborn text[];
BEGIN
  WITH tried AS (
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT c.code, p_collection, 'QT-002' FROM unnest(p_codes) AS c(code) ORDER BY c.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING
    RETURNING entity_code
  )
  SELECT array_agg(t.entity_code) INTO v_unborn FROM tried t;
  DELETE FROM birth.birth_registry b WHERE b.entity_code = ANY (v_unborn);
  PERFORM birth.fn_birth_finding_record(p_collection, 'birth_absent', cardinality(v_unborn), v_unborn);
  RETURN ARRAY(SELECT b.entity_code FROM birth.birth_registry b
               WHERE b.entity_code = ANY (p_codes) AND b.collection_name = p_collection);
END;
$$;

ALTER FUNCTION birth.fn_birth_life_unborn(p_collection text, p_codes text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_unborn(p_collection text, p_codes text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_unborn(p_collection text, p_codes text[]) IS 'Waits for open batches that write codes whose rows went; returns those that are born by now. Specification: 9.';

-- Name: fn_birth_life_write(text, text[], text, text, uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_life_write(p_collection text, p_codes text[], p_manner text, p_successor text DEFAULT NULL::text, p_run_id uuid DEFAULT NULL::uuid) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
  v_died bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM FROM (SELECT FROM birth.birth_registry b WHERE b.entity_code = ANY (p_codes)
                  ORDER BY b.entity_code FOR KEY SHARE) l;
  END IF;
  INSERT INTO birth.birth_death AS d (entity_code, collection_name, manner, successor, run_id)
  SELECT c.code, p_collection, p_manner, p_successor, p_run_id
  FROM unnest(p_codes) AS c(code) ORDER BY c.code COLLATE "C"
  ON CONFLICT (entity_code) DO UPDATE
  SET died_at = excluded.died_at, died_xid = excluded.died_xid, manner = excluded.manner,
      successor = excluded.successor, run_id = coalesce(excluded.run_id, d.run_id), returned_at = NULL
  WHERE d.returned_at IS NOT NULL;
  GET DIAGNOSTICS v_died = ROW_COUNT;
  RETURN v_died;
END;
$$;

ALTER FUNCTION birth.fn_birth_life_write(p_collection text, p_codes text[], p_manner text, p_successor text, p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_life_write(p_collection text, p_codes text[], p_manner text, p_successor text, p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_life_write(p_collection text, p_codes text[], p_manner text, p_successor text, p_run_id uuid) IS 'Writes the deaths of codes, and returns how many were not dead already. Specification: 5.2.';

-- Name: fn_birth_lineage_lock(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_lineage_lock(p_lineage uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_owner record;
BEGIN
  -- Outside the block below, which is a subtransaction: xmax of a row that one locked does not lead to its session.
  PERFORM FROM birth.birth_act a
  WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan' FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    RETURN;
  END IF;
  BEGIN
    PERFORM FROM birth.birth_act a
    WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan' FOR NO KEY UPDATE;
  EXCEPTION WHEN lock_not_available THEN
    SELECT o.* INTO r_owner
    FROM birth.birth_act a, birth.fn_birth_lock_owner(p_table := 'birth.birth_act', p_xmax := a.xmax) o
    WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan';
    PERFORM birth.fn_birth_raise('run_held',
      format('an act on run %s or its successors is open in %s', p_lineage,
        coalesce('a transaction of ' || r_owner.who, 'another transaction')),
      coalesce(format('wait until it ends, or end it: %s then send the statement again', r_owner.remedy),
        'send the statement again'));
  END;
END;
$$;

ALTER FUNCTION birth.fn_birth_lineage_lock(p_lineage uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_lineage_lock(p_lineage uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_lineage_lock(p_lineage uuid) IS 'Serialises the acts that take a part in a chain of plans, until the transaction ends. NB303. Specification: 6.1 R7.';

-- Name: fn_birth_live_births(timestamp with time zone, timestamp with time zone, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint DEFAULT 50000) RETURNS TABLE(births numeric, counted boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET max_parallel_workers_per_gather TO '0'
    SET jit TO 'off'
    AS $$
BEGIN
  RETURN QUERY
  SELECT CASE WHEN s.read < p_cap THEN s.read::numeric
              ELSE round(s.read * extract(epoch FROM p_to - p_from)
                         / greatest(extract(epoch FROM s.until - p_from), 0.001)) END,
         s.read < p_cap
  FROM (
    SELECT count(*) AS read, max(b.born_at) AS until
    FROM (SELECT r.born_at FROM birth.birth_registry r
          WHERE r.run_id IS NULL AND r.born_at >= p_from AND r.born_at < p_to ORDER BY r.born_at LIMIT p_cap) b
  ) s;
END;
$$;

ALTER FUNCTION birth.fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint) IS 'Births without a run between two times, counted, or estimated from the first p_cap births of the span. Specification: 2.';

-- Name: fn_birth_lock_holder(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_lock_holder(p_name text) RETURNS integer
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT l.pid
  FROM pg_locks l, birth.fn_birth_lock_key(p_name) AS k(key)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND l.classid::bigint = (k.key >> 32) & 4294967295 AND l.objid::bigint = k.key & 4294967295;
$$;

ALTER FUNCTION birth.fn_birth_lock_holder(p_name text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_lock_holder(p_name text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_lock_holder(p_name text) IS 'Process ID of the backend that holds the advisory lock of a name, or NULL. Specification: 6.1 R14.';

-- Name: fn_birth_lock_key(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_lock_key(p_name text) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT hashtextextended('birth.' || p_name, 0);
$$;

ALTER FUNCTION birth.fn_birth_lock_key(p_name text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_lock_key(p_name text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_lock_key(p_name text) IS 'Advisory lock key of a name: release, run:<run_id>:<epoch>. Specification: 6.1 R9, R14.';

-- Name: fn_birth_lock_owner(text, regclass, xid, integer); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_lock_owner(p_name text DEFAULT NULL::text, p_table regclass DEFAULT NULL::regclass, p_xmax xid DEFAULT NULL::xid, p_pid integer DEFAULT NULL::integer) RETURNS TABLE(who text, remedy text)
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH lock AS MATERIALIZED (
    SELECT k.* FROM pg_locks k WHERE k.granted
  ), here AS (
    SELECT d.oid FROM pg_database d WHERE d.datname = current_database()
  ), named AS (
    SELECT k.pid, k.virtualtransaction FROM lock k
    WHERE k.locktype = 'transactionid' AND k.transactionid = p_xmax
    UNION
    SELECT k.pid, k.virtualtransaction
    FROM lock k JOIN here d ON d.oid = k.database, birth.fn_birth_lock_key(p_name) AS n(key)
    WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.pid IS DISTINCT FROM pg_backend_pid()
      AND k.classid::bigint = (n.key >> 32) & 4294967295 AND k.objid::bigint = n.key & 4294967295
  ), owner AS (
    SELECT n.* FROM named n
    UNION
    SELECT k.pid, k.virtualtransaction FROM lock k JOIN here d ON d.oid = k.database
    WHERE k.locktype = 'relation' AND k.relation = p_table AND k.mode <> 'AccessShareLock'
      AND (k.pid IS NULL OR k.pid = p_pid AND k.pid <> pg_backend_pid())
      AND p_xmax <> '0' AND NOT EXISTS (SELECT FROM named)
  ), found AS (
    SELECT format('%s, backend %s', a.usename, a.pid) AS who,
           format('SELECT pg_catalog.pg_terminate_backend(%s);', a.pid) AS remedy
    FROM owner o JOIN pg_stat_activity a ON a.pid = o.pid
    UNION ALL
    SELECT format('prepared transaction %L of %s, since %s', x.gid, x.owner, x.prepared),
           format('ROLLBACK PREPARED %L;  -- in this database, as %s or a superuser', x.gid, x.owner)
    FROM owner o
    JOIN lock k ON k.virtualtransaction = o.virtualtransaction AND k.locktype = 'transactionid' AND k.pid IS NULL
    JOIN pg_prepared_xacts x ON x.transaction = k.transactionid
    WHERE o.pid IS NULL
  )
  SELECT string_agg(f.who, '; '), string_agg(f.remedy, E'\n') FROM found f;
$$;

ALTER FUNCTION birth.fn_birth_lock_owner(p_name text, p_table regclass, p_xmax xid, p_pid integer) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_lock_owner(p_name text, p_table regclass, p_xmax xid, p_pid integer); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_lock_owner(p_name text, p_table regclass, p_xmax xid, p_pid integer) IS 'Who holds an advisory lock (by name) or a row (by table and xmax), and the statement that ends that. Specification: 6.1 R9, R14.';

-- Name: fn_birth_login_id(name); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_login_id(p_login name DEFAULT SESSION_USER) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT format('%s:%s', s.system_identifier, to_regrole(quote_ident(p_login))::oid) FROM pg_control_system() s;
$$;

ALTER FUNCTION birth.fn_birth_login_id(p_login name) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_login_id(p_login name); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_login_id(p_login name) IS 'A login (the acting one: session_user) by cluster and OID, which a rename does not change. Specification: 6.1 R7.';

-- Name: fn_birth_measure(text, bigint, bigint, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[] DEFAULT NULL::text[]) RETURNS TABLE(source_rows bigint, unresolvable bigint, duplicates bigint, collisions bigint, collision_examples text[], existing_births bigint, missing bigint, orphans bigint, dead bigint, fingerprint numeric[], range_fingerprint numeric[])
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
DECLARE
  r_identity record;
  v_births bigint := birth.fn_birth_collection_births(p_collection);
  v_dead bigint;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT count(*) INTO v_dead FROM birth.birth_death d WHERE d.collection_name = p_collection AND d.returned_at IS NULL;
  RETURN QUERY
  SELECT m.source_rows, m.unresolvable, m.duplicates, m.collisions, m.collision_examples, v_births, m.missing,
         v_births - m.own - (v_dead - m.dead_rows), v_dead - m.dead_rows, m.fingerprint, m.range_fingerprint
  FROM birth.fn_birth_scan(format($measure$
    SELECT c.source_rows, c.source_rows - c.rows_with_code, c.rows_with_code - c.codes, c.collisions,
           CASE WHEN c.collisions > 0 THEN ARRAY(
             SELECT f.code FROM (SELECT s.code, b.collection_name
                                 FROM (%1$s) s JOIN birth.birth_registry b ON b.entity_code = s.code OFFSET '0') f
             WHERE f.collection_name <> $1 ORDER BY f.code LIMIT 10) END,
           c.codes - c.born, c.born - c.collisions, c.dead_rows, ARRAY[c.codes - c.born, c.a, c.b], %2$s
    FROM (
      SELECT %3$s, count(s.code) AS codes, count(b.entity_code) AS born,
             count(*) FILTER (WHERE b.is_foreign) AS collisions, %5$s AS dead_rows,
             coalesce(sum(hashtextextended(s.code, $2)) FILTER (WHERE b.entity_code IS NULL), 0) AS a,
             coalesce(sum(hashtextextended(s.code, $3)) FILTER (WHERE b.entity_code IS NULL), 0) AS b%4$s
      FROM (%1$s) s
      LEFT JOIN (SELECT r.entity_code, r.collection_name IS DISTINCT FROM $1 AS is_foreign
                 FROM birth.birth_registry r) b ON b.entity_code = s.code%6$s
    ) c
  $measure$,
    format(CASE WHEN r_identity.codes_distinct
        THEN $distinct$SELECT %1$s AS code%2$s FROM %3$s t OFFSET '0'$distinct$
        ELSE $grouped$SELECT %1$s AS code, count(*) AS n%2$s FROM %3$s t GROUP BY 1$grouped$ END,
      r_identity.code_sql,
      CASE WHEN p_upper IS NOT NULL THEN format(
        CASE WHEN r_identity.codes_distinct THEN ', %s AS in_range' ELSE ', bool_or(%s) AS in_range' END,
        (SELECT k.upto FROM birth.fn_birth_key_lists(r_identity.key_columns, r_identity.key_types) k)) END,
      r_identity.source_sql),
    CASE WHEN p_upper IS NULL THEN 'NULL::numeric[]' ELSE 'ARRAY[c.range_missing, c.range_a, c.range_b]' END,
    CASE WHEN r_identity.codes_distinct THEN 'count(*) AS source_rows, count(s.code) AS rows_with_code'
         ELSE 'coalesce(sum(s.n), 0)::bigint AS source_rows,'
           ' coalesce(sum(s.n) FILTER (WHERE s.code IS NOT NULL), 0)::bigint AS rows_with_code' END,
    CASE WHEN p_upper IS NOT NULL THEN
      ', count(s.code) FILTER (WHERE s.in_range AND b.entity_code IS NULL) AS range_missing,'
      ' coalesce(sum(hashtextextended(s.code, $2))'
      ' FILTER (WHERE s.in_range AND b.entity_code IS NULL), 0) AS range_a,'
      ' coalesce(sum(hashtextextended(s.code, $3))'
      ' FILTER (WHERE s.in_range AND b.entity_code IS NULL), 0) AS range_b' END,
    -- Where nothing is dead, nothing is joined.
    CASE WHEN v_dead > 0
      THEN 'count(*) FILTER (WHERE d.collection_name = $1 AND d.returned_at IS NULL)' ELSE '0::bigint' END,
    CASE WHEN v_dead > 0 THEN ' LEFT JOIN birth.birth_death d ON d.entity_code = s.code' END),
    p_collection := p_collection, p_seed_a := p_seed_a, p_seed_b := p_seed_b, p_upper := p_upper)
  AS m(source_rows bigint, unresolvable bigint, duplicates bigint, collisions bigint, collision_examples text[],
       missing bigint, own bigint, dead_rows bigint, fingerprint numeric[], range_fingerprint numeric[]);
END;
$_$;

ALTER FUNCTION birth.fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[]) IS 'Counts and fingerprint of a collection against its births, from one snapshot. For an eligible collection only. Specification: 6, R10, R12.';

-- Name: fn_birth_now(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_now(p_code text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH RECURSIVE chain AS (
    SELECT b.entity_code, 1 AS step FROM birth.birth_registry b WHERE b.entity_code = p_code
    UNION
    SELECT d.successor, c.step + 1
    FROM chain c JOIN birth.birth_death d ON d.entity_code = c.entity_code
    WHERE d.returned_at IS NULL AND d.successor IS NOT NULL
  )
  SELECT c.entity_code FROM chain c
  WHERE NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = c.entity_code AND d.returned_at IS NULL)
  ORDER BY c.step DESC LIMIT 1;
$$;

ALTER FUNCTION birth.fn_birth_now(p_code text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_now(p_code text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_now(p_code text) IS 'The living code that a code goes on as, by its successors; itself while it is living; NULL when the chain ends dead. Specification: 5.2.';

-- Name: fn_birth_open_run(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_open_run(p_collection text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

ALTER FUNCTION birth.fn_birth_open_run(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_open_run(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_open_run(p_collection text) IS 'Refuses with NB116 while a run of the collection is open: running, or stopped or failed with births that nothing settled. Specification: 6.1 R5.';

-- Name: fn_birth_people_check(uuid, uuid, text, name); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_people_check(p_run_id uuid, p_lineage uuid, p_act text DEFAULT NULL::text, p_login name DEFAULT SESSION_USER) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_fault text;
BEGIN
  SELECT format('run %s: %s acted as %s', p_run_id, string_agg(DISTINCT p.actor, ' alias '),
    string_agg(DISTINCT format('%s (%s)', p.part, p.act), ' and as ')) INTO v_fault
  FROM (
    SELECT a.actor, a.actor_id, a.act, birth.fn_birth_act_part(a.act) AS part, false AS new
    FROM birth.birth_act a WHERE a.lineage = p_lineage
    UNION ALL
    SELECT p_login, birth.fn_birth_login_id(p_login), p_act, birth.fn_birth_act_part(p_act), true
    WHERE p_act IS NOT NULL
  ) p
  WHERE p.part IS NOT NULL
  GROUP BY GROUPING SETS ((p.actor), (p.actor_id))
  HAVING count(DISTINCT p.part) > 1 AND (p_act IS NULL OR bool_or(p.new))
  LIMIT 1;
  RETURN v_fault;
END;
$$;

ALTER FUNCTION birth.fn_birth_people_check(p_run_id uuid, p_lineage uuid, p_act text, p_login name) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_people_check(p_run_id uuid, p_lineage uuid, p_act text, p_login name); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_people_check(p_run_id uuid, p_lineage uuid, p_act text, p_login name) IS 'Who has, or with p_act would have, two parts in a chain of plans; NULL when nobody does. Specification: 6.1 R7.';

-- Name: fn_birth_permit_confirm(bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_permit_confirm(p_permit_id bigint) RETURNS TABLE(permit_id bigint, next_step text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
  r_permit birth.birth_admission_permit_v2;
  r_run birth.birth_backfill_ledger_v2;
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_actor('birth_reviewer', 'fn_birth_permit_confirm');
  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_permit_id FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('permit_unknown', format('permit %s', coalesce(p_permit_id::text, 'NULL')));
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = r_permit.run_id;
  IF r_permit.confirmed_by IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('permit_not_open',
      format('permit %s is %s, confirmed by %s', p_permit_id, r_permit.status, r_permit.confirmed_by),
      'see birth.birth_admission_permit_v2 for the permit');
  END IF;
  r_run.permit_id := p_permit_id;
  PERFORM birth.fn_birth_refuse(c.blocker) FROM birth.fn_birth_checks('confirm', r_run, r_permit.purpose, r_run) c
    WHERE NOT c.pass ORDER BY c.number;
  v_at := birth.fn_birth_act_record('permit_confirm', p_run_id := r_run.run_id, p_lineage := r_run.lineage,
    p_permit_id := p_permit_id,
    p_collection := r_run.collection_name);
  UPDATE birth.birth_admission_permit_v2 p SET confirmed_by = session_user, confirmed_at = v_at
    WHERE p.permit_id = p_permit_id;
  permit_id := p_permit_id;
  next_step := birth.fn_birth_run_next_step(r_permit.run_id, r_permit.purpose);
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_permit_confirm(p_permit_id bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_permit_confirm(p_permit_id bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_permit_confirm(p_permit_id bigint) IS 'Confirms an open permit; returns the ready CALL. Reviewer, not the one who opened it. NB110, NB111, NB201 to NB204, NB209. Specification: 6.';

-- Name: fn_birth_permit_open(text, uuid, bigint, timestamp with time zone, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text DEFAULT NULL::text) RETURNS TABLE(permit_id bigint, next_step text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_now timestamptz := birth.fn_birth_clock();
  v_purpose text;
  v_fault text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_permit_owner', 'fn_birth_permit_open');
  v_fault := CASE
    WHEN p_max_rows IS NULL OR p_max_rows <= 0 THEN format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL'))
    -- Not before the newest act on record, and at most seven days ahead of the real time: where that is behind the
    -- record, a permit lasts no longer.
    WHEN p_expires_at IS NULL OR p_expires_at <= v_now OR p_expires_at > clock_timestamp() + interval '168 hours' THEN
      format('p_expires_at is %s; the time on record is %s, this server''s clock says %s',
        coalesce(p_expires_at::text, 'NULL'), v_now, clock_timestamp())
    WHEN p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN 'p_reason is required'
  END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('permit_terms', v_fault);
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  v_purpose := coalesce(p_purpose, r_run.purpose);
  IF v_purpose NOT IN (r_run.purpose, 'COMPENSATE') THEN
    PERFORM birth.fn_birth_raise('permit_terms', format('p_purpose is %L; run %s is for %s', p_purpose, p_run_id,
      r_run.purpose));
  END IF;
  IF r_run.collection_name IS DISTINCT FROM p_collection THEN
    PERFORM birth.fn_birth_raise('permit_scope', format('run %s is of collection %s, not %L', p_run_id,
      r_run.collection_name, p_collection));
  END IF;
  IF r_run.status = 'compensated' OR (v_purpose <> 'COMPENSATE'
    AND (r_run.status = 'done' OR r_run.compensating_since IS NOT NULL))
     OR (v_purpose = 'COMPENSATE' AND r_run.actual_inserted = 0) THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s, %s rows written', p_run_id, r_run.status,
      r_run.actual_inserted));
  END IF;
  PERFORM birth.fn_birth_refuse(c.blocker) FROM birth.fn_birth_checks('permit', r_run, v_purpose, r_run) c
    WHERE NOT c.pass ORDER BY c.number;
  PERFORM birth.fn_birth_permit_settle(p_run_id);

  INSERT INTO birth.birth_admission_permit_v2 AS p (collection_name, run_id, purpose, max_rows, reason, opened_at,
    opened_by, expires_at)
  VALUES (p_collection, p_run_id, v_purpose, p_max_rows, p_reason, v_now, session_user, p_expires_at)
  ON CONFLICT DO NOTHING
  RETURNING p.permit_id INTO permit_id;
  IF permit_id IS NULL THEN
    PERFORM birth.fn_birth_raise('permit_in_the_way',
      (SELECT format('permit %s, opened by %s, expires at %s', p.permit_id, p.opened_by, p.expires_at)
      FROM birth.birth_admission_permit_v2 p WHERE p.run_id = p_run_id AND p.purpose = v_purpose
        AND p.status = 'OPEN'));
  END IF;
  PERFORM birth.fn_birth_act_record('permit_open', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_permit_id := permit_id,
    p_collection := p_collection, p_reason := p_reason,
      p_detail := jsonb_build_object('purpose', v_purpose, 'max_rows', p_max_rows, 'expires_at', p_expires_at));
  next_step := birth.fn_birth_run_next_step(p_run_id, v_purpose);
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text) IS 'Opens a permit on a current verdict SAFE; returns its id and the next step. Permit owner. NB110, NB111, NB204, NB207 to NB210, NB301, NB302. Specification: 6.';

-- Name: fn_birth_permit_revoke(bigint, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_permit_revoke(p_permit_id bigint, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_permit birth.birth_admission_permit_v2;
  v_lineage uuid;
  r_owner record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_permit_owner', 'fn_birth_permit_revoke');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_permit_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('permit_unknown', format('permit %s', coalesce(p_permit_id::text, 'NULL')));
  END IF;
  IF r_permit.status <> 'OPEN' THEN
    PERFORM birth.fn_birth_raise('permit_not_open', format('permit %s is %s', p_permit_id, r_permit.status),
      'there is nothing to revoke');
  END IF;
  SELECT l.lineage INTO v_lineage FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = r_permit.run_id;
  PERFORM birth.fn_birth_act_record('permit_revoke', p_run_id := r_permit.run_id, p_lineage := v_lineage,
    p_permit_id := p_permit_id,
    p_collection := r_permit.collection_name, p_reason := p_reason);
  PERFORM birth.fn_birth_permit_settle(r_permit.run_id);
  -- Whoever spends it in this moment has been asked already: what that transaction has written stands when it commits.
  SELECT o.* INTO r_owner FROM birth.birth_admission_permit_v2 p, birth.birth_backfill_ledger_v2 l,
    birth.fn_birth_lock_owner(p_table := 'birth.birth_admission_permit_v2', p_xmax := p.xmax, p_pid := l.holder_pid) o
  WHERE p.permit_id = p_permit_id AND p.status = 'OPEN' AND l.run_id = p.run_id;
  IF r_owner.who IS NOT NULL THEN
    RAISE NOTICE 'permit % is revoked, but for what % spends of it in an open transaction', p_permit_id, r_owner.who
      USING HINT = 'to undo that too: ' || r_owner.remedy;
  END IF;
  RETURN format('SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %L;', r_permit.run_id);
END;
$$;

ALTER FUNCTION birth.fn_birth_permit_revoke(p_permit_id bigint, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_permit_revoke(p_permit_id bigint, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_permit_revoke(p_permit_id bigint, p_reason text) IS 'Revokes an open permit, with immediate effect on the next batch. Permit owner. NB102, NB110, NB111, NB201, NB202. Specification: 6, R9.';

-- Name: fn_birth_permit_settle(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_permit_settle(p_run_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  UPDATE birth.birth_admission_permit_v2 p
  SET status = s.status, closed_at = birth.fn_birth_clock()
  FROM (
    SELECT o.permit_id, CASE
        WHEN EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = l.lineage AND a.permit_id = o.permit_id
          AND a.act = 'permit_revoke') THEN 'REVOKED'
        WHEN o.expires_at <= birth.fn_birth_clock() THEN 'EXPIRED' END AS status
    FROM birth.birth_admission_permit_v2 o JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = o.run_id
    WHERE o.run_id = p_run_id AND o.status = 'OPEN'
    FOR UPDATE OF o SKIP LOCKED) s
  WHERE p.permit_id = s.permit_id AND s.status IS NOT NULL;
$$;

ALTER FUNCTION birth.fn_birth_permit_settle(p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_permit_settle(p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_permit_settle(p_run_id uuid) IS 'Gives a run''s revoked or expired permit that status. Specification: 6, R9.';

-- Name: fn_birth_plan(text, text, boolean, uuid, jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_plan(p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid DEFAULT gen_random_uuid(), p_wanted jsonb DEFAULT NULL::jsonb, OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_set record;
  r_before birth.birth_backfill_ledger_v2;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  r_run.run_id := p_run_id;
  r_run.purpose := p_purpose;
  r_run.collection_name := p_collection;
  r_run.wanted := p_wanted;
  r_run.seed_a := CASE WHEN p_dry_run THEN 0 ELSE hashtextextended(gen_random_uuid()::text, 0) END;
  r_run.seed_b := CASE WHEN p_dry_run THEN 0 ELSE hashtextextended(gen_random_uuid()::text, 0) END;
  SELECT * INTO r_set FROM birth.fn_birth_run_set(r_run);
  r_run := r_set.fresh;
  run := r_run;
  SELECT coalesce(jsonb_agg(c.blocker ORDER BY c.number), '[]') INTO blockers
  FROM birth.fn_birth_checks('plan', r_run, p_purpose, r_run, p_foreign := r_set.foreign_codes) c WHERE NOT c.pass;
  IF p_dry_run THEN
    RETURN;
  END IF;
  PERFORM birth.fn_birth_refuse(blockers -> 0);

  SELECT l.* INTO r_before FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name = p_collection AND l.purpose = p_purpose AND l.status IN ('running', 'stopped', 'failed')
    AND l.compensating_since IS NULL
    AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n
                    WHERE n.lineage = l.lineage AND n.status = 'done' AND n.planned_at > l.planned_at)
  ORDER BY l.actual_inserted > l.compensated_rows DESC, l.planned_at DESC LIMIT 1;
  INSERT INTO birth.birth_backfill_ledger_v2 AS l (
    run_id, purpose, lineage, predecessor, collection_name, source_rows, existing_births, orphans, dead, unresolvable,
    duplicates, collisions, planned_rows, expected_delta, planned_fingerprint, seed_a, seed_b, algorithm,
    server_major, contract_hash, identity_hash, planned_at, planned_by, wanted)
  VALUES (
    r_run.run_id, p_purpose, coalesce(r_before.lineage, r_run.run_id), r_before.run_id, p_collection,
    r_run.source_rows, r_run.existing_births, r_run.orphans, coalesce(r_run.dead, 0), r_run.unresolvable,
    r_run.duplicates, r_run.collisions, r_run.planned_rows, r_run.planned_rows, r_run.planned_fingerprint,
    r_run.seed_a, r_run.seed_b,
    'hashtextextended-sum-1', current_setting('server_version_num')::integer / 10000, birth.fn_birth_contract_hash(),
    birth.fn_birth_identity_hash(p_collection), birth.fn_birth_clock(), session_user, p_wanted)
  RETURNING l.* INTO r_run;
  PERFORM birth.fn_birth_act_record('plan', p_run_id := r_run.run_id, p_lineage := r_run.lineage,
    p_collection := p_collection,
    p_detail := jsonb_build_object('planned_rows', r_run.planned_rows, 'predecessor', r_run.predecessor));
  run := r_run;
END;
$$;

ALTER FUNCTION birth.fn_birth_plan(p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid, p_wanted jsonb, OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_plan(p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid, p_wanted jsonb, OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_plan(p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid, p_wanted jsonb, OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb) IS 'Plans a run of a purpose: every blocker in a dry run, else the first raises or the planned row is written. Specification: 6, R12.';

-- Name: fn_birth_plan_sample(text, integer); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_plan_sample(p_collection text, p_rows integer DEFAULT 5) RETURNS TABLE(kind text, code text, key jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_identity record;
  v_grants text := birth.fn_birth_source_grants(p_collection, 'SELECT');
BEGIN
  IF p_rows IS NULL OR p_rows NOT BETWEEN 1 AND 100 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_rows is %s', coalesce(p_rows::text, 'NULL')),
      'a sample has 1 to 100 rows of each kind');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  IF r_identity.code_sql IS NULL THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: %s, %s', p_collection, r_identity.status, r_identity.reason));
  ELSIF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s needs SELECT', p_collection),
      'let the owner of the table: ' || v_grants);
  END IF;
  RETURN QUERY
  SELECT s.kind, s.code, jsonb_object(r_identity.key_columns, s.key)
  FROM birth.fn_birth_scan(format($sample$
    WITH missing AS MATERIALIZED (
      SELECT s.code, s.key FROM (SELECT %1$s AS code, ARRAY[%2$s] AS key FROM %3$s t OFFSET '0') s
      LEFT JOIN birth.birth_registry b ON b.entity_code = s.code
      WHERE s.code IS NOT NULL AND b.entity_code IS NULL)
    (SELECT 'first', m.code, m.key FROM missing m ORDER BY m.code COLLATE "C" LIMIT $6)
    UNION ALL
    (SELECT 'last', m.code, m.key FROM missing m ORDER BY m.code COLLATE "C" DESC LIMIT $6)
    UNION ALL
    (SELECT 'longest', m.code, m.key FROM missing m ORDER BY octet_length(m.code) DESC, m.code COLLATE "C" LIMIT $6)
    UNION ALL
    (SELECT 'random', m.code, m.key FROM missing m ORDER BY random() LIMIT $6)
  $sample$, r_identity.code_sql,
    (SELECT string_agg(format('t.%I::text', k.name), ', ' ORDER BY k.position)
     FROM unnest(r_identity.key_columns) WITH ORDINALITY AS k(name, position)),
    r_identity.source_sql), p_collection := p_collection, p_rows := p_rows)
  AS s(kind text, code text, key text[]);
END;
$_$;

ALTER FUNCTION birth.fn_birth_plan_sample(p_collection text, p_rows integer) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_plan_sample(p_collection text, p_rows integer); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_plan_sample(p_collection text, p_rows integer) IS 'Codes that a backfill of a collection would write now: first, last, longest and by chance, beside their keys. NB102, NB103, NB105, NB112, NB115. Specification: 6.';

-- Name: fn_birth_policy_decision(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_policy_decision(p_collection text) RETURNS TABLE(collection_name text, coverage_status text, decision text, may_register boolean, reason text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT p_collection, c.coverage_status, d.decision, d.decision = 'REQUIRED',
         CASE d.decision
           WHEN 'REQUIRED' THEN 'every row needs a birth'
           WHEN 'DEFERRED' THEN 'the policy is not decided'
           WHEN 'EXEMPT' THEN
             'exempt: ' || lower(replace(substr(c.coverage_status, length('BIRTH_EXEMPT_') + 1), '_', ' ') COLLATE "C")
           ELSE 'the collection is not registered'
         END
  FROM (SELECT) AS one
  LEFT JOIN birth.collection_registry c ON c.collection_name = p_collection
  CROSS JOIN LATERAL (SELECT CASE
      WHEN c.coverage_status = 'BIRTH_REQUIRED' THEN 'REQUIRED'
      WHEN c.coverage_status = 'BIRTH_DEFERRED_NEEDS_REVIEW' THEN 'DEFERRED'
      WHEN starts_with(c.coverage_status, 'BIRTH_EXEMPT_') THEN 'EXEMPT'
      ELSE 'REFUSED'
    END) AS d(decision);
$$;

ALTER FUNCTION birth.fn_birth_policy_decision(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_policy_decision(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_policy_decision(p_collection text) IS 'The policy''s decision for a collection: REQUIRED, DEFERRED, EXEMPT; REFUSED if it is not registered. Specification: 4.';

-- Name: fn_birth_purpose(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_purpose(p_purpose text DEFAULT NULL::text, p_undoes text DEFAULT NULL::text) RETURNS TABLE(purpose text, undoes text, plan text, plan_dot text, dot text, doors text[], numbers boolean, source text, whole text, slice text, write text, proof text, fault text, accepts text, settles boolean)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT p.*
  FROM (VALUES
    ('APPLY', NULL, 'fn_dot_birth_qt001_plan', 'dot-birth-backfill-plan', 'dot-birth-backfill-apply',
     ARRAY['sp_dot_birth_qt001_apply', 'fn_dot_birth_qt001_apply'], true, 'rows',
     'fn_birth_apply_set', 'fn_birth_apply_slice', 'fn_birth_apply_write', 'fn_birth_run_births', NULL,
     'orphans', false),
    ('COMPENSATE', 'APPLY', NULL, NULL, 'dot-birth-backfill-apply',
     ARRAY['sp_dot_birth_qt001_compensate'], false, NULL,
     NULL, 'fn_birth_compensate_slice', 'fn_birth_compensate_write', 'fn_birth_run_births', 'fn_birth_compensate_fault',
     'orphans', false),
    ('TRANSITION', NULL, 'fn_dot_birth_qt005_plan', NULL, 'dot-birth-transition-apply',
     ARRAY['sp_dot_birth_qt005_apply'], false, NULL, 'fn_birth_transition_set',
     'fn_birth_transition_slice', 'fn_birth_transition_write', 'fn_birth_transition_proof',
     'fn_birth_transition_fault', 'births', true),
    ('COMPENSATE', 'TRANSITION', NULL, NULL, 'dot-birth-transition-apply',
     ARRAY['sp_dot_birth_qt001_compensate'], false, NULL, NULL,
     'fn_birth_transition_slice', 'fn_birth_transition_write', 'fn_birth_transition_proof',
     'fn_birth_transition_fault', 'births', true),
    ('DEATH', NULL, 'fn_dot_birth_qt006_plan', NULL, 'dot-birth-death-apply',
     ARRAY['sp_dot_birth_qt006_apply'], false, 'births', 'fn_birth_death_set',
     'fn_birth_death_slice', 'fn_birth_death_write', 'fn_birth_death_proof', NULL, 'orphans', false),
    ('COMPENSATE', 'DEATH', NULL, NULL, 'dot-birth-death-apply',
     ARRAY['sp_dot_birth_qt001_compensate'], false, NULL, NULL,
     'fn_birth_death_undo_slice', 'fn_birth_death_undo', 'fn_birth_death_proof', 'fn_birth_death_fault', 'orphans',
     false)
  ) AS p(purpose, undoes, plan, plan_dot, dot, doors, numbers, source, whole, slice, write, proof, fault, accepts,
         settles)
  WHERE p_purpose IS NULL OR (p.purpose = p_purpose AND p.undoes IS NOT DISTINCT FROM p_undoes);
$$;

ALTER FUNCTION birth.fn_birth_purpose(p_purpose text, p_undoes text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_purpose(p_purpose text, p_undoes text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_purpose(p_purpose text, p_undoes text) IS 'The list of purposes: their doors, DOTs and the routines that slice, write and prove. Specification: 6.';

-- Name: fn_birth_raise(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_refuse(birth.fn_birth_error(p_error, p_detail, p_hint));
END;
$$;

ALTER FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_raise(p_error text, p_detail text, p_hint text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) IS 'Raises the named error of the catalogue with its SQLSTATE and message, the given detail and hint. Specification: 8.';

-- Name: birth_receipt; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_receipt (
    run_id uuid NOT NULL,
    batch_no bigint NOT NULL,
    purpose text NOT NULL,
    epoch bigint NOT NULL,
    permit_id bigint,
    key_after text[],
    key_to text[],
    visited bigint NOT NULL,
    written bigint NOT NULL,
    skipped bigint NOT NULL,
    fingerprint numeric[] NOT NULL,
    born_at timestamp with time zone DEFAULT now() NOT NULL,
    written_by text NOT NULL,
    dot_origin text NOT NULL COLLATE pg_catalog."C",
    sha256 text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT birth_receipt_counts CHECK ((((LEAST(batch_no, visited, written, skipped) >= 0) AND (cardinality(fingerprint) = 3) AND (array_position(fingerprint, NULL::numeric) IS NULL) AND (fingerprint[1] = (written)::numeric)) IS TRUE)),
    CONSTRAINT birth_receipt_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text, 'TRANSITION'::text, 'DEATH'::text])))
);

ALTER TABLE birth.birth_receipt OWNER TO birth_definer;

-- Name: TABLE birth_receipt; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_receipt IS 'One row a committed batch: range, counts, fingerprint, chained by SHA-256. Receipts, births and ledger always agree. Specification: 6.';

-- Name: COLUMN birth_receipt.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.run_id IS 'The run.';

-- Name: COLUMN birth_receipt.batch_no; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.batch_no IS 'Number of the batch in the run, from 1.';

-- Name: COLUMN birth_receipt.purpose; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.purpose IS 'APPLY: the batch wrote births. COMPENSATE: it undid what the run wrote.';

-- Name: COLUMN birth_receipt.epoch; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.epoch IS 'The attempt it belongs to.';

-- Name: COLUMN birth_receipt.permit_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.permit_id IS 'The permit it was spent from.';

-- Name: COLUMN birth_receipt.key_after; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.key_after IS 'The batch began after this key; NULL at the start.';

-- Name: COLUMN birth_receipt.key_to; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.key_to IS 'The last key visited.';

-- Name: COLUMN birth_receipt.visited; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.visited IS 'Source rows visited.';

-- Name: COLUMN birth_receipt.written; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.written IS 'Births written, or removed.';

-- Name: COLUMN birth_receipt.skipped; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.skipped IS 'Rows that had a birth, or no code.';

-- Name: COLUMN birth_receipt.fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.fingerprint IS 'Fingerprint of the births written, or removed.';

-- Name: COLUMN birth_receipt.born_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.born_at IS 'Transaction time of the batch: its births carry the same.';

-- Name: COLUMN birth_receipt.written_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.written_by IS 'Login that executed the batch.';

-- Name: COLUMN birth_receipt.dot_origin; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.dot_origin IS 'Origin that the births of the run carry.';

-- Name: COLUMN birth_receipt.sha256; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.sha256 IS 'SHA-256 of this receipt and the one before it.';

-- Name: fn_birth_receipt_seal(birth.birth_receipt, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT encode(sha256(convert_to(coalesce(p_before, '') || jsonb_build_array(
    p_receipt.run_id, p_receipt.batch_no, p_receipt.purpose, p_receipt.epoch, p_receipt.permit_id, p_receipt.key_after,
      p_receipt.key_to,
    p_receipt.visited, p_receipt.written, p_receipt.skipped, p_receipt.fingerprint,
      extract(epoch FROM p_receipt.born_at)::numeric,
    p_receipt.written_by, p_receipt.dot_origin)::text, 'UTF8')), 'hex');
$$;

ALTER FUNCTION birth.fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text) IS 'SHA-256 of a receipt and the seal of the one before it. Specification: 6.1 R12.';

-- Name: fn_birth_refuse(jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_refuse(p_error jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF p_error IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = p_error ->> 'code',
      MESSAGE = p_error ->> 'message',
      DETAIL = coalesce(p_error ->> 'detail', ''),
      HINT = p_error ->> 'hint';
  END IF;
END;
$$;

ALTER FUNCTION birth.fn_birth_refuse(p_error jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_refuse(p_error jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_refuse(p_error jsonb) IS 'Raises an error that fn_birth_error built, with its SQLSTATE, message, detail and hint; NULL raises nothing. Specification: 8.';

-- Name: fn_birth_register(text, text[], text, uuid, boolean, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid DEFAULT NULL::uuid, p_dry_run boolean DEFAULT true, p_fresh boolean DEFAULT false) RETURNS TABLE(outcome text, codes bigint)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_policy record;
  v_bad text[];
  v_foreign text[];
  v_born bigint;
  v_existing bigint := 0;
BEGIN
  IF p_codes IS NULL OR p_dot_origin IS NULL OR p_dot_origin !~ '[^[:space:]]' OR p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_codes, p_dot_origin and p_dry_run are required');
  END IF;
  SELECT * INTO r_policy FROM birth.fn_birth_policy_decision(p_collection);
  IF NOT r_policy.may_register THEN
    PERFORM birth.fn_birth_raise(CASE r_policy.decision WHEN 'REFUSED' THEN 'unknown_collection'
      ELSE 'policy_not_required' END,
      format('collection %L: %s', p_collection, r_policy.reason));
  END IF;
  -- No white space sorts after '!', which is the quick answer, as in the constraint of the table.
  SELECT array_agg(u.code) INTO v_bad FROM unnest(p_codes) AS u(code)
  WHERE (octet_length(u.code) <= 512 AND (u.code COLLATE "C" >= '!'
    OR btrim(u.code, E' \t\n\r\f\x0b') <> '')) IS NOT TRUE;
  IF v_bad IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('code_missing', format('%s of %s codes, such as %L', cardinality(v_bad),
      cardinality(p_codes), left(v_bad[1], 80)));
  END IF;

  IF NOT p_dry_run AND p_fresh THEN
    BEGIN
      INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
      SELECT u.code, p_collection, p_dot_origin, p_run_id
      FROM unnest(p_codes) AS u(code)
      ORDER BY u.code COLLATE "C";
      GET DIAGNOSTICS v_born = ROW_COUNT;
    EXCEPTION WHEN unique_violation THEN
      v_born := NULL;
    END;
  END IF;
  IF NOT p_dry_run AND v_born IS NULL THEN
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id)
    SELECT u.code, p_collection, p_dot_origin, p_run_id
    FROM unnest(p_codes) AS u(code)
    ORDER BY u.code COLLATE "C"
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  END IF;
  IF v_born IS DISTINCT FROM cardinality(p_codes) THEN
    SELECT coalesce(v_born, count(*) FILTER (WHERE b.entity_code IS NULL)),
           count(*) FILTER (WHERE b.collection_name = p_collection) - coalesce(v_born, 0),
           array_agg(b.entity_code) FILTER (WHERE b.collection_name <> p_collection)
    INTO v_born, v_existing, v_foreign
    FROM (SELECT DISTINCT u.code COLLATE "C" AS code FROM unnest(p_codes) AS u(code)) c
    LEFT JOIN birth.birth_registry b ON b.entity_code = c.code;
  END IF;
  IF v_foreign IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('code_foreign',
      format('collection %s: %s codes, such as %L', p_collection, cardinality(v_foreign), v_foreign[1]));
  END IF;
  RETURN QUERY VALUES (CASE WHEN p_dry_run THEN 'would_be_born' ELSE 'born' END, v_born), ('exists', v_existing);
END;
$$;

ALTER FUNCTION birth.fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean) IS 'Registers codes of a BIRTH_REQUIRED collection: rows (outcome, codes). Dry run by default. NB102, NB103, NB104, NB107, NB108. Specification: 4, R1.';

-- Name: fn_birth_registry_auto(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_registry_auto() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  v_rows bigint;
  v_code text;
  v_prefix text;
  v_type oid;
  v_column text;
  v_seen oid;
  v_insert text;
  v_born bigint;
  v_typed boolean;
  v_apart boolean;
  r_again record;
  v_unresolved bigint;
  v_long bigint;
  v_keys text[];
  v_refusal jsonb;
BEGIN
  IF TG_LEVEL = 'STATEMENT' AND to_regclass('pg_temp.birth_new_rows') IS NULL
     AND current_setting('transaction_isolation') = 'read committed' THEN
    SELECT c.birth_code_types[1], coalesce(c.birth_code_prefix, ''), c.birth_code_column INTO v_type, v_prefix, v_column
    FROM birth.collection_registry c
    WHERE c.collection_name = TG_ARGV[0] AND NOT c.gate_closed AND NOT starts_with(c.coverage_status, 'BIRTH_EXEMPT_')
      AND c.schema_name = TG_TABLE_SCHEMA AND c.table_name = TG_TABLE_NAME
      AND c.birth_code_types[1] IN (20, 25, 1700, 2950) AND c.birth_code_distinct;
    IF v_column = (pg_identify_object_as_address('pg_class'::regclass, TG_RELID, 1)).object_names[3]
       AND NOT starts_with(v_column, '........pg.dropped.') THEN
      SELECT count(*), min(concat(s."birth first")), min(pg_typeof(s."birth first")::oid) INTO v_rows, v_code, v_seen
      FROM (SELECT t."birth first" FROM birth_new_rows t("birth first") LIMIT 2) s;
      v_code := v_prefix || nullif(v_code, '');
      IF v_rows = 1 AND v_type = (CASE v_seen WHEN 21 THEN 20 WHEN 23 THEN 20 WHEN 1043 THEN 25 ELSE v_seen END)
         AND v_code COLLATE "C" >= '!' AND octet_length(v_code) <= 512 THEN
        INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
        VALUES (v_code, TG_ARGV[0], 'QT-002') ON CONFLICT (entity_code) DO NOTHING;
        IF FOUND THEN
          RETURN NULL;
        END IF;
        -- No two rows can have the code, so it is of the same row: there is nothing to report.
        r_again := birth.fn_birth_gateway_again(TG_ARGV[0], ARRAY[v_code]);
        IF r_again.taken = 0 AND r_again.refusal IS NULL THEN
          RETURN NULL;
        END IF;
        v_born := 0;
      END IF;
    END IF;
  END IF;

  r_collection := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  -- Under an old snapshot the catalogue shows the columns as they were, and the rows have them as they are.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_statement('typed row', r_collection, TG_RELID) INTO v_typed USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('typed', r_collection, TG_RELID) INTO v_typed;
    END IF;
    IF v_typed IS NOT TRUE THEN
      r_collection.birth_code_sql := 'NULL::text';
      r_collection.birth_code_row_sql := 'SELECT NULL::text';
    END IF;
  END IF;
  IF TG_LEVEL = 'ROW' THEN
    v_rows := 1;
  ELSE
    SELECT count(*) INTO v_rows FROM birth_new_rows;
  END IF;
  IF v_rows = 1 AND v_born IS NULL THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE r_collection.birth_code_row_sql INTO v_code USING NEW;
    ELSE
      EXECUTE format('SELECT %s FROM birth_new_rows t', r_collection.birth_code_sql) INTO v_code;
    END IF;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT v_code, r_collection.collection_name, 'QT-002' WHERE v_code IS NOT NULL
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  ELSIF v_rows > 1 THEN
    v_insert := birth.fn_birth_gateway_statement('insert', r_collection);
    -- For 10,000 rows or more a plain INSERT is tried in a subtransaction, if no birth lies between the least and the
    -- greatest of their codes. So it fails only beside another session, or where two of the rows have one code. What
    -- a failed attempt wrote stays as dead rows. For fewer rows the subtransaction would cost more than it saves.
    IF v_rows >= 10000 THEN
      EXECUTE birth.fn_birth_gateway_statement('apart', r_collection) INTO v_apart;
    END IF;
    IF v_apart THEN
      BEGIN
        EXECUTE v_insert USING r_collection.collection_name;
        GET DIAGNOSTICS v_born = ROW_COUNT;
      EXCEPTION WHEN unique_violation THEN
        v_born := NULL;
      END;
    END IF;
    IF v_born IS NULL THEN
      EXECUTE v_insert || ' ON CONFLICT (entity_code) DO NOTHING' USING r_collection.collection_name;
      GET DIAGNOSTICS v_born = ROW_COUNT;
    END IF;
  END IF;
  IF v_rows = 0 OR v_born = v_rows THEN
    RETURN NULL;
  END IF;

  -- Rows that this statement gave no birth: their code was there already, or they have none.
  IF v_rows > 1 THEN
    EXECUTE birth.fn_birth_gateway_statement('unborn', r_collection) INTO r_again USING r_collection.collection_name;
    v_unresolved := r_again.unresolved;
  ELSE
    IF r_again IS NULL THEN
      r_again := birth.fn_birth_gateway_again(r_collection.collection_name, ARRAY[v_code]);
    END IF;
    v_unresolved := (v_code IS NULL)::integer;
  END IF;
  v_refusal := r_again.refusal;
  IF r_collection.birth_code_part AND r_collection.birth_code_sql <> 'NULL::text' AND v_refusal IS NULL THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_statement('shared row', r_collection) INTO v_refusal
      USING NEW, r_collection, TG_RELID;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('shared', r_collection) INTO v_refusal
      USING NULL::text, r_collection, TG_RELID;
    END IF;
  END IF;
  IF v_unresolved > 0 AND r_collection.gateway_mode = 'enforce' THEN
    IF TG_LEVEL = 'ROW' THEN
      EXECUTE birth.fn_birth_gateway_statement('keys row', r_collection, TG_RELID) INTO v_long, v_keys USING NEW;
    ELSE
      EXECUTE birth.fn_birth_gateway_statement('keys', r_collection, TG_RELID) INTO v_long, v_keys;
    END IF;
  END IF;
  v_refusal := coalesce(v_refusal, birth.fn_birth_gateway_report(r_collection, TG_RELID,
    v_rows - v_born - r_again.born, v_unresolved, r_again.taken, r_again.examples, v_long, v_keys));
  -- Raised here: the error names the table as one of PostgreSQL's own constraints does, and its CONTEXT is one line.
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_birth_registry_auto() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_registry_auto(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_registry_auto() IS 'Gateway trigger: one birth for each inserted row, in the same transaction. Argument: the collection. NB501, NB502 in mode enforce; NB503, NB507. Specification: 5.';

-- Name: fn_birth_registry_auto_id(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_registry_auto_id() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
  r_collection birth.collection_registry;
  v_rows bigint;
  v_code text;
  v_prefix text;
  v_type oid;
  v_column text;
  v_seen oid;
  v_insert text;
  v_born bigint;
  v_typed boolean;
  v_apart boolean;
  r_again record;
  v_unresolved bigint;
  v_long bigint;
  v_keys text[];
  v_refusal jsonb;
BEGIN
  -- As in fn_birth_registry_auto.
  IF to_regclass('pg_temp.birth_new_rows') IS NULL AND current_setting('transaction_isolation') = 'read committed' THEN
    SELECT c.birth_code_types[1], coalesce(c.birth_code_prefix, ''), c.birth_code_column INTO v_type, v_prefix, v_column
    FROM birth.collection_registry c
    WHERE c.collection_name = TG_ARGV[0] AND NOT c.gate_closed AND NOT starts_with(c.coverage_status, 'BIRTH_EXEMPT_')
      AND c.schema_name = TG_TABLE_SCHEMA AND c.table_name = TG_TABLE_NAME
      AND c.birth_code_types[1] IN (20, 25, 1700, 2950) AND c.birth_code_distinct;
    IF v_column = (pg_identify_object_as_address('pg_class'::regclass, TG_RELID, 1)).object_names[3]
       AND NOT starts_with(v_column, '........pg.dropped.') THEN
      SELECT count(*), min(concat(s."birth first")), min(pg_typeof(s."birth first")::oid) INTO v_rows, v_code, v_seen
      FROM (SELECT t."birth first" FROM birth_new_rows t("birth first") LIMIT 2) s;
      v_code := v_prefix || nullif(v_code, '');
      IF v_rows = 1 AND v_type = (CASE v_seen WHEN 21 THEN 20 WHEN 23 THEN 20 WHEN 1043 THEN 25 ELSE v_seen END)
         AND v_code COLLATE "C" >= '!' AND octet_length(v_code) <= 512 THEN
        INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
        VALUES (v_code, TG_ARGV[0], 'QT-002') ON CONFLICT (entity_code) DO NOTHING;
        IF FOUND THEN
          RETURN NULL;
        END IF;
        r_again := birth.fn_birth_gateway_again(TG_ARGV[0], ARRAY[v_code]);
        IF r_again.taken = 0 AND r_again.refusal IS NULL THEN
          RETURN NULL;
        END IF;
        v_born := 0;
      END IF;
    END IF;
  END IF;

  r_collection := birth.fn_birth_gateway_collection(TG_ARGV[0], TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  IF starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    RETURN NULL;
  END IF;
  -- Under an old snapshot the catalogue shows the columns as they were, and the rows have them as they are.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    EXECUTE birth.fn_birth_gateway_statement('typed', r_collection, TG_RELID) INTO v_typed;
    IF v_typed IS NOT TRUE THEN
      r_collection.birth_code_sql := 'NULL::text';
    END IF;
  END IF;
  SELECT count(*) INTO v_rows FROM birth_new_rows;
  IF v_rows = 1 AND v_born IS NULL THEN
    IF r_collection.birth_code_sql = format('(%L || t.id::text) COLLATE "C"', r_collection.birth_code_prefix) THEN
      SELECT r_collection.birth_code_prefix || t.id::text INTO v_code FROM birth_new_rows t;
    ELSE
      -- The collection was classified otherwise since the trigger was created.
      EXECUTE format('SELECT %s FROM birth_new_rows t', r_collection.birth_code_sql) INTO v_code;
    END IF;
    INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)
    SELECT v_code, r_collection.collection_name, 'QT-002' WHERE v_code IS NOT NULL
    ON CONFLICT (entity_code) DO NOTHING;
    GET DIAGNOSTICS v_born = ROW_COUNT;
  ELSIF v_rows > 1 THEN
    v_insert := birth.fn_birth_gateway_statement('insert', r_collection);
    IF v_rows >= 10000 THEN
      EXECUTE birth.fn_birth_gateway_statement('apart', r_collection) INTO v_apart;
    END IF;
    IF v_apart THEN
      BEGIN
        EXECUTE v_insert USING r_collection.collection_name;
        GET DIAGNOSTICS v_born = ROW_COUNT;
      EXCEPTION WHEN unique_violation THEN
        v_born := NULL;
      END;
    END IF;
    IF v_born IS NULL THEN
      EXECUTE v_insert || ' ON CONFLICT (entity_code) DO NOTHING' USING r_collection.collection_name;
      GET DIAGNOSTICS v_born = ROW_COUNT;
    END IF;
  END IF;
  IF v_rows = 0 OR v_born = v_rows THEN
    RETURN NULL;
  END IF;

  -- Rows that this statement gave no birth: their code was there already, or they have none.
  IF v_rows > 1 THEN
    EXECUTE birth.fn_birth_gateway_statement('unborn', r_collection) INTO r_again USING r_collection.collection_name;
    v_unresolved := r_again.unresolved;
  ELSE
    IF r_again IS NULL THEN
      r_again := birth.fn_birth_gateway_again(r_collection.collection_name, ARRAY[v_code]);
    END IF;
    v_unresolved := (v_code IS NULL)::integer;
  END IF;
  v_refusal := r_again.refusal;
  IF r_collection.birth_code_part AND r_collection.birth_code_sql <> 'NULL::text' AND v_refusal IS NULL THEN
    EXECUTE birth.fn_birth_gateway_statement('shared', r_collection) INTO v_refusal
    USING NULL::text, r_collection, TG_RELID;
  END IF;
  IF v_unresolved > 0 AND r_collection.gateway_mode = 'enforce' THEN
    EXECUTE birth.fn_birth_gateway_statement('keys', r_collection, TG_RELID) INTO v_long, v_keys;
  END IF;
  v_refusal := coalesce(v_refusal, birth.fn_birth_gateway_report(r_collection, TG_RELID,
    v_rows - v_born - r_again.born, v_unresolved, r_again.taken, r_again.examples, v_long, v_keys));
  IF v_refusal IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = v_refusal ->> 'code', MESSAGE = v_refusal ->> 'message', DETAIL = v_refusal ->> 'detail',
      HINT = v_refusal ->> 'hint', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
      COLUMN = CASE cardinality(r_collection.birth_code_columns)
               WHEN 1 THEN r_collection.birth_code_columns[1] ELSE '' END;
  END IF;
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_birth_registry_auto_id() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_registry_auto_id(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_registry_auto_id() IS 'Gateway trigger for a synthetic identity over column id. Argument: the collection. NB109, NB501, NB502 in mode enforce; NB503, NB507. Specification: 5.';

-- Name: fn_birth_released(name); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_released(p_login name) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT min(g.release) FROM birth.birth_gateway_release_registry g
  WHERE (g.released_by = p_login OR g.released_by_id = birth.fn_birth_login_id(p_login)) AND g.exact_sha256 IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_gateway_release_registry n WHERE n.kind = g.kind AND n.object = g.object
      AND n.generation > g.generation);
$$;

ALTER FUNCTION birth.fn_birth_released(p_login name) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_released(p_login name); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_released(p_login name) IS 'A release in force that a login made; NULL when it made none. Specification: 6.1 R7.';

-- Name: fn_birth_replicated_tables(oid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_replicated_tables(p_relation oid) RETURNS TABLE(relation oid, born boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT t.relation,
         EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = 'birth.birth_registry'::regclass)
         OR EXISTS (SELECT FROM pg_trigger g
                    WHERE g.tgrelid = t.relation AND g.tgenabled = 'A' AND g.tgtype = 5 AND g.tgqual IS NULL
                      AND g.tgfoid = to_regprocedure('birth.fn_birth_registry_auto()'))
  FROM (
    SELECT p.relid::oid AS relation FROM pg_partition_tree(p_relation) p WHERE p.isleaf
    UNION
    SELECT c.oid FROM pg_class c WHERE c.oid = p_relation AND c.relkind = 'r'
  ) t
  WHERE EXISTS (SELECT FROM pg_subscription_rel s
                WHERE s.srrelid = t.relation
                   OR s.srrelid IN (SELECT a.relid FROM pg_partition_ancestors(t.relation) a));
$$;

ALTER FUNCTION birth.fn_birth_replicated_tables(p_relation oid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_replicated_tables(p_relation oid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_replicated_tables(p_relation oid) IS 'The tables of a source into which a subscription writes, and whether their rows get births: by a row trigger that is ENABLE ALWAYS, or because the births are replicated too. Specification: 5, 7.';

-- Name: fn_birth_resolve_identity(text, jsonb); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_resolve_identity(p_collection text, p_row jsonb) RETURNS TABLE(collection_name text, identity_status text, entity_code text, reason text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_identity record;
  v_columns text;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  collection_name := p_collection;
  identity_status := r_identity.status;
  reason := r_identity.reason;
  IF jsonb_typeof(p_row) IS DISTINCT FROM 'object' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_row is not a JSON object');
  END IF;
  IF r_identity.code_sql IS NOT NULL THEN
    -- A type of the owner's is never named: its code would run as the caller. A value of a domain is read as one of the
    -- type that it is made of, and the text of an enum is its label.
    SELECT string_agg(format('%I %s', a.attname, CASE
             WHEN a.atttypid < 10000 THEN format_type(a.atttypid, a.atttypmod)
             WHEN c.type = 'anyenum'::regtype THEN 'text'
             ELSE format_type(c.type, -1) END), ', ') INTO v_columns
    FROM unnest(r_identity.columns, r_identity.types) AS c(name, type)
    JOIN pg_attribute a ON a.attname = c.name
    WHERE a.attrelid = r_identity.relation AND a.attnum > 0 AND NOT a.attisdropped;
    BEGIN
      EXECUTE format('SELECT %s FROM jsonb_to_record($1) AS t(%s)', r_identity.code_sql, v_columns)
      INTO entity_code USING p_row;
    EXCEPTION WHEN data_exception THEN
      PERFORM birth.fn_birth_raise('bad_argument', format('p_row is no row of the table: %s', sqlerrm));
    END;
    reason := CASE WHEN entity_code IS NULL THEN 'the code is null, blank or longer than 512 bytes'
                   ELSE r_identity.reason END;
  END IF;
  RETURN NEXT;
END;
$_$;

ALTER FUNCTION birth.fn_birth_resolve_identity(p_collection text, p_row jsonb) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_resolve_identity(p_collection text, p_row jsonb); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_resolve_identity(p_collection text, p_row jsonb) IS 'The entity code of one row given as JSON: status, code (NULL if unresolvable), reason. NB102: not a row of the table; NB103: unknown collection. Specification: 4.';

-- Name: fn_birth_return(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_return(p_code text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_death birth.birth_death;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_return');
  IF p_code IS NULL OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_code and p_reason are required');
  END IF;
  UPDATE birth.birth_death d SET return_allowed_by = session_user, return_allowed_at = birth.fn_birth_clock()
  WHERE d.entity_code = p_code AND d.returned_at IS NULL
  RETURNING d.* INTO r_death;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('code_not_dead', format('code %L', left(p_code, 80)));
  END IF;
  PERFORM birth.fn_birth_act_record('return', p_collection := r_death.collection_name, p_reason := p_reason,
    p_detail := jsonb_build_object('entity_code', p_code));
  RETURN format('SELECT birth.fn_birth_now(p_code := %L);  -- after its row is there again', p_code);
END;
$$;

ALTER FUNCTION birth.fn_birth_return(p_code text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_return(p_code text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_return(p_code text, p_reason text) IS 'Allows one return of a dead code; returns the next step. Steward. NB102, NB110, NB111, NB521. Specification: 5.2.';

-- Name: fn_birth_review_record(uuid, text, text, bigint, text, bigint[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint DEFAULT 0, p_purpose text DEFAULT NULL::text, p_supersedes bigint[] DEFAULT NULL::bigint[]) RETURNS TABLE(review_id bigint, verdict text, next_step text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  v_purpose text;
  v_accepts text;
  v_fault text;
  -- Before the wait below: what comes meanwhile the reviewer has not seen.
  v_alerts bigint := (SELECT count(*) FROM birth.fn_birth_alerts());
  v_failures bigint;
  v_release text;
  v_unnamed text;
  v_supersedes bigint[] := coalesce(p_supersedes, '{}');
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_actor('birth_reviewer', 'fn_birth_review_record');
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  v_purpose := coalesce(p_purpose, r_run.purpose);
  v_failures := birth.fn_birth_run_failures(r_run);
  v_accepts := (SELECT p.accepts FROM birth.fn_birth_purpose(v_purpose, CASE WHEN v_purpose = 'COMPENSATE'
    THEN r_run.purpose END) p);
  v_fault := CASE
    WHEN p_verdict IS NULL OR p_verdict NOT IN ('SAFE', 'NOT_SAFE_NEEDS_FIX')
      THEN format('p_verdict is %L, not SAFE or NOT_SAFE_NEEDS_FIX', p_verdict)
    -- Nothing but the dots of a statement that was made ready is no finding. \u2026 is the ellipsis, and \u0085 that of
    -- the encodings of Windows.
    WHEN p_findings IS NULL OR p_findings !~ E'[^[:space:].\\u2026\\u0085]'
      THEN 'p_findings is required: what was checked, and found'
    WHEN v_purpose NOT IN (r_run.purpose, 'COMPENSATE')
      THEN format('p_purpose is %L, not %s or COMPENSATE', p_purpose, r_run.purpose)
    WHEN p_accept_orphans IS NULL OR p_accept_orphans < 0
         OR v_accepts IS DISTINCT FROM 'births' AND p_accept_orphans NOT IN (0, r_run.orphans)
      THEN format('p_accept_orphans is %s, the plan counted %s', coalesce(p_accept_orphans::text, 'NULL'),
        r_run.orphans)
    WHEN EXISTS (SELECT FROM unnest(p_supersedes) AS s(id) WHERE NOT EXISTS (
      SELECT FROM birth.birth_review o
      WHERE o.review_id = s.id AND o.run_id = p_run_id AND o.purpose = v_purpose AND o.verdict = 'NOT_SAFE_NEEDS_FIX'))
        THEN
      format('p_supersedes is %s; it names verdicts NOT_SAFE_NEEDS_FIX on this run and purpose', p_supersedes)
  END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('verdict_malformed', v_fault);
  END IF;
  IF r_run.status = 'compensated' OR (v_purpose <> 'COMPENSATE'
    AND (r_run.status = 'done' OR r_run.compensating_since IS NOT NULL))
     OR (v_purpose = 'COMPENSATE' AND r_run.status = 'planned') THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status));
  END IF;
  v_release := birth.fn_birth_released(session_user);
  IF v_release IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('separation_of_duties',
      format('%s released %s, which the verdict is bound to', session_user, v_release));
  END IF;
  IF p_verdict = 'SAFE' THEN
    PERFORM birth.fn_birth_lineage_lock(r_run.lineage);
    SELECT string_agg(format('%s, by %s: %s', v.review_id, v.reviewed_by, v.findings), '; ' ORDER BY v.review_id)
        FILTER (WHERE v.verdict <> 'SAFE' AND v.review_id <> ALL (v_supersedes)),
      v_supersedes || coalesce(array_agg(v.review_id ORDER BY v.review_id) FILTER (WHERE v.verdict = 'SAFE'), '{}')
    INTO v_unnamed, v_supersedes
    FROM birth.v_birth_verdict_standing v WHERE v.run_id = p_run_id AND v.purpose = v_purpose;
    IF v_unnamed IS NOT NULL THEN
      PERFORM birth.fn_birth_raise('verdict_stands', format('run %s, %s: %s', p_run_id, v_purpose, v_unnamed),
        'when what it found is mended, name it: ' || birth.fn_birth_review_statement(r_run, v_purpose));
    END IF;
  END IF;
  v_at := birth.fn_birth_act_record('review', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_reason := p_findings,
    p_detail := jsonb_build_object('verdict', p_verdict, 'purpose', v_purpose, 'supersedes', v_supersedes));
  INSERT INTO birth.birth_review AS v (run_id, purpose, verdict, findings, accept_orphans, reviewed_at, reviewed_by,
    planned_fingerprint, contract_hash, identity_hash,
    alerts_seen, failures_seen, supersedes)
  VALUES (p_run_id, v_purpose, p_verdict, p_findings, p_accept_orphans, v_at, session_user, r_run.planned_fingerprint,
    birth.fn_birth_contract_hash(),
    birth.fn_birth_identity_hash(r_run.collection_name), v_alerts, v_failures, v_supersedes)
  RETURNING v.review_id, v.verdict INTO review_id, verdict;
  next_step := birth.fn_birth_run_next_step(p_run_id, v_purpose);
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint, p_purpose text, p_supersedes bigint[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint, p_purpose text, p_supersedes bigint[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint, p_purpose text, p_supersedes bigint[]) IS 'Records a verdict on a run, taking back the verdicts NOT_SAFE_NEEDS_FIX in p_supersedes; returns its id and the next step. Reviewer. NB110, NB111, NB209, NB211, NB213, NB301 to NB303. Specification: 6, R5, R7.';

-- Name: fn_birth_review_statement(birth.birth_backfill_ledger_v2, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT format('SELECT * FROM birth.fn_birth_review_record(p_run_id := %L, p_verdict := ''...'', '
    'p_findings := ''...''%s%s%s);  -- a reviewer',
    p_run.run_id,
    (SELECT format(', p_accept_orphans := %s', a.number)
     FROM birth.fn_birth_purpose(p_purpose, CASE WHEN p_purpose = 'COMPENSATE' THEN p_run.purpose END) p
     CROSS JOIN LATERAL (SELECT CASE
       WHEN p.accepts = 'births' AND p_purpose = 'COMPENSATE'
         THEN birth.fn_birth_collection_births(p_run.collection_name)
       WHEN p.accepts = 'births' THEN p_run.existing_births
       WHEN p_purpose <> 'COMPENSATE' THEN p_run.orphans END) AS a(number)
     WHERE a.number > 0),
    CASE WHEN p_purpose = 'COMPENSATE' THEN ', p_purpose := ''COMPENSATE''' END,
    (SELECT format(', p_supersedes := %L', array_agg(v.review_id ORDER BY v.review_id))
     FROM birth.v_birth_verdict_standing v
     WHERE v.run_id = p_run.run_id AND v.purpose = p_purpose AND v.verdict <> 'SAFE' HAVING count(*) > 0));
$$;

ALTER FUNCTION birth.fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text) IS 'The ready statement for a verdict on a run, naming what it takes back. Specification: 6, R5.';

-- Name: fn_birth_rule_state(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_rule_state(p_collection text) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT jsonb_build_object('rule_version', f.rule_version, 'holds', f.holds, 'since', birth.fn_birth_clock())
  FROM birth.v_birth_gateway_fence f WHERE f.collection_name = p_collection;
$$;

ALTER FUNCTION birth.fn_birth_rule_state(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_rule_state(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_rule_state(p_collection text) IS 'The version of a collection''s rule, whether it holds, and the time, for the detail of an act. Specification: 4.1, 5.';

-- Name: fn_birth_run_audit(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_audit(p_run_id uuid DEFAULT NULL::uuid) RETURNS TABLE(run_id uuid, check_name text, found text, expected text, pass boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  WITH run AS (
    SELECT l FROM birth.birth_backfill_ledger_v2 l WHERE p_run_id IS NULL OR l.run_id = p_run_id
  ), violation AS (
    SELECT v.run_id, string_agg(concat_ws(' x ', v.violated, v.violations), '; ' ORDER BY v.violated) AS found
    FROM (SELECT * FROM birth.fn_birth_constraint_violations() UNION ALL
          SELECT * FROM birth.fn_birth_death_violations()) v GROUP BY v.run_id
  ), other AS (
    -- Runs that another record names: each is in the ledger.
    SELECT a.run_id FROM birth.birth_act a WHERE a.run_id IS NOT NULL
    UNION SELECT p.run_id FROM birth.birth_admission_permit_v2 p
    UNION SELECT r.run_id FROM birth.birth_receipt r
    UNION SELECT v.run_id FROM birth.birth_review v
    UNION SELECT v.run_id FROM violation v
  ), outcome AS (
    SELECT a.run_id, a.epoch, string_agg(a.detail ->> 'status', ', ') AS told FROM birth.birth_act a
      WHERE a.act = 'outcome' GROUP BY a.run_id, a.epoch
  ), receipt AS (
    SELECT r.run_id, r.batch_no, r.purpose, r.fingerprint,
           row_number() OVER chain AS number,
           birth.fn_birth_receipt_seal(r, lag(r.sha256) OVER chain) = r.sha256 AS sealed
    FROM birth.birth_receipt r WHERE r.run_id IN (SELECT (n.l).run_id FROM run n)
    WINDOW chain AS (PARTITION BY r.run_id ORDER BY r.batch_no)
  ), total AS (
    SELECT r.run_id, count(*) AS batches, bool_and(r.sealed AND r.number = r.batch_no) AS chained,
           ARRAY[coalesce(sum(r.fingerprint[1]) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0),
             coalesce(sum(r.fingerprint[2]) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0),
                 coalesce(sum(r.fingerprint[3]) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0)] AS written,
           ARRAY[sum(s.sign * r.fingerprint[1]), sum(s.sign * r.fingerprint[2]),
             sum(s.sign * r.fingerprint[3])] AS remaining
    FROM receipt r CROSS JOIN LATERAL (SELECT CASE r.purpose WHEN 'COMPENSATE' THEN -1 ELSE 1 END) AS s(sign)
    GROUP BY r.run_id
  )
  SELECT (n.l).run_id, c.check_name, c.found, c.expected, (c.found = c.expected) IS TRUE
  FROM run n
  LEFT JOIN total t ON t.run_id = (n.l).run_id
  LEFT JOIN violation v ON v.run_id = (n.l).run_id
  LEFT JOIN outcome o ON o.run_id = (n.l).run_id AND o.epoch = (n.l).epoch
  CROSS JOIN (SELECT count(*) AS alerts FROM birth.fn_birth_alerts()) s
  CROSS JOIN LATERAL (SELECT (n.l).status IN ('done', 'compensated') AS over) r
  CROSS JOIN LATERAL (VALUES
    ('birth_registry holds what the receipts leave', birth.fn_birth_run_proof(n.l)::text,
     coalesce(t.remaining, '{0,0,0}')::text),
    ('the ledger counts what the receipts wrote', (n.l).written_fingerprint::text,
     coalesce(t.written, '{0,0,0}')::text),
    ('the receipts are a chain without a gap', coalesce(t.chained, true)::text, 'true'),
    ('births and receipts carry the origin of the run', (
       SELECT count(*)::text FROM (SELECT b.dot_origin FROM birth.birth_registry b WHERE b.run_id = (n.l).run_id
                                   UNION ALL SELECT r.dot_origin FROM birth.birth_receipt r
                                     WHERE r.run_id = (n.l).run_id) AS o
       WHERE o.dot_origin IS DISTINCT FROM (n.l).dot_origin) || ' of another', '0 of another'),
    ('the ledger counts the receipts', (n.l).batches::text, coalesce(t.batches, 0)::text),
    ('the permits were spent on what was written',
     (SELECT coalesce(sum(p.spent_rows), 0)::text FROM birth.birth_admission_permit_v2 p
       WHERE p.run_id = (n.l).run_id AND p.purpose = (n.l).purpose), (n.l).actual_inserted::text),
    ('an attempt stands behind each epoch', (SELECT count(DISTINCT a.epoch)::text FROM birth.birth_act a
       WHERE a.lineage = (n.l).lineage AND a.run_id = (n.l).run_id AND (a.act = 'attempt' OR a.act = 'takeover')),
         (n.l).epoch::text),
    -- A run that was interrupted or taken over has none.
    ('an act tells of the outcome', coalesce(o.told, 'none'),
      CASE WHEN (n.l).status IN ('done', 'compensated', 'failed') OR (n.l).status = 'stopped' AND o.told IS NOT NULL
        THEN (n.l).status ELSE 'none' END),
    ('begun, and finished after that', concat_ws(', ', (n.l).started_at, CASE WHEN r.over THEN (n.l).finished_at END),
      concat_ws(', ', CASE WHEN (n.l).started_at IS NULL AND (n.l).status <> 'planned' THEN 'begun'
        ELSE (n.l).started_at::text END,
        CASE WHEN r.over THEN CASE WHEN (n.l).finished_at >= (n.l).started_at THEN (n.l).finished_at::text
          ELSE 'finished later' END END)),
    -- People are told apart over the whole lineage.
    ('it follows the plan that it names', (n.l).lineage::text,
      CASE WHEN (n.l).predecessor IS NULL THEN (n.l).run_id::text
           ELSE coalesce((SELECT l.lineage::text FROM birth.birth_backfill_ledger_v2 l
             WHERE l.run_id = (n.l).predecessor), 'no such plan') END),
    ('the alerts that it and its reviewers saw are there', s.alerts::text, greatest(s.alerts, (n.l).alerts_before,
      (SELECT max(w.alerts_seen) FROM birth.birth_review w WHERE w.run_id = (n.l).run_id))::text),
    ('every row is as its constraints allow', coalesce(v.found, 'all'), 'all')
  ) AS c(check_name, found, expected)
  UNION ALL
  SELECT x.run_id, 'the ledger has the run', 'no', 'yes', false
  FROM other x
  WHERE (p_run_id IS NULL OR x.run_id = p_run_id) AND x.run_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM run n WHERE (n.l).run_id = x.run_id)
  UNION ALL
  SELECT v.run_id, 'every row is as its constraints allow', v.found, 'all', false
  FROM violation v
  WHERE p_run_id IS NULL AND NOT EXISTS (SELECT FROM run n WHERE (n.l).run_id = v.run_id);
$$;

ALTER FUNCTION birth.fn_birth_run_audit(p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_audit(p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_audit(p_run_id uuid) IS 'Checks births, receipts, chain, ledger and permits of a run, or of all, against each other: check, found, expected, pass. Specification: 6, R11.';

-- Name: fn_birth_run_batch(birth.birth_backfill_ledger_v2, integer); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION birth.fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer) IS 'Writes one batch of a run with marker, receipt, permit and ledger; with nothing left, proves the run. Granted to nobody. NB108, NB202 to NB206, NB309, NB310, NB313. Specification: 6 steps 8 to 10.';

-- Name: fn_birth_run_begin(text, uuid, bigint, bigint, bigint, integer, text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text DEFAULT NULL::text, p_mode text DEFAULT 'drive'::text) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    SET lock_timeout TO '5s'
    AS $$
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
$$;

ALTER FUNCTION birth.fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text, p_mode text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text, p_mode text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text, p_mode text) IS 'Checks everything, pins the target set and claims the run for this session; a refusal changes nothing. Called by the drivers. Operator. Specification: 6, R8, R10, R14.';

-- Name: fn_birth_run_births(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_births(p_run birth.birth_backfill_ledger_v2) RETURNS numeric[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
  SELECT ARRAY[count(*), coalesce(sum(hashtextextended(b.entity_code, p_run.seed_a)), 0),
    coalesce(sum(hashtextextended(b.entity_code, p_run.seed_b)), 0)]
  FROM birth.birth_registry b
  WHERE b.run_id = p_run.run_id AND b.collection_name = p_run.collection_name;
$$;

ALTER FUNCTION birth.fn_birth_run_births(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_births(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_births(p_run birth.birth_backfill_ledger_v2) IS 'Fingerprint of the births that carry the run, measured from birth_registry. Specification: 6 step 9, R11.';

-- Name: fn_birth_run_claim(birth.birth_backfill_ledger_v2, birth.birth_backfill_ledger_v2, text, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_claim(p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_other birth.birth_backfill_ledger_v2;
  r_run birth.birth_backfill_ledger_v2;
  r_target birth.birth_backfill_ledger_v2;
  v_claimed boolean;
  v_who text;
  v_remedy text;
BEGIN
  v_claimed := pg_try_advisory_xact_lock(birth.fn_birth_lock_key('claim:' || p_run.collection_name));
  IF NOT v_claimed THEN
    -- Before the ledger is read: who has committed meanwhile stands there.
    SELECT o.who, o.remedy INTO v_who, v_remedy
    FROM birth.fn_birth_lock_owner(p_name := 'claim:' || p_run.collection_name) o;
  END IF;
  SELECT l.* INTO r_other FROM birth.birth_backfill_ledger_v2 l
  WHERE l.collection_name = p_run.collection_name AND l.status = 'running' AND l.run_id <> p_run.run_id;
  IF NOT v_claimed OR birth.fn_birth_run_holder(r_other.run_id, r_other.epoch) = r_other.holder_pid THEN
    PERFORM birth.fn_birth_raise('run_held',
      format('another run of collection %s is on%s', p_run.collection_name, coalesce(
        CASE WHEN r_other.run_id IS NOT NULL THEN
          format(': %s, executed by %s, backend %s', r_other.run_id, r_other.executed_by, r_other.holder_pid) END,
        ', begun by ' || v_who, '')),
      CASE WHEN r_other.run_id IS NULL THEN 'wait for it; if it hangs, end it: ' || v_remedy END);
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET status = 'stopped', stop_reason = 'interrupted', holder_pid = NULL
  WHERE l.run_id = r_other.run_id;
  IF p_purpose = p_run.purpose AND p_run.started_at IS NULL THEN
    r_target := (birth.fn_birth_run_set(p_run, p_now.expected_delta)).fresh;
    UPDATE birth.birth_backfill_ledger_v2 l
    SET expected_delta = p_now.expected_delta, max_rows = p_now.max_rows, dot_origin = p_now.dot_origin,
        target_upper = r_target.target_upper, target_fingerprint = r_target.target_fingerprint,
        accepted_orphans = coalesce((SELECT v.accept_orphans FROM birth.v_birth_verdict_standing v
          WHERE v.run_id = l.run_id AND v.purpose = l.purpose AND v.verdict = 'SAFE'), 0),
        alerts_before = (SELECT count(*) FROM birth.fn_birth_alerts())
    WHERE l.run_id = p_run.run_id;
  END IF;
  PERFORM birth.fn_birth_act_record('attempt', p_run_id := p_run.run_id, p_lineage := p_run.lineage,
    p_permit_id := p_now.permit_id, p_collection := p_run.collection_name, p_epoch := p_run.epoch + 1,
    p_detail := jsonb_build_object('purpose', p_purpose, 'backend', pg_backend_pid()));
  UPDATE birth.birth_backfill_ledger_v2 l
  SET status = 'running', stop_reason = NULL, dry_run = false, epoch = l.epoch + 1,
      holder_pid = pg_backend_pid(), executed_by = session_user, permit_id = p_now.permit_id,
      contract_token = birth.fn_birth_contract_token(), started_at = coalesce(l.started_at, clock_timestamp()),
      compensating_since = CASE p_purpose WHEN 'COMPENSATE' THEN coalesce(l.compensating_since, clock_timestamp()) END
  WHERE l.run_id = p_run.run_id
  RETURNING l.* INTO r_run;
  IF p_session THEN
    PERFORM pg_advisory_unlock(birth.fn_birth_lock_key(format('run:%s:%s', p_run.run_id, p_run.epoch)))
    WHERE birth.fn_birth_run_holder(p_run.run_id, p_run.epoch) = pg_backend_pid();
    -- A claim that was cancelled behind this line has left the lock with its session: what is held already is not taken
    -- twice, or it would stay behind.
    IF NOT (CASE birth.fn_birth_run_holder(r_run.run_id, r_run.epoch)
              WHEN pg_backend_pid() THEN true
              ELSE pg_try_advisory_lock(birth.fn_birth_lock_key(format('run:%s:%s', r_run.run_id, r_run.epoch)))
            END) THEN
      SELECT o.who, o.remedy INTO v_who, v_remedy
      FROM birth.fn_birth_lock_owner(p_name := format('run:%s:%s', r_run.run_id, r_run.epoch)) o;
      PERFORM birth.fn_birth_raise('run_held',
        format('the lock of the next attempt of run %s is held by %s', r_run.run_id,
          coalesce(v_who, 'a session that has just ended')),
        'its claim was cut off: send the same CALL from it, or end that session: ' || v_remedy);
    END IF;
  END IF;
  RETURN r_run;
END;
$$;

ALTER FUNCTION birth.fn_birth_run_claim(p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_claim(p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_claim(p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean) IS 'Makes this session the holder of a locked run, pins its target and records the attempt; NB209, NB303. Specification: 6.1 R8, R10, R14.';

-- Name: fn_birth_run_failures(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  RETURN (SELECT count(*) FROM birth.birth_act a
    WHERE a.lineage = p_run.lineage AND a.run_id = p_run.run_id AND a.act = 'outcome'
      AND a.detail ->> 'status' = 'failed');
END;
$$;

ALTER FUNCTION birth.fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2) IS 'Number of outcomes of a run that were failed. Specification: 6, R5.';

-- Name: fn_birth_run_finish(birth.birth_backfill_ledger_v2, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_undo CONSTANT boolean := p_purpose <> p_run.purpose;
  v_status CONSTANT text := CASE WHEN v_undo THEN 'compensated' ELSE 'done' END;
  v_source CONSTANT boolean := NOT v_undo AND (SELECT p.source = 'rows' FROM birth.fn_birth_purpose(p_purpose) p);
  -- Before the rows are counted: a rule that holds then holds for all that is counted.
  v_rule CONSTANT jsonb := birth.fn_birth_rule_state(p_run.collection_name);
  r_run birth.birth_backfill_ledger_v2;
  r_set record;
BEGIN
  -- What is left now, not within the target.
  r_run := p_run;
  r_run.target_upper := NULL;
  SELECT s.fresh, s.foreign_codes INTO r_set FROM birth.fn_birth_run_set(r_run) s WHERE NOT v_undo;
  PERFORM birth.fn_birth_refuse(c.blocker)
  FROM birth.fn_birth_checks('end', p_run, p_purpose, r_set.fresh, p_foreign := r_set.foreign_codes) c WHERE NOT c.pass
    ORDER BY c.number;
  PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run.run_id, p_lineage := p_run.lineage,
    p_permit_id := p_run.permit_id,
    p_collection := p_run.collection_name, p_epoch := p_run.epoch,
    p_detail := jsonb_build_object('status', v_status) || CASE WHEN v_undo THEN '{}'
      ELSE jsonb_build_object('rerun_delta', (r_set.fresh).planned_rows, 'orphans', (r_set.fresh).orphans) END
      || CASE WHEN v_source THEN v_rule || jsonb_build_object('unborn', (r_set.fresh).planned_rows
           + (r_set.fresh).unresolvable + (r_set.fresh).duplicates + (r_set.fresh).collisions) ELSE '{}' END);
  UPDATE birth.birth_admission_permit_v2 p SET status = 'CONSUMED', closed_at = birth.fn_birth_clock()
    WHERE p.permit_id = p_run.permit_id;
  UPDATE birth.birth_backfill_ledger_v2 l SET status = v_status, finished_at = clock_timestamp(), holder_pid = NULL
  WHERE l.run_id = p_run.run_id RETURNING l.* INTO r_run;
  RETURN r_run;
END;
$$;

ALTER FUNCTION birth.fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text) IS 'Proves that a run wrote its target, or that none of it is left, and records done or compensated. NB104, NB105, NB108, NB109, NB309, NB310, NB315, NB316. Specification: 6 steps 4, 9, 10, R11.';

-- Name: fn_birth_run_holder(uuid, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_holder(p_run_id uuid, p_epoch bigint) RETURNS integer
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT birth.fn_birth_lock_holder(format('run:%s:%s', p_run_id, p_epoch));
$$;

ALTER FUNCTION birth.fn_birth_run_holder(p_run_id uuid, p_epoch bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_holder(p_run_id uuid, p_epoch bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_holder(p_run_id uuid, p_epoch bigint) IS 'Process id of the session that holds this attempt of a run, or NULL when none lives. Specification: 6.1 R14.';

-- Name: fn_birth_run_leave(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_leave(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', VARIADIC ARRAY(SELECT p.doors[1]
    FROM birth.fn_birth_purpose() p));
  PERFORM pg_advisory_unlock(birth.fn_birth_lock_key(n.name))
  FROM birth.birth_backfill_ledger_v2 l
  CROSS JOIN generate_series(1, l.epoch) AS e(epoch)
  CROSS JOIN unnest(ARRAY['run', 'failed']) AS k(kind)
  CROSS JOIN LATERAL format('%s:%s:%s', k.kind, l.run_id, e.epoch) AS n(name)
  WHERE l.run_id = p_run_id AND pg_current_xact_id_if_assigned() IS NULL
    AND birth.fn_birth_lock_holder(n.name) = pg_backend_pid();
END;
$$;

ALTER FUNCTION birth.fn_birth_run_leave(p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_leave(p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_leave(p_run_id uuid) IS 'Releases the locks that this session holds of a run, unless its transaction has written something. Called by the drivers. Operator. NB110 to NB112. Specification: 6, R8.';

-- Name: fn_birth_run_lock(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_lock(p_run_id uuid) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_owner record;
  v_undone integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock_shared(birth.fn_birth_lock_key('release')) THEN
    SELECT o.* INTO r_owner FROM birth.fn_birth_lock_owner(p_name := 'release') o;
    PERFORM birth.fn_birth_raise('release_in_progress',
      format('the release lock is held by %s', coalesce(r_owner.who, 'a session that has just ended')),
      'wait until alembic has finished; if it is no release, end it: ' || r_owner.remedy);
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
    IF NOT FOUND THEN
      PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
    END IF;
    IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) IS DISTINCT FROM pg_backend_pid() THEN
      SELECT o.* INTO r_owner FROM birth.birth_backfill_ledger_v2 l,
        birth.fn_birth_lock_owner(p_table := 'birth.birth_backfill_ledger_v2', p_xmax := l.xmax,
          p_pid := birth.fn_birth_run_holder(l.run_id, l.epoch)) o WHERE l.run_id = p_run_id;
      PERFORM birth.fn_birth_raise('run_held', format('run %s is locked by %s', p_run_id,
        coalesce(r_owner.who, format('another session; last executed by %s, backend %s',
          coalesce(r_run.executed_by, 'nobody'), coalesce(r_run.holder_pid::text, 'unknown')))),
        'wait for it; if it hangs, end it: ' || r_owner.remedy);
    END IF;
    -- A rival on its way to be refused, or a takeover, has the row for a moment.
    r_run := birth.fn_birth_run_wait(p_run_id);
  END IF;
  -- A session of the executor still says that a check failed in this attempt, and the ledger does not: it was rolled
  -- back.
  v_undone := birth.fn_birth_lock_holder(format('failed:%s:%s', p_run_id, r_run.epoch));
  IF r_run.status <> 'failed' AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = v_undone
    AND a.usename = r_run.executed_by) THEN
    PERFORM birth.fn_birth_raise('outcome_undone',
      format('run %s, attempt %s, in the session of %s, backend %s', p_run_id, r_run.epoch,
      r_run.executed_by, v_undone),
        format('end that session: SELECT pg_catalog.pg_terminate_backend(%s); the next CALL then begins an '
      'attempt that checks everything', v_undone));
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = r_run.collection_name FOR SHARE;
  RETURN r_run;
END;
$$;

ALTER FUNCTION birth.fn_birth_run_lock(p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_lock(p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_lock(p_run_id uuid) IS 'Locks a run for a batch and returns its row. NB301, NB303, NB318, NB406. Specification: 6.1 R5, R9, R14.';

-- Name: fn_birth_run_next_step(uuid, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_next_step(p_run_id uuid, p_purpose text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_permit birth.birth_admission_permit_v2;
  r_purpose record;
  v_purpose text;
  v_undo boolean;
  v_left bigint;
  v_planned bigint;
  v_accepted bigint;
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  v_purpose := coalesce(p_purpose, CASE WHEN r_run.compensating_since IS NULL THEN r_run.purpose ELSE 'COMPENSATE' END);
  v_undo := v_purpose = 'COMPENSATE';
  SELECT p.doors[1] AS door, p.numbers, p.accepts, o.plan INTO r_purpose
  FROM birth.fn_birth_purpose(v_purpose, CASE WHEN v_undo THEN r_run.purpose END) p
    CROSS JOIN birth.fn_birth_purpose(r_run.purpose) o;
  IF r_purpose.plan IS NULL OR r_run.status = 'running'
    AND birth.fn_birth_run_holder(r_run.run_id, r_run.epoch) = r_run.holder_pid THEN
    RETURN NULL;
  ELSIF r_run.status = 'done' AND NOT v_undo THEN
    RETURN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', r_run.collection_name);
  ELSIF r_run.status = 'compensated'
     OR NOT v_undo AND (r_run.stop_reason IN ('source_changed', 'plan_stale') OR r_run.status = 'planned' AND EXISTS (
          SELECT FROM birth.v_birth_verdict_standing v WHERE v.run_id = p_run_id AND v.purpose = v_purpose
            AND v.verdict <> 'SAFE')) THEN
    RETURN format('SELECT * FROM birth.%I(p_collection := %L%s, p_dry_run := false);  -- an operator', r_purpose.plan,
      r_run.collection_name,
      (SELECT string_agg(format(', %I := %L', w.key, w.value), '' ORDER BY w.key DESC)
       FROM jsonb_each_text(r_run.wanted) w));
  ELSIF EXISTS (SELECT FROM birth.fn_birth_checks('permit', r_run, v_purpose, r_run) c WHERE NOT c.pass) THEN
    RETURN birth.fn_birth_review_statement(r_run, v_purpose);
  END IF;

  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p
  WHERE p.run_id = p_run_id AND p.purpose = v_purpose AND p.status = 'OPEN' AND p.expires_at > birth.fn_birth_clock()
    AND NOT EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = r_run.lineage AND a.permit_id = p.permit_id
      AND a.act = 'permit_revoke');
  -- When all is written and only the proof is left, it needs a permit too, and none is for no row.
  v_left := greatest(1, CASE WHEN v_undo THEN r_run.actual_inserted - r_run.compensated_rows
    ELSE r_run.expected_delta - r_run.actual_inserted END);
  IF r_permit.permit_id IS NULL THEN
    v_planned := CASE r_purpose.accepts WHEN 'births' THEN r_run.existing_births ELSE r_run.orphans END;
    v_accepted := (SELECT v.accept_orphans FROM birth.v_birth_verdict_standing v
      WHERE v.run_id = p_run_id AND v.purpose = v_purpose AND v.verdict = 'SAFE');
    RETURN format('SELECT * FROM birth.fn_birth_permit_open(p_collection := %L, p_run_id := %L, p_max_rows := %s, '
      'p_expires_at := birth.fn_birth_clock() OPERATOR(pg_catalog.+) interval ''1 day'', '
      'p_reason := ''...''%s);  -- a permit owner%s',
        r_run.collection_name, p_run_id, v_left,
      CASE WHEN v_undo THEN ', p_purpose := ''COMPENSATE''' END,
      CASE WHEN NOT v_undo AND v_accepted <> v_planned
        THEN format('; the verdict accepts %s %s, the plan has %s', v_accepted, r_purpose.accepts, v_planned) END);
  ELSIF r_permit.confirmed_by IS NULL THEN
    RETURN format('SELECT * FROM birth.fn_birth_permit_confirm(p_permit_id := %s);  -- a reviewer%s',
      r_permit.permit_id,
      CASE WHEN r_permit.max_rows > v_left
        THEN format('; the permit allows %s rows, the plan has %s', r_permit.max_rows, v_left) END);
  ELSIF NOT r_purpose.numbers THEN
    RETURN format('CALL birth.%I(p_run_id := %L, p_permit_id := %s, p_execute := true);  -- an operator',
      r_purpose.door, p_run_id,
      r_permit.permit_id);
  END IF;
  RETURN format('CALL birth.%I(p_collection := %L, p_run_id := %L, p_permit_id := %s, p_expected_delta := %s, '
    'p_max_rows := %s, p_execute := true);  -- an operator', r_purpose.door, r_run.collection_name, p_run_id,
      r_permit.permit_id,
    CASE WHEN r_run.max_rows IS NULL THEN least(r_run.planned_rows, r_permit.max_rows) ELSE r_run.expected_delta END,
    coalesce(r_run.max_rows, r_permit.max_rows));
END;
$$;

ALTER FUNCTION birth.fn_birth_run_next_step(p_run_id uuid, p_purpose text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_next_step(p_run_id uuid, p_purpose text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_next_step(p_run_id uuid, p_purpose text) IS 'The statement a run needs next, with a remark who sends it; NULL while it runs. Specification: 2, 6.';

-- Name: fn_birth_run_outcome(uuid, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  -- Of the catalogue's errors the catalogue says it. Of PostgreSQL's, a lock, a timeout, a cancel, a lost connection, a
  -- full disk or a serialization failure comes from outside and stops the run; everything else is a check that failed.
  v_error jsonb := CASE
    WHEN p_sqlstate LIKE 'NB%' THEN birth.fn_birth_error(p_sqlstate, '')
    ELSE jsonb_build_object('error', p_sqlstate, 'outcome', CASE
      WHEN p_sqlstate IN ('55P03', '57014') OR left(p_sqlstate, 2) IN ('40', '53', '57', '58', '08') THEN 'stopped'
      ELSE 'failed' END)
  END;
  v_status text := v_error ->> 'outcome';
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id AND l.status = 'running';
  IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) IS DISTINCT FROM pg_backend_pid() THEN
    RETURN;
  END IF;
  IF v_status = 'failed' THEN
    PERFORM pg_try_advisory_lock(birth.fn_birth_lock_key(format('failed:%s:%s', p_run_id, r_run.epoch)));
  END IF;
  RAISE LOG 'birth: run %, attempt %, of %: % % %',
    p_run_id, r_run.epoch, session_user, v_status, p_sqlstate, p_message;
  -- A takeover that is being committed is waited for.
  PERFORM birth.fn_birth_run_wait(p_run_id);
  UPDATE birth.birth_backfill_ledger_v2 l
  SET status = v_status, stop_reason = v_error ->> 'error', holder_pid = NULL
  WHERE l.run_id = p_run_id AND l.status = 'running' AND l.epoch = r_run.epoch;
  IF FOUND THEN
    PERFORM birth.fn_birth_act_record('outcome', p_run_id := p_run_id, p_lineage := r_run.lineage,
      p_permit_id := r_run.permit_id, p_collection := r_run.collection_name, p_epoch := r_run.epoch,
      p_reason := p_message,
      p_detail := jsonb_build_object('status', v_status, 'sqlstate', p_sqlstate));
    PERFORM birth.fn_birth_permit_settle(p_run_id);
  END IF;
  PERFORM pg_advisory_unlock(birth.fn_birth_lock_key(format('run:%s:%s', p_run_id, r_run.epoch)));
END;
$$;

ALTER FUNCTION birth.fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text) IS 'Records stopped or failed for a batch that raised, and lets go of the run. Granted to nobody. Specification: 6, R8.';

-- Name: fn_birth_run_pace(uuid, integer, integer, double precision); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision) RETURNS TABLE(batch integer, pause_slice double precision)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_pace record;
  v_factor double precision;
BEGIN
  SELECT l.lineage, l.epoch, l.last_batch_at, (t.detail ->> 'batch')::integer AS batch,
         (t.detail ->> 'pause_ms')::integer AS pause_ms, (t.detail ->> 'target_ms')::integer AS target_ms
  INTO r_pace
  FROM birth.birth_backfill_ledger_v2 l
  LEFT JOIN LATERAL (
    SELECT a.detail FROM birth.birth_act a
    WHERE a.lineage = l.lineage AND a.run_id = l.run_id AND a.act = 'tune'
    ORDER BY a.acted_at DESC, a.act_id DESC LIMIT 1) t ON true
  WHERE l.run_id = p_run_id;
  batch := coalesce(r_pace.batch, p_batch);
  IF r_pace.target_ms IS NOT NULL THEN
    v_factor := r_pace.target_ms / greatest(p_took_ms, 0.001);
    batch := least(batch, CASE
      WHEN p_last IS NULL OR p_took_ms IS NULL THEN 1000
      ELSE greatest(100, floor(p_last * CASE WHEN v_factor < 1 THEN v_factor ELSE least(2, sqrt(v_factor)) END))
    END);
  END IF;
  pause_slice := 0;
  IF r_pace.pause_ms > 0 AND NOT EXISTS (
       SELECT FROM birth.birth_act a
       WHERE a.lineage = r_pace.lineage AND a.run_id = p_run_id AND a.act = 'stop' AND a.epoch = r_pace.epoch) THEN
    pause_slice := greatest(0, least(0.1, coalesce(
      extract(epoch FROM r_pace.last_batch_at - clock_timestamp()) + r_pace.pause_ms / 1000.0, 0)));
  END IF;
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision) IS 'Batch size in rows and pause in seconds before the next batch of a run, as last tuned. Granted to nobody. Specification: 6.';

-- Name: fn_birth_run_proof(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2) RETURNS numeric[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_proof CONSTANT text := (SELECT p.proof FROM birth.fn_birth_purpose() p WHERE p.purpose = p_run.purpose
    AND p.undoes IS NULL);
  v_found numeric[];
BEGIN
  -- A forged purpose must not end the audit of every other run.
  IF v_proof IS NOT NULL THEN
    EXECUTE format('SELECT birth.%I($1)', v_proof) INTO v_found USING p_run;
  END IF;
  RETURN v_found;
END;
$_$;

ALTER FUNCTION birth.fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2) IS 'Fingerprint of what the records hold of a run, by its purpose. Specification: 6 step 9, R11.';

-- Name: fn_birth_run_receipt(birth.birth_backfill_ledger_v2, text, text[], bigint, numeric[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_receipt(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_receipt birth.birth_receipt;
BEGIN
  r_receipt.run_id := p_run.run_id;
  r_receipt.batch_no := p_run.batches;
  r_receipt.purpose := p_purpose;
  r_receipt.epoch := p_run.epoch;
  r_receipt.permit_id := p_run.permit_id;
  r_receipt.key_after := p_key_after;
  r_receipt.key_to := p_run.resume_marker;
  r_receipt.visited := p_visited;
  r_receipt.written := p_fingerprint[1];
  r_receipt.skipped := p_visited - p_fingerprint[1];
  r_receipt.fingerprint := p_fingerprint;
  r_receipt.born_at := now();
  r_receipt.written_by := session_user;
  r_receipt.dot_origin := p_run.dot_origin;
  r_receipt.sha256 := birth.fn_birth_receipt_seal(r_receipt,
    (SELECT r.sha256 FROM birth.birth_receipt r WHERE r.run_id = p_run.run_id AND r.batch_no = p_run.batches - 1));
  INSERT INTO birth.birth_receipt SELECT r_receipt.*;
END;
$$;

ALTER FUNCTION birth.fn_birth_run_receipt(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_receipt(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_receipt(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[]) IS 'Writes the receipt of the batch that the run''s row just counted. Specification: 6.';

-- Name: fn_birth_run_set(birth.birth_backfill_ledger_v2, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint DEFAULT NULL::bigint, OUT fresh birth.birth_backfill_ledger_v2, OUT foreign_codes text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_purpose record;
  r_set record;
  r_fresh birth.birth_backfill_ledger_v2;
BEGIN
  SELECT * INTO r_purpose FROM birth.fn_birth_purpose(p_run.purpose);
  IF r_purpose.whole IS NOT NULL THEN
    EXECUTE format('SELECT * FROM birth.%I($1, $2)', r_purpose.whole) INTO r_set USING p_run, p_rows;
  ELSE
    EXECUTE format(
      'SELECT c.*, s.visited AS missing, s.fingerprint, s.fingerprint AS range_fingerprint, s.last_key AS upper'
      ' FROM birth.%I($1, NULL, $2) s,'
      ' (VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::text[]))'
      ' AS c(source_rows, existing_births, orphans, dead, unresolvable, duplicates, collisions, foreign_codes)',
      r_purpose.slice) INTO r_set USING p_run, p_rows;
  END IF;
  r_fresh := p_run;
  r_fresh.source_rows := r_set.source_rows;
  r_fresh.existing_births := r_set.existing_births;
  r_fresh.orphans := r_set.orphans;
  r_fresh.dead := r_set.dead;
  r_fresh.unresolvable := r_set.unresolvable;
  r_fresh.duplicates := r_set.duplicates;
  r_fresh.collisions := r_set.collisions;
  r_fresh.planned_rows := r_set.missing;
  r_fresh.planned_fingerprint := r_set.fingerprint;
  r_fresh.target_fingerprint := CASE WHEN p_rows IS NULL THEN r_set.range_fingerprint ELSE r_set.fingerprint END;
  r_fresh.target_upper := r_set.upper;
  fresh := r_fresh;
  foreign_codes := r_set.foreign_codes;
END;
$_$;

ALTER FUNCTION birth.fn_birth_run_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint, OUT fresh birth.birth_backfill_ledger_v2, OUT foreign_codes text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint, OUT fresh birth.birth_backfill_ledger_v2, OUT foreign_codes text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint, OUT fresh birth.birth_backfill_ledger_v2, OUT foreign_codes text[]) IS 'Counts what is left of the set of a plan or run, by its purpose, as a row of the ledger. Specification: 6, R10.';

-- Name: fn_birth_run_step(uuid, bigint, text, integer, integer, double precision); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer DEFAULT NULL::integer, p_took_ms double precision DEFAULT NULL::double precision) RETURNS TABLE(status text, news text, batch integer, error jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_now birth.birth_backfill_ledger_v2;
  r_pace record;
  v_code text;
  v_message text;
  v_detail text;
  v_hint text;
  v_constraint text;
  v_table text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', VARIADIC ARRAY(
    SELECT p.doors[1] FROM birth.fn_birth_purpose() p
    WHERE p.purpose = p_purpose OR NOT EXISTS (SELECT FROM birth.fn_birth_purpose() k WHERE k.purpose = p_purpose)));
  IF (p_run_id IS NOT NULL AND p_permit_id IS NOT NULL AND p_batch > 0
      AND p_purpose IN (SELECT p.purpose FROM birth.fn_birth_purpose() p)) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('bad_argument',
      format('run %s, permit %s, batch %s, purpose %L', coalesce(p_run_id::text, 'NULL'),
        coalesce(p_permit_id::text, 'NULL'), coalesce(p_batch::text, 'NULL'), p_purpose));
  END IF;
  PERFORM birth.fn_birth_durable();
  BEGIN
    SELECT * INTO r_pace FROM birth.fn_birth_run_pace(p_run_id, p_batch, p_last, p_took_ms);
    IF r_pace.pause_slice > 0 THEN
      PERFORM pg_sleep(r_pace.pause_slice);
      batch := p_last;
    ELSE
      r_run := birth.fn_birth_run_lock(p_run_id);
      r_now := r_run;
      r_now.permit_id := p_permit_id;
      r_now.contract_token := birth.fn_birth_contract_token();
      PERFORM birth.fn_birth_refuse(c.blocker)
      FROM birth.fn_birth_checks('batch', r_run, p_purpose, r_now) c
      WHERE NOT c.pass ORDER BY c.number;
      UPDATE birth.birth_backfill_ledger_v2 l
      SET contract_token = r_now.contract_token
      WHERE l.run_id = p_run_id AND l.contract_token <> r_now.contract_token;
      r_run := birth.fn_birth_run_batch(r_run, r_pace.batch);
      news := CASE WHEN r_run.compensating_since IS NULL
        THEN format('run %s: %s of %s written, %s', p_run_id, r_run.actual_inserted, r_run.expected_delta, r_run.status)
        ELSE format('run %s: %s of %s undone, %s',
          p_run_id, r_run.compensated_rows, r_run.actual_inserted, r_run.status)
      END;
      status := r_run.status;
      batch := r_pace.batch;
    END IF;
  EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS v_code = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL,
      v_hint = PG_EXCEPTION_HINT, v_constraint = CONSTRAINT_NAME, v_table = TABLE_NAME;
    error := jsonb_build_object('code', v_code, 'message', v_message, 'detail', v_detail, 'hint', v_hint,
      'constraint', v_constraint, 'table', v_table);
    PERFORM birth.fn_birth_run_outcome(p_run_id, v_code, v_message);
  END;
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer, p_took_ms double precision) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer, p_took_ms double precision); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer, p_took_ms double precision) IS 'Does one batch of a run that this session holds, or records what became of it and returns that error. Called by the drivers. Operator. NB102, NB110 to NB112; what the batch raises comes back as data. Specification: 6, R8, R14.';

-- Name: fn_birth_run_stop(uuid, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_stop(p_run_id uuid, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_birth_run_stop');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  IF r_run.status <> 'running' THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status),
      'only a running run can be stopped');
  END IF;
  PERFORM birth.fn_birth_act_record('stop', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_reason := p_reason);
  IF birth.fn_birth_run_holder(p_run_id, r_run.epoch) = r_run.holder_pid THEN
    RETURN format('SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %L;', p_run_id);
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l SET status = 'stopped', stop_reason = 'interrupted', holder_pid = NULL
  WHERE l.run_id = (SELECT f.run_id FROM birth.birth_backfill_ledger_v2 f
                    -- A verdict on the run refers to its row and must not wait.
                    WHERE f.run_id = p_run_id AND f.epoch = r_run.epoch
                      AND f.status = 'running' FOR NO KEY UPDATE SKIP LOCKED);
  PERFORM birth.fn_birth_permit_settle(p_run_id);
  RETURN format('SELECT birth.fn_birth_run_next_step(p_run_id := %L);', p_run_id);
END;
$$;

ALTER FUNCTION birth.fn_birth_run_stop(p_run_id uuid, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_stop(p_run_id uuid, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_stop(p_run_id uuid, p_reason text) IS 'Stops a running run at its next batch; one whose session died, at once. Operator. NB102, NB110, NB111, NB301, NB302. Specification: 6.';

-- Name: fn_birth_run_takeover(uuid, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_takeover(p_run_id uuid, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_run_takeover');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  r_run := birth.fn_birth_run_wait(p_run_id);
  IF r_run.status <> 'running' THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status),
      'only a running run can be taken over');
  END IF;
  UPDATE birth.birth_backfill_ledger_v2 l
  SET epoch = l.epoch + 1, status = 'stopped', stop_reason = 'taken over', holder_pid = NULL
  WHERE l.run_id = p_run_id;
  PERFORM birth.fn_birth_act_record('takeover', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch + 1, p_reason := p_reason, p_detail := jsonb_build_object('from_backend', r_run.holder_pid));
  RETURN format('SELECT birth.fn_birth_run_next_step(p_run_id := %L);', p_run_id);
END;
$$;

ALTER FUNCTION birth.fn_birth_run_takeover(p_run_id uuid, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_takeover(p_run_id uuid, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_takeover(p_run_id uuid, p_reason text) IS 'Takes a running run from its holder: no batch of the old attempt can be written any more. DBA. NB102, NB110, NB111, NB301, NB302; NB303 after two seconds, with the session that keeps the run. Specification: 6.1 R14.';

-- Name: fn_birth_run_tune(uuid, integer, integer, integer); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_tune(p_run_id uuid, p_batch integer DEFAULT NULL::integer, p_pause_ms integer DEFAULT 0, p_target_ms integer DEFAULT NULL::integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_birth_run_tune');
  IF (p_batch IS NULL AND p_target_ms IS NULL) OR p_batch <= 0 OR p_pause_ms IS NULL OR p_pause_ms NOT BETWEEN 0
    AND 3600000
     OR p_target_ms NOT BETWEEN 1 AND 3600000 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_batch is %s, p_pause_ms is %s, p_target_ms is %s',
      coalesce(p_batch::text, 'NULL'),
      coalesce(p_pause_ms::text, 'NULL'), coalesce(p_target_ms::text, 'NULL')),
      'a batch has at least one row; a pause has 0 to 3600000 milliseconds, a target 1 to 3600000; pass p_batch or '
      'p_target_ms');
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('run_unknown', format('run %s', coalesce(p_run_id::text, 'NULL')));
  END IF;
  IF r_run.status = 'compensated' THEN
    PERFORM birth.fn_birth_raise('run_status', format('run %s is %s', p_run_id, r_run.status));
  END IF;
  PERFORM birth.fn_birth_act_record('tune', p_run_id := p_run_id, p_lineage := r_run.lineage,
    p_collection := r_run.collection_name,
    p_epoch := r_run.epoch, p_detail := jsonb_build_object('batch', p_batch, 'pause_ms', p_pause_ms, 'target_ms',
      p_target_ms));
  RETURN format('SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %L;', p_run_id);
END;
$$;

ALTER FUNCTION birth.fn_birth_run_tune(p_run_id uuid, p_batch integer, p_pause_ms integer, p_target_ms integer) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_tune(p_run_id uuid, p_batch integer, p_pause_ms integer, p_target_ms integer); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_tune(p_run_id uuid, p_batch integer, p_pause_ms integer, p_target_ms integer) IS 'Sets the pace of a run from its next batch on: the most rows of a batch (without p_batch as the CALL says), the pause and the time a batch should take (milliseconds; without p_target_ms batches are of p_batch rows). Operator. NB102, NB110, NB111, NB301, NB302. Specification: 6.';

-- Name: fn_birth_run_wait(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_run_wait(p_run_id uuid) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_owner record;
BEGIN
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = p_run_id FOR NO KEY UPDATE;
  RETURN r_run;
EXCEPTION WHEN lock_not_available THEN
  SELECT o.* INTO r_owner FROM birth.birth_backfill_ledger_v2 l,
    birth.fn_birth_lock_owner(p_table := 'birth.birth_backfill_ledger_v2', p_xmax := l.xmax,
      p_pid := birth.fn_birth_run_holder(l.run_id, l.epoch)) o WHERE l.run_id = p_run_id;
  PERFORM birth.fn_birth_raise('run_held', format('run %s is locked by %s', p_run_id,
    coalesce(r_owner.who, 'a session that has just ended')),
    coalesce('if it hangs, end it, which loses what it has not committed, then send the same statement again: '
      || r_owner.remedy,
      'send the same statement again'));
END;
$$;

ALTER FUNCTION birth.fn_birth_run_wait(p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_run_wait(p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_run_wait(p_run_id uuid) IS 'Locks a run, waiting up to lock_timeout; NB303 names who keeps it. Granted to nobody. Specification: 6.1 R14.';

-- Name: fn_birth_scan(text, text, bigint, bigint, text[], text[], bigint, uuid, text[]); Type: FUNCTION; Schema: birth; Owner: birth_scanner

CREATE FUNCTION birth.fn_birth_scan(p_sql text, p_collection text DEFAULT NULL::text, p_seed_a bigint DEFAULT NULL::bigint, p_seed_b bigint DEFAULT NULL::bigint, p_after text[] DEFAULT NULL::text[], p_upper text[] DEFAULT NULL::text[], p_rows bigint DEFAULT NULL::bigint, p_run_id uuid DEFAULT NULL::uuid, p_codes text[] DEFAULT NULL::text[]) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
  v_before text[] := birth.fn_birth_scan_traces();
  v_read boolean := false;
BEGIN
  -- The outer block clears again if a cancel or a timeout arrives while the inner one clears: the owner's code can time
  -- it.
  BEGIN
    BEGIN
      -- A second bar. SET cannot undo it in a subtransaction; RESET can, up to PostgreSQL 15, but the rollback remains.
      PERFORM set_config('transaction_read_only', 'on', true);
      RETURN QUERY EXECUTE p_sql USING p_collection, p_seed_a, p_seed_b, p_after, p_upper, p_rows, p_run_id, p_codes;
      v_read := true;
      RAISE EXCEPTION 'the sandbox is rolled back';  -- the rows are kept
    -- OTHERS leaves out the first two, which any code can raise.
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      PERFORM birth.fn_birth_scan_traces(v_before);
      IF NOT v_read THEN
        RAISE;
      END IF;
    END;
  EXCEPTION WHEN query_canceled THEN
    PERFORM birth.fn_birth_scan_traces(v_before);
    RAISE;
  END;
END;
$$;

ALTER FUNCTION birth.fn_birth_scan(p_sql text, p_collection text, p_seed_a bigint, p_seed_b bigint, p_after text[], p_upper text[], p_rows bigint, p_run_id uuid, p_codes text[]) OWNER TO birth_scanner;

-- Name: FUNCTION fn_birth_scan(p_sql text, p_collection text, p_seed_a bigint, p_seed_b bigint, p_after text[], p_upper text[], p_rows bigint, p_run_id uuid, p_codes text[]); Type: COMMENT; Schema: birth; Owner: birth_scanner

COMMENT ON FUNCTION birth.fn_birth_scan(p_sql text, p_collection text, p_seed_a bigint, p_seed_b bigint, p_after text[], p_upper text[], p_rows bigint, p_run_id uuid, p_codes text[]) IS 'Runs a query over a source table as birth_scanner, in a read-only subtransaction that is rolled back; returns its rows. NB119. For birth_definer only. Specification: 6.1 R2.';

-- Name: fn_birth_scan_lock(text, text); Type: FUNCTION; Schema: birth; Owner: birth_scanner

CREATE FUNCTION birth.fn_birth_scan_lock(p_schema text, p_table text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  EXECUTE format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', p_schema, p_table);
END;
$$;

ALTER FUNCTION birth.fn_birth_scan_lock(p_schema text, p_table text) OWNER TO birth_scanner;

-- Name: FUNCTION fn_birth_scan_lock(p_schema text, p_table text); Type: COMMENT; Schema: birth; Owner: birth_scanner

COMMENT ON FUNCTION birth.fn_birth_scan_lock(p_schema text, p_table text) IS 'Takes ACCESS SHARE on a table, as birth_scanner. For birth_definer only. Specification: 6.1 R2.';

-- Name: fn_birth_scan_traces(text[]); Type: FUNCTION; Schema: birth; Owner: birth_scanner

CREATE FUNCTION birth.fn_birth_scan_traces(p_before text[] DEFAULT NULL::text[]) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_traces text[];
  v_added text[];
  v_name text;
  v_changed text;
BEGIN
  SELECT coalesce(array_agg(t.trace), '{}'),
         coalesce(array_agg(t.name) FILTER (WHERE t.name IS NOT NULL AND t.trace <> ALL (p_before)), '{}')
  INTO v_traces, v_added
  FROM (
    SELECT s.name, format('prepared statement %I of %s, %s', s.name, s.prepare_time, md5(s.statement)) AS trace
    FROM pg_prepared_statements s
    UNION ALL
    SELECT NULL, format('%s on advisory key %s, %s, %s', k.mode, k.classid, k.objid, k.objsubid)
    FROM pg_locks k
    WHERE k.locktype = 'advisory' AND k.pid = pg_backend_pid() AND k.granted
  ) t;
  SELECT string_agg(format('%s %s', CASE WHEN b.trace IS NULL THEN 'added' ELSE 'removed' END,
    coalesce(a.trace, b.trace)), '; ') INTO v_changed
  FROM unnest(v_traces) AS a(trace) FULL JOIN unnest(p_before) AS b(trace) ON b.trace = a.trace
  WHERE a.trace IS NULL OR b.trace IS NULL;
  IF p_before IS NOT NULL AND v_changed IS NOT NULL THEN
    FOREACH v_name IN ARRAY v_added LOOP
      EXECUTE format('DEALLOCATE %I', v_name);
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'NB119', MESSAGE = 'code on the source table changed the state of this session',
      DETAIL = v_changed,
      HINT = 'disconnect, which releases the locks; ask the owner of the table to remove the code; '
        'then send the statement again';
  END IF;
  RETURN v_traces;
END;
$$;

ALTER FUNCTION birth.fn_birth_scan_traces(p_before text[]) OWNER TO birth_scanner;

-- Name: FUNCTION fn_birth_scan_traces(p_before text[]); Type: COMMENT; Schema: birth; Owner: birth_scanner

COMMENT ON FUNCTION birth.fn_birth_scan_traces(p_before text[]) IS 'Prepared statements and advisory locks of this session. With those of before: drops added statements and refuses any difference with NB119. For fn_birth_scan. Specification: 6.1 R2.';

-- Name: fn_birth_side_doors(text, oid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_side_doors(p_collection text, p_relation oid) RETURNS TABLE(side_door text, rows bigint, examples text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH gateway AS (SELECT * FROM birth.v_birth_gateway_trigger t WHERE t.collection_name = p_collection),
  tree AS (SELECT t.relid, t.isleaf FROM pg_partition_tree(p_relation) t WHERE t.relid <> p_relation),
  door AS (
    SELECT 1 AS position, 'no gateway on the table' AS side_door, p_relation::regclass::text AS example
    WHERE p_relation IS NOT NULL AND NOT EXISTS (SELECT FROM gateway g WHERE g.relation = p_relation)
    UNION ALL
    SELECT 2, 'gateway trigger disabled or not firing in every role',
           format('%s on %s', g.trigger_name, g.relation::regclass)
    FROM gateway g WHERE g.state NOT IN ('O', 'A')
    UNION ALL
    SELECT 3, 'gateway trigger that does not fire for every row',
           format('%s on %s', g.trigger_name, g.relation::regclass)
    FROM gateway g WHERE NOT g.every_row
    UNION ALL
    SELECT 4, 'gateway on another table than registered (renamed or moved)',
           format('%s on %s', g.trigger_name, g.relation::regclass)
    FROM gateway g WHERE g.relation IS DISTINCT FROM p_relation
    UNION ALL
    SELECT 5, 'partition past the gateway', t.relid::text
    FROM tree t
    WHERE EXISTS (SELECT FROM gateway g WHERE g.relation = p_relation)
      AND NOT EXISTS (SELECT FROM pg_trigger c
                      WHERE c.tgrelid = t.relid AND c.tgenabled IN ('O', 'A') AND c.tgtype = 5 AND c.tgqual IS NULL
                        AND c.tgfoid IN (to_regprocedure('birth.fn_birth_registry_auto()'),
                                         to_regprocedure('birth.fn_birth_registry_auto_id()')))
    UNION ALL
    SELECT 6, 'replicated table without an ALWAYS gateway', r.relation::regclass::text
    FROM birth.fn_birth_replicated_tables(p_relation) r WHERE NOT r.born
    UNION ALL
    SELECT 7, 'births written by replication', s.srrelid::regclass::text
    FROM pg_subscription_rel s WHERE s.srrelid = 'birth.birth_registry'::regclass
  )
  SELECT v.side_door, count(d.example),
         coalesce((array_agg(d.example ORDER BY d.example) FILTER (WHERE d.example IS NOT NULL))[1:10], '{}')
  FROM (VALUES (1, 'no gateway on the table'), (2, 'gateway trigger disabled or not firing in every role'),
               (3, 'gateway trigger that does not fire for every row'),
               (4, 'gateway on another table than registered (renamed or moved)'),
               (5, 'partition past the gateway'), (6, 'replicated table without an ALWAYS gateway'),
               (7, 'births written by replication')) AS v(position, side_door)
  LEFT JOIN door d ON d.position = v.position
  GROUP BY v.position, v.side_door
  ORDER BY v.position;
$$;

ALTER FUNCTION birth.fn_birth_side_doors(p_collection text, p_relation oid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_side_doors(p_collection text, p_relation oid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_side_doors(p_collection text, p_relation oid) IS 'Ways past the gateway that the catalogue shows for a collection: side door, rows, examples. Specification: 5, 7.';

-- Name: fn_birth_signers(uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_signers(p_run_id uuid) RETURNS TABLE(act text, login text, superuser boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT d.act, r.rolname::text, r.rolsuper
  FROM birth.birth_backfill_ledger_v2 l
  CROSS JOIN (VALUES (1, 'review', 'birth_reviewer'), (2, 'permit_open', 'birth_permit_owner'),
                     (3, 'permit_confirm', 'birth_reviewer')) AS d(place, act, role)
  JOIN pg_roles r ON r.rolcanlogin AND birth.fn_birth_is_member(r.rolname, d.role)
  WHERE l.run_id = p_run_id
    AND birth.fn_birth_people_check(l.run_id, l.lineage, d.act, r.rolname) IS NULL
    AND (d.act <> 'review' OR birth.fn_birth_released(r.rolname) IS NULL)
  ORDER BY d.place, r.rolname COLLATE "C";
$$;

ALTER FUNCTION birth.fn_birth_signers(p_run_id uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_signers(p_run_id uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_signers(p_run_id uuid) IS 'The logins that may still judge a run, open its permit or confirm it: act, login, superuser. Specification: 6.1 R7.';

-- Name: fn_birth_source_grants(text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce(string_agg(concat_ws(' ',
    CASE WHEN NOT has_schema_privilege(w.role, n.oid, 'USAGE')
      THEN format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, w.role) END,
    (SELECT string_agg(format('GRANT %s ON %s TO %I;', p_privilege, s.relation, w.role), ' ' ORDER BY s.relation)
     FROM (SELECT t.oid AS oid, format('%I.%I', n.nspname, t.relname) AS relation
           UNION
           SELECT p.oid, format('%I.%I', pn.nspname, p.relname)
           FROM pg_partition_tree(t.oid) f
           JOIN pg_class p ON p.oid = f.relid JOIN pg_namespace pn ON pn.oid = p.relnamespace
           WHERE p_privilege = 'TRIGGER') s
     WHERE NOT has_table_privilege(w.role, s.oid, p_privilege)),
    CASE WHEN p_privilege = 'SELECT' AND t.relrowsecurity
              AND NOT (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = w.role)
      THEN format('ALTER ROLE %I BYPASSRLS;  -- by a superuser, for the row level security of %I.%I', w.role, n.nspname,
        t.relname) END,
    CASE WHEN p_privilege = 'TRIGGER' AND t.relkind = 'p'
              AND NOT has_function_privilege(t.relowner, 'birth.fn_birth_registry_auto()', 'EXECUTE')
      THEN format('GRANT birth_source_owner TO %I;  -- by an administrator of roles', pg_get_userbyid(t.relowner)) END),
    ' '), '')
  FROM birth.collection_registry c
  CROSS JOIN (SELECT CASE p_privilege WHEN 'SELECT' THEN 'birth_scanner' ELSE 'birth_definer' END) AS w(role)
  JOIN pg_namespace n ON n.nspname = c.schema_name
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
  WHERE c.collection_name = p_collection;
$$;

ALTER FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_source_grants(p_collection text, p_privilege text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text) IS 'Statements still missing on the source table of a collection: SELECT for birth_scanner, TRIGGER for birth_definer; empty if none. Specification: 5.';

-- Name: fn_birth_source_keys(oid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_source_keys(p_relation oid) RETURNS TABLE(name name, is_primary boolean, columns text[], types text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT x.relname, i.indisprimary, k.names, k.types
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY n.position) AS names,
           array_agg((birth.fn_birth_type_text(a.atttypid)).base ORDER BY n.position) AS types,
           bool_and(o.opcdefault AND i.indcollation[n.position - 1] = a.attcollation
                    AND (i.indnkeyatts = 1 OR i.indoption[n.position - 1] = 0)) AS usable
    FROM generate_series(1, i.indnkeyatts) AS n(position)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.position - 1]
    JOIN pg_opclass o ON o.oid = i.indclass[n.position - 1]
  ) k
  WHERE i.indrelid = p_relation AND k.usable AND cardinality(k.names) = i.indnkeyatts
    AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname;
$$;

ALTER FUNCTION birth.fn_birth_source_keys(p_relation oid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_source_keys(p_relation oid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_source_keys(p_relation oid) IS 'The keys by which a table can be paged, best first. Specification: 4.';

-- Name: fn_birth_source_lock(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_source_lock(p_collection text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    PERFORM birth.fn_birth_raise('isolation_level',
      format('this transaction is %s', current_setting('transaction_isolation')));
  END IF;
  -- A table that birth_scanner may not read is refused by name later.
  PERFORM birth.fn_birth_scan_lock(c.schema_name, c.table_name)
  FROM birth.collection_registry c
  JOIN pg_namespace n ON n.nspname = c.schema_name
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
  WHERE c.collection_name = p_collection AND has_schema_privilege('birth_scanner', n.oid, 'USAGE')
    AND has_table_privilege('birth_scanner', t.oid, 'SELECT');
END;
$$;

ALTER FUNCTION birth.fn_birth_source_lock(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_source_lock(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_source_lock(p_collection text) IS 'Takes ACCESS SHARE on the source table of a collection, before it is checked and read. NB112 unless READ COMMITTED. Specification: 6.1 R2, R9.';

-- Name: fn_birth_source_look(birth.collection_registry, oid, text[], text[], text[], text, integer); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_source_look(p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[], p_condition text, p_beyond integer) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_root CONSTANT oid := coalesce(
    (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = p_collection.schema_name AND c.relname = p_collection.table_name),
    pg_partition_root(p_relation), p_relation);
  v_types CONSTANT text[] := ARRAY(
    SELECT (birth.fn_birth_type_text(a.atttypid)).base
    FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)
    JOIN pg_attribute a ON a.attrelid = v_root AND a.attname = k.name ORDER BY k.position);
  v_found text[];
BEGIN
  SELECT s.found INTO v_found
  FROM birth.fn_birth_scan(format(
    'SELECT array_agg(c.code) FROM (SELECT k.code, %s FROM ROWS FROM (unnest($8), %s) AS k(code, %s)) c'
    ' WHERE EXISTS (SELECT FROM %s%s t WHERE %s AND %s = c.code AND %s%s)',
    (SELECT string_agg(format('k.key_%s::%s AS key_%1$s', k.position, v_types[k.position]), ', ')
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    -- Slices: of each element by its number, PostgreSQL would look for it from the first one on.
    (SELECT string_agg(format('unnest(($4)[:][%1$s:%1$s])', k.position), ', ' ORDER BY k.position)
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    (SELECT string_agg(format('key_%s', k.position), ', ' ORDER BY k.position)
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    (SELECT CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END FROM pg_class r WHERE r.oid = v_root), v_root::regclass,
    (SELECT string_agg(format('t.%I = c.key_%s', k.name, k.position), ' AND ')
     FROM unnest(p_columns) WITH ORDINALITY AS k(name, position)),
    p_collection.birth_code_sql, p_condition, CASE WHEN p_beyond > 0 THEN format(' OFFSET %s', p_beyond) END),
    p_after := p_keys, p_codes := p_codes) AS s(found text[]);
  RETURN coalesce(v_found, '{}');
END;
$_$;

ALTER FUNCTION birth.fn_birth_source_look(p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[], p_condition text, p_beyond integer) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_source_look(p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[], p_condition text, p_beyond integer); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_source_look(p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[], p_condition text, p_beyond integer) IS 'Those of the codes that have more than so many rows now, looked up by columns. NB119. Specification: 5, 5.2.';

-- Name: fn_birth_source_status(text, name, name); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_source_status(p_collection text, p_schema name, p_table name) RETURNS TABLE(status text, reason text, relation oid, exemptible boolean, next_step text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  r_source record;
  v_code name;
  v_other text;
  v_parts oid[];
BEGIN
  SELECT c.oid, c.relkind, c.relispartition, c.relpersistence INTO r_source
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = p_schema AND c.relname = p_table;
  relation := r_source.oid;
  IF relation IS NULL THEN
    status := 'BLOCKED_NO_TABLE';
    reason := format('table %I.%I does not exist', p_schema, p_table);
    RETURN NEXT;
    RETURN;
  END IF;

  reason := CASE
    WHEN r_source.relkind NOT IN ('r', 'p')
      THEN format('%I.%I is not an ordinary or partitioned table', p_schema, p_table)
    WHEN p_schema IN ('birth', 'pg_catalog', 'information_schema', 'pg_toast') OR r_source.relpersistence = 't'
      THEN format('%I.%I is not a table of the application', p_schema, p_table) END;
  exemptible := reason IS NULL;
  reason := CASE
    WHEN reason IS NOT NULL THEN reason
    WHEN NOT r_source.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = relation
                                                 OR (i.inhparent = relation AND r_source.relkind = 'r'))
      THEN format('%I.%I has inheritance parents or children', p_schema, p_table)
  END;
  IF exemptible AND reason IS NOT NULL THEN
    next_step := 'make partitions of what inherits, or register it with p_coverage_status := ''BIRTH_EXEMPT_...''';
  END IF;

  IF reason IS NULL THEN
    v_parts := ARRAY[relation];
    IF r_source.relkind = 'p' THEN
      v_parts := v_parts || ARRAY(SELECT t.relid::oid FROM pg_partition_tree(relation) t WHERE t.relid <> relation);
    END IF;
    -- The planner may evaluate expressions of indexes, constraints and statistics. Built-in routines leave no
    -- dependency; routines of a superuser are trusted, as an extension's are.
    SELECT min(f.proname) INTO v_code
    FROM (
      SELECT 'pg_class'::regclass AS class, i.indexrelid AS oid FROM pg_index i
      WHERE i.indrelid = ANY (v_parts) AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
      UNION ALL
      SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = ANY (v_parts) AND k.contype = 'c'
      UNION ALL
      SELECT 'pg_statistic_ext'::regclass, x.oid FROM pg_statistic_ext x WHERE x.stxrelid = ANY (v_parts)
    ) n
    JOIN pg_depend d ON d.classid = n.class AND d.objid = n.oid
      AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    JOIN pg_proc f ON f.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
    JOIN pg_roles r ON r.oid = f.proowner AND NOT r.rolsuper;
    IF v_code IS NOT NULL THEN
      reason := format('the planner would run code of the table''s owner: %s', v_code);
      next_step := 'let the owner drop the index, constraint or statistics that call it, or register the table with '
                   'p_coverage_status := ''BIRTH_EXEMPT_...''';
    END IF;
  END IF;

  -- Only a table in a partition tree has others in it.
  IF exemptible AND (r_source.relkind = 'p' OR r_source.relispartition) THEN
    SELECT min(r.collection_name) INTO v_other
    FROM (SELECT a.relid FROM pg_partition_ancestors(relation) a
          UNION SELECT t.relid FROM pg_partition_tree(relation) t) f
    JOIN pg_class c ON c.oid = f.relid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN birth.collection_registry r ON r.schema_name = n.nspname AND r.table_name = c.relname
      AND r.collection_name <> p_collection
    WHERE f.relid <> relation;
    IF v_other IS NOT NULL THEN
      reason := format('%I.%I shares its partition tree with collection %s', p_schema, p_table, v_other);
      next_step := 'a partition tree is one collection: register its root, or a partition, and not both';
      exemptible := false;
    END IF;
  END IF;
  IF reason IS NOT NULL THEN
    status := 'BLOCKED_SOURCE';
  END IF;
  RETURN NEXT;
END;
$$;

ALTER FUNCTION birth.fn_birth_source_status(p_collection text, p_schema name, p_table name) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_source_status(p_collection text, p_schema name, p_table name); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_source_status(p_collection text, p_schema name, p_table name) IS 'Whether a table can be the source of a collection: status NULL, BLOCKED_NO_TABLE or BLOCKED_SOURCE, the reason, the table''s OID, and whether it may be exempt all the same. Specification: 6.1 R2, R3.';

-- Name: fn_birth_succeed(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_succeed(p_old text, p_new text, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_fault text;
  v_collection text;
  v_births bigint;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_succeed');
  IF p_old IS NULL OR p_new IS NULL OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_old, p_new and p_reason are required');
  END IF;
  SELECT count(*), min(b.collection_name) INTO v_births, v_collection
  FROM (SELECT r.collection_name FROM birth.birth_registry r WHERE r.entity_code IN (p_old, p_new)
        ORDER BY r.entity_code FOR NO KEY UPDATE) b;
  v_fault := CASE
    WHEN p_old = p_new THEN 'nothing succeeds itself'
    WHEN v_births < 2 THEN 'both codes need a birth'
    WHEN EXISTS (SELECT FROM birth.birth_registry r
                 WHERE r.entity_code IN (p_old, p_new) AND r.collection_name <> v_collection)
      THEN 'the two births are of different collections'
    WHEN EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = p_new AND d.returned_at IS NULL)
      THEN format('%s is dead itself', p_new)
    WHEN NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = p_old AND d.returned_at IS NULL)
      THEN format('%s is not dead', p_old) END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('succession_refused', v_fault);
  END IF;
  UPDATE birth.birth_death d SET successor = p_new WHERE d.entity_code = p_old AND d.returned_at IS NULL;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('succession_refused', format('%s has returned', p_old));
  END IF;
  PERFORM birth.fn_birth_act_record('succeed', p_collection := v_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('entity_code', p_old, 'successor', p_new));
  RETURN format('SELECT birth.fn_birth_now(p_code := %L);', p_old);
END;
$$;

ALTER FUNCTION birth.fn_birth_succeed(p_old text, p_new text, p_reason text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_succeed(p_old text, p_new text, p_reason text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_succeed(p_old text, p_new text, p_reason text) IS 'Gives a dead code its living successor; returns the next step. Steward. NB102, NB110, NB111, NB515. Specification: 5.2.';

-- Name: fn_birth_template_parse(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_template_parse(p_template text) RETURNS TABLE(ordinal integer, literal text, column_name text, width integer)
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_rest text := p_template;
  v_piece text;
  v_columns integer := 0;
BEGIN
  ordinal := 0;
  WHILE v_rest <> '' LOOP
    ordinal := ordinal + 1;
    IF ordinal > 100 THEN
      PERFORM birth.fn_birth_raise('identity_malformed',
        format('template %L has more than 100 pieces', left(p_template, 80)));
    END IF;
    v_piece := substring(v_rest FROM '^(?:[^{}]|[{][{]|[}][}])+');
    IF v_piece IS NOT NULL THEN
      literal := replace(replace(v_piece, '{{', '{'), '}}', '}');
      column_name := NULL;
      width := NULL;
    ELSE
      v_piece := substring(v_rest FROM '^[{][^{}:]+(?::0[1-9][0-9]?)?[}]');
      IF v_piece IS NULL THEN
        PERFORM birth.fn_birth_raise('identity_malformed',
          format('template %L cannot be read from %L on', left(p_template, 80), left(v_rest, 80)));
      END IF;
      literal := NULL;
      column_name := substring(v_piece FROM '^[{]([^{}:]+)');
      width := substring(v_piece FROM ':0([0-9]+)[}]$')::integer;
      v_columns := v_columns + 1;
    END IF;
    RETURN NEXT;
    v_rest := substr(v_rest, length(v_piece) + 1);
  END LOOP;
  IF v_columns = 0 THEN
    PERFORM birth.fn_birth_raise('identity_malformed', format('template %L names no column', left(p_template, 80)));
  END IF;
END;
$_$;

ALTER FUNCTION birth.fn_birth_template_parse(p_template text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_template_parse(p_template text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_template_parse(p_template text) IS 'The pieces of a template such as APR-{id:06} or {tenant}/{no}, in order; NB106 if it is malformed. Specification: 4.';

-- Name: fn_birth_timeout_check(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_timeout_check() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_set text;
  v_reset text;
BEGIN
  SELECT string_agg(format('%s is %s', t.name, current_setting(t.name)), ', '), string_agg(t.reset, ' ')
  INTO v_set, v_reset
  FROM (VALUES ('statement_timeout', 'SET statement_timeout = 0;'),
               ('transaction_timeout', 'SET transaction_timeout = 0;')) AS t(name, reset)
  -- PostgreSQL before 17 has no transaction_timeout.
  WHERE current_setting(t.name, true) <> '0';
  IF v_set IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('timeout_would_cut', v_set, v_reset || '  -- then send the CALL again');
  END IF;
END;
$$;

ALTER FUNCTION birth.fn_birth_timeout_check() OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_timeout_check(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_timeout_check() IS 'Raises NB113 where statement_timeout or transaction_timeout would cut a run. Specification: 6.';

-- Name: fn_birth_transition_change(birth.birth_backfill_ledger_v2, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean) RETURNS TABLE(from_status text, from_governed boolean, from_version bigint, to_status text, to_governed boolean, direction text, change text, fingerprint numeric[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT c.coverage_status, c.governed, c.policy_version, w.status, w.governed,
         CASE WHEN k.rank_to < k.rank_from OR k.rank_to = 0 AND w.status <> c.coverage_status
                OR c.governed AND NOT w.governed THEN 'loosening' ELSE 'tightening' END,
         x.change,
         ARRAY[1, hashtextextended(x.change, p_run.seed_a), hashtextextended(x.change, p_run.seed_b)]
  FROM birth.collection_registry c
  LEFT JOIN birth.birth_transition t ON t.run_id = p_run.run_id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p_undo THEN t.from_status ELSE p_run.wanted ->> 'p_to_status' END AS status,
           CASE WHEN p_undo THEN t.from_governed ELSE (p_run.wanted ->> 'p_to_governed')::boolean END AS governed
  ) w
  CROSS JOIN LATERAL (
    SELECT coalesce(array_position(o.ranks, c.coverage_status), 0) AS rank_from,
           coalesce(array_position(o.ranks, w.status), 0) AS rank_to
    FROM (SELECT ARRAY['BIRTH_DEFERRED_NEEDS_REVIEW', 'BIRTH_REQUIRED']) AS o(ranks)
  ) k
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p_undo
      THEN jsonb_build_array(t.collection_name, t.from_status, t.from_governed, t.from_version, t.to_status,
                             t.to_governed)
      ELSE jsonb_build_array(c.collection_name, c.coverage_status, c.governed, c.policy_version, w.status, w.governed)
      END::text AS change
  ) x
  WHERE c.collection_name = p_run.collection_name
    AND CASE WHEN p_undo THEN t.run_id IS NOT NULL AND t.undone_at IS NULL
             ELSE t.run_id IS NULL AND (w.status, w.governed) <> (c.coverage_status, c.governed) END;
$$;

ALTER FUNCTION birth.fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean) IS 'Purpose TRANSITION: the change that a run has left to write, or to undo: old and new policy, direction, canonical text and its fingerprint. Specification: 4.1.';

-- Name: fn_birth_transition_fault(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_name CONSTANT text := p_run.collection_name;
  v_undo CONSTANT boolean := EXISTS (SELECT FROM birth.birth_transition t WHERE t.run_id = p_run.run_id);
  r_change record;
  r_identity record;
  r_count record;
  v_reasons text[] := '{}';
  v_accepted bigint;
  v_births bigint;
BEGIN
  SELECT * INTO r_change FROM birth.fn_birth_transition_change(p_run, v_undo);
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF v_undo AND NOT EXISTS (
      SELECT FROM birth.birth_transition t
      WHERE t.run_id = p_run.run_id AND (t.to_status, t.to_governed, t.from_version + 1)
        = (r_change.from_status, r_change.from_governed, r_change.from_version)) THEN
    RETURN birth.fn_birth_error('births_touched', format('collection %s is %s%s, version %s: not what run %s wrote',
      v_name, r_change.from_status, CASE WHEN r_change.from_governed THEN ' and governed' END, r_change.from_version,
      p_run.run_id), 'plan a transition to the policy that is wanted');
  END IF;
  v_reasons := ARRAY(
    SELECT format('run %s for %s is %s', l.run_id, l.purpose, l.status)
    FROM birth.birth_backfill_ledger_v2 l
    WHERE l.collection_name = v_name AND l.run_id <> p_run.run_id
      AND (l.status = 'running' OR l.status IN ('stopped', 'failed')
           AND (l.actual_inserted > l.compensated_rows OR l.compensating_since IS NOT NULL)
           AND NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 n
                           WHERE n.lineage = l.lineage AND n.planned_at > l.planned_at
                             AND n.status IN ('done', 'compensated'))));
  IF r_change.to_status = r_change.from_status THEN
    NULL;  -- governed alone
  ELSIF r_change.to_status = 'BIRTH_REQUIRED' THEN
    PERFORM birth.fn_birth_source_lock(v_name);
    SELECT i.*, c.birth_code_sql, birth.fn_birth_source_grants(v_name, 'SELECT') AS grants INTO r_identity
    FROM birth.fn_birth_identity_definition(v_name) i
    JOIN birth.collection_registry c ON c.collection_name = v_name;
    v_reasons := v_reasons || ARRAY(
      SELECT b.reason FROM (VALUES
        (r_identity.code_sql IS NULL, format('its identity is %s: %s', r_identity.status, r_identity.reason)),
        (r_identity.code_sql <> r_identity.birth_code_sql, 'its table changed since it was classified'),
        (NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = v_name
                       AND g.relation = r_identity.relation AND g.enabled), 'it has no enabled gateway'),
        (EXISTS (SELECT FROM birth.v_birth_gateway_gap g WHERE g.collection_name = v_name),
         'a partition has no enabled gateway'),
        (r_identity.grants <> '', 'let the owner of the table: ' || r_identity.grants)
      ) AS b(holds, reason) WHERE b.holds);
    IF r_identity.code_sql IS NOT NULL AND r_identity.grants = '' THEN
      SELECT * INTO r_count FROM birth.fn_birth_measure(v_name, 0, 0);
      IF r_count.duplicates > 0 OR r_count.collisions > 0 THEN
        v_reasons := v_reasons || format('%s rows have the code of another row, %s the code of another collection',
          r_count.duplicates, r_count.collisions);
      END IF;
    END IF;
  ELSE
    v_reasons := v_reasons || ARRAY(
      SELECT format('permit %s of run %s is open', p.permit_id, p.run_id) FROM birth.birth_admission_permit_v2 p
      WHERE p.collection_name = v_name AND p.run_id <> p_run.run_id AND p.status = 'OPEN');
    SELECT v.accept_orphans INTO v_accepted FROM birth.v_birth_verdict_standing v
    WHERE v.run_id = p_run.run_id AND v.verdict = 'SAFE'
      AND v.purpose = CASE WHEN v_undo THEN 'COMPENSATE' ELSE p_run.purpose END;
    v_births := birth.fn_birth_collection_births(v_name);
    -- A plan has no verdict yet.
    IF v_births > v_accepted THEN
      v_reasons := v_reasons || format('%s births would be left behind, the verdict accepts %s', v_births, v_accepted);
    END IF;
  END IF;
  RETURN CASE WHEN v_reasons <> '{}' THEN birth.fn_birth_error('transition_blocked',
    format('collection %s, from %s to %s: %s', v_name, r_change.from_status, r_change.to_status,
      array_to_string(v_reasons, '; '))) END;
END;
$$;

ALTER FUNCTION birth.fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2) IS 'Purpose TRANSITION, and its undoing: NB118 with everything that stands in the way, NB313 when the policy is no longer what the run wrote, else NULL. Specification: 4.1.';

-- Name: fn_birth_transition_proof(birth.birth_backfill_ledger_v2); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2) RETURNS numeric[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE WHEN t.run_id IS NULL THEN CASE WHEN p_run.actual_inserted = 0 THEN '{0,0,0}'::numeric[] END
              WHEN x.fingerprint = p_run.planned_fingerprint
                AND (t.to_status, t.to_governed)
                  = (p_run.wanted ->> 'p_to_status', (p_run.wanted ->> 'p_to_governed')::boolean)
                AND NOT EXISTS (
                  -- The last that was said of who works on the run before this moment is an attempt to do it.
                  SELECT FROM (VALUES (t.executed_at, 'TRANSITION'), (t.undone_at, 'COMPENSATE')) AS m(at, purpose)
                  WHERE m.at IS NOT NULL AND m.purpose IS DISTINCT FROM (
                    SELECT a.detail ->> 'purpose' FROM birth.birth_act a
                    WHERE a.lineage = p_run.lineage AND a.run_id = t.run_id
                      AND a.act IN ('attempt', 'outcome', 'takeover') AND a.acted_at < m.at
                    ORDER BY a.acted_at DESC LIMIT 1))
                THEN CASE WHEN t.undone_at IS NULL THEN x.fingerprint ELSE '{0,0,0}' END END
  FROM (SELECT) AS one
  LEFT JOIN birth.birth_transition t ON t.run_id = p_run.run_id
  CROSS JOIN LATERAL (
    SELECT jsonb_build_array(t.collection_name, t.from_status, t.from_governed, t.from_version, t.to_status,
                             t.to_governed)::text AS change
  ) c
  CROSS JOIN LATERAL (
    SELECT ARRAY[1::numeric, hashtextextended(c.change, p_run.seed_a),
                 hashtextextended(c.change, p_run.seed_b)] AS fingerprint
  ) x;
$$;

ALTER FUNCTION birth.fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2) IS 'Purpose TRANSITION: fingerprint of the change that the records hold of a run; NULL where its record contradicts plan or acts. Specification: 4.1.';

-- Name: fn_birth_transition_set(birth.birth_backfill_ledger_v2, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) RETURNS TABLE(source_rows bigint, existing_births bigint, orphans bigint, dead bigint, unresolvable bigint, duplicates bigint, collisions bigint, foreign_codes text[], missing bigint, fingerprint numeric[], range_fingerprint numeric[], upper text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT 0::bigint, coalesce(CASE WHEN c.to_status NOT IN ('BIRTH_REQUIRED', c.from_status)
                                  THEN birth.fn_birth_collection_births(p_run.collection_name) END, 0),
         0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::text[], count(c.change) OVER (),
         coalesce(c.fingerprint, '{0,0,0}'), coalesce(c.fingerprint, '{0,0,0}'), NULL::text[]
  FROM (SELECT) AS one
  LEFT JOIN birth.fn_birth_transition_change(p_run, false) c ON true;
$$;

ALTER FUNCTION birth.fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) IS 'Purpose TRANSITION: the one change of a plan, and the births that it leaves behind. Specification: 4.1.';

-- Name: fn_birth_transition_slice(birth.birth_backfill_ledger_v2, text[], bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) RETURNS TABLE(visited bigint, codes text[], fingerprint numeric[], last_key text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT count(c.change), coalesce(array_agg(c.change), '{}'), (array_agg(c.fingerprint::text))[1]::numeric[],
         NULL::text[]
  FROM birth.fn_birth_transition_change(p_run, p_run.compensating_since IS NOT NULL) c;
$$;

ALTER FUNCTION birth.fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) IS 'Purpose TRANSITION, and its undoing: the one change that is left. Specification: 4.1.';

-- Name: fn_birth_transition_write(birth.birth_backfill_ledger_v2, text[], numeric[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) RETURNS numeric[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_undo CONSTANT boolean := p_run.compensating_since IS NOT NULL;
  r_change record;
BEGIN
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name FOR NO KEY UPDATE;
  PERFORM birth.fn_birth_refuse(birth.fn_birth_transition_fault(p_run));
  SELECT * INTO r_change FROM birth.fn_birth_transition_change(p_run, v_undo);
  UPDATE birth.collection_registry c
  SET coverage_status = r_change.to_status, governed = r_change.to_governed, policy_version = c.policy_version + 1,
      rule_version = c.rule_version + (r_change.to_status <> r_change.from_status)::integer,
      admitted_at = CASE WHEN k.stands THEN c.admitted_at END, admitted_by = CASE WHEN k.stands THEN c.admitted_by END,
      admitted_how = CASE WHEN k.stands THEN c.admitted_how END
  FROM (SELECT r.collection_name,
               (r.admitted_how = 'EXEMPT' AND NOT starts_with(r_change.to_status, 'BIRTH_EXEMPT_')
                OR r.admitted_how = 'DEFERRED' AND r_change.to_status = 'BIRTH_REQUIRED') IS NOT TRUE AS stands
        FROM birth.collection_registry r) k
  WHERE c.collection_name = p_run.collection_name AND k.collection_name = c.collection_name;
  IF v_undo THEN
    UPDATE birth.birth_transition t SET undone_at = greatest(birth.fn_birth_clock(), t.executed_at)
    WHERE t.run_id = p_run.run_id;
  ELSE
    INSERT INTO birth.birth_transition (run_id, collection_name, from_status, from_governed, from_version, to_status,
      to_governed, direction, executed_at)
    VALUES (p_run.run_id, p_run.collection_name, r_change.from_status, r_change.from_governed, r_change.from_version,
      r_change.to_status, r_change.to_governed, r_change.direction, birth.fn_birth_clock());
  END IF;
  RETURN r_change.fingerprint;
END;
$$;

ALTER FUNCTION birth.fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) IS 'Purpose TRANSITION, and its undoing: writes the change and returns its fingerprint. NB118, NB313. Specification: 4.1.';

-- Name: fn_birth_type_text(oid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_type_text(p_type oid, OUT type regtype, OUT base text, OUT text_sql text, OUT fault text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  r_type record;
  v_typmod integer := -1;
BEGIN
  SELECT y.oid, y.typname, y.typtype, y.typbasetype, y.typtypmod INTO r_type FROM pg_type y WHERE y.oid = p_type;
  WHILE r_type.typtype = 'd' LOOP
    v_typmod := r_type.typtypmod;
    SELECT y.oid, y.typname, y.typtype, y.typbasetype, y.typtypmod INTO r_type
    FROM pg_type y WHERE y.oid = r_type.typbasetype;
  END LOOP;
  base := format_type(r_type.oid, v_typmod);
  type := CASE
    WHEN r_type.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'int8'::regtype
    WHEN r_type.oid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'::regtype
    WHEN r_type.oid IN ('bpchar'::regtype, 'uuid'::regtype, 'numeric'::regtype, 'bool'::regtype, 'date'::regtype,
                        'timestamp'::regtype, 'timestamptz'::regtype) THEN r_type.oid
    WHEN r_type.oid = 'anyenum'::regtype OR r_type.oid = p_type AND r_type.typtype = 'e' THEN 'anyenum'::regtype END;
  text_sql := CASE
    WHEN type IN ('date'::regtype, 'timestamp'::regtype) THEN '(to_jsonb(%1$s) #>> ''{}'')'
    WHEN type = 'timestamptz'::regtype THEN '(to_jsonb(%1$s AT TIME ZONE INTERVAL ''0'') #>> ''{}'')'
    WHEN type = 'anyenum'::regtype THEN '(CASE WHEN %1$s IS NOT NULL THEN concat(%1$s) END)'
    WHEN type IS NOT NULL THEN '%1$s::text'
    WHEN r_type.typname = 'citext' THEN 'pg_catalog.lower(%1$s::pg_catalog.text)'
    WHEN r_type.oid = 'bytea'::regtype THEN 'pg_catalog.encode(%1$s, ''hex'')'
    WHEN r_type.oid IN ('name'::regtype, 'inet'::regtype, 'cidr'::regtype, 'macaddr'::regtype, 'time'::regtype)
      THEN '%1$s::pg_catalog.text' END;
  fault := CASE WHEN type IS NOT NULL THEN NULL
    WHEN r_type.typname = 'citext' THEN 'is equal in any case, so one key would have a code for each spelling'
    WHEN r_type.typtype = 'e' THEN 'cannot be compared: it is a domain over an enum'
    ELSE 'has a text that depends on settings or code, or that equal values do not share' END;
END;
$_$;

ALTER FUNCTION birth.fn_birth_type_text(p_type oid, OUT type regtype, OUT base text, OUT text_sql text, OUT fault text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_type_text(p_type oid, OUT type regtype, OUT base text, OUT text_sql text, OUT fault text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_type_text(p_type oid, OUT type regtype, OUT base text, OUT text_sql text, OUT fault text) IS 'Whether a column of the type can be part of an identity, and the text of its values as SQL; or why not. Specification: 4.';

-- Name: fn_birth_type_way_out(oid, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_type_way_out(p_relation oid, p_columns text[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE WHEN EXISTS (SELECT FROM pg_type e WHERE e.oid = y.base::regtype AND e.typtype = 'e')
    THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;  -- the owner of the table', p_relation::regclass, a.attname,
           y.base)
    ELSE format('ALTER TABLE %s ADD COLUMN %I pg_catalog.text GENERATED ALWAYS AS (%s) STORED%s, ADD UNIQUE (%I%s);'
           '  -- the owner of the table%s', p_relation::regclass, v.name,
           coalesce(format(y.text_sql, quote_ident(a.attname)), '...'),
           CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, v.name,
           (SELECT string_agg(format(', %I', b.attname), '' ORDER BY n.position)
            FROM pg_partitioned_table p
            CROSS JOIN LATERAL unnest(p.partattrs::smallint[]) WITH ORDINALITY AS n(number, position)
            JOIN pg_attribute b ON b.attrelid = p.partrelid AND b.attnum = n.number
            WHERE p.partrelid = p_relation),
           CASE WHEN y.text_sql IS NULL THEN ', with an immutable expression in place of ...' ELSE '' END) END
  FROM unnest(p_columns) WITH ORDINALITY AS c(name, position)
  JOIN pg_attribute a ON a.attrelid = p_relation AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
  CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
  CROSS JOIN LATERAL (SELECT (a.attname || '_text')::name AS name) v
  WHERE y.type IS NULL
  ORDER BY c.position LIMIT 1;
$$;

ALTER FUNCTION birth.fn_birth_type_way_out(p_relation oid, p_columns text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_type_way_out(p_relation oid, p_columns text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_type_way_out(p_relation oid, p_columns text[]) IS 'The statement that adds a generated column in place of one whose type is refused; NULL where none is. Specification: 4.';

-- Name: fn_dot_birth_backfill(text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_backfill(p_collection text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_raise('dot_dangerous',
    format('dot-birth-backfill (DOT-118) wrote births without permit, bound or proof; called for collection %L',
      p_collection),
    format('plan instead: SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L, p_dry_run := true);',
      p_collection));
  RETURN NULL;
END;
$$;

ALTER FUNCTION birth.fn_dot_birth_backfill(p_collection text) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_backfill(p_collection text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_backfill(p_collection text) IS 'DOT-118, frozen since stage0: refuses with NB403. Specification: 2, 3.';

-- Name: fn_dot_birth_qt001_apply(text, uuid, bigint, bigint, bigint, integer, boolean, boolean, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean DEFAULT true, p_execute boolean DEFAULT false, p_dot_origin text DEFAULT 'dot-birth-backfill-apply'::text) RETURNS TABLE(run_id uuid, status text, expected_delta bigint, actual_inserted bigint, skipped bigint, blocked bigint, resume_marker text[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    SET lock_timeout TO '5s'
    AS $$
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
$$;

ALTER FUNCTION birth.fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean, p_execute boolean, p_dot_origin text) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean, p_execute boolean, p_dot_origin text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean, p_execute boolean, p_dot_origin text) IS 'Writes a whole permitted run in one transaction; a dry run by default. Operator. Every refusal of NB1 to NB4. Specification: 6.';

-- Name: fn_dot_birth_qt001_compensate(uuid, bigint, integer, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text) RETURNS birth.birth_backfill_ledger_v2
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET lock_timeout TO '5s'
    AS $$
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'sp_dot_birth_qt001_compensate');
  IF (p_step IN ('ask', 'begin')) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('driver_required', format('p_step is %L, not ask or begin', p_step),
      'CALL birth.sp_dot_birth_qt001_compensate with the same run and permit');
  END IF;
  RETURN birth.fn_birth_run_begin(NULL, p_run_id, p_permit_id, NULL, NULL, p_batch, NULL, 'COMPENSATE',
    CASE p_step WHEN 'begin' THEN 'drive' ELSE 'ask' END);
END;
$$;

ALTER FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text) IS 'Steps ask and begin of a compensation: checks it, or claims the run. Called by sp_dot_birth_qt001_compensate. Operator. Specification: 6, R6.';

-- Name: fn_dot_birth_qt001_plan(text, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean DEFAULT true) RETURNS TABLE(run_id uuid, collection_name text, status text, dry_run boolean, source_rows bigint, existing_births bigint, orphans bigint, unresolvable bigint, duplicates bigint, collisions bigint, planned_rows bigint, expected_delta bigint, planned_fingerprint numeric[], predecessor uuid, planned_by text, planned_at timestamp with time zone, blockers jsonb, next_step text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    AS $$
DECLARE
  r_plan record;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  ELSIF NOT p_dry_run THEN
    PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt001_plan');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_plan FROM birth.fn_birth_plan('APPLY', p_collection, p_dry_run);
  r_run := r_plan.run;
  RETURN QUERY SELECT CASE WHEN NOT p_dry_run THEN r_run.run_id END, r_run.collection_name,
    coalesce(r_run.status, 'dry_run'), true,
    r_run.source_rows, r_run.existing_births, r_run.orphans, r_run.unresolvable, r_run.duplicates, r_run.collisions,
      r_run.planned_rows,
    r_run.planned_rows, r_run.planned_fingerprint, r_run.predecessor, session_user::text,
      coalesce(r_run.planned_at, clock_timestamp()),
    r_plan.blockers,
    CASE WHEN NOT p_dry_run THEN birth.fn_birth_run_next_step(r_run.run_id)
         WHEN r_plan.blockers = '[]' THEN
           format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L, p_dry_run := false);', p_collection)
         ELSE concat_ws('; ', r_plan.blockers -> 0 ->> 'message', r_plan.blockers -> 0 ->> 'hint') END;
END;
$$;

ALTER FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean) IS 'Counts what a backfill would do; with p_dry_run := false writes the planned row. Operator. NB102 to NB105, NB108 to NB112, NB115, NB314, NB316, NB401. Specification: 6.';

-- Name: fn_dot_birth_qt001_rehearse(text, bigint); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint DEFAULT 10000) RETURNS TABLE(run_id uuid, status text, expected_delta bigint, actual_inserted bigint, skipped bigint, blocked bigint, resume_marker text[], rerun_delta bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    SET lock_timeout TO '1s'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
  r_now birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor(
    CASE WHEN birth.fn_birth_is_member(session_user, 'birth_reviewer') THEN 'birth_reviewer' ELSE 'birth_operator' END,
    'fn_dot_birth_qt001_rehearse');
  IF p_max_rows IS NULL OR p_max_rows NOT BETWEEN 1 AND 100000 THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL')),
      'a rehearsal writes 1 to 100000 rows');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  BEGIN
    SELECT (p.run).run_id INTO run_id FROM birth.fn_birth_plan('APPLY', p_collection, false) p;
    r_run := birth.fn_birth_run_lock(run_id);
    r_now := r_run;
    r_now.expected_delta := least(r_run.planned_rows, p_max_rows);
    r_now.max_rows := p_max_rows;
    r_now.dot_origin := 'rehearsal';
    INSERT INTO birth.birth_admission_permit_v2 AS p (collection_name, run_id, purpose, max_rows, reason, opened_at,
      opened_by, expires_at,
      confirmed_by, confirmed_at)
    VALUES (p_collection, r_run.run_id, r_run.purpose, p_max_rows, 'rehearsal', birth.fn_birth_clock(), 'rehearsal',
      birth.fn_birth_clock() + interval '1 hour',
      'rehearsal reviewer', birth.fn_birth_clock())
    RETURNING p.permit_id INTO r_now.permit_id;
    r_run := birth.fn_birth_run_claim(r_run, r_now, r_run.purpose, false);
    r_run := birth.fn_birth_run_batch(r_run, 2147483647);
    r_run := birth.fn_birth_run_batch(r_run, 1);
    SELECT m.missing INTO rerun_delta FROM birth.fn_birth_measure(p_collection, r_run.seed_a, r_run.seed_b) m;
    PERFORM birth.fn_birth_raise('rehearsal_over', format('run %s', r_run.run_id));
  EXCEPTION WHEN SQLSTATE 'NB317' THEN
    -- Code of the source table can raise it too.
    IF rerun_delta IS NULL THEN
      RAISE;
    END IF;
  END;
  PERFORM birth.fn_birth_act_record('rehearse', p_collection := p_collection,
    p_detail := jsonb_build_object('status', r_run.status, 'planned', r_run.planned_rows,
      'expected', r_run.expected_delta, 'written', r_run.actual_inserted, 'rerun_delta', rerun_delta));
  RETURN QUERY SELECT r_run.run_id, r_run.status, r_run.expected_delta, r_run.actual_inserted, r_run.skipped,
    r_run.blocked, r_run.resume_marker, rerun_delta;
END;
$$;

ALTER FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint) IS 'Runs the writer''s own work for up to p_max_rows births and rolls it back: the writer''s row and the rerun delta. Operator or reviewer. NB102 and what a plan or a run refuses. Specification: 6, R15.';

-- Name: fn_dot_birth_qt005_plan(text, text, boolean, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_qt005_plan(p_collection text, p_to_status text DEFAULT NULL::text, p_to_governed boolean DEFAULT NULL::boolean, p_dry_run boolean DEFAULT true) RETURNS TABLE(run_id uuid, collection_name text, status text, from_status text, from_governed boolean, to_status text, to_governed boolean, direction text, births bigint, planned_rows bigint, planned_fingerprint numeric[], planned_by text, planned_at timestamp with time zone, blockers jsonb, next_step text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    AS $_$
DECLARE
  r_collection birth.collection_registry;
  r_plan record;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt005_plan');
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  ELSIF p_dry_run IS NULL
     OR p_to_status !~ '^BIRTH_(REQUIRED|DEFERRED_NEEDS_REVIEW|EXEMPT_[A-Z0-9_]+)$'
     OR p_to_status IS NULL AND p_to_governed IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_to_status %L, p_to_governed %L, p_dry_run %L', p_to_status,
      p_to_governed, p_dry_run),
      'name the policy to come, or governed, or both; the policy is BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW or '
      'BIRTH_EXEMPT_<REASON>');
  END IF;
  SELECT * INTO r_plan FROM birth.fn_birth_plan('TRANSITION', p_collection, p_dry_run,
    p_wanted := jsonb_build_object('p_to_status', coalesce(p_to_status, r_collection.coverage_status),
      'p_to_governed', coalesce(p_to_governed, r_collection.governed)));
  r_run := r_plan.run;
  RETURN QUERY
  SELECT CASE WHEN NOT p_dry_run THEN r_run.run_id END, p_collection, coalesce(r_run.status, 'dry_run'),
         r_collection.coverage_status, r_collection.governed, r_run.wanted ->> 'p_to_status',
         (r_run.wanted ->> 'p_to_governed')::boolean,
         (SELECT c.direction FROM birth.fn_birth_transition_change(r_run, false) c), r_run.existing_births,
         r_run.planned_rows, r_run.planned_fingerprint, session_user::text,
         coalesce(r_run.planned_at, clock_timestamp()), r_plan.blockers,
         CASE WHEN NOT p_dry_run THEN birth.fn_birth_run_next_step(r_run.run_id)
              WHEN r_plan.blockers = '[]' THEN
                format('SELECT * FROM birth.fn_dot_birth_qt005_plan(p_collection := %L, p_to_status := %L, '
                       'p_to_governed := %L, p_dry_run := false);', p_collection, r_run.wanted ->> 'p_to_status',
                       r_run.wanted ->> 'p_to_governed')
              ELSE concat_ws('; ', r_plan.blockers -> 0 ->> 'message', r_plan.blockers -> 0 ->> 'detail') END;
END;
$_$;

ALTER FUNCTION birth.fn_dot_birth_qt005_plan(p_collection text, p_to_status text, p_to_governed boolean, p_dry_run boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_qt005_plan(p_collection text, p_to_status text, p_to_governed boolean, p_dry_run boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_qt005_plan(p_collection text, p_to_status text, p_to_governed boolean, p_dry_run boolean) IS 'Plans one change of the policy of a collection (what is NULL stays); with p_dry_run := false writes the planned row. Operator. NB102, NB103, NB110 to NB112, NB118, NB314, NB401. Specification: 4.1.';

-- Name: fn_dot_birth_qt006_plan(text, boolean); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean DEFAULT true) RETURNS TABLE(run_id uuid, collection_name text, status text, source_rows bigint, existing_births bigint, planned_rows bigint, planned_fingerprint numeric[], predecessor uuid, planned_by text, planned_at timestamp with time zone, blockers jsonb, next_step text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    AS $$
DECLARE
  r_plan record;
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  IF p_dry_run IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_dry_run is required');
  ELSIF NOT p_dry_run THEN
    PERFORM birth.fn_birth_actor('birth_operator', 'fn_dot_birth_qt006_plan');
  END IF;
  PERFORM birth.fn_birth_source_lock(p_collection);
  SELECT * INTO r_plan FROM birth.fn_birth_plan('DEATH', p_collection, p_dry_run);
  r_run := r_plan.run;
  RETURN QUERY
  SELECT CASE WHEN NOT p_dry_run THEN r_run.run_id END, p_collection, coalesce(r_run.status, 'dry_run'),
         r_run.source_rows, r_run.existing_births, r_run.planned_rows, r_run.planned_fingerprint, r_run.predecessor,
         session_user::text, coalesce(r_run.planned_at, clock_timestamp()), r_plan.blockers,
         CASE WHEN NOT p_dry_run THEN birth.fn_birth_run_next_step(r_run.run_id)
              WHEN r_plan.blockers = '[]' THEN
                format('SELECT * FROM birth.fn_dot_birth_qt006_plan(p_collection := %L, p_dry_run := false);',
                       p_collection)
              ELSE concat_ws('; ', r_plan.blockers -> 0 ->> 'message', r_plan.blockers -> 0 ->> 'hint') END;
END;
$$;

ALTER FUNCTION birth.fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean) OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean) IS 'Counts the births without a living row that are not dead; with p_dry_run := false writes the planned row. Operator. NB102 to NB105, NB108 to NB112, NB115, NB314, NB316. Specification: 5.2.';

-- Name: fn_dot_birth_trigger_setup(); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_dot_birth_trigger_setup() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM birth.fn_birth_raise('dot_dangerous',
    'dot-birth-trigger-setup (DOT-119) redefined birth.fn_birth_registry_auto without the exempt guard',
    'attach a gateway instead: SELECT birth.fn_birth_gateway_attach(p_collection := ''...'', p_mode := ''observe'');');
END;
$$;

ALTER FUNCTION birth.fn_dot_birth_trigger_setup() OWNER TO birth_definer;

-- Name: FUNCTION fn_dot_birth_trigger_setup(); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_dot_birth_trigger_setup() IS 'DOT-119, frozen since stage0: refuses with NB403. Specification: 2, 3.';

-- Name: sp_birth_run_drive(uuid, bigint, text, integer); Type: PROCEDURE; Schema: birth; Owner: birth_definer

CREATE PROCEDURE birth.sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_status pg_catalog.text;
  v_error pg_catalog.jsonb;
  v_news pg_catalog.text;
  v_last integer;
  v_began pg_catalog.timestamptz;
  v_took_ms double precision;
BEGIN
  LOOP
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    EXIT WHEN v_error IS NOT NULL OR v_status <> 'running';
    IF v_status IS NOT NULL THEN
      v_took_ms := 1000 * pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - v_began);
      RAISE NOTICE '%', v_news;
    END IF;
    v_began := pg_catalog.clock_timestamp();
    SET CONSTRAINTS ALL IMMEDIATE;
    SELECT s.status, s.news, s.batch, s.error INTO v_status, v_news, v_last, v_error
    FROM birth.fn_birth_run_step(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := p_purpose,
      p_batch := p_batch, p_last := v_last,
      p_took_ms := v_took_ms) s;
  END LOOP;
  IF v_error IS NULL THEN
    RAISE NOTICE '%', v_news
      USING HINT = pg_catalog.format(
      'note outside this database the seal of the last receipt, which all others lead up to: %s',
      (SELECT p.head FROM birth.v_birth_run_progress p WHERE p.run_id = p_run_id));
  END IF;
  PERFORM birth.fn_birth_run_leave(p_run_id := p_run_id);
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = v_error ->> 'code', MESSAGE = v_error ->> 'message', DETAIL = v_error ->> 'detail',
      HINT = v_error ->> 'hint',
      CONSTRAINT = v_error ->> 'constraint', TABLE = v_error ->> 'table';
  END IF;
END;
$$;

ALTER PROCEDURE birth.sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer) OWNER TO birth_definer;

-- Name: PROCEDURE sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON PROCEDURE birth.sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer) IS 'Drives a run that this session holds, batch by batch, to its end. Called by the drivers. Operator, outside a transaction block. Specification: 6.';

-- Name: sp_dot_birth_qt001_apply(text, uuid, bigint, bigint, bigint, integer, boolean, text); Type: PROCEDURE; Schema: birth; Owner: birth_definer

CREATE PROCEDURE birth.sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer DEFAULT 10000, IN p_execute boolean DEFAULT false, IN p_dot_origin text DEFAULT 'dot-birth-backfill-apply'::text)
    LANGUAGE plpgsql
    AS $$
DECLARE
  r_asked pg_catalog.record;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM birth.fn_birth_timeout_check();
  IF p_execute IS NOT TRUE THEN
    SELECT * INTO r_asked FROM birth.fn_dot_birth_qt001_apply(p_collection := p_collection, p_run_id := p_run_id,
      p_permit_id := p_permit_id,
      p_expected_delta := p_expected_delta, p_max_rows := p_max_rows, p_batch_size := p_batch, p_dry_run := false,
        p_execute := false, p_dot_origin := p_dot_origin);
    RAISE NOTICE 'run %: every check passes, % births would be written; pass p_execute := true', p_run_id,
      r_asked.expected_delta;
    RETURN;
  END IF;
  PERFORM birth.fn_birth_run_begin(p_collection := p_collection, p_run_id := p_run_id, p_permit_id := p_permit_id,
    p_expected_delta := p_expected_delta,
    p_max_rows := p_max_rows, p_batch := p_batch, p_dot_origin := p_dot_origin, p_purpose := 'APPLY');
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'APPLY',
    p_batch := p_batch);
END;
$$;

ALTER PROCEDURE birth.sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer, IN p_execute boolean, IN p_dot_origin text) OWNER TO birth_definer;

-- Name: PROCEDURE sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer, IN p_execute boolean, IN p_dot_origin text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON PROCEDURE birth.sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer, IN p_execute boolean, IN p_dot_origin text) IS 'Executes a permitted run in committed batches, or continues it; without p_execute every check and nothing written. Operator, outside a transaction block. 2D000, NB113, and every refusal of fn_dot_birth_qt001_apply. Specification: 6.';

-- Name: sp_dot_birth_qt001_compensate(uuid, bigint, integer, boolean); Type: PROCEDURE; Schema: birth; Owner: birth_definer

CREATE PROCEDURE birth.sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer DEFAULT 10000, IN p_execute boolean DEFAULT false)
    LANGUAGE plpgsql
    AS $$
DECLARE
  r_run pg_catalog.record;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM birth.fn_birth_timeout_check();
  SELECT * INTO r_run FROM birth.fn_dot_birth_qt001_compensate(p_run_id := p_run_id, p_permit_id := p_permit_id,
    p_batch := p_batch,
    p_step := CASE WHEN p_execute THEN 'begin' ELSE 'ask' END);
  IF p_execute IS NOT TRUE THEN
    RAISE NOTICE 'run %: every check passes, % births would be removed; pass p_execute := true', p_run_id,
      r_run.actual_inserted - r_run.compensated_rows;
    RETURN;
  END IF;
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'COMPENSATE',
    p_batch := p_batch);
END;
$$;

ALTER PROCEDURE birth.sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) OWNER TO birth_definer;

-- Name: PROCEDURE sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON PROCEDURE birth.sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) IS 'Removes exactly the births one run wrote, in committed batches, under a COMPENSATE permit; without p_execute every check and nothing removed. Operator, outside a transaction block. Specification: 6, R6.';

-- Name: sp_dot_birth_qt005_apply(uuid, bigint, boolean); Type: PROCEDURE; Schema: birth; Owner: birth_definer

CREATE PROCEDURE birth.sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean DEFAULT false)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET constraint_exclusion TO 'off'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
  r_run birth.birth_backfill_ledger_v2;
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', 'sp_dot_birth_qt005_apply');
  IF p_execute IS NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_execute is required');
  END IF;
  r_run := birth.fn_birth_run_begin(NULL, p_run_id, p_permit_id, NULL, NULL, 1, NULL, 'TRANSITION',
    CASE WHEN p_execute THEN 'once' ELSE 'ask' END);
  IF NOT p_execute THEN
    RAISE NOTICE 'run %: every check passes, % would become %; pass p_execute := true', p_run_id,
      r_run.collection_name, r_run.wanted ->> 'p_to_status';
    RETURN;
  END IF;
  r_run := birth.fn_birth_run_batch(r_run, 1);
  -- Nothing is left: the proof.
  r_run := birth.fn_birth_run_batch(r_run, 1);
  RAISE NOTICE 'run %: % of % written, %', p_run_id, r_run.actual_inserted, r_run.expected_delta, r_run.status;
END;
$$;

ALTER PROCEDURE birth.sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean) OWNER TO birth_definer;

-- Name: PROCEDURE sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON PROCEDURE birth.sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean) IS 'Executes one planned and permitted change of policy, in one transaction; without p_execute every check and nothing written. Operator. Every refusal of NB1 to NB4. Specification: 4.1.';

-- Name: sp_dot_birth_qt006_apply(uuid, bigint, integer, boolean); Type: PROCEDURE; Schema: birth; Owner: birth_definer

CREATE PROCEDURE birth.sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer DEFAULT 10000, IN p_execute boolean DEFAULT false)
    LANGUAGE plpgsql
    AS $$
DECLARE
  r_run pg_catalog.record;
BEGIN
  COMMIT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM birth.fn_birth_timeout_check();
  SELECT * INTO r_run FROM birth.fn_birth_run_begin(p_collection := NULL, p_run_id := p_run_id,
    p_permit_id := p_permit_id, p_expected_delta := NULL, p_max_rows := NULL, p_batch := p_batch, p_dot_origin := NULL,
    p_purpose := 'DEATH', p_mode := CASE WHEN p_execute THEN 'drive' ELSE 'ask' END);
  IF p_execute IS NOT TRUE THEN
    RAISE NOTICE 'run %: every check passes, % births would end; pass p_execute := true', p_run_id,
      r_run.expected_delta;
    RETURN;
  END IF;
  CALL birth.sp_birth_run_drive(p_run_id := p_run_id, p_permit_id := p_permit_id, p_purpose := 'DEATH',
    p_batch := p_batch);
END;
$$;

ALTER PROCEDURE birth.sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) OWNER TO birth_definer;

-- Name: PROCEDURE sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON PROCEDURE birth.sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) IS 'Executes a permitted death run in committed batches, or continues it; without p_execute every check and nothing written. Operator, outside a transaction block. 2D000, NB113, every refusal of NB1 to NB4. Specification: 5.2.';

-- Name: birth_act; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_act (
    act_id bigint NOT NULL,
    act text NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    acted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    run_id uuid,
    lineage uuid,
    permit_id bigint,
    collection_name text COLLATE pg_catalog."C",
    dot_name text COLLATE pg_catalog."C",
    epoch bigint,
    reason text,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    actor_id text DEFAULT birth.fn_birth_login_id() NOT NULL,
    CONSTRAINT birth_act_known CHECK ((act = ANY (ARRAY['register'::text, 'withdraw'::text, 'classify'::text, 'attach'::text, 'detach'::text, 'mode'::text, 'freeze'::text, 'unfreeze'::text, 'plan'::text, 'rehearse'::text, 'review'::text, 'permit_open'::text, 'permit_confirm'::text, 'permit_revoke'::text, 'attempt'::text, 'outcome'::text, 'stop'::text, 'tune'::text, 'takeover'::text, 'evidence_acknowledged'::text, 'home'::text, 'fence'::text, 'finding_acknowledged'::text, 'gate_scope'::text, 'admit'::text, 'census'::text, 'transition_kept'::text, 'life_attach'::text, 'life_mode'::text, 'life_detach'::text, 'return'::text, 'succeed'::text, 'refound'::text, 'deaths_dropped'::text]))),
    CONSTRAINT birth_act_reason CHECK (((act <> ALL (ARRAY['withdraw'::text, 'freeze'::text, 'unfreeze'::text, 'stop'::text, 'mode'::text, 'detach'::text, 'permit_open'::text, 'permit_revoke'::text, 'takeover'::text, 'home'::text, 'finding_acknowledged'::text, 'gate_scope'::text, 'admit'::text, 'life_mode'::text, 'life_detach'::text, 'return'::text, 'succeed'::text])) OR ((reason IS NOT NULL) AND (reason ~ '\S'::text)))),
    CONSTRAINT birth_act_run CHECK (((run_id IS NULL) = (lineage IS NULL)))
);

ALTER TABLE birth.birth_act OWNER TO birth_definer;

-- Name: TABLE birth_act; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_act IS 'Audit events (acts): who did what, when and why. Append-only. Freeze, stop, tune, revoke and takeover take effect by their row here. Specification: 6, 6.1.';

-- Name: COLUMN birth_act.act_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.act_id IS 'Identity; not an order of time.';

-- Name: COLUMN birth_act.act; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.act IS 'What was done.';

-- Name: COLUMN birth_act.actor; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.actor IS 'The login (session_user) that did it.';

-- Name: COLUMN birth_act.acted_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.acted_at IS 'When, by fn_birth_clock: later than every act that was committed before.';

-- Name: COLUMN birth_act.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.run_id IS 'The run.';

-- Name: COLUMN birth_act.lineage; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.lineage IS 'The first run of the chain of plans that run_id belongs to.';

-- Name: COLUMN birth_act.permit_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.permit_id IS 'The permit.';

-- Name: COLUMN birth_act.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.collection_name IS 'The collection.';

-- Name: COLUMN birth_act.dot_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.dot_name IS 'The DOT.';

-- Name: COLUMN birth_act.epoch; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.epoch IS 'Epoch of the run (fencing token): the attempt to which the act belongs.';

-- Name: COLUMN birth_act.reason; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.reason IS 'Reason, in the words of the actor.';

-- Name: COLUMN birth_act.detail; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.detail IS 'Further facts of the act.';

-- Name: COLUMN birth_act.actor_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.actor_id IS 'The login as cluster and OID, which ALTER ROLE ... RENAME does not change.';

-- Name: birth_act_act_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.birth_act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: birth_admission_permit; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_admission_permit (
    permit_id bigint NOT NULL,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    status text DEFAULT 'OPEN'::text NOT NULL,
    reason text NOT NULL,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    opened_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT birth_admission_permit_status CHECK ((status = ANY (ARRAY['OPEN'::text, 'CONSUMED'::text, 'REVOKED'::text])))
);

ALTER TABLE birth.birth_admission_permit OWNER TO birth_definer;

-- Name: TABLE birth_admission_permit; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_admission_permit IS 'The first permit, without expiry or bound; superseded by birth_admission_permit_v2. Specification: 2.';

-- Name: COLUMN birth_admission_permit.permit_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit.permit_id IS 'Identity.';

-- Name: COLUMN birth_admission_permit.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit.collection_name IS 'The collection it admits.';

-- Name: COLUMN birth_admission_permit.status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit.status IS 'OPEN, CONSUMED or REVOKED.';

-- Name: COLUMN birth_admission_permit.reason; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit.reason IS 'Why it was opened.';

-- Name: COLUMN birth_admission_permit.opened_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit.opened_at IS 'When.';

-- Name: COLUMN birth_admission_permit.opened_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit.opened_by IS 'By which login.';

-- Name: birth_admission_permit_permit_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_admission_permit ALTER COLUMN permit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.birth_admission_permit_permit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: birth_admission_permit_v2; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_admission_permit_v2 (
    permit_id bigint NOT NULL,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    run_id uuid NOT NULL,
    purpose text NOT NULL,
    status text DEFAULT 'OPEN'::text NOT NULL,
    max_rows bigint NOT NULL,
    spent_rows bigint DEFAULT 0 NOT NULL,
    reason text NOT NULL,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    opened_by text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    confirmed_by text,
    closed_at timestamp with time zone,
    CONSTRAINT birth_admission_permit_v2_bound CHECK (((max_rows > 0) AND ((spent_rows >= 0) AND (spent_rows <= max_rows)))),
    CONSTRAINT birth_admission_permit_v2_confirmed CHECK ((((confirmed_by IS NULL) = (confirmed_at IS NULL)) AND (confirmed_by IS DISTINCT FROM opened_by) AND ((spent_rows = 0) OR (confirmed_by IS NOT NULL)))),
    CONSTRAINT birth_admission_permit_v2_expiry CHECK (((expires_at > opened_at) AND (expires_at <= (opened_at + '168:00:00'::interval)))),
    CONSTRAINT birth_admission_permit_v2_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text, 'TRANSITION'::text, 'DEATH'::text]))),
    CONSTRAINT birth_admission_permit_v2_reason CHECK ((reason ~ '\S'::text)),
    CONSTRAINT birth_admission_permit_v2_status CHECK (((status = ANY (ARRAY['OPEN'::text, 'CONSUMED'::text, 'REVOKED'::text, 'EXPIRED'::text])) AND ((status = 'OPEN'::text) = (closed_at IS NULL))))
);

ALTER TABLE birth.birth_admission_permit_v2 OWNER TO birth_definer;

-- Name: TABLE birth_admission_permit_v2; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_admission_permit_v2 IS 'Permits: expiring, scoped to one run, bounded in rows, usable once. Specification: 6.';

-- Name: COLUMN birth_admission_permit_v2.permit_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.permit_id IS 'Identity.';

-- Name: COLUMN birth_admission_permit_v2.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.collection_name IS 'The collection it is scoped to.';

-- Name: COLUMN birth_admission_permit_v2.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.run_id IS 'The one plan it is scoped to.';

-- Name: COLUMN birth_admission_permit_v2.purpose; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.purpose IS 'The purpose of its run, or COMPENSATE.';

-- Name: COLUMN birth_admission_permit_v2.status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.status IS 'OPEN once, then CONSUMED, REVOKED or EXPIRED; an OPEN one past expires_at admits nothing.';

-- Name: COLUMN birth_admission_permit_v2.max_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.max_rows IS 'Births it admits at most.';

-- Name: COLUMN birth_admission_permit_v2.spent_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.spent_rows IS 'Births committed under it.';

-- Name: COLUMN birth_admission_permit_v2.reason; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.reason IS 'Why it was opened.';

-- Name: COLUMN birth_admission_permit_v2.opened_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.opened_at IS 'When.';

-- Name: COLUMN birth_admission_permit_v2.opened_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.opened_by IS 'By which permit owner.';

-- Name: COLUMN birth_admission_permit_v2.expires_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.expires_at IS 'From when on it admits nothing, by the real clock.';

-- Name: COLUMN birth_admission_permit_v2.confirmed_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.confirmed_at IS 'When it was confirmed.';

-- Name: COLUMN birth_admission_permit_v2.confirmed_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.confirmed_by IS 'By which reviewer.';

-- Name: COLUMN birth_admission_permit_v2.closed_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_admission_permit_v2.closed_at IS 'When it was over.';

-- Name: birth_admission_permit_v2_permit_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_admission_permit_v2 ALTER COLUMN permit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.birth_admission_permit_v2_permit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: birth_backfill_ledger; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_backfill_ledger (
    run_id uuid NOT NULL,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    status text DEFAULT 'planned'::text NOT NULL,
    dry_run boolean DEFAULT true NOT NULL,
    planned_rows bigint NOT NULL,
    applied_rows bigint DEFAULT 0 NOT NULL,
    planned_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    planned_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT birth_backfill_ledger_plans_only CHECK (((status = 'planned'::text) AND dry_run AND (applied_rows = 0)))
);

ALTER TABLE birth.birth_backfill_ledger OWNER TO birth_definer;

-- Name: TABLE birth_backfill_ledger; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_backfill_ledger IS 'The first ledger: plans only; superseded by birth_backfill_ledger_v2. Specification: 2.';

-- Name: COLUMN birth_backfill_ledger.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.run_id IS 'The plan.';

-- Name: COLUMN birth_backfill_ledger.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.collection_name IS 'The collection planned.';

-- Name: COLUMN birth_backfill_ledger.status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.status IS 'planned.';

-- Name: COLUMN birth_backfill_ledger.dry_run; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.dry_run IS 'true: nothing was executed.';

-- Name: COLUMN birth_backfill_ledger.planned_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.planned_rows IS 'Births the plan would write.';

-- Name: COLUMN birth_backfill_ledger.applied_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.applied_rows IS 'Births written: 0.';

-- Name: COLUMN birth_backfill_ledger.planned_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.planned_at IS 'When.';

-- Name: COLUMN birth_backfill_ledger.planned_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger.planned_by IS 'By which login.';

-- Name: birth_death; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_death (
    entity_code text NOT NULL COLLATE pg_catalog."C",
    collection_name text NOT NULL COLLATE pg_catalog."C",
    died_at timestamp with time zone DEFAULT now() NOT NULL,
    died_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    manner text NOT NULL COLLATE pg_catalog."C",
    run_id uuid,
    successor text COLLATE pg_catalog."C",
    returned_at timestamp with time zone,
    lives integer DEFAULT 1 NOT NULL,
    return_allowed_by text,
    return_allowed_at timestamp with time zone,
    CONSTRAINT birth_death_lives CHECK (((lives >= 1) AND ((returned_at IS NULL) OR (lives > 1)))),
    CONSTRAINT birth_death_manner CHECK ((manner = ANY (ARRAY['DELETE'::text, 'STATUS'::text, 'REKEY'::text, 'FOUND'::text]))),
    CONSTRAINT birth_death_return CHECK ((((return_allowed_by IS NULL) = (return_allowed_at IS NULL)) AND ((return_allowed_at IS NULL) OR (returned_at IS NULL)))),
    CONSTRAINT birth_death_run CHECK (
CASE manner
    WHEN 'FOUND'::text THEN (run_id IS NOT NULL)
    ELSE ((run_id IS NULL) OR (lives > 1))
END),
    CONSTRAINT birth_death_successor CHECK ((successor <> entity_code))
);

ALTER TABLE birth.birth_death OWNER TO birth_definer;

-- Name: TABLE birth_death; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_death IS 'The deaths of births, one row a code; a code is dead while returned_at is NULL. Specification: 5.2.';

-- Name: COLUMN birth_death.entity_code; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.entity_code IS 'The code.';

-- Name: COLUMN birth_death.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.collection_name IS 'The collection of its birth.';

-- Name: COLUMN birth_death.died_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.died_at IS 'Start of the transaction in which the last life ended.';

-- Name: COLUMN birth_death.died_xid; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.died_xid IS 'Id of that transaction: what comes back in it never died.';

-- Name: COLUMN birth_death.manner; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.manner IS 'DELETE: the row was deleted, or its table truncated; STATUS: it was retired by its life column; REKEY: it was given another code; FOUND: a death run found no living row.';

-- Name: COLUMN birth_death.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.run_id IS 'The last death run that found it; it stays after a return and a later death.';

-- Name: COLUMN birth_death.successor; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.successor IS 'The code that the row has now, or that a steward said.';

-- Name: COLUMN birth_death.returned_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.returned_at IS 'Start of the transaction in which a living row had the code again; NULL: it is dead.';

-- Name: COLUMN birth_death.lives; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.lives IS 'How many lives the code has had.';

-- Name: COLUMN birth_death.return_allowed_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.return_allowed_by IS 'The steward who allows one return under enforce.';

-- Name: COLUMN birth_death.return_allowed_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_death.return_allowed_at IS 'When.';

-- Name: birth_gate_scope; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_gate_scope (
    schema_name name NOT NULL,
    mode text NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    set_by text DEFAULT SESSION_USER NOT NULL,
    reason text NOT NULL,
    CONSTRAINT birth_gate_scope_mode CHECK ((mode = ANY (ARRAY['observe'::text, 'enforce'::text])))
);

ALTER TABLE birth.birth_gate_scope OWNER TO birth_definer;

-- Name: TABLE birth_gate_scope; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_gate_scope IS 'The schemas under the gate, one row a schema. Specification: 5.1.';

-- Name: COLUMN birth_gate_scope.schema_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gate_scope.schema_name IS 'The schema.';

-- Name: COLUMN birth_gate_scope.mode; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gate_scope.mode IS 'observe: v_birth_gate shows the state of each table; enforce: an empty table is closed when its gateway is attached, and fn_birth_gate refuses a table that is not governed.';

-- Name: COLUMN birth_gate_scope.since; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gate_scope.since IS 'When the mode was set.';

-- Name: COLUMN birth_gate_scope.set_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gate_scope.set_by IS 'Login that set the mode.';

-- Name: COLUMN birth_gate_scope.reason; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gate_scope.reason IS 'Reason, in the words of that login.';

-- Name: birth_gateway_finding; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_gateway_finding (
    collection_name text NOT NULL COLLATE pg_catalog."C",
    error text NOT NULL COLLATE pg_catalog."C",
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    found_xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    inserted_by text DEFAULT SESSION_USER NOT NULL,
    row_count bigint NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    examples text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT birth_gateway_finding_error CHECK ((error = ANY (ARRAY['gateway_no_identity'::text, 'gateway_foreign'::text, 'code_duplicate'::text, 'code_dead'::text, 'code_taken'::text, 'truncate_refused'::text, 'not_retired'::text, 'life_unread'::text, 'birth_absent'::text]))),
    CONSTRAINT birth_gateway_finding_rows CHECK ((row_count > 0))
);

ALTER TABLE birth.birth_gateway_finding OWNER TO birth_definer;

-- Name: TABLE birth_gateway_finding; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_gateway_finding IS 'Rows that the gateway let through without a birth (mode observe, or a deferred collection), or that may share the birth of another row. One row per transaction, collection and reason, until it is acknowledged. Specification: 5.';

-- Name: COLUMN birth_gateway_finding.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.collection_name IS 'The collection.';

-- Name: COLUMN birth_gateway_finding.error; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.error IS 'Name in the catalogue of errors: the error that enforce would raise; or code_duplicate, which a plan raises if two rows share a birth.';

-- Name: COLUMN birth_gateway_finding.found_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.found_at IS 'Start of the transaction that inserted the rows.';

-- Name: COLUMN birth_gateway_finding.found_xid; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.found_xid IS 'Id of that transaction.';

-- Name: COLUMN birth_gateway_finding.inserted_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.inserted_by IS 'Login that inserted the rows.';

-- Name: COLUMN birth_gateway_finding.row_count; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.row_count IS 'Number of rows; no longer increased once times is 1000.';

-- Name: COLUMN birth_gateway_finding.times; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.times IS 'Number of statements (on a partitioned table: rows) that were added up here, at most 1000.';

-- Name: COLUMN birth_gateway_finding.examples; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.examples IS 'Up to ten of the codes.';

-- Name: birth_gateway_release_registry; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_gateway_release_registry (
    generation bigint NOT NULL,
    release text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    object text NOT NULL COLLATE pg_catalog."C",
    parts jsonb,
    definition text,
    exact_sha256 text COLLATE pg_catalog."C",
    semantic_sha256 text COLLATE pg_catalog."C",
    normalized_md5 text COLLATE pg_catalog."C",
    algorithm text NOT NULL,
    server_major integer NOT NULL,
    released_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    released_by text DEFAULT SESSION_USER NOT NULL,
    released_by_id text DEFAULT birth.fn_birth_login_id() NOT NULL,
    CONSTRAINT birth_gateway_release_registry_whole CHECK (((parts IS NULL) = (exact_sha256 IS NULL)))
);

ALTER TABLE birth.birth_gateway_release_registry OWNER TO birth_definer;

-- Name: TABLE birth_gateway_release_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_gateway_release_registry IS 'Every object as each release recorded it: readable parts, exact and semantic SHA-256. Append-only. Specification: 7.';

-- Name: COLUMN birth_gateway_release_registry.generation; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.generation IS 'Number of the recording; the highest generation of an object is in force.';

-- Name: COLUMN birth_gateway_release_registry.release; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.release IS 'The stage, as Alembic names the revision.';

-- Name: COLUMN birth_gateway_release_registry.kind; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.kind IS 'gateway (the five functions that the source documents name), function, procedure, view, table, constraint, index, trigger, schema, role, claim.';

-- Name: COLUMN birth_gateway_release_registry.object; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.object IS 'Name of the object within schema birth.';

-- Name: COLUMN birth_gateway_release_registry.parts; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.parts IS 'The recorded parts: body, signature, configuration, owner, privileges, state.';

-- Name: COLUMN birth_gateway_release_registry.definition; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.definition IS 'The statement that creates a routine or view as released, used to repair it. NULL for other kinds.';

-- Name: COLUMN birth_gateway_release_registry.exact_sha256; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.exact_sha256 IS 'SHA-256 of the parts, computed in this database; NULL when the release removed the object.';

-- Name: COLUMN birth_gateway_release_registry.semantic_sha256; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.semantic_sha256 IS 'SHA-256 that does not depend on formatting and comments, from the manifest of the release.';

-- Name: COLUMN birth_gateway_release_registry.normalized_md5; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.normalized_md5 IS 'The normalised md5 of the source documents; only displayed, no check uses it.';

-- Name: COLUMN birth_gateway_release_registry.algorithm; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.algorithm IS 'Version of the hash algorithms; live if the recording was made without a manifest.';

-- Name: COLUMN birth_gateway_release_registry.server_major; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.server_major IS 'Major version of the server that deparsed the object.';

-- Name: COLUMN birth_gateway_release_registry.released_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.released_at IS 'When the release recorded the object.';

-- Name: COLUMN birth_gateway_release_registry.released_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by IS 'Login that released; it may not review runs of this release.';

-- Name: COLUMN birth_gateway_release_registry.released_by_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by_id IS 'The same login as cluster and OID, which ALTER ROLE ... RENAME does not change.';

-- Name: birth_registry; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_registry (
    born_at timestamp with time zone DEFAULT now() NOT NULL,
    run_id uuid,
    entity_code text NOT NULL COLLATE pg_catalog."C",
    collection_name text NOT NULL COLLATE pg_catalog."C",
    dot_origin text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT birth_registry_code CHECK (((octet_length(entity_code) <= 512) AND ((entity_code >= '!'::text) OR (btrim(entity_code, ' 	

'::text) <> ''::text))))
);

ALTER TABLE birth.birth_registry OWNER TO birth_definer;

-- Name: TABLE birth_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_registry IS 'Every birth: one row per globally unique entity code. Written only by routines of birth_definer. Specification: 1, 4.';

-- Name: COLUMN birth_registry.born_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.born_at IS 'Start of the transaction that recorded the birth.';

-- Name: COLUMN birth_registry.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.run_id IS 'The backfill run that wrote the birth; NULL for a live birth.';

-- Name: COLUMN birth_registry.entity_code; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.entity_code IS 'Globally unique name of the entity; at most 512 bytes, not blank.';

-- Name: COLUMN birth_registry.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.collection_name IS 'The collection that owns the code.';

-- Name: COLUMN birth_registry.dot_origin; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.dot_origin IS 'The operation that recorded the birth: QT-002 for the gateway, the DOT for a backfill.';

-- Name: birth_review; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_review (
    review_id bigint NOT NULL,
    run_id uuid NOT NULL,
    purpose text NOT NULL,
    verdict text NOT NULL,
    findings text NOT NULL,
    accept_orphans bigint NOT NULL,
    reviewed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reviewed_by text NOT NULL,
    planned_fingerprint numeric[] NOT NULL,
    contract_hash text NOT NULL,
    identity_hash text NOT NULL,
    alerts_seen bigint NOT NULL,
    failures_seen bigint NOT NULL,
    supersedes bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    CONSTRAINT birth_review_findings CHECK ((findings ~ '\S'::text)),
    CONSTRAINT birth_review_orphans CHECK ((accept_orphans >= 0)),
    CONSTRAINT birth_review_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text, 'TRANSITION'::text, 'DEATH'::text]))),
    CONSTRAINT birth_review_supersedes CHECK (((review_id = ANY (supersedes)) IS FALSE)),
    CONSTRAINT birth_review_verdict CHECK ((verdict = ANY (ARRAY['SAFE'::text, 'NOT_SAFE_NEEDS_FIX'::text])))
);

ALTER TABLE birth.birth_review OWNER TO birth_definer;

-- Name: TABLE birth_review; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_review IS 'Verdicts, bound to run, planned set, contract and identity; each stands until another names it. Specification: 6, R5.';

-- Name: COLUMN birth_review.review_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.review_id IS 'Identity; gives no order.';

-- Name: COLUMN birth_review.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.run_id IS 'The run reviewed.';

-- Name: COLUMN birth_review.purpose; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.purpose IS 'The purpose of its run, or COMPENSATE.';

-- Name: COLUMN birth_review.verdict; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.verdict IS 'SAFE or NOT_SAFE_NEEDS_FIX.';

-- Name: COLUMN birth_review.findings; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.findings IS 'What was found, in the reviewer''s words.';

-- Name: COLUMN birth_review.accept_orphans; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.accept_orphans IS 'Exact number of orphans accepted.';

-- Name: COLUMN birth_review.reviewed_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.reviewed_at IS 'When; gives no order.';

-- Name: COLUMN birth_review.reviewed_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.reviewed_by IS 'By which reviewer.';

-- Name: COLUMN birth_review.planned_fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.planned_fingerprint IS 'The planned set it is bound to.';

-- Name: COLUMN birth_review.contract_hash; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.contract_hash IS 'The contract it is bound to.';

-- Name: COLUMN birth_review.identity_hash; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.identity_hash IS 'The policy, identity and table it is bound to.';

-- Name: COLUMN birth_review.alerts_seen; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.alerts_seen IS 'Rows of trigger_guard_alerts when it was given: what the reviewer could see.';

-- Name: COLUMN birth_review.failures_seen; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.failures_seen IS 'How often the run had failed when it was given: after another failure it is void.';

-- Name: COLUMN birth_review.supersedes; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.supersedes IS 'The verdicts it takes back: those NOT_SAFE_NEEDS_FIX that the reviewer named, and the SAFE that stood before it.';

-- Name: birth_review_review_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_review ALTER COLUMN review_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.birth_review_review_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: birth_stage_anchor; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_stage_anchor (
    stage text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE birth.birth_stage_anchor OWNER TO birth_definer;

-- Name: TABLE birth_stage_anchor; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_stage_anchor IS 'Values recorded when a stage was released (coverage counts, gateway hashes, open permits, alerts). Specification: 3.';

-- Name: COLUMN birth_stage_anchor.stage; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_stage_anchor.stage IS 'The stage whose release recorded the value.';

-- Name: COLUMN birth_stage_anchor.subject; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_stage_anchor.subject IS 'What was measured.';

-- Name: COLUMN birth_stage_anchor.value; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_stage_anchor.value IS 'The measured value, as text.';

-- Name: COLUMN birth_stage_anchor.recorded_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_stage_anchor.recorded_at IS 'When the value was recorded.';

-- Name: birth_transition; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_transition (
    run_id uuid NOT NULL,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    from_status text NOT NULL,
    from_governed boolean NOT NULL,
    from_version bigint NOT NULL,
    to_status text NOT NULL,
    to_governed boolean NOT NULL,
    direction text NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone,
    CONSTRAINT birth_transition_change CHECK (((from_status <> to_status) OR (from_governed <> to_governed))),
    CONSTRAINT birth_transition_direction CHECK ((direction =
CASE
    WHEN (((to_status <> from_status) AND (starts_with(to_status, 'BIRTH_EXEMPT_'::text) OR (from_status = 'BIRTH_REQUIRED'::text))) OR (from_governed AND (NOT to_governed))) THEN 'loosening'::text
    ELSE 'tightening'::text
END)),
    CONSTRAINT birth_transition_undone CHECK ((undone_at >= executed_at))
);

ALTER TABLE birth.birth_transition OWNER TO birth_definer;

-- Name: TABLE birth_transition; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_transition IS 'Changes of policy, one row for each run of QT-005 that wrote one. Specification: 4.1.';

-- Name: COLUMN birth_transition.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.run_id IS 'The run.';

-- Name: COLUMN birth_transition.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.collection_name IS 'The collection.';

-- Name: COLUMN birth_transition.from_status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.from_status IS 'coverage_status before.';

-- Name: COLUMN birth_transition.from_governed; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.from_governed IS 'governed before.';

-- Name: COLUMN birth_transition.from_version; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.from_version IS 'policy_version before; after it is one more.';

-- Name: COLUMN birth_transition.to_status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.to_status IS 'coverage_status after.';

-- Name: COLUMN birth_transition.to_governed; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.to_governed IS 'governed after.';

-- Name: COLUMN birth_transition.direction; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.direction IS 'loosening: to a weaker policy, another reason of exemption, or governed false; tightening: everything else.';

-- Name: COLUMN birth_transition.executed_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.executed_at IS 'When it was written, by fn_birth_clock.';

-- Name: COLUMN birth_transition.undone_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_transition.undone_at IS 'When a compensation wrote its inverse; NULL: it was not undone.';

-- Name: dot_registry; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.dot_registry (
    dot_name text NOT NULL COLLATE pg_catalog."C",
    dot_code text COLLATE pg_catalog."C",
    dangerous boolean DEFAULT false NOT NULL,
    routine text COLLATE pg_catalog."C",
    description text NOT NULL,
    CONSTRAINT dot_registry_dangerous_code CHECK (((NOT dangerous) OR (dot_code IS NOT NULL)))
);

ALTER TABLE birth.dot_registry OWNER TO birth_definer;

-- Name: TABLE dot_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.dot_registry IS 'Named, governed database operations. v_birth_dot_status says which are frozen. Specification: 1, 2.';

-- Name: COLUMN dot_registry.dot_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.dot_name IS 'Name of the operation.';

-- Name: COLUMN dot_registry.dot_code; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.dot_code IS 'Number of the operation, if the source documents give one.';

-- Name: COLUMN dot_registry.dangerous; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.dangerous IS 'Whether the operation can break a guarantee of birthdb; such an operation stays frozen from stage 0 on.';

-- Name: COLUMN dot_registry.routine; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.routine IS 'The routine of schema birth that executes the operation.';

-- Name: COLUMN dot_registry.description; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.description IS 'What the operation does.';

-- Name: trigger_guard_alerts; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.trigger_guard_alerts (
    alert_id bigint NOT NULL,
    raised_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    raised_by text DEFAULT SESSION_USER NOT NULL,
    command text NOT NULL,
    object text NOT NULL,
    detail text
);

ALTER TABLE birth.trigger_guard_alerts OWNER TO birth_definer;

-- Name: TABLE trigger_guard_alerts; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.trigger_guard_alerts IS 'Recorded attempts to change a tracked trigger or routine; counted at the start and at the end of every run. Specification: 6.';

-- Name: COLUMN trigger_guard_alerts.alert_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.alert_id IS 'Identity; not an order of time.';

-- Name: COLUMN trigger_guard_alerts.raised_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.raised_at IS 'When it happened.';

-- Name: COLUMN trigger_guard_alerts.raised_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.raised_by IS 'Login that made the attempt.';

-- Name: COLUMN trigger_guard_alerts.command; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.command IS 'The command, for example ALTER TABLE.';

-- Name: COLUMN trigger_guard_alerts.object; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.object IS 'The object.';

-- Name: COLUMN trigger_guard_alerts.detail; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.detail IS 'Further facts.';

-- Name: trigger_guard_alerts_alert_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.trigger_guard_alerts ALTER COLUMN alert_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.trigger_guard_alerts_alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: v_birth_coverage_since_anchor; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_coverage_since_anchor AS
 SELECT a.stage,
    substr(a.subject, 10) AS policy,
    (a.value)::bigint AS recorded,
    count(c.collection_name) AS now
   FROM (birth.birth_stage_anchor a
     LEFT JOIN birth.collection_registry c ON (((c.registered_at <= a.recorded_at) AND starts_with(COALESCE(( SELECT
                CASE
                    WHEN (c.coverage_status = (array_agg(t.to_status ORDER BY t.from_version DESC))[1]) THEN (array_agg(t.from_status ORDER BY t.from_version))[1]
                    ELSE NULL::text
                END AS "case"
           FROM birth.birth_transition t
          WHERE ((t.collection_name = c.collection_name) AND (t.executed_at > a.recorded_at) AND (t.undone_at IS NULL))), c.coverage_status), substr(a.subject, 10)))))
  WHERE starts_with(a.subject, 'coverage.'::text)
  GROUP BY a.stage, a.subject, a.value;

ALTER VIEW birth.v_birth_coverage_since_anchor OWNER TO birth_definer;

-- Name: VIEW v_birth_coverage_since_anchor; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_coverage_since_anchor IS 'Per stage and policy: collections when the stage was released, and how many of those collections have the policy now. Specification: 3.';

-- Name: v_birth_dot_status; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_dot_status AS
 SELECT d.dot_name,
    d.dot_code,
    d.dangerous,
    d.routine,
    (f.acts IS NOT NULL) AS frozen,
    COALESCE(f.acts, '{}'::bigint[]) AS freeze_acts,
    f.since AS frozen_since,
    f.actors AS frozen_by,
    f.reasons AS frozen_because
   FROM (birth.dot_registry d
     LEFT JOIN LATERAL ( SELECT array_agg(a.act_id) AS acts,
            min(a.acted_at) AS since,
            string_agg(DISTINCT a.actor, ', '::text) AS actors,
            string_agg(DISTINCT a.reason, '; '::text) AS reasons
           FROM birth.birth_act a
          WHERE ((a.dot_name = d.dot_name) AND (a.act = 'freeze'::text) AND (NOT (EXISTS ( SELECT
                   FROM birth.birth_act u
                  WHERE ((u.dot_name = a.dot_name) AND (u.act = 'unfreeze'::text) AND ((u.detail -> 'lifts'::text) @> to_jsonb(a.act_id)))))))) f ON (true));

ALTER VIEW birth.v_birth_dot_status OWNER TO birth_definer;

-- Name: VIEW v_birth_dot_status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_dot_status IS 'Every DOT and whether it is frozen: since when, by whom, why, and by which acts. Specification: 1, 2.';

-- Name: v_birth_gateway_trigger; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_trigger AS
 SELECT t.tgrelid AS relation,
    n.nspname AS schema_name,
    c.relname AS table_name,
    t.tgname AS trigger_name,
    p.proname AS routine,
        CASE
            WHEN (t.tgnargs > 0) THEN (convert_from(SUBSTRING(t.tgargs FROM 1 FOR (POSITION(('\x00'::bytea) IN (t.tgargs)) - 1)), getdatabaseencoding()) COLLATE "C")
            ELSE NULL::text
        END AS collection_name,
    ((t.tgenabled = ANY (ARRAY['O'::"char", 'A'::"char"])) AND c.relhastriggers AND s.every_row) AS enabled,
    t.tgenabled AS state,
    c.relowner AS owner,
    s.every_row,
        CASE
            WHEN (NOT s.every_row) THEN format('DROP TRIGGER %I ON %I.%I;  -- its owner'::text, t.tgname, n.nspname, c.relname)
            WHEN (t.tgenabled <> ALL (ARRAY['O'::"char", 'A'::"char"])) THEN format('ALTER TABLE %I.%I ENABLE TRIGGER %I;  -- its owner'::text, n.nspname, c.relname, t.tgname)
            ELSE NULL::text
        END AS repair
   FROM (((((pg_trigger t
     JOIN pg_proc p ON ((p.oid = t.tgfoid)))
     JOIN pg_namespace pn ON (((pn.oid = p.pronamespace) AND (pn.nspname = 'birth'::name))))
     JOIN pg_class c ON ((c.oid = t.tgrelid)))
     JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
     CROSS JOIN LATERAL ( SELECT ((t.tgqual IS NULL) AND ((t.tgtype = 5) OR ((t.tgtype = 4) AND (c.relkind = 'r'::"char") AND (NOT c.relispartition)))) AS every_row) s)
  WHERE ((p.proname = ANY (ARRAY['fn_birth_registry_auto'::name, 'fn_birth_registry_auto_id'::name])) AND (t.tgparentid = (0)::oid));

ALTER VIEW birth.v_birth_gateway_trigger OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_trigger; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_trigger IS 'Every gateway trigger: its table under its current name, the collection it names, and whether it fires for every inserted row (enabled). Specification: 5.';

-- Name: v_birth_gate; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gate AS
 WITH tree AS (
         SELECT DISTINCT (pg_partition_root((c.oid)::regclass))::oid AS root
           FROM ((birth.collection_registry r
             JOIN pg_namespace n ON ((n.nspname = r.schema_name)))
             JOIN pg_class c ON (((c.relnamespace = n.oid) AND (c.relname = r.table_name))))
          WHERE ((c.relkind = 'p'::"char") OR c.relispartition)
        ), listed AS (
         SELECT s.schema_name,
            c.relname AS table_name,
            s.mode,
            c.oid AS relation,
            c.relkind,
            c.relispartition
           FROM ((birth.birth_gate_scope s
             JOIN pg_namespace n ON ((n.nspname = s.schema_name)))
             JOIN pg_class c ON (((c.relnamespace = n.oid) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char"])) AND (c.relpersistence <> 't'::"char"))))
          WHERE (NOT (EXISTS ( SELECT
                   FROM pg_depend d
                  WHERE ((d.classid = ('pg_class'::regclass)::oid) AND (d.objid = c.oid) AND (d.objsubid = 0) AND (d.deptype = 'e'::"char")))))
        ), stands AS (
         SELECT l.schema_name,
            l.table_name,
            l.mode,
            l.relation,
            l.relkind,
            l.relispartition,
            r.collection_name,
            r.coverage_status,
            r.gateway_mode,
            r.gate_closed,
            r.gate_relation,
            r.admitted_how,
            r.admitted_at
           FROM (listed l
             LEFT JOIN birth.collection_registry r ON (((r.schema_name = l.schema_name) AND (r.table_name = l.table_name))))
          WHERE
                CASE
                    WHEN ((r.collection_name IS NOT NULL) OR ((l.relkind = 'r'::"char") AND (NOT l.relispartition))) THEN true
                    WHEN (COALESCE((pg_partition_root((l.relation)::regclass))::oid, l.relation) IN ( SELECT t.root
                       FROM tree t)) THEN (NOT (EXISTS ( SELECT
                       FROM (((( SELECT a.relid
                               FROM pg_partition_ancestors((l.relation)::regclass) a(relid)
                            UNION ALL
                             SELECT p.relid
                               FROM pg_partition_tree((l.relation)::regclass) p(relid, parentrelid, isleaf, level)
                              WHERE (l.relkind = 'p'::"char")) f
                         JOIN pg_class c ON ((c.oid = (f.relid)::oid)))
                         JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
                         JOIN birth.collection_registry k ON (((k.schema_name = n.nspname) AND (k.table_name = c.relname)))))))
                    WHEN l.relispartition THEN (NOT (EXISTS ( SELECT
                       FROM ((pg_class c
                         JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
                         JOIN birth.birth_gate_scope s ON ((s.schema_name = n.nspname)))
                      WHERE ((c.oid = (pg_partition_root((l.relation)::regclass))::oid) AND ((s.mode = 'enforce'::text) OR (l.mode = 'observe'::text))))))
                    ELSE true
                END
        ), held AS (
         SELECT t.schema_name,
            t.table_name,
            t.mode,
            t.relation,
            t.relkind,
            t.relispartition,
            t.collection_name,
            t.coverage_status,
            t.gateway_mode,
            t.gate_closed,
            t.gate_relation,
            t.admitted_how,
            t.admitted_at,
            starts_with(t.coverage_status, 'BIRTH_EXEMPT_'::text) AS exempt,
            g.has_gateway,
            g.closed_there
           FROM (stands t
             CROSS JOIN LATERAL ( SELECT (((t.relation, t.collection_name) IN ( SELECT g_1.relation,
                            g_1.collection_name
                           FROM birth.v_birth_gateway_trigger g_1
                          WHERE g_1.enabled)) IS TRUE) AS has_gateway,
                    (((t.gate_relation, t.collection_name) IN ( SELECT g_1.relation,
                            g_1.collection_name
                           FROM birth.v_birth_gateway_trigger g_1)) IS TRUE) AS closed_there
                 OFFSET 0) g)
        ), judged AS (
         SELECT t.schema_name,
            t.table_name,
            t.mode,
            t.relation,
            t.relkind,
            t.relispartition,
            t.collection_name,
            t.coverage_status,
            t.gateway_mode,
            t.gate_closed,
            t.gate_relation,
            t.admitted_how,
            t.admitted_at,
            t.exempt,
            t.has_gateway,
            t.closed_there,
            s.state
           FROM (held t
             CROSS JOIN LATERAL ( SELECT
                        CASE
                            WHEN (t.collection_name IS NULL) THEN 'UNKNOWN'::text
                            WHEN (t.admitted_how = 'EXEMPT'::text) THEN 'EXEMPT'::text
                            WHEN ((t.admitted_how IS NOT NULL) AND (t.has_gateway OR t.exempt OR (t.gate_relation = t.relation) OR (t.admitted_how = 'GRANDFATHERED'::text))) THEN 'ADMITTED'::text
                            WHEN (t.has_gateway AND t.gate_closed AND ((t.gate_relation = t.relation) OR ((NOT t.closed_there) AND (NOT (EXISTS ( SELECT
                               FROM birth.birth_registry b
                              WHERE (b.collection_name = t.collection_name))))))) THEN 'CLOSED'::text
                            WHEN (t.has_gateway AND ((t.mode = 'enforce'::text) OR (EXISTS ( SELECT
                               FROM birth.birth_registry b
                              WHERE (b.collection_name = t.collection_name))))) THEN 'BREACHED'::text
                            WHEN ((t.coverage_status = 'BIRTH_REQUIRED'::text) AND (NOT ( SELECT starts_with(i.status, 'ELIGIBLE_'::text) AS starts_with
                               FROM birth.fn_birth_identity_definition(t.collection_name) i(status, reason, relation, source_sql, code_sql, columns, types, key_columns, key_types, codes_distinct)))) THEN 'REGISTERED'::text
                            ELSE 'READY'::text
                        END AS state
                 OFFSET 0) s)
        )
 SELECT schema_name,
    table_name,
    mode,
    state,
    collection_name,
    coverage_status,
    admitted_how,
    admitted_at,
    array_remove(ARRAY[
        CASE
            WHEN (state = 'CLOSED'::text) THEN 'gateway'::text
            ELSE NULL::text
        END,
        CASE
            WHEN ((EXISTS ( SELECT
               FROM pg_trigger t
              WHERE ((t.tgrelid = j.relation) AND (t.tgenabled = ANY (ARRAY['O'::"char", 'A'::"char"])) AND (t.tgfoid = (to_regprocedure('birth.fn_birth_gate_insert()'::text))::oid)))) AND (admitted_how IS NULL) AND (mode = 'enforce'::text)) THEN 'trigger birth_gate'::text
            ELSE NULL::text
        END], NULL::text) AS held_by,
        CASE
            WHEN (state = 'UNKNOWN'::text) THEN format('SELECT birth.fn_birth_collection_register(p_collection := %L, p_schema := %L, p_table := %L, p_coverage_status := ''BIRTH_REQUIRED'');  -- a steward; or BIRTH_EXEMPT_<REASON>, BIRTH_DEFERRED_NEEDS_REVIEW'::text, ( SELECT c.name
               FROM unnest(ARRAY[(j.table_name)::text, format('%s.%s'::text, j.schema_name, j.table_name), format('table_%s'::text, j.relation)]) WITH ORDINALITY c(name, place)
              WHERE ((btrim(c.name) <> ''::text) AND (c.name = (c.name)::name) AND (NOT (EXISTS ( SELECT
                       FROM birth.collection_registry r
                      WHERE (r.collection_name = c.name)))))
              ORDER BY c.place
             LIMIT 1), schema_name, table_name)
            WHEN (state = 'REGISTERED'::text) THEN format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);  -- then a steward: fn_birth_identity_classify'::text, schema_name, table_name)
            WHEN ((state = 'READY'::text) AND (NOT exempt) AND (NOT has_gateway)) THEN format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);  -- a steward'::text, collection_name,
            CASE coverage_status
                WHEN 'BIRTH_REQUIRED'::text THEN 'enforce'::text
                ELSE 'observe'::text
            END)
            WHEN (state = ANY (ARRAY['READY'::text, 'CLOSED'::text, 'BREACHED'::text])) THEN format('SELECT birth.fn_birth_gate_admit(p_collection := %L, p_reason := ''...'');  -- a steward who neither registered nor classified it'::text, collection_name)
            ELSE NULL::text
        END AS next_step
   FROM judged j;

ALTER VIEW birth.v_birth_gate OWNER TO birth_definer;

-- Name: VIEW v_birth_gate; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gate IS 'The tables of the schemas under the gate: state (UNKNOWN, REGISTERED, READY, CLOSED, BREACHED, ADMITTED, EXEMPT), what refuses its rows now (held_by), and the statement to send next. Specification: 5.1.';

-- Name: v_birth_gateway_fence; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_fence AS
 WITH open AS (
         SELECT a.backend_xid AS xid,
            format('session %s of %s'::text, a.pid, a.usename) AS who,
            format('SELECT pg_catalog.pg_terminate_backend(%s);  -- or wait until it ends'::text, a.pid) AS next_step
           FROM pg_stat_activity a
          WHERE (a.backend_xid IS NOT NULL)
        UNION ALL
         SELECT p.transaction,
            format('prepared transaction %L of %s'::text, p.gid, p.owner) AS format,
            format('ROLLBACK PREPARED %L;  -- or COMMIT PREPARED, as %s or a superuser, in database %s'::text, p.gid, p.owner, p.database) AS format
           FROM pg_prepared_xacts p
        )
 SELECT c.collection_name,
    c.coverage_status,
    c.gateway_mode,
    c.rule_version,
    f.fence_xid,
    f.recorded_at,
    COALESCE((f.immediate OR (pg_snapshot_xmin(pg_current_snapshot()) >= f.fence_xid)), false) AS holds,
    o.waits_for,
    o.next_step
   FROM ((birth.collection_registry c
     LEFT JOIN LATERAL ( SELECT (a.act = 'attach'::text) AS immediate,
            ((a.detail ->> 'xid'::text))::xid8 AS fence_xid,
            a.acted_at AS recorded_at
           FROM birth.birth_act a
          WHERE ((a.collection_name = c.collection_name) AND (a.act = ANY (ARRAY['attach'::text, 'fence'::text])) AND (((a.detail ->> 'rule_version'::text))::bigint = c.rule_version) AND ((a.act = 'attach'::text) OR ((a.detail ->> 'cluster'::text) = ( SELECT (s.system_identifier)::text AS system_identifier
                   FROM pg_control_system() s(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified)))))
          ORDER BY ((a.detail ->> 'xid'::text))::xid8 NULLS FIRST
         LIMIT 1) f ON (true))
     LEFT JOIN LATERAL ( SELECT array_agg(w.who ORDER BY w.age DESC) AS waits_for,
            (array_agg(w.next_step ORDER BY w.age DESC))[1] AS next_step
           FROM ( SELECT n.who,
                    n.next_step,
                    age(n.xid) AS age
                   FROM open n
                  WHERE (age(n.xid) > age((f.fence_xid)::xid))) w) o ON (((NOT f.immediate) AND (pg_snapshot_xmin(pg_current_snapshot()) < f.fence_xid))));

ALTER VIEW birth.v_birth_gateway_fence OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_fence; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_fence IS 'Whether policy, mode and identity of each collection hold for every transaction that can still commit (holds), from which transaction id on (fence_xid; NULL: no fence recorded, or attached after the change), and which older transactions are still open (waits_for). Specification: 5.';

-- Name: v_birth_gateway_finding; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_finding AS
 SELECT c.collection_name,
    e.error,
    s.row_count,
    s.at_least,
    s.first_at,
    l.found_at AS last_at,
    l.inserted_by AS last_by,
    l.examples
   FROM (((birth.collection_registry c
     CROSS JOIN ( VALUES ('gateway_no_identity'::text), ('gateway_foreign'::text), ('code_duplicate'::text), ('code_dead'::text), ('code_taken'::text), ('truncate_refused'::text), ('not_retired'::text), ('life_unread'::text), ('birth_absent'::text)) e(error))
     CROSS JOIN LATERAL ( SELECT f.found_at,
            f.inserted_by,
            f.examples
           FROM birth.birth_gateway_finding f
          WHERE ((f.collection_name = c.collection_name) AND (f.error = (e.error COLLATE "C")))
          ORDER BY f.found_at DESC, f.found_xid DESC
         LIMIT 1) l)
     CROSS JOIN LATERAL ( SELECT sum(o.row_count) AS row_count,
            ((count(*) = 1000) OR bool_or((o.times = 1000))) AS at_least,
            min(o.found_at) AS first_at
           FROM ( SELECT f.row_count,
                    f.times,
                    f.found_at
                   FROM birth.birth_gateway_finding f
                  WHERE ((f.collection_name = c.collection_name) AND (f.error = (e.error COLLATE "C")))
                  ORDER BY f.found_at, f.found_xid
                 LIMIT 1000) o) s);

ALTER VIEW birth.v_birth_gateway_finding OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_finding; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_finding IS 'Rows that the gateway let through and that are not acknowledged, by collection and reason: number of rows (at_least: or more), first and last time, last login with its examples. Bounded time. Specification: 5.';

-- Name: v_birth_gateway_gap; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_gap AS
 SELECT r.collection_name,
    t.relid AS partition,
    COALESCE(( SELECT format('ALTER TABLE %I.%I ENABLE TRIGGER %I;  -- its owner'::text, s.nspname, p.relname, g.tgname) AS format
           FROM ((pg_trigger g
             JOIN pg_class p ON ((p.oid = g.tgrelid)))
             JOIN pg_namespace s ON ((s.oid = p.relnamespace)))
          WHERE ((g.tgrelid = (t.relid)::oid) AND (g.tgenabled <> ALL (ARRAY['O'::"char", 'A'::"char"])) AND (g.tgtype = 5) AND (g.tgqual IS NULL) AND (g.tgfoid = ANY (f.routines)))
          ORDER BY g.tgname
         LIMIT 1), ( SELECT format('DROP TRIGGER %I ON %I.%I;  -- its owner'::text, g.trigger_name, g.schema_name, g.table_name) AS format
           FROM birth.v_birth_gateway_trigger g
          WHERE ((g.relation = c.oid) AND (g.collection_name = r.collection_name))
          ORDER BY g.trigger_name
         LIMIT 1)) AS repair
   FROM ((((birth.collection_registry r
     JOIN pg_namespace n ON ((n.nspname = r.schema_name)))
     JOIN pg_class c ON (((c.relnamespace = n.oid) AND (c.relname = r.table_name) AND (c.relkind = 'p'::"char"))))
     CROSS JOIN LATERAL pg_partition_tree((c.oid)::regclass) t(relid, parentrelid, isleaf, level))
     CROSS JOIN ( SELECT ARRAY[(to_regprocedure('birth.fn_birth_registry_auto()'::text))::oid, (to_regprocedure('birth.fn_birth_registry_auto_id()'::text))::oid] AS routines) f)
  WHERE (t.isleaf AND ((t.relid)::oid <> c.oid) AND (EXISTS ( SELECT
           FROM birth.v_birth_gateway_trigger g
          WHERE ((g.relation = c.oid) AND (g.collection_name = r.collection_name) AND g.enabled))) AND (NOT (EXISTS ( SELECT
           FROM pg_trigger g
          WHERE ((g.tgrelid = (t.relid)::oid) AND (g.tgenabled = ANY (ARRAY['O'::"char", 'A'::"char"])) AND (g.tgtype = 5) AND (g.tgqual IS NULL) AND (g.tgfoid = ANY (f.routines)))))));

ALTER VIEW birth.v_birth_gateway_gap OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_gap; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_gap IS 'Partitions of a collection with a gateway whose rows get no birth, and what mends it. Specification: 5.';

-- Name: v_birth_gateway_release_drift_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_release_drift_guard AS
 SELECT kind,
    object,
    ((kind || ' '::text) || object) AS check_name,
    drift,
        CASE drift
            WHEN 'ok'::text THEN 'as released'::text
            ELSE COALESCE(found, 'nothing'::text)
        END AS found,
        CASE drift
            WHEN 'ok'::text THEN 'as released'::text
            ELSE COALESCE(expected, 'nothing'::text)
        END AS expected,
    (drift = ANY (ARRAY['ok'::text, 'tuning'::text])) AS pass,
    blocks,
    repair
   FROM birth.fn_birth_contract_drift() d(kind, object, drift, expected, found, blocks, repair);

ALTER VIEW birth.v_birth_gateway_release_drift_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_release_drift_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_release_drift_guard IS 'Guard: each object of the contract as released and as found, whether a difference blocks apply, and the statement that repairs it. Specification: 2, 7.';

-- Name: v_birth_gateway_ssot_drift_detector; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_ssot_drift_detector AS
 SELECT g.name AS check_name,
    COALESCE(p.sha256, 'missing'::text) AS found,
    COALESCE(a.value, 'not recorded'::text) AS expected,
    COALESCE((p.sha256 = a.value), false) AS pass
   FROM ((unnest(ARRAY['fn_birth_registry_auto'::text, 'fn_birth_registry_auto_id'::text]) g(name)
     LEFT JOIN birth.birth_stage_anchor a ON (((a.stage = 'stage0'::text) AND (a.subject = ('body.'::text || g.name)))))
     LEFT JOIN LATERAL ( SELECT encode(sha256(convert_to(f.prosrc, 'UTF8'::name)), 'hex'::text) AS sha256
           FROM (pg_proc f
             JOIN pg_namespace n ON (((n.oid = f.pronamespace) AND (n.nspname = 'birth'::name))))
          WHERE ((f.proname = g.name) AND (f.pronargs = 0))) p ON (true));

ALTER VIEW birth.v_birth_gateway_ssot_drift_detector OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_ssot_drift_detector; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_ssot_drift_detector IS 'Guard of stage 0: the SHA-256 of both gateway function bodies against the values that stage 0 recorded. Specification: 2, 3.';

-- Name: v_birth_home; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_home AS
 SELECT COALESCE(((c.home - ARRAY['name'::text, 'timeline'::text]) = (h.home - 'name'::text)), false) AS confirmed,
    h.home,
    ( SELECT w.timeline_id
           FROM pg_control_checkpoint() w(checkpoint_lsn, redo_lsn, redo_wal_file, timeline_id, prev_timeline_id, full_page_writes, next_xid, next_oid, next_multixact_id, next_multi_offset, oldest_xid, oldest_xid_dbid, oldest_active_xid, oldest_multi_xid, oldest_multi_dbid, oldest_commit_ts_xid, newest_commit_ts_xid, checkpoint_time)) AS timeline,
    (c.home - 'timeline'::text) AS confirmed_home,
    ((c.home ->> 'timeline'::text))::integer AS confirmed_timeline,
    c.confirmed_at,
    c.confirmed_by,
    c.reason
   FROM (( SELECT jsonb_build_object('cluster', (s.system_identifier)::text, 'database', (d.oid)::bigint, 'permits', ((to_regclass('birth.birth_admission_permit_v2'::text))::oid)::bigint, 'name', d.datname) AS home
           FROM (pg_control_system() s(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified)
             JOIN pg_database d ON ((d.datname = current_database())))) h
     LEFT JOIN ( SELECT (a.detail - 'clock_behind'::text) AS home,
            a.acted_at AS confirmed_at,
            a.actor AS confirmed_by,
            a.reason
           FROM birth.birth_act a
          WHERE (a.act = 'home'::text)
          ORDER BY a.acted_at DESC, a.act_id DESC
         LIMIT 1) c ON (true));

ALTER VIEW birth.v_birth_home OWNER TO birth_definer;

-- Name: VIEW v_birth_home; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_home IS 'Whether this database was confirmed as the one that spends its permits: what it is, what was confirmed, when, by whom and why. One row.';

-- Name: v_birth_life_trigger; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_life_trigger AS
 SELECT t.tgrelid AS relation,
    n.nspname AS schema_name,
    c.relname AS table_name,
    t.tgname AS trigger_name,
    r.collection_name,
    ((t.tgenabled = ANY (ARRAY['O'::"char", 'A'::"char"])) AND c.relhastriggers) AS enabled,
    t.tgenabled AS state,
    c.relowner AS owner,
    (a.made_for = birth.fn_birth_life_shape(r.*)) AS current,
        CASE ((t.tgtype)::integer & 60)
            WHEN 4 THEN 'INSERT'::text
            WHEN 8 THEN 'DELETE'::text
            WHEN 16 THEN 'UPDATE'::text
            WHEN 32 THEN 'TRUNCATE'::text
            ELSE NULL::text
        END AS event
   FROM ((((pg_trigger t
     JOIN pg_class c ON ((c.oid = t.tgrelid)))
     JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
     LEFT JOIN LATERAL ( SELECT (convert_from(SUBSTRING(t.tgargs FROM 1 FOR (p.first - 1)), getdatabaseencoding()) COLLATE "C") AS collection_name,
            encode(SUBSTRING(t.tgargs FROM (p.first + 1) FOR 32), 'escape'::text) AS made_for
           FROM ( SELECT POSITION(('\x00'::bytea) IN (t.tgargs)) AS first
                  WHERE (t.tgnargs > 0)) p) a ON (true))
     LEFT JOIN birth.collection_registry r ON ((r.collection_name = a.collection_name)))
  WHERE ((t.tgfoid = (to_regprocedure('birth.fn_birth_life_auto()'::text))::oid) AND (t.tgparentid = (0)::oid));

ALTER VIEW birth.v_birth_life_trigger OWNER TO birth_definer;

-- Name: VIEW v_birth_life_trigger; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_life_trigger IS 'Every life trigger: its table, its collection, whether it fires (enabled), and whether it was made for the columns that the collection has now (current). Specification: 5.2.';

-- Name: v_birth_life; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_life AS
 SELECT c.collection_name,
    c.life_mode,
    c.life_column,
    c.life_dead,
    COALESCE(f.fault, (('partition '::text || p.name) || ' has none on TRUNCATE'::text)) AS fault,
    ((k.births - k.dead) - k.unexplained) AS living,
    k.dead,
    k.unexplained,
    k.counted_at,
        CASE
            WHEN (f.fault IS NULL) THEN (p.statements || '  -- the owner of the table'::text)
            WHEN (f.fault = h.fault) THEN h.step
            ELSE format('SELECT birth.fn_birth_life_detach(p_collection := %1$L, p_reason := ''attach again'');  -- a steward; then what it answers, where that is for the owner; then a steward: SELECT birth.fn_birth_life_attach(p_collection := %1$L, p_mode := %2$L, p_column := %3$L, p_dead := %4$L);'::text, c.collection_name, c.life_mode, c.life_column, c.life_dead)
        END AS next_step
   FROM ((((((((birth.collection_registry c
     LEFT JOIN pg_namespace n ON ((n.nspname = c.schema_name)))
     LEFT JOIN pg_class s ON (((s.relnamespace = n.oid) AND (s.relname = c.table_name))))
     CROSS JOIN LATERAL ( SELECT bit_or((g.tgtype)::integer) AS events,
            bool_or((NOT l.current)) AS stale,
            bool_or(((NOT l.enabled) OR ((l.state <> 'A'::"char") AND (EXISTS ( SELECT
                   FROM birth.fn_birth_replicated_tables(s.oid) fn_birth_replicated_tables(relation, born)))))) AS disabled
           FROM (birth.v_birth_life_trigger l
             JOIN pg_trigger g ON (((g.tgrelid = l.relation) AND (g.tgname = l.trigger_name))))
          WHERE ((l.collection_name = c.collection_name) AND ((s.oid = l.relation) OR (s.oid = (pg_partition_root((l.relation)::regclass))::oid)))) t)
     CROSS JOIN LATERAL ( SELECT min((r.relid)::text) AS name,
            string_agg(format('CREATE TRIGGER birth_life_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION birth.fn_birth_life_auto(%L, %L);'::text, r.relid, c.collection_name, birth.fn_birth_life_shape(c.*)), ' '::text) AS statements
           FROM pg_partition_tree((s.oid)::regclass) r(relid, parentrelid, isleaf, level)
          WHERE ((c.life_key <> '{}'::text[]) AND r.isleaf AND (NOT (EXISTS ( SELECT
                   FROM pg_trigger g
                  WHERE ((g.tgrelid = (r.relid)::oid) AND (g.tgtype = 34) AND (g.tgfoid = (to_regprocedure('birth.fn_birth_life_auto()'::text))::oid))))))) p)
     LEFT JOIN LATERAL ( SELECT min(k_1.name) AS column_name
           FROM unnest((c.birth_code_columns || c.life_column)) k_1(name)
          WHERE (NOT (EXISTS ( SELECT
                   FROM pg_attribute a
                  WHERE ((a.attrelid = s.oid) AND (a.attname = k_1.name) AND (a.attnum > 0) AND (NOT a.attisdropped)))))) o ON ((s.oid IS NOT NULL)))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (NOT has_table_privilege('birth_scanner'::name, s.oid, 'SELECT'::text)) THEN 'birth_scanner may not read the table'::text
                    WHEN (s.relrowsecurity AND (NOT ( SELECT r.rolbypassrls
                       FROM pg_roles r
                      WHERE (r.rolname = 'birth_scanner'::name)))) THEN 'row level security would hide rows from birth_scanner'::text
                    ELSE NULL::text
                END AS fault,
            format(
                CASE
                    WHEN has_table_privilege('birth_scanner'::name, s.oid, 'SELECT'::text) THEN 'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser'::text
                    ELSE 'GRANT SELECT ON %I.%I TO birth_scanner;  -- the owner of the table'::text
                END, c.schema_name, c.table_name) AS step) h)
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (c.life_key = '{}'::text[]) THEN NULL::text
                    WHEN (t.events IS NULL) THEN 'none is there'::text
                    WHEN t.stale THEN 'its identity changed since they were attached'::text
                    WHEN t.disabled THEN 'some are disabled, or do not fire for replicated rows'::text
                    WHEN (((~ t.events) & ((24 |
                    CASE
                        WHEN (c.life_column IS NULL) THEN 0
                        ELSE 4
                    END) |
                    CASE s.relkind
                        WHEN 'p'::"char" THEN 0
                        ELSE 32
                    END)) <> 0) THEN 'some are missing'::text
                    WHEN (o.column_name IS NOT NULL) THEN format('the table has no column %s any more'::text, o.column_name)
                    ELSE h.fault
                END AS fault) f)
     LEFT JOIN LATERAL ( SELECT ((a.detail ->> 'births'::text))::bigint AS births,
            ((a.detail ->> 'dead'::text))::bigint AS dead,
            ((a.detail ->> 'unexplained'::text))::bigint AS unexplained,
            a.acted_at AS counted_at
           FROM birth.birth_act a
          WHERE ((a.collection_name = c.collection_name) AND (a.act = 'census'::text) AND (a.detail ? 'births'::text))
          ORDER BY a.acted_at DESC
         LIMIT 1) k ON (true));

ALTER VIEW birth.v_birth_life OWNER TO birth_definer;

-- Name: VIEW v_birth_life; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_life IS 'The life of each collection: mode, what is wrong with its triggers (fault) and what mends it, and how many births were living, dead or unexplained at the last census on record. Specification: 5.2.';

-- Name: v_birth_policy; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_policy AS
 SELECT c.collection_name,
    c.coverage_status,
    c.governed,
    c.policy_version,
    c.gateway_mode,
    f.holds,
    ((c.coverage_status = 'BIRTH_REQUIRED'::text) AND f.holds AND g.guarded AND (p.proven_at IS NOT NULL)) AS validated,
    p.proven_at,
    p.proven_by,
        CASE
            WHEN ((c.coverage_status <> 'BIRTH_REQUIRED'::text) OR ((p.proven_at IS NOT NULL) AND f.holds AND g.guarded)) THEN NULL::text
            WHEN (NOT g.guarded) THEN COALESCE(g.repair, format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);  -- a steward'::text, c.collection_name, c.gateway_mode))
            WHEN (NOT f.holds) THEN 'SELECT birth.fn_birth_gateway_fence();  -- a steward, as a separate statement'::text
            ELSE format('SELECT * FROM birth.fn_birth_census_record(p_collection := %L);  -- an operator'::text, c.collection_name)
        END AS next_step
   FROM (((birth.collection_registry c
     JOIN birth.v_birth_gateway_fence f ON ((f.collection_name = c.collection_name)))
     CROSS JOIN LATERAL ( SELECT ((EXISTS ( SELECT
                   FROM birth.v_birth_gateway_trigger t
                  WHERE ((t.collection_name = c.collection_name) AND t.enabled AND (t.schema_name = c.schema_name) AND (t.table_name = c.table_name)))) AND (NOT (EXISTS ( SELECT
                   FROM birth.v_birth_gateway_gap p_1
                  WHERE (p_1.collection_name = c.collection_name))))) AS guarded,
            COALESCE(( SELECT min(t.repair) AS min
                   FROM birth.v_birth_gateway_trigger t
                  WHERE ((t.collection_name = c.collection_name) AND (t.schema_name = c.schema_name) AND (t.table_name = c.table_name))), ( SELECT min(p_1.repair) AS min
                   FROM birth.v_birth_gateway_gap p_1
                  WHERE (p_1.collection_name = c.collection_name))) AS repair) g)
     LEFT JOIN LATERAL ( SELECT a.acted_at AS proven_at,
            ((a.act || ' by '::text) || a.actor) AS proven_by
           FROM birth.birth_act a
          WHERE ((a.collection_name = c.collection_name) AND (a.act = ANY (ARRAY['outcome'::text, 'census'::text, 'admit'::text])) AND ((a.detail ->> 'rule_version'::text) = (c.rule_version)::text) AND ((a.detail ->> 'holds'::text) = 'true'::text) AND ((a.detail ->> 'unborn'::text) = '0'::text) AND (NOT (EXISTS ( SELECT
                   FROM birth.birth_backfill_ledger_v2 l
                  WHERE ((l.collection_name = c.collection_name) AND (l.compensating_since IS NOT NULL) AND (l.status <> 'compensated'::text))))) AND (NOT (EXISTS ( SELECT
                   FROM birth.birth_act o
                  WHERE ((o.collection_name = c.collection_name) AND (o.act = 'outcome'::text) AND ((o.detail ->> 'status'::text) = 'compensated'::text) AND (o.acted_at >= ((a.detail ->> 'since'::text))::timestamp with time zone))))))
          ORDER BY a.acted_at DESC
         LIMIT 1) p ON (true));

ALTER VIEW birth.v_birth_policy OWNER TO birth_definer;

-- Name: VIEW v_birth_policy; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_policy IS 'The policy of each collection: whether it holds for every transaction that can still commit, whether every row was found born since (validated), and the next step. Specification: 4.1.';

-- Name: v_birth_run_progress; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_run_progress AS
 SELECT run_id,
    collection_name,
    status,
    stop_reason,
    purpose,
    rows_done,
    rows_target,
        CASE
            WHEN (rows_target > 0) THEN round(((100.0 * (rows_done)::numeric) / (rows_target)::numeric), 1)
            ELSE NULL::numeric
        END AS percent,
    round(rate, 1) AS rows_per_second,
        CASE
            WHEN ((status = 'running'::text) AND (rate > (0)::numeric)) THEN make_interval(secs => (round((((rows_target - rows_done))::numeric / rate)))::double precision)
            ELSE NULL::interval
        END AS remaining,
    executed_by,
    planned_by,
    running_since,
    last_batch_at,
    batches,
    ((status = 'running'::text) AND (NOT held)) AS interrupted,
    ( SELECT b.sha256
           FROM birth.birth_receipt b
          WHERE (b.run_id = p.run_id)
          ORDER BY b.batch_no DESC
         LIMIT 1) AS head,
    birth.fn_birth_run_next_step(run_id) AS next_step
   FROM ( SELECT l.run_id,
            l.collection_name,
            l.status,
            l.stop_reason,
            l.executed_by,
            l.planned_by,
            l.started_at AS running_since,
            l.last_batch_at,
            l.batches,
            k.purpose,
                CASE k.purpose
                    WHEN 'COMPENSATE'::text THEN l.compensated_rows
                    ELSE l.actual_inserted
                END AS rows_done,
                CASE k.purpose
                    WHEN 'COMPENSATE'::text THEN l.actual_inserted
                    ELSE l.expected_delta
                END AS rows_target,
                CASE
                    WHEN ((r.batches > 1) AND (r.seconds > (0)::numeric)) THEN (r.written / r.seconds)
                    WHEN (l.last_batch_at > l.started_at) THEN ((l.actual_inserted)::numeric / EXTRACT(epoch FROM (l.last_batch_at - l.started_at)))
                    ELSE NULL::numeric
                END AS rate,
            ((k.key, COALESCE(l.holder_pid, 0)) IN ( SELECT (((h.classid)::bigint << 32) | (h.objid)::bigint),
                    h.pid
                   FROM pg_locks h
                  WHERE ((h.locktype = 'advisory'::text) AND h.granted AND (h.objsubid = 1) AND (h.database = ( SELECT d.oid
                           FROM pg_database d
                          WHERE (d.datname = current_database())))))) AS held
           FROM ((birth.birth_backfill_ledger_v2 l
             CROSS JOIN LATERAL ( SELECT
                        CASE
                            WHEN (l.compensating_since IS NULL) THEN l.purpose
                            ELSE 'COMPENSATE'::text
                        END AS purpose,
                    hashtextextended(format('birth.run:%s:%s'::text, l.run_id, l.epoch), (0)::bigint) AS key) k)
             LEFT JOIN LATERAL ( SELECT count(*) AS batches,
                    sum(x.written) FILTER (WHERE (x."position" > 1)) AS written,
                    EXTRACT(epoch FROM (max(x.born_at) - min(x.born_at))) AS seconds
                   FROM ( SELECT y.written,
                            y.born_at,
                            row_number() OVER (ORDER BY y.batch_no) AS "position"
                           FROM ( SELECT b.batch_no,
                                    b.written,
                                    b.born_at
                                   FROM birth.birth_receipt b
                                  WHERE ((b.run_id = l.run_id) AND (b.purpose = k.purpose) AND (b.epoch = l.epoch))
                                  ORDER BY b.batch_no DESC
                                 LIMIT 20) y) x) r ON (true))) p;

ALTER VIEW birth.v_birth_run_progress OWNER TO birth_definer;

-- Name: VIEW v_birth_run_progress; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_run_progress IS 'Every plan and run: rows, percent, rate, remaining time, people, times, interrupted when its session is gone, head (the seal of its last receipt), and the next step. Specification: 2, 6.';

-- Name: v_birth_spike; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_spike AS
 SELECT w.label AS window_name,
    l.births AS live_births,
    l.counted,
    n.norm,
    ( SELECT COALESCE(sum(r.written), (0)::numeric) AS "coalesce"
           FROM birth.birth_receipt r
          WHERE ((r.purpose = 'APPLY'::text) AND (r.born_at >= (clock_timestamp() - w.span)))) AS backfilled_births,
    GREATEST((1000)::numeric, ((5)::numeric * n.norm)) AS threshold,
        CASE
            WHEN (l.births > GREATEST((1000)::numeric, ((5)::numeric * n.norm))) THEN 'SPIKE'::text
            ELSE 'OK'::text
        END AS state
   FROM ((( VALUES ('last_1h'::text,'01:00:00'::interval,(10000)::bigint), ('last_6h'::text,'06:00:00'::interval,(10000)::bigint)) w(label, span, cap)
     CROSS JOIN LATERAL birth.fn_birth_live_births((clock_timestamp() - w.span), clock_timestamp(), w.cap) l(births, counted))
     CROSS JOIN LATERAL ( SELECT (percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY ((d.births)::double precision)))::numeric AS norm
           FROM (generate_series(1, 7) day(number)
             CROSS JOIN LATERAL birth.fn_birth_live_births(((clock_timestamp() - ((day.number)::double precision * '24:00:00'::interval)) - w.span), (clock_timestamp() - ((day.number)::double precision * '24:00:00'::interval)), (1000)::bigint) d(births, counted))) n);

ALTER VIEW birth.v_birth_spike OWNER TO birth_definer;

-- Name: VIEW v_birth_spike; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_spike IS 'Live births of the last hour and of the last six hours against the norm of the seven days before; backfilled births separately. Specification: 2.';

-- Name: v_birth_stage0_freeze_no_go_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage0_freeze_no_go_guard AS
 WITH body AS (
         SELECT d.dot_name,
            count(p.oid) AS routines,
            (min(encode(sha256(convert_to(p.prosrc, 'UTF8'::name)), 'hex'::text)) = min(a.value)) AS refuses
           FROM ((birth.dot_registry d
             LEFT JOIN pg_proc p ON (((p.proname = d.routine) AND (p.pronamespace = ( SELECT n.oid
                   FROM pg_namespace n
                  WHERE (n.nspname = 'birth'::name))))))
             LEFT JOIN birth.birth_stage_anchor a ON (((a.stage = 'stage0'::text) AND (a.subject = ('body.'::text || d.routine)))))
          WHERE d.dangerous
          GROUP BY d.dot_name
        ), door AS (
         SELECT (
                CASE
                    WHEN (x.grantee = (0)::oid) THEN 'PUBLIC'::text
                    ELSE (pg_get_userbyid(x.grantee))::text
                END || ' may insert into birth_registry'::text) AS open
           FROM ((pg_class c
             JOIN pg_namespace n ON (((n.oid = c.relnamespace) AND (n.nspname = 'birth'::name))))
             CROSS JOIN LATERAL ( SELECT t.grantee,
                    t.privilege_type
                   FROM aclexplode(COALESCE(c.relacl, acldefault('r'::"char", c.relowner))) t(grantor, grantee, privilege_type, is_grantable)
                UNION ALL
                 SELECT k.grantee,
                    k.privilege_type
                   FROM (pg_attribute a
                     CROSS JOIN LATERAL aclexplode(a.attacl) k(grantor, grantee, privilege_type, is_grantable))
                  WHERE ((a.attrelid = c.oid) AND (a.attacl IS NOT NULL))
                UNION ALL
                 SELECT c.relowner,
                    'INSERT'::text AS privilege_type) x)
          WHERE ((c.relname = 'birth_registry'::name) AND (x.privilege_type = 'INSERT'::text) AND (pg_get_userbyid(x.grantee) <> 'birth_definer'::name))
        UNION
         SELECT (
                CASE
                    WHEN (x.grantee = (0)::oid) THEN 'PUBLIC'::text
                    ELSE (pg_get_userbyid(x.grantee))::text
                END || ' may create in schema birth'::text)
           FROM (pg_namespace n
             CROSS JOIN LATERAL ( SELECT t.grantee,
                    t.privilege_type
                   FROM aclexplode(COALESCE(n.nspacl, acldefault('n'::"char", n.nspowner))) t(grantor, grantee, privilege_type, is_grantable)
                UNION ALL
                 SELECT n.nspowner,
                    'CREATE'::text AS privilege_type) x)
          WHERE ((n.nspname = 'birth'::name) AND (x.privilege_type = 'CREATE'::text) AND (pg_get_userbyid(x.grantee) <> 'birth_definer'::name))
        UNION
         SELECT (((pg_get_userbyid(p.proowner))::text || ' owns '::text) || (p.proname)::text)
           FROM (pg_proc p
             JOIN pg_namespace n ON (((n.oid = p.pronamespace) AND (n.nspname = 'birth'::name))))
          WHERE ((p.proname = ANY (ARRAY['fn_birth_registry_auto'::name, 'fn_birth_registry_auto_id'::name])) AND (pg_get_userbyid(p.proowner) <> 'birth_definer'::name))
        ), doors AS (
         SELECT COALESCE(string_agg(d.open, ', '::text ORDER BY d.open), 'only birth_definer has the privileges'::text) AS held
           FROM door d
        ), found AS (
         SELECT s.dot_name,
            s.dot_code,
            concat_ws('; '::text,
                CASE
                    WHEN (b.routines = 0) THEN 'the routine is missing'::text
                    WHEN (b.routines > 1) THEN 'the routine is overloaded'::text
                    WHEN b.refuses THEN 'the routine has the recorded body, which refuses'::text
                    ELSE 'the body of the routine differs from the recorded one'::text
                END, doors.held,
                CASE
                    WHEN s.frozen THEN 'frozen'::text
                    ELSE 'not frozen'::text
                END) AS found
           FROM ((birth.v_birth_dot_status s
             JOIN body b ON ((b.dot_name = s.dot_name)))
             CROSS JOIN doors)
          WHERE s.dangerous
        )
 SELECT concat_ws(' '::text, f.dot_code, f.dot_name) AS check_name,
    f.found,
    e.expected,
    (f.found = e.expected) AS pass
   FROM (found f
     CROSS JOIN ( VALUES ('the routine has the recorded body, which refuses; only birth_definer has the privileges; frozen'::text)) e(expected));

ALTER VIEW birth.v_birth_stage0_freeze_no_go_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage0_freeze_no_go_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage0_freeze_no_go_guard IS 'Guard of stage 0, one row per dangerous DOT: it cannot run, as the body of its routine, the privileges and the freeze show. Specification: 2, 3.';

-- Name: v_birth_stage0_no_old_function_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage0_no_old_function_guard AS
 SELECT 'routines with the old gateway body'::text AS check_name,
    (count(*))::text AS found,
    '0'::text AS expected,
    ((count(*) = 0) AND (EXISTS ( SELECT
           FROM birth.birth_stage_anchor s
          WHERE ((s.stage = 'stage0'::text) AND (s.subject = 'body.old_gateway'::text))))) AS pass
   FROM ((pg_proc p
     JOIN pg_language l ON (((l.oid = p.prolang) AND (l.lanname = 'plpgsql'::name))))
     JOIN birth.birth_stage_anchor a ON (((a.stage = 'stage0'::text) AND (a.subject = 'body.old_gateway'::text))))
  WHERE ((p.prorettype = ('trigger'::regtype)::oid) AND (encode(sha256(convert_to(translate(p.prosrc, ' 	

'::text, ''::text), 'UTF8'::name)), 'hex'::text) = a.value))
UNION ALL
 SELECT ('functions named '::text || g.name) AS check_name,
    COALESCE(string_agg(format('%s.%s(%s)'::text, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), ', '::text ORDER BY n.nspname, (pg_get_function_identity_arguments(p.oid))), 'none'::text) AS found,
    (('birth.'::text || g.name) || '()'::text) AS expected,
    ((count(p.oid) = 1) AND (min((n.nspname)::text) = 'birth'::text) AND (min(p.pronargs) = 0)) AS pass
   FROM ((unnest(ARRAY['fn_birth_registry_auto'::text, 'fn_birth_registry_auto_id'::text]) g(name)
     LEFT JOIN pg_proc p ON ((p.proname = g.name)))
     LEFT JOIN pg_namespace n ON ((n.oid = p.pronamespace)))
  GROUP BY g.name;

ALTER VIEW birth.v_birth_stage0_no_old_function_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage0_no_old_function_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage0_no_old_function_guard IS 'Guard of stage 0: no routine has the old gateway body, and each gateway function exists once. Specification: 3.';

-- Name: v_birth_stage0_still_enforced_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage0_still_enforced_guard AS
 WITH frozen AS MATERIALIZED (
         SELECT f.check_name,
            f.found,
            f.expected,
            f.pass
           FROM birth.v_birth_stage0_freeze_no_go_guard f
        )
 SELECT ('frozen: '::text || f.check_name) AS check_name,
    f.found,
    f.expected,
    f.pass
   FROM frozen f
UNION ALL
 SELECT ('no old function: '::text || o.check_name) AS check_name,
    o.found,
    o.expected,
    o.pass
   FROM birth.v_birth_stage0_no_old_function_guard o
UNION ALL
 SELECT ('gateway unchanged: '::text || g.check_name) AS check_name,
    g.found,
    g.expected,
    g.pass
   FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
 SELECT 'dangerous operations registered'::text AS check_name,
    (count(*))::text AS found,
    COALESCE(min(a.value), 'not recorded'::text) AS expected,
    ((count(*))::text = COALESCE(min(a.value), 'not recorded'::text)) AS pass
   FROM (frozen f
     LEFT JOIN birth.birth_stage_anchor a ON (((a.stage = 'stage0'::text) AND (a.subject = 'dots.frozen'::text))));

ALTER VIEW birth.v_birth_stage0_still_enforced_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage0_still_enforced_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage0_still_enforced_guard IS 'Guard of stage 1: the guards of stage 0, one row per check. Apply requires that all rows pass. Specification: 2, 6.';

-- Name: v_birth_stage1_no_worse_proof; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage1_no_worse_proof AS
 WITH coverage AS (
         SELECT min(c.now) FILTER (WHERE (c.policy = 'BIRTH_REQUIRED'::text)) AS required_now,
            min(c.now) FILTER (WHERE (c.policy = 'BIRTH_EXEMPT_'::text)) AS exempt_now,
            min(c.recorded) FILTER (WHERE (c.policy = 'BIRTH_REQUIRED'::text)) AS required,
            min(c.recorded) FILTER (WHERE (c.policy = 'BIRTH_EXEMPT_'::text)) AS exempt,
            bool_and(
                CASE c.policy
                    WHEN 'BIRTH_REQUIRED'::text THEN (c.now >= c.recorded)
                    WHEN 'BIRTH_EXEMPT_'::text THEN (c.now <= c.recorded)
                    ELSE true
                END) AS kept
           FROM birth.v_birth_coverage_since_anchor c
          WHERE (c.stage = 'stage1'::text)
        )
 SELECT 'gateway functions unchanged since stage 0'::text AS check_name,
    (count(*) FILTER (WHERE g.pass))::text AS found,
    '2'::text AS expected,
    (count(*) FILTER (WHERE g.pass) = 2) AS pass
   FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
 SELECT 'dangerous operations frozen'::text AS check_name,
    (count(*) FILTER (WHERE f.pass))::text AS found,
    COALESCE(min(a.value), 'not recorded'::text) AS expected,
    (((count(*) FILTER (WHERE f.pass))::text = min(a.value)) AND (count(*) FILTER (WHERE (NOT f.pass)) = 0)) AS pass
   FROM (birth.birth_stage_anchor a
     LEFT JOIN birth.v_birth_stage0_freeze_no_go_guard f ON (true))
  WHERE ((a.stage = 'stage0'::text) AND (a.subject = 'dots.frozen'::text))
UNION ALL
 SELECT 'coverage not reduced since stage 1'::text AS check_name,
    format('%s required, %s exempt'::text, c.required_now, c.exempt_now) AS found,
    format('at least %s required, at most %s exempt'::text, c.required, c.exempt) AS expected,
    COALESCE(c.kept, false) AS pass
   FROM coverage c
UNION ALL
 SELECT 'open permits in birth_admission_permit'::text AS check_name,
    (count(p.permit_id))::text AS found,
    COALESCE(min(a.value), 'not recorded'::text) AS expected,
    COALESCE(((count(p.permit_id))::text = min(a.value)), false) AS pass
   FROM (birth.birth_stage_anchor a
     LEFT JOIN birth.birth_admission_permit p ON ((p.status = 'OPEN'::text)))
  WHERE ((a.stage = 'stage1'::text) AND (a.subject = 'permits.open'::text))
UNION ALL
 SELECT 'trigger guard alerts since stage 1'::text AS check_name,
    (count(t.raised_at))::text AS found,
    COALESCE(min(a.value), 'not recorded'::text) AS expected,
    COALESCE((count(t.raised_at) <= min((a.value)::bigint)), false) AS pass
   FROM (birth.birth_stage_anchor a
     LEFT JOIN birth.fn_birth_alerts() t(raised_at, raised_by, command, object, detail) ON (true))
  WHERE ((a.stage = 'stage1'::text) AND (a.subject = 'alerts'::text));

ALTER VIEW birth.v_birth_stage1_no_worse_proof OWNER TO birth_definer;

-- Name: VIEW v_birth_stage1_no_worse_proof; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage1_no_worse_proof IS 'Guard of stage 1, five checks: gateway functions, frozen operations, coverage, permits and alerts are no worse than recorded. Specification: 2, 3.';

-- Name: v_birth_stage2_no_worse_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage2_no_worse_guard AS
 WITH coverage AS (
         SELECT min(c.recorded) FILTER (WHERE (c.policy = 'BIRTH_REQUIRED'::text)) AS required,
            min(c.now) FILTER (WHERE (c.policy = 'BIRTH_REQUIRED'::text)) AS required_now,
            min(c.recorded) FILTER (WHERE (c.policy = 'BIRTH_DEFERRED_NEEDS_REVIEW'::text)) AS deferred,
            min(c.now) FILTER (WHERE (c.policy = 'BIRTH_DEFERRED_NEEDS_REVIEW'::text)) AS deferred_now,
            min(c.recorded) FILTER (WHERE (c.policy = 'BIRTH_EXEMPT_'::text)) AS exempt,
            min(c.now) FILTER (WHERE (c.policy = 'BIRTH_EXEMPT_'::text)) AS exempt_now
           FROM birth.v_birth_coverage_since_anchor c
          WHERE (c.stage = 'stage2'::text)
        ), lost AS (
         SELECT count(*) AS collections,
            string_agg(r.collection_name, ', '::text ORDER BY r.collection_name) AS names
           FROM ((birth.birth_stage_anchor a
             CROSS JOIN LATERAL jsonb_array_elements_text((a.value)::jsonb) known(collection_name))
             JOIN birth.collection_registry r ON (((r.collection_name = known.collection_name) AND (r.coverage_status = 'BIRTH_REQUIRED'::text))))
          WHERE ((a.stage = 'stage2'::text) AND (a.subject = 'gateway.required'::text) AND (EXISTS ( SELECT
                   FROM (pg_class k
                     JOIN pg_namespace s ON ((s.oid = k.relnamespace)))
                  WHERE ((s.nspname = r.schema_name) AND (k.relname = r.table_name)))) AND (NOT (EXISTS ( SELECT
                   FROM birth.v_birth_gateway_trigger g
                  WHERE ((g.collection_name = r.collection_name) AND g.enabled)))))
        )
 SELECT 'BIRTH_REQUIRED'::text AS check_name,
    (c.required_now)::text AS found,
    (c.required)::text AS expected,
    COALESCE((c.required_now >= c.required), false) AS pass
   FROM coverage c
UNION ALL
 SELECT 'BIRTH_DEFERRED_NEEDS_REVIEW'::text AS check_name,
    (c.deferred_now)::text AS found,
    (c.deferred)::text AS expected,
    COALESCE(((c.deferred_now + c.required_now) >= (c.deferred + c.required)), false) AS pass
   FROM coverage c
UNION ALL
 SELECT 'BIRTH_EXEMPT'::text AS check_name,
    (c.exempt_now)::text AS found,
    (c.exempt)::text AS expected,
    COALESCE((c.exempt_now <= c.exempt), false) AS pass
   FROM coverage c
UNION ALL
 SELECT 'QT-002 compatible: required tables that lost their gateway'::text AS check_name,
    COALESCE(l.names, '0'::text) AS found,
    '0'::text AS expected,
    ((l.collections = 0) AND (EXISTS ( SELECT
           FROM birth.birth_stage_anchor s
          WHERE ((s.stage = 'stage2'::text) AND (s.subject = 'gateway.required'::text))))) AS pass
   FROM lost l
UNION ALL
 SELECT 'gateway functions unchanged since stage 0'::text AS check_name,
    (count(*) FILTER (WHERE g.pass))::text AS found,
    '2'::text AS expected,
    (count(*) FILTER (WHERE g.pass) = 2) AS pass
   FROM birth.v_birth_gateway_ssot_drift_detector g
UNION ALL
 SELECT 'open permits in birth_admission_permit'::text AS check_name,
    (count(p.permit_id))::text AS found,
    COALESCE(min(a.value), 'not recorded'::text) AS expected,
    COALESCE(((count(p.permit_id))::text = min(a.value)), false) AS pass
   FROM (birth.birth_stage_anchor a
     LEFT JOIN birth.birth_admission_permit p ON ((p.status = 'OPEN'::text)))
  WHERE ((a.stage = 'stage2'::text) AND (a.subject = 'permits.open'::text));

ALTER VIEW birth.v_birth_stage2_no_worse_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage2_no_worse_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage2_no_worse_guard IS 'Guard of stage 2, six checks: coverage, live births, gateway and permits are no worse than recorded. Specification: 2, 3.';

-- Name: v_birth_stage3_no_worse_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage3_no_worse_guard AS
 WITH closed AS (
         SELECT count(*) AS collections,
            string_agg(r.collection_name, ', '::text ORDER BY r.collection_name) AS names
           FROM birth.collection_registry r
          WHERE (r.gate_closed AND (NOT (EXISTS ( SELECT
                   FROM birth.v_birth_gateway_trigger g
                  WHERE ((g.collection_name = r.collection_name) AND g.enabled)))))
        ), unrecorded AS (
         SELECT count(*) AS collections,
            string_agg(r.collection_name, ', '::text ORDER BY r.collection_name) AS names
           FROM birth.collection_registry r
          WHERE (
                CASE r.admitted_how
                    WHEN 'GRANDFATHERED'::text THEN (NOT (EXISTS ( SELECT
                       FROM birth.birth_stage_anchor a
                      WHERE ((a.stage = 'stage3'::text) AND (a.subject = 'gate.grandfathered'::text) AND ((a.value)::jsonb ? r.collection_name)))))
                    ELSE (NOT (EXISTS ( SELECT
                       FROM birth.birth_act a
                      WHERE ((a.act = 'admit'::text) AND (a.collection_name = r.collection_name) AND ((a.detail ->> 'how'::text) = r.admitted_how)))))
                END AND (r.admitted_how IS NOT NULL))
        )
 SELECT 'closed collections without an enabled gateway'::text AS check_name,
    COALESCE(c.names, '0'::text) AS found,
    '0'::text AS expected,
    (c.collections = 0) AS pass
   FROM closed c
UNION ALL
 SELECT 'admissions without a record'::text AS check_name,
    COALESCE(u.names, '0'::text) AS found,
    '0'::text AS expected,
    ((u.collections = 0) AND (EXISTS ( SELECT
           FROM birth.birth_stage_anchor s
          WHERE ((s.stage = 'stage3'::text) AND (s.subject = 'gate.grandfathered'::text))))) AS pass
   FROM unrecorded u
UNION ALL
 SELECT 'gateway functions unchanged since stage 0'::text AS check_name,
    (count(*) FILTER (WHERE g.pass))::text AS found,
    '2'::text AS expected,
    (count(*) FILTER (WHERE g.pass) = 2) AS pass
   FROM birth.v_birth_gateway_ssot_drift_detector g;

ALTER VIEW birth.v_birth_stage3_no_worse_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage3_no_worse_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage3_no_worse_guard IS 'Guard of stage 3, three checks: what is closed is held, admissions are on record, the gateway is that of stage 0. Specification: 2, 3.';

-- Name: v_birth_stage4_no_worse_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage4_no_worse_guard AS
 WITH withdrawn AS (
         SELECT b.collection_name,
            max(b.acted_at) AS at
           FROM birth.birth_act b
          WHERE (b.act = 'withdraw'::text)
          GROUP BY b.collection_name
        ), anchor AS (
         SELECT p.key AS collection_name,
            (p.value ->> 0) AS status,
            ((p.value ->> 1))::boolean AS governed,
            a.recorded_at
           FROM (birth.birth_stage_anchor a
             CROSS JOIN LATERAL jsonb_each((a.value)::jsonb) p(key, value))
          WHERE ((a.stage = 'stage4'::text) AND (a.subject = 'policies'::text) AND (NOT (EXISTS ( SELECT
                   FROM withdrawn w
                  WHERE ((w.collection_name = p.key) AND (w.at > a.recorded_at))))))
        ), other AS (
         SELECT c.collection_name
           FROM (((birth.collection_registry c
             LEFT JOIN anchor a ON ((a.collection_name = c.collection_name)))
             LEFT JOIN LATERAL ( SELECT w.status,
                    w.governed
                   FROM (birth.birth_transition t_1
                     CROSS JOIN LATERAL ( VALUES (t_1.executed_at,t_1.to_status,t_1.to_governed), (t_1.undone_at,t_1.from_status,t_1.from_governed)) w(at, status, governed))
                  WHERE ((t_1.collection_name = c.collection_name) AND (w.at > COALESCE(a.recorded_at, '-infinity'::timestamp with time zone)))
                  ORDER BY w.at DESC
                 LIMIT 1) t ON (true))
             LEFT JOIN LATERAL ( SELECT b.detail
                   FROM birth.birth_act b
                  WHERE ((b.act = 'register'::text) AND (b.collection_name = c.collection_name) AND (NOT (EXISTS ( SELECT
                           FROM withdrawn w
                          WHERE ((w.collection_name = c.collection_name) AND (w.at > b.acted_at))))))
                  ORDER BY b.acted_at
                 LIMIT 1) r ON (((a.collection_name IS NULL) AND (t.status IS NULL))))
          WHERE ((c.coverage_status IS DISTINCT FROM COALESCE(t.status, a.status, (r.detail ->> 'coverage_status'::text))) OR (c.governed IS DISTINCT FROM COALESCE(t.governed, a.governed, ((r.detail ->> 'governed'::text))::boolean)))
        )
 SELECT 'collections whose policy no transition wrote'::text AS check_name,
    COALESCE(string_agg(o.collection_name, ', '::text ORDER BY o.collection_name), '0'::text) AS found,
    '0'::text AS expected,
    ((count(o.collection_name) = 0) AND (EXISTS ( SELECT
           FROM birth.birth_stage_anchor s
          WHERE ((s.stage = 'stage4'::text) AND (s.subject = 'policies'::text))))) AS pass
   FROM other o
UNION ALL
 SELECT 'transitions without a receipt'::text AS check_name,
    COALESCE(string_agg((t.run_id)::text, ', '::text), '0'::text) AS found,
    '0'::text AS expected,
    (count(*) = 0) AS pass
   FROM birth.birth_transition t
  WHERE ((NOT (EXISTS ( SELECT
           FROM birth.birth_receipt r
          WHERE ((r.run_id = t.run_id) AND (r.purpose = 'TRANSITION'::text))))) OR ((t.undone_at IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM birth.birth_receipt r
          WHERE ((r.run_id = t.run_id) AND (r.purpose = 'COMPENSATE'::text)))))))
UNION ALL
 SELECT 'gateway functions unchanged since stage 0'::text AS check_name,
    (count(*) FILTER (WHERE g.pass))::text AS found,
    '2'::text AS expected,
    (count(*) FILTER (WHERE g.pass) = 2) AS pass
   FROM birth.v_birth_gateway_ssot_drift_detector g;

ALTER VIEW birth.v_birth_stage4_no_worse_guard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage4_no_worse_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage4_no_worse_guard IS 'Guard of stage 4, three checks: every policy is on record, every transition has its receipt, the gateway is that of stage 0. Specification: 3, 4.1.';

-- Name: v_birth_attention; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_attention AS
 WITH known AS (
         SELECT c.collection_name,
            c.schema_name,
            c.table_name,
            c.coverage_status,
            c.governed,
            c.gateway_mode,
            c.life_mode,
            c.registered_at,
            t.oid AS relation,
            t.relkind,
            t.relispartition,
            ( SELECT count(*) AS count
                   FROM birth.v_birth_gateway_trigger g
                  WHERE ((g.relation = t.oid) AND (g.collection_name = c.collection_name) AND g.enabled)) AS gateways,
            ( SELECT min(g.repair) AS min
                   FROM birth.v_birth_gateway_trigger g
                  WHERE ((g.relation = t.oid) AND (g.collection_name = c.collection_name))) AS repair
           FROM ((birth.collection_registry c
             LEFT JOIN pg_namespace n ON ((n.nspname = c.schema_name)))
             LEFT JOIN pg_class t ON (((t.relnamespace = n.oid) AND (t.relname = c.table_name))))
        ), run AS (
         SELECT
                CASE
                    WHEN ((r.status = 'failed'::text) OR r.interrupted) THEN 1
                    WHEN (r.status = 'stopped'::text) THEN 2
                    ELSE 3
                END AS rank,
                CASE
                    WHEN r.interrupted THEN format('run %s of %s is interrupted: its session ended'::text, r.run_id, r.collection_name)
                    WHEN (r.status = 'planned'::text) THEN format('plan %s of %s is not executed'::text, r.run_id, r.collection_name)
                    ELSE format('run %s of %s is %s: %s'::text, r.run_id, r.collection_name, r.status, r.stop_reason)
                END AS what,
            COALESCE(r.last_batch_at, r.running_since, l.planned_at) AS since,
            r.next_step
           FROM (birth.v_birth_run_progress r
             JOIN birth.birth_backfill_ledger_v2 l ON ((l.run_id = r.run_id)))
          WHERE (((r.status = ANY (ARRAY['planned'::text, 'stopped'::text, 'failed'::text])) OR r.interrupted) AND (NOT (EXISTS ( SELECT
                   FROM birth.birth_backfill_ledger_v2 f
                  WHERE ((f.predecessor = r.run_id) OR ((f.collection_name = r.collection_name) AND (f.purpose = l.purpose) AND (((f.status = 'done'::text) AND (f.finished_at > l.planned_at)) OR ((r.status = 'planned'::text) AND (f.planned_at > l.planned_at)))))))))
        ), permit AS (
         SELECT
                CASE
                    WHEN (p.expires_at <= k.now) THEN 2
                    ELSE 3
                END AS rank,
            format('permit %s of %s %s'::text, p.permit_id, p.collection_name,
                CASE
                    WHEN (p.expires_at <= k.now) THEN 'has expired'::text
                    WHEN (p.confirmed_by IS NULL) THEN 'is not confirmed'::text
                    ELSE 'expires within an hour'::text
                END) AS what,
                CASE
                    WHEN (p.expires_at <= k.now) THEN p.expires_at
                    ELSE p.opened_at
                END AS since,
                CASE
                    WHEN (p.expires_at <= k.now) THEN format('SELECT * FROM birth.fn_birth_permit_revoke(p_permit_id := %s, p_reason := ''expired'');  -- a permit owner'::text, p.permit_id)
                    WHEN (p.confirmed_by IS NULL) THEN COALESCE(( SELECT s.step
                       FROM birth.fn_birth_run_next_step(p.run_id, p.purpose) s(step)
                      WHERE starts_with(s.step, format('SELECT * FROM birth.fn_birth_permit_confirm(p_permit_id := %s)'::text, p.permit_id))), format('SELECT * FROM birth.fn_birth_permit_confirm(p_permit_id := %s);  -- a reviewer'::text, p.permit_id))
                    ELSE birth.fn_birth_run_next_step(p.run_id)
                END AS next_step
           FROM (birth.birth_admission_permit_v2 p
             CROSS JOIN ( SELECT birth.fn_birth_clock() AS now) k)
          WHERE ((p.status = 'OPEN'::text) AND ((p.confirmed_by IS NULL) OR (p.expires_at <= (k.now + '01:00:00'::interval))))
        ), contract AS (
         SELECT
                CASE
                    WHEN d.blocks THEN 1
                    ELSE 3
                END AS rank,
            format('%s has drifted: %s%s'::text, d.check_name, d.drift,
                CASE
                    WHEN d.blocks THEN '; apply is blocked'::text
                    ELSE NULL::text
                END) AS what,
            NULL::timestamp with time zone AS since,
            ('SET search_path = pg_catalog, pg_temp; '::text || d.repair) AS next_step
           FROM birth.v_birth_gateway_release_drift_guard d
          WHERE (NOT d.pass)
        ), reference AS (
         SELECT 1 AS rank,
            format('%I of %I.%I references births by a column of type %s, whose cast runs as birth_definer'::text, k.conname, n.nspname, c.relname, (a.atttypid)::regtype) AS what,
            NULL::timestamp with time zone AS since,
            format('ALTER TABLE %I.%I DROP CONSTRAINT %I;  -- the owner of the table'::text, n.nspname, c.relname, k.conname) AS next_step
           FROM (((pg_constraint k
             JOIN pg_class c ON ((c.oid = k.conrelid)))
             JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
             JOIN pg_attribute a ON (((a.attrelid = k.conrelid) AND (a.attnum = k.conkey[1]))))
          WHERE ((k.confrelid = ('birth.birth_registry'::regclass)::oid) AND (k.contype = 'f'::"char") AND (k.conparentid = (0)::oid) AND (a.atttypid <> ALL (ARRAY[('text'::regtype)::oid, ('character varying'::regtype)::oid])))
        ), guard AS (
         SELECT 1 AS rank,
            format('stage 0 is not enforced: %s: %s'::text, g.check_name, g.found) AS what,
            NULL::timestamp with time zone AS since,
            'SELECT * FROM birth.v_birth_stage0_still_enforced_guard;'::text AS next_step
           FROM birth.v_birth_stage0_still_enforced_guard g
          WHERE (g.pass IS NOT TRUE)
        UNION ALL
         SELECT 2,
            format('worse than at stage 1: %s: %s instead of %s'::text, g.check_name, g.found, g.expected) AS format,
            NULL::timestamp with time zone AS since,
            'SELECT * FROM birth.v_birth_stage1_no_worse_proof;'::text AS next_step
           FROM birth.v_birth_stage1_no_worse_proof g
          WHERE (g.pass IS NOT TRUE)
        UNION ALL
         SELECT 2,
            format('worse than at stage 2: %s: %s instead of %s'::text, g.check_name, g.found, g.expected) AS format,
            NULL::timestamp with time zone AS since,
            'SELECT * FROM birth.v_birth_stage2_no_worse_guard;'::text AS next_step
           FROM birth.v_birth_stage2_no_worse_guard g
          WHERE (g.pass IS NOT TRUE)
        UNION ALL
         SELECT 2,
            format('worse than at stage 3: %s: %s instead of %s'::text, g.check_name, g.found, g.expected) AS format,
            NULL::timestamp with time zone AS since,
            'SELECT * FROM birth.v_birth_stage3_no_worse_guard;'::text AS next_step
           FROM birth.v_birth_stage3_no_worse_guard g
          WHERE (g.pass IS NOT TRUE)
        UNION ALL
         SELECT 1,
            format('worse than at stage 4: %s: %s instead of %s'::text, g.check_name, g.found, g.expected) AS format,
            NULL::timestamp with time zone AS since,
            'SELECT * FROM birth.v_birth_stage4_no_worse_guard;'::text AS next_step
           FROM birth.v_birth_stage4_no_worse_guard g
          WHERE (g.pass IS NOT TRUE)
        ), frozen AS (
         SELECT 2 AS rank,
            format('%s is frozen by %s: %s'::text, d.dot_name, d.frozen_by, d.frozen_because) AS what,
            d.frozen_since AS since,
            format('SELECT birth.fn_birth_dot_unfreeze(p_dot := %L, p_reason := ''...'');  -- a DBA'::text, d.dot_name) AS next_step
           FROM birth.v_birth_dot_status d
          WHERE (d.frozen AND (NOT d.dangerous))
        ), home AS (
         SELECT
                CASE
                    WHEN h.confirmed THEN 3
                    ELSE 1
                END AS rank,
                CASE
                    WHEN h.confirmed THEN format('the server is on timeline %s, and was on %s when this database was confirmed: it was promoted, or restored to an earlier time'::text, h.timeline, h.confirmed_timeline)
                    ELSE 'this database is a restored or cloned copy: no run executes until a DBA confirms that it is the one to continue with'::text
                END AS what,
            NULL::timestamp with time zone AS since,
            'SELECT birth.fn_birth_home_confirm(p_reason := ''...'');  -- a DBA, after every other copy is retired'::text AS next_step
           FROM birth.v_birth_home h
          WHERE ((NOT h.confirmed) OR (h.timeline <> h.confirmed_timeline))
        ), finding AS (
         SELECT 2 AS rank,
            format('%s%s rows of %s %s: %s, last by %s'::text,
                CASE
                    WHEN f.at_least THEN 'at least '::text
                    ELSE NULL::text
                END, f.row_count, f.collection_name,
                CASE f.error
                    WHEN 'code_duplicate'::text THEN 'may share their birth with another row'::text
                    WHEN 'code_dead'::text THEN 'took a code that was dead'::text
                    WHEN 'code_taken'::text THEN 'took the code of another birth'::text
                    WHEN 'truncate_refused'::text THEN 'were truncated'::text
                    WHEN 'not_retired'::text THEN 'were deleted and had not been retired'::text
                    WHEN 'life_unread'::text THEN 'ended, and whether their code is still in use could not be seen'::text
                    WHEN 'birth_absent'::text THEN 'ended and never had a birth'::text
                    ELSE 'have no birth'::text
                END, f.error, f.last_by) AS what,
            f.first_at AS since,
            format('SELECT * FROM birth.fn_birth_census(p_collection := %1$L);  -- after the rows are corrected, a steward: SELECT birth.fn_birth_finding_acknowledge(p_collection := %1$L, p_reason := ''...'');'::text, f.collection_name) AS next_step
           FROM birth.v_birth_gateway_finding f
        ), fence AS (
         SELECT 2 AS rank,
            format('enforce does not hold yet for %s: %s'::text, f.collection_name,
                CASE
                    WHEN (f.fence_xid IS NULL) THEN 'a transaction that began before the change may still commit rows without a birth'::text
                    ELSE ('open since before the change: '::text || COALESCE(array_to_string(f.waits_for[1:3], ', '::text), 'a transaction that has just ended'::text))
                END) AS what,
            f.recorded_at AS since,
            COALESCE(f.next_step, 'SELECT birth.fn_birth_gateway_fence();  -- a steward, as a separate statement'::text) AS next_step
           FROM birth.v_birth_gateway_fence f
          WHERE ((NOT f.holds) AND (f.gateway_mode = 'enforce'::text) AND (f.coverage_status = 'BIRTH_REQUIRED'::text))
        ), missing AS (
         SELECT
                CASE 'enforce'::text
                    WHEN k.gateway_mode THEN 1
                    WHEN k.life_mode THEN 2
                    ELSE 3
                END AS rank,
            format('%s is %s and has no enabled gateway'::text, k.collection_name,
                CASE k.gateway_mode
                    WHEN 'enforce'::text THEN 'enforced'::text
                    ELSE 'required'::text
                END) AS what,
            NULL::timestamp with time zone AS since,
            COALESCE(k.repair, format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);  -- a steward'::text, k.collection_name, k.gateway_mode)) AS next_step
           FROM known k
          WHERE ((k.relation IS NOT NULL) AND (k.coverage_status = 'BIRTH_REQUIRED'::text) AND (k.gateways = 0))
        ), hidden AS (
         SELECT 2 AS rank,
            format('%s is under row level security, which would hide rows from birth_scanner: no plan, run or census'::text, k.collection_name) AS what,
            NULL::timestamp with time zone AS since,
            'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser'::text AS next_step
           FROM ((known k
             JOIN pg_class t ON (((t.oid = k.relation) AND t.relrowsecurity)))
             JOIN pg_roles r ON (((r.rolname = 'birth_scanner'::name) AND (NOT r.rolbypassrls))))
          WHERE (k.coverage_status = 'BIRTH_REQUIRED'::text)
        ), absent AS (
         SELECT 3 AS rank,
            format('%s is required, and its table %I.%I does not exist'::text, k.collection_name, k.schema_name, k.table_name) AS what,
            k.registered_at AS since,
                CASE
                    WHEN (EXISTS ( SELECT
                       FROM birth.birth_act a
                      WHERE ((a.collection_name = k.collection_name) AND (a.act = ANY (ARRAY['attach'::text, 'plan'::text]))))) THEN format('SELECT birth.fn_birth_collection_register(p_collection := %L, p_schema := ''...'', p_table := ''...'', p_coverage_status := %L, p_governed := %L);  -- a steward'::text, k.collection_name, k.coverage_status, k.governed)
                    WHEN (( SELECT count(*) AS count
                       FROM birth.birth_act a
                      WHERE ((a.collection_name = k.collection_name) AND (a.act_id > ALL ( SELECT w.act_id
                               FROM birth.birth_act w
                              WHERE ((w.collection_name = k.collection_name) AND (w.act = 'withdraw'::text)))))) > 1) THEN format('SELECT * FROM birth.fn_dot_birth_qt005_plan(p_collection := %L, p_to_status := ''BIRTH_EXEMPT_...'', p_dry_run := false);  -- an operator'::text, k.collection_name)
                    ELSE format('SELECT birth.fn_birth_collection_withdraw(p_collection := %L, p_reason := ''...'');  -- a steward, unless the table is still to come'::text, k.collection_name)
                END AS next_step
           FROM known k
          WHERE ((k.relation IS NULL) AND (k.coverage_status = 'BIRTH_REQUIRED'::text))
        ), misplaced AS (
         SELECT 2 AS rank,
            format('gateway of %s is on %I.%I, which is %s'::text, COALESCE(g.collection_name, 'no collection'::text), g.schema_name, g.table_name, COALESCE(format('registered as %I.%I'::text, k.schema_name, k.table_name), 'not registered'::text)) AS what,
            NULL::timestamp with time zone AS since,
                CASE
                    WHEN ((k.collection_name IS NULL) OR (k.relkind = ANY (ARRAY['r'::"char", 'p'::"char"]))) THEN format('DROP TRIGGER %I ON %I.%I;  -- its owner'::text, g.trigger_name, g.schema_name, g.table_name)
                    ELSE format('SELECT birth.fn_birth_collection_register(p_collection := %L, p_schema := %L, p_table := %L, p_coverage_status := %L, p_governed := %L);  -- a steward'::text, k.collection_name, g.schema_name, g.table_name, k.coverage_status, k.governed)
                END AS next_step
           FROM (birth.v_birth_gateway_trigger g
             LEFT JOIN known k ON ((k.collection_name = g.collection_name)))
          WHERE ((k.relation IS DISTINCT FROM g.relation) AND (NOT (EXISTS ( SELECT
                   FROM pg_partition_ancestors((g.relation)::regclass) a(relid)
                  WHERE ((a.relid)::oid = k.relation)))))
        ), partition AS (
         SELECT 2 AS rank,
            format('partition %s of %s has no gateway'::text, g.partition, k.collection_name) AS what,
            NULL::timestamp with time zone AS since,
            g.repair AS next_step
           FROM (birth.v_birth_gateway_gap g
             JOIN known k ON ((k.collection_name = g.collection_name)))
        UNION ALL
         SELECT 2,
            format('%s, the owner of %I.%I, can make no partition of it'::text, pg_get_userbyid(t.relowner), k.schema_name, k.table_name) AS format,
            NULL::timestamp with time zone AS timestamptz,
            format('GRANT birth_source_owner TO %I;  -- an administrator of roles'::text, pg_get_userbyid(t.relowner)) AS format
           FROM (known k
             JOIN pg_class t ON ((t.oid = k.relation)))
          WHERE ((k.relkind = 'p'::"char") AND (k.gateways > 0) AND (NOT has_function_privilege(t.relowner, 'birth.fn_birth_registry_auto()'::text, 'EXECUTE'::text)))
        ), gate AS (
         SELECT
                CASE g.state
                    WHEN 'CLOSED'::text THEN 3
                    WHEN 'UNKNOWN'::text THEN
                    CASE g.mode
                        WHEN 'enforce'::text THEN 1
                        ELSE 3
                    END
                    ELSE 2
                END AS rank,
            format('table %I.%I is %s'::text, g.schema_name, g.table_name,
                CASE g.state
                    WHEN 'UNKNOWN'::text THEN 'in a gated schema and not registered'::text
                    WHEN 'CLOSED'::text THEN 'closed until it is admitted'::text
                    WHEN 'BREACHED'::text THEN 'in use and was never admitted'::text
                    ELSE 'registered and not governed yet'::text
                END) AS what,
            NULL::timestamp with time zone AS since,
            g.next_step
           FROM birth.v_birth_gate g
          WHERE (g.state <> ALL (ARRAY['ADMITTED'::text, 'EXEMPT'::text]))
        UNION ALL
         SELECT 2,
            format('%s is closed, in schema %I, which is not under the gate'::text, r.collection_name, r.schema_name) AS format,
            NULL::timestamp with time zone AS timestamptz,
            format('SELECT birth.fn_birth_gate_admit(p_collection := %L, p_reason := ''...'');  -- a steward who neither registered nor classified it'::text, r.collection_name) AS format
           FROM birth.collection_registry r
          WHERE (r.gate_closed AND (NOT (r.schema_name IN ( SELECT s.schema_name
                   FROM birth.birth_gate_scope s))))
        UNION ALL
         SELECT 2,
            format('the gate names schema %I, which does not exist'::text, s.schema_name) AS format,
            s.since,
            format('SELECT birth.fn_birth_gate_scope(p_schema := %L, p_mode := NULL, p_reason := ''...'');  -- a steward'::text, s.schema_name) AS format
           FROM birth.birth_gate_scope s
          WHERE (NOT (EXISTS ( SELECT
                   FROM pg_namespace n
                  WHERE (n.nspname = s.schema_name))))
        ), brake AS (
         SELECT 2 AS rank,
            format('%s was set back to observe by %s: %s'::text, c.collection_name, b.actor, b.reason) AS what,
            b.acted_at AS since,
            format('SELECT birth.fn_birth_gateway_mode(p_collection := %L, p_mode := ''enforce'', p_reason := ''...'');  -- a steward'::text, c.collection_name) AS next_step
           FROM (birth.collection_registry c
             CROSS JOIN LATERAL ( SELECT a.actor,
                    a.reason,
                    a.acted_at
                   FROM birth.birth_act a
                  WHERE ((a.collection_name = c.collection_name) AND (a.act = ANY (ARRAY['mode'::text, 'attach'::text, 'detach'::text])) AND (a.acted_at > ( SELECT max(e.acted_at) AS max
                           FROM birth.birth_act e
                          WHERE ((e.collection_name = c.collection_name) AND (e.act = ANY (ARRAY['mode'::text, 'attach'::text])) AND ((e.detail ->> 'mode'::text) = 'enforce'::text)))))
                  ORDER BY a.acted_at
                 LIMIT 1) b)
          WHERE ((c.gateway_mode = 'observe'::text) AND (c.coverage_status = 'BIRTH_REQUIRED'::text) AND (EXISTS ( SELECT
                   FROM birth.v_birth_gateway_trigger g
                  WHERE (g.collection_name = c.collection_name))))
        UNION ALL
         SELECT 2,
            format('schema %s was set back to %s by %s: %s'::text, n.nspname, COALESCE((b.detail ->> 'mode'::text), 'no gate'::text), b.actor, b.reason) AS format,
            b.acted_at,
            format('SELECT birth.fn_birth_gate_scope(p_schema := %L, p_mode := ''enforce'', p_reason := ''...'');  -- a steward'::text, n.nspname) AS format
           FROM (pg_namespace n
             CROSS JOIN LATERAL ( SELECT a.actor,
                    a.reason,
                    a.acted_at,
                    a.detail
                   FROM birth.birth_act a
                  WHERE ((a.act = 'gate_scope'::text) AND ((a.detail ->> 'schema'::text) = n.nspname) AND (a.acted_at > ( SELECT max(e.acted_at) AS max
                           FROM birth.birth_act e
                          WHERE ((e.act = 'gate_scope'::text) AND ((e.detail ->> 'schema'::text) = n.nspname) AND ((e.detail ->> 'mode'::text) = 'enforce'::text)))))
                  ORDER BY a.acted_at
                 LIMIT 1) b)
        UNION ALL
         SELECT 2,
            format('the life of %s was set back to %s by %s: %s'::text, c.collection_name, c.life_mode, b.actor, b.reason) AS format,
            b.acted_at,
                CASE c.life_key
                    WHEN '{}'::text[] THEN format('SELECT birth.fn_birth_life_attach(p_collection := %L, p_mode := %L, p_column := %L, p_dead := %L);  -- a steward'::text, c.collection_name, m.mode, (m.attached ->> 'column'::text), ARRAY( SELECT jsonb_array_elements_text((m.attached -> 'dead'::text)) AS jsonb_array_elements_text))
                    ELSE format('SELECT birth.fn_birth_life_mode(p_collection := %L, p_mode := %L, p_reason := ''...'');  -- a steward'::text, c.collection_name, m.mode)
                END AS format
           FROM ((birth.collection_registry c
             CROSS JOIN LATERAL ( SELECT (e.detail ->> 'mode'::text) AS mode,
                    e.acted_at AS since,
                    ( SELECT l.detail
                           FROM birth.birth_act l
                          WHERE ((l.collection_name = c.collection_name) AND (l.act = 'life_attach'::text))
                          ORDER BY l.acted_at DESC
                         LIMIT 1) AS attached
                   FROM birth.birth_act e
                  WHERE ((e.collection_name = c.collection_name) AND (e.act = ANY (ARRAY['life_attach'::text, 'life_mode'::text])) AND ((e.detail ->> 'mode'::text) = ANY (ARRAY['enforce'::text, 'observe'::text])))
                  ORDER BY ((e.detail ->> 'mode'::text) = 'enforce'::text) DESC, e.acted_at DESC
                 LIMIT 1) m)
             CROSS JOIN LATERAL ( SELECT a.actor,
                    a.reason,
                    a.acted_at
                   FROM birth.birth_act a
                  WHERE ((a.collection_name = c.collection_name) AND (a.act = ANY (ARRAY['life_attach'::text, 'life_mode'::text, 'life_detach'::text])) AND (a.acted_at > m.since))
                  ORDER BY a.acted_at
                 LIMIT 1) b)
          WHERE ((c.life_mode <> 'enforce'::text) AND (c.life_mode <> m.mode))
        ), identity AS (
         SELECT 2 AS rank,
            format('the identity of %s was changed by %s, and nothing has found every row born since'::text, p.collection_name, a.actor) AS what,
            a.acted_at AS since,
            p.next_step
           FROM (birth.v_birth_policy p
             CROSS JOIN LATERAL ( SELECT c.actor,
                    c.acted_at,
                    c.detail
                   FROM birth.birth_act c
                  WHERE ((c.act = 'classify'::text) AND (c.collection_name = p.collection_name))
                  ORDER BY c.acted_at DESC
                 LIMIT 1) a)
          WHERE ((a.detail ? 'under_gateway'::text) AND (p.next_step IS NOT NULL))
        UNION ALL
         SELECT
                CASE
                    WHEN ((k.gateway_mode = 'enforce'::text) AND (i_1.status <> ALL (ARRAY['BLOCKED_SOURCE'::text, 'BLOCKED_NO_UNIQUE_KEY'::text]))) THEN 1
                    ELSE 2
                END AS "case",
            format('the identity of %s is not eligible: %s'::text, k.collection_name, i_1.reason) AS format,
            NULL::timestamp with time zone AS timestamptz,
                CASE i_1.status
                    WHEN 'BLOCKED_SOURCE'::text THEN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);  -- after the owner has undone what is named'::text, k.collection_name)
                    ELSE format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);  -- then a steward: fn_birth_identity_classify'::text, k.schema_name, k.table_name)
                END AS format
           FROM (known k
             CROSS JOIN LATERAL birth.fn_birth_identity_definition(k.collection_name) i_1(status, reason, relation, source_sql, code_sql, columns, types, key_columns, key_types, codes_distinct))
          WHERE ((k.coverage_status = 'BIRTH_REQUIRED'::text) AND (k.gateways > 0) AND starts_with(i_1.status, 'BLOCKED_'::text))
        ), life AS (
         SELECT
                CASE l.life_mode
                    WHEN 'enforce'::text THEN 1
                    ELSE 2
                END AS rank,
            format('life triggers of %s: %s'::text, l.collection_name, l.fault) AS what,
            NULL::timestamp with time zone AS since,
            l.next_step
           FROM birth.v_birth_life l
          WHERE ((l.life_mode <> 'off'::text) AND (l.fault IS NOT NULL))
        ), replicated AS (
         SELECT 2 AS rank,
            format('rows replicated into %s of %s get no birth'::text, (r.relation)::regclass, k.collection_name) AS what,
            NULL::timestamp with time zone AS since,
                CASE
                    WHEN (g.tgname IS NOT NULL) THEN format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I;  -- its owner'::text, k.schema_name, k.table_name, g.tgname)
                    ELSE format('SELECT birth.fn_birth_gateway_detach(p_collection := %1$L, p_reason := ''replicated'');  -- a steward; then what it answers, where that is for the owner; then a steward: SELECT birth.fn_birth_gateway_attach(p_collection := %1$L, p_mode := %2$L);'::text, k.collection_name, k.gateway_mode)
                END AS next_step
           FROM ((known k
             CROSS JOIN LATERAL birth.fn_birth_replicated_tables(k.relation) r(relation, born))
             LEFT JOIN pg_trigger g ON (((g.tgrelid = k.relation) AND (g.tgtype = 5) AND (g.tgparentid = (0)::oid) AND (g.tgfoid = (to_regprocedure('birth.fn_birth_registry_auto()'::text))::oid))))
          WHERE ((EXISTS ( SELECT
                   FROM pg_subscription_rel)) AND (k.coverage_status = 'BIRTH_REQUIRED'::text) AND (k.gateways > 0) AND (NOT r.born))
        ), replica AS (
         SELECT
                CASE
                    WHEN w.everybody THEN 1
                    ELSE 2
                END AS rank,
            format('no gateway fires and no foreign key is checked in sessions of %s: it has session_replication_role = replica'::text, w.name) AS what,
            NULL::timestamp with time zone AS since,
            (('ALTER '::text || w.name) || ' RESET session_replication_role;  -- a superuser'::text) AS next_step
           FROM ( SELECT (s.setrole = (0)::oid) AS everybody,
                        CASE
                            WHEN ((s.setrole = (0)::oid) AND (s.setdatabase = (0)::oid)) THEN 'ROLE ALL'::text
                            ELSE concat_ws(' IN '::text, ('ROLE '::text || quote_ident((pg_get_userbyid(NULLIF(s.setrole, (0)::oid)))::text)), ('DATABASE '::text ||
                            CASE
                                WHEN (s.setdatabase <> (0)::oid) THEN quote_ident((current_database())::text)
                                ELSE NULL::text
                            END))
                        END AS name
                   FROM pg_db_role_setting s
                  WHERE (('session_replication_role=replica'::text = ANY ((lower(((s.setconfig)::text COLLATE "C")))::text[])) AND (s.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT d.oid
                           FROM pg_database d
                          WHERE (d.datname = current_database()))])))
                UNION ALL
                 SELECT true AS everybody,
                    'SYSTEM'::text AS name
                   FROM pg_settings s
                  WHERE ((current_setting('session_replication_role'::text) = 'replica'::text) AND (s.name = 'session_replication_role'::text) AND (s.source = ANY (ARRAY['configuration file'::text, 'command line'::text])))) w
        ), unmanned AS (
         SELECT 2 AS rank,
            format('no login but a superuser can act as %s any more; %s did'::text, v.role, l.names) AS what,
            NULL::timestamp with time zone AS since,
            format('GRANT %I TO %I;  -- an administrator of roles'::text, v.role, l.first) AS next_step
           FROM (( SELECT d.role,
                    d.acts
                   FROM ( VALUES ('birth_operator'::text,ARRAY['plan'::text, 'attempt'::text]), ('birth_permit_owner'::text,ARRAY['permit_open'::text]), ('birth_reviewer'::text,ARRAY['review'::text, 'permit_confirm'::text])) d(role, acts)
                  WHERE (NOT (EXISTS ( SELECT
                           FROM pg_roles r
                          WHERE (r.rolcanlogin AND (NOT r.rolsuper) AND birth.fn_birth_is_member(r.rolname, d.role)))))
                 OFFSET 0) v
             CROSS JOIN LATERAL ( SELECT string_agg((r.rolname)::text, ', '::text ORDER BY r.rolname) AS names,
                    min((r.rolname)::text) AS first
                   FROM pg_roles r
                  WHERE (r.rolcanlogin AND (NOT r.rolsuper) AND (r.rolname IN ( SELECT (a.actor)::name AS actor
                           FROM birth.birth_act a
                          WHERE (a.act = ANY (v.acts)))))) l)
          WHERE (l.names IS NOT NULL)
        ), spike AS (
         SELECT 2 AS rank,
            format('%s live births in the %s, the norm is %s'::text, s.live_births, s.window_name, COALESCE((round(s.norm))::text, 'unknown'::text)) AS what,
            NULL::timestamp with time zone AS since,
            'SELECT * FROM birth.v_birth_spike;'::text AS next_step
           FROM birth.v_birth_spike s
          WHERE (s.state <> 'OK'::text)
        )
 SELECT
        CASE rank
            WHEN 1 THEN 'critical'::text
            WHEN 2 THEN 'warning'::text
            ELSE 'notice'::text
        END AS severity,
    what,
    since,
    next_step
   FROM ( SELECT run.rank,
            run.what,
            run.since,
            run.next_step
           FROM run
        UNION ALL
         SELECT permit.rank,
            permit.what,
            permit.since,
            permit.next_step
           FROM permit
        UNION ALL
         SELECT contract.rank,
            contract.what,
            contract.since,
            contract.next_step
           FROM contract
        UNION ALL
         SELECT reference.rank,
            reference.what,
            reference.since,
            reference.next_step
           FROM reference
        UNION ALL
         SELECT g.rank,
            g.what,
            g.since,
            (g.next_step || '  -- where what it compares with is gone or changed, a person has to restore the rows of birth.birth_stage_anchor from a backup'::text) AS next_step
           FROM guard g
        UNION ALL
         SELECT frozen.rank,
            frozen.what,
            frozen.since,
            frozen.next_step
           FROM frozen
        UNION ALL
         SELECT home.rank,
            home.what,
            home.since,
            home.next_step
           FROM home
        UNION ALL
         SELECT finding.rank,
            finding.what,
            finding.since,
            finding.next_step
           FROM finding
        UNION ALL
         SELECT fence.rank,
            fence.what,
            fence.since,
            fence.next_step
           FROM fence
        UNION ALL
         SELECT missing.rank,
            missing.what,
            missing.since,
            missing.next_step
           FROM missing
        UNION ALL
         SELECT hidden.rank,
            hidden.what,
            hidden.since,
            hidden.next_step
           FROM hidden
        UNION ALL
         SELECT absent.rank,
            absent.what,
            absent.since,
            absent.next_step
           FROM absent
        UNION ALL
         SELECT misplaced.rank,
            misplaced.what,
            misplaced.since,
            misplaced.next_step
           FROM misplaced
        UNION ALL
         SELECT partition.rank,
            partition.what,
            partition.since,
            partition.next_step
           FROM partition
        UNION ALL
         SELECT gate.rank,
            gate.what,
            gate.since,
            gate.next_step
           FROM gate
        UNION ALL
         SELECT brake.rank,
            brake.what,
            brake.since,
            brake.next_step
           FROM brake
        UNION ALL
         SELECT identity.rank,
            identity.what,
            identity.since,
            identity.next_step
           FROM identity
        UNION ALL
         SELECT life.rank,
            life.what,
            life.since,
            life.next_step
           FROM life
        UNION ALL
         SELECT replicated.rank,
            replicated.what,
            replicated.since,
            replicated.next_step
           FROM replicated
        UNION ALL
         SELECT replica.rank,
            replica.what,
            replica.since,
            replica.next_step
           FROM replica
        UNION ALL
         SELECT unmanned.rank,
            unmanned.what,
            unmanned.since,
            unmanned.next_step
           FROM unmanned
        UNION ALL
         SELECT spike.rank,
            spike.what,
            spike.since,
            spike.next_step
           FROM spike) i
  ORDER BY rank, since, what;

ALTER VIEW birth.v_birth_attention OWNER TO birth_definer;

-- Name: VIEW v_birth_attention; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_attention IS 'What needs action by a person: severity, what, since when, and the statement to send next. Specification: 2.';

-- Name: v_birth_contract_recorded; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_contract_recorded AS
 SELECT kind,
    object,
    parts,
    definition,
    exact_sha256,
    semantic_sha256,
    normalized_md5,
    release,
    generation,
    server_major,
    released_at
   FROM ( SELECT DISTINCT ON (r.kind, r.object) r.kind,
            r.object,
            r.parts,
            r.definition,
            r.exact_sha256,
            r.semantic_sha256,
            r.normalized_md5,
            r.release,
            r.generation,
            r.server_major,
            r.released_at
           FROM birth.birth_gateway_release_registry r
          ORDER BY r.kind, r.object, r.generation DESC) n
  WHERE (exact_sha256 IS NOT NULL);

ALTER VIEW birth.v_birth_contract_recorded OWNER TO birth_definer;

-- Name: VIEW v_birth_contract_recorded; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_contract_recorded IS 'The contract in force: the newest recorded row of each object that was not removed. Specification: 7.';

-- Name: v_birth_dependent; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_dependent AS
 SELECT n.nspname AS schema_name,
    c.relname AS table_name,
    a.attname AS column_name,
    k.conname AS constraint_name,
    k.convalidated AS validated
   FROM (((pg_constraint k
     JOIN pg_class c ON ((c.oid = k.conrelid)))
     JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
     JOIN pg_attribute a ON (((a.attrelid = k.conrelid) AND (a.attnum = k.conkey[1]))))
  WHERE ((k.contype = 'f'::"char") AND (k.confrelid = (to_regclass('birth.birth_registry'::text))::oid) AND (k.conparentid = (0)::oid));

ALTER VIEW birth.v_birth_dependent OWNER TO birth_definer;

-- Name: VIEW v_birth_dependent; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_dependent IS 'Every foreign key to birth_registry: its table and column, and whether it is validated. Specification: 5.2.';

-- Name: v_birth_event_trigger; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_event_trigger AS
 SELECT w.name,
    w.event,
    s.state,
        CASE
            WHEN (s.state <> 'present'::text) THEN w.purpose
            ELSE NULL::text
        END AS not_noticed,
        CASE s.state
            WHEN 'present'::text THEN NULL::text
            WHEN 'switched off'::text THEN 'ALTER SYSTEM RESET event_triggers; SELECT pg_catalog.pg_reload_conf();  -- by a superuser'::text
            WHEN 'absent'::text THEN '-- psql -f sql/optional/event_triggers.sql, by a superuser'::text
            WHEN 'replaceable'::text THEN format('DROP EVENT TRIGGER %I;  -- by a superuser, then read this view again'::text, e.evtname)
            WHEN 'partial'::text THEN format('DROP EVENT TRIGGER %I;  -- by a superuser, then read this view again'::text, e.evtname)
            ELSE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS;  -- by a superuser'::text, e.evtname)
        END AS next_step
   FROM ((( VALUES ('birth_guard_changed'::text,'ddl_command_end'::text,'guard'::text,'CREATE OR REPLACE, ALTER and GRANT on objects of the contract, a gateway trigger disabled or changed, new objects in schema birth'::text), ('birth_guard_dropped'::text,'sql_drop'::text,'guard'::text,'objects of schema birth and gateway triggers dropped'::text), ('birth_guard_gate'::text,'ddl_command_end'::text,'gate'::text,'tables made in a gated schema that take rows before they are admitted, CREATE TABLE AS, SELECT INTO, SET SCHEMA'::text)) w(name, event, routine, purpose)
     LEFT JOIN LATERAL ( SELECT t.evtname,
            t.evtenabled,
            t.evttags,
            (o.rolsuper AND s_1.rolsuper) AS of_superuser
           FROM ((((pg_event_trigger t
             JOIN pg_proc p ON (((p.oid = t.evtfoid) AND (p.proname = w.routine))))
             JOIN pg_roles o ON ((o.oid = p.proowner)))
             JOIN pg_namespace n ON (((n.oid = p.pronamespace) AND (n.nspname = 'birth_guard'::name))))
             JOIN pg_roles s_1 ON ((s_1.oid = n.nspowner)))
          WHERE (t.evtevent = w.event)
          ORDER BY (t.evttags IS NOT NULL), (POSITION((t.evtenabled) IN ('AORD'::text)))
         LIMIT 1) e ON (true))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (e.evtname IS NULL) THEN 'absent'::text
                    WHEN (NOT e.of_superuser) THEN 'replaceable'::text
                    WHEN (e.evttags IS NOT NULL) THEN 'partial'::text
                    WHEN (e.evtenabled = ANY (ARRAY['D'::"char", 'R'::"char"])) THEN 'disabled'::text
                    WHEN (current_setting('event_triggers'::text, true) = 'off'::text) THEN 'switched off'::text
                    WHEN (e.evtenabled = 'O'::"char") THEN 'not always'::text
                    ELSE 'present'::text
                END AS state) s);

ALTER VIEW birth.v_birth_event_trigger OWNER TO birth_definer;

-- Name: VIEW v_birth_event_trigger; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_event_trigger IS 'The optional event triggers: state (present, replaceable, not always, partial, disabled, switched off or absent), what is not detected without each, and the statement for a superuser. Specification: 5, 10.';

-- Name: v_birth_gateway_contract_integrity_dashboard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_gateway_contract_integrity_dashboard AS
 SELECT r.release,
    r.generation,
    r.server_major AS recorded_major,
    ((current_setting('server_version_num'::text))::integer / 10000) AS server_major,
    d.objects,
    d.drifted,
    d.blocking,
    d.gateway_objects,
    d.gateway_ok,
    birth.fn_birth_contract_hash() AS contract_hash,
    ((r.generation IS NOT NULL) AND (d.blocking = 0) AND (d.gateway_objects > 0)) AS all_ok
   FROM (( SELECT count(*) AS objects,
            count(*) FILTER (WHERE (c.drift <> 'ok'::text)) AS drifted,
            count(*) FILTER (WHERE c.blocks) AS blocking,
            count(*) FILTER (WHERE (c.kind = 'gateway'::text)) AS gateway_objects,
            count(*) FILTER (WHERE ((c.kind = 'gateway'::text) AND (c.drift = 'ok'::text))) AS gateway_ok
           FROM birth.fn_birth_contract_drift() c(kind, object, drift, expected, found, blocks, repair)) d
     LEFT JOIN ( SELECT g.release,
            g.generation,
            g.server_major
           FROM birth.birth_gateway_release_registry g
          ORDER BY g.generation DESC
         LIMIT 1) r ON (true));

ALTER VIEW birth.v_birth_gateway_contract_integrity_dashboard OWNER TO birth_definer;

-- Name: VIEW v_birth_gateway_contract_integrity_dashboard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_gateway_contract_integrity_dashboard IS 'The contract in one row: release, number of objects, how many have drifted, how many of those block apply, the hash of the contract, and all_ok. Specification: 2, 7.';

-- Name: v_birth_living; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_living AS
 SELECT entity_code,
    collection_name,
    born_at,
    dot_origin,
    run_id
   FROM birth.birth_registry b
  WHERE (NOT (EXISTS ( SELECT
           FROM birth.birth_death d
          WHERE ((d.entity_code = b.entity_code) AND (d.returned_at IS NULL)))));

ALTER VIEW birth.v_birth_living OWNER TO birth_definer;

-- Name: VIEW v_birth_living; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_living IS 'The births without an open death. Specification: 5.2.';

-- Name: v_birth_metadata_compatibility; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_metadata_compatibility AS
 SELECT c.collection_name,
    (c.schema_name)::text AS schema_name,
    (c.table_name)::text AS table_name,
    c.coverage_status,
    c.governed,
    c.birth_code_strategy AS strategy,
    s.status AS identity_status,
    s.reason AS identity_reason,
    (s.relation IS NOT NULL) AS has_table,
    (EXISTS ( SELECT
           FROM pg_attribute a
          WHERE ((a.attrelid = s.relation) AND (a.attname = 'status'::name) AND (a.attnum > 0) AND (NOT a.attisdropped)))) AS native_status_column,
    COALESCE(g.triggers, (0)::bigint) AS gateway_triggers,
    COALESCE(g.enabled, (0)::bigint) AS gateway_enabled,
    COALESCE(g.auto_id, false) AS auto_id,
    c.gateway_mode,
    ((c.coverage_status = 'BIRTH_REQUIRED'::text) AND (c.birth_code_strategy IS NULL)) AS needs_owner,
        CASE
            WHEN ((s.status ~~ 'ELIGIBLE%'::text) AND (c.birth_code_sql IS NULL)) THEN 'classify again'::text
            ELSE NULL::text
        END AS repair
   FROM ((birth.collection_registry c
     CROSS JOIN LATERAL birth.fn_birth_identity_definition(c.collection_name) s(status, reason, relation, source_sql, code_sql, columns, types, key_columns, key_types, codes_distinct))
     LEFT JOIN ( SELECT t.relation,
            count(*) AS triggers,
            count(*) FILTER (WHERE t.enabled) AS enabled,
            bool_or((t.routine = 'fn_birth_registry_auto_id'::name)) AS auto_id
           FROM birth.v_birth_gateway_trigger t
          GROUP BY t.relation) g ON ((g.relation = s.relation)));

ALTER VIEW birth.v_birth_metadata_compatibility OWNER TO birth_definer;

-- Name: VIEW v_birth_metadata_compatibility; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_metadata_compatibility IS 'Policy, identity, table and gateway of each collection, one row per collection. Specification: 2, 4.';

-- Name: v_birth_metrics; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_metrics AS
 SELECT 'birth_metrics_timestamp_seconds'::text AS name,
    '{}'::jsonb AS labels,
    ((EXTRACT(epoch FROM clock_timestamp()))::bigint)::numeric AS value
UNION ALL
 SELECT 'birth_registry_births_estimate'::text AS name,
    '{}'::jsonb AS labels,
    (GREATEST(c.reltuples, (0)::real))::numeric AS value
   FROM pg_class c
  WHERE (c.oid = (to_regclass('birth.birth_registry'::text))::oid)
UNION ALL
 SELECT 'birth_collections'::text AS name,
    jsonb_build_object('coverage_status', c.coverage_status, 'governed', c.governed) AS labels,
    (count(*))::numeric AS value
   FROM birth.collection_registry c
  GROUP BY c.coverage_status, c.governed
UNION ALL
 SELECT 'birth_runs'::text AS name,
    jsonb_build_object('status', s.status) AS labels,
    (count(l.run_id))::numeric AS value
   FROM (( VALUES ('planned'::text), ('running'::text), ('stopped'::text), ('failed'::text), ('done'::text), ('compensated'::text)) s(status)
     LEFT JOIN birth.birth_backfill_ledger_v2 l ON ((l.status = s.status)))
  GROUP BY s.status
UNION ALL
 SELECT 'birth_oldest_stopped_run_seconds'::text AS name,
    '{}'::jsonb AS labels,
    (COALESCE(GREATEST((EXTRACT(epoch FROM (clock_timestamp() - min(COALESCE(l.last_batch_at, l.started_at)))))::bigint, (0)::bigint), (0)::bigint))::numeric AS value
   FROM birth.birth_backfill_ledger_v2 l
  WHERE ((l.status = 'stopped'::text) AND (NOT (EXISTS ( SELECT
           FROM birth.birth_backfill_ledger_v2 f
          WHERE ((f.predecessor = l.run_id) OR ((f.collection_name = l.collection_name) AND (f.purpose = l.purpose) AND (f.status = 'done'::text) AND (f.finished_at > l.planned_at)))))))
UNION ALL
 SELECT m.name,
    jsonb_build_object('collection', p.collection_name, 'purpose', p.purpose) AS labels,
    sum(m.value) AS value
   FROM (birth.v_birth_run_progress p
     CROSS JOIN LATERAL ( VALUES ('birth_run_rows_done'::text,p.rows_done), ('birth_run_rows_target'::text,p.rows_target)) m(name, value))
  WHERE (p.status = 'running'::text)
  GROUP BY m.name, p.collection_name, p.purpose
UNION ALL
 SELECT 'birth_backfilled_births_total'::text AS name,
    '{}'::jsonb AS labels,
    COALESCE(sum(
        CASE r.purpose
            WHEN 'APPLY'::text THEN r.written
            ELSE (- r.written)
        END), (0)::numeric) AS value
   FROM (birth.birth_receipt r
     JOIN birth.birth_backfill_ledger_v2 l ON (((l.run_id = r.run_id) AND (l.purpose = 'APPLY'::text))))
UNION ALL
 SELECT m.name,
    jsonb_build_object('window', s.window_name) AS labels,
    m.value
   FROM (birth.v_birth_spike s
     CROSS JOIN LATERAL ( VALUES ('birth_live_births'::text,s.live_births), ('birth_live_births_norm'::text,s.norm)) m(name, value))
UNION ALL
 SELECT 'birth_permits_open'::text AS name,
    '{}'::jsonb AS labels,
    (count(*))::numeric AS value
   FROM birth.birth_admission_permit_v2 p
  WHERE ((p.status = 'OPEN'::text) AND (p.expires_at > birth.fn_birth_clock()))
UNION ALL
 SELECT m.name,
    jsonb_build_object('purpose', k.purpose) AS labels,
    m.value
   FROM ((( VALUES ('APPLY'::text), ('COMPENSATE'::text), ('TRANSITION'::text), ('DEATH'::text)) k(purpose)
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(p.spent_rows), (0)::numeric) AS spent,
            COALESCE(sum((p.max_rows - p.spent_rows)) FILTER (WHERE ((p.status = 'OPEN'::text) AND (p.expires_at > birth.fn_birth_clock()))), (0)::numeric) AS unspent
           FROM birth.birth_admission_permit_v2 p
          WHERE (p.purpose = k.purpose)) s)
     CROSS JOIN LATERAL ( VALUES ('birth_permit_rows_spent_total'::text,s.spent), ('birth_permit_rows_unspent'::text,s.unspent)) m(name, value))
UNION ALL
 SELECT 'birth_contract_drifted'::text AS name,
    jsonb_build_object('blocks', b.blocks) AS labels,
    (count(d.check_name))::numeric AS value
   FROM (( VALUES (true), (false)) b(blocks)
     LEFT JOIN birth.v_birth_gateway_release_drift_guard d ON (((NOT d.pass) AND (d.blocks = b.blocks))))
  GROUP BY b.blocks
UNION ALL
 SELECT 'birth_stage0_checks_failed'::text AS name,
    '{}'::jsonb AS labels,
    (count(*))::numeric AS value
   FROM birth.v_birth_stage0_still_enforced_guard g
  WHERE (g.pass IS NOT TRUE)
UNION ALL
 SELECT 'birth_gateway_triggers'::text AS name,
    jsonb_build_object('enabled', g.enabled) AS labels,
    (count(*))::numeric AS value
   FROM birth.v_birth_gateway_trigger g
  GROUP BY g.enabled
UNION ALL
 SELECT 'birth_gateway_findings_rows_total'::text AS name,
    jsonb_build_object('error', f.error) AS labels,
    sum(f.row_count) AS value
   FROM birth.v_birth_gateway_finding f
  GROUP BY f.error
UNION ALL
 SELECT 'birth_collection_gateway'::text AS name,
    jsonb_build_object('collection', c.collection_name, 'mode', c.gateway_mode) AS labels,
    (count(*) FILTER (WHERE (g.enabled AND (n.nspname = c.schema_name) AND (t.relname = c.table_name) AND (g.collection_name = c.collection_name))))::numeric AS value
   FROM (birth.collection_registry c
     LEFT JOIN ((birth.v_birth_gateway_trigger g
     JOIN pg_class t ON ((t.oid = g.relation)))
     JOIN pg_namespace n ON ((n.oid = t.relnamespace))) ON ((g.collection_name = c.collection_name)))
  WHERE (c.coverage_status = 'BIRTH_REQUIRED'::text)
  GROUP BY c.collection_name, c.gateway_mode
UNION ALL
 SELECT 'birth_collection_findings_rows'::text AS name,
    jsonb_build_object('collection', c.collection_name) AS labels,
    COALESCE(sum(f.row_count), (0)::numeric) AS value
   FROM (birth.collection_registry c
     LEFT JOIN birth.v_birth_gateway_finding f ON ((f.collection_name = c.collection_name)))
  WHERE (c.coverage_status !~~ 'BIRTH_EXEMPT%'::text)
  GROUP BY c.collection_name
UNION ALL
 SELECT m.name,
    jsonb_build_object('collection', c.collection_name) AS labels,
    (COALESCE(m.value, (0)::bigint))::numeric AS value
   FROM ((birth.collection_registry c
     LEFT JOIN LATERAL ( SELECT ((a.detail ->> 'births'::text))::bigint AS births,
            ((a.detail ->> 'dead'::text))::bigint AS dead,
            ((a.detail ->> 'unexplained'::text))::bigint AS unexplained,
            ((a.detail ->> 'unborn'::text))::bigint AS unborn,
            ( SELECT count(*) AS count
                   FROM jsonb_array_elements((a.detail -> 'checks'::text)) k_1(value)
                  WHERE (((k_1.value ->> 'pass'::text))::boolean IS NOT TRUE)) AS failed,
            a.acted_at
           FROM birth.birth_act a
          WHERE ((a.collection_name = c.collection_name) AND (a.act = 'census'::text) AND (a.detail ? 'births'::text))
          ORDER BY a.acted_at DESC
         LIMIT 1) k ON (true))
     CROSS JOIN LATERAL ( VALUES ('birth_census_living'::text,((k.births - k.dead) - k.unexplained)), ('birth_census_dead'::text,k.dead), ('birth_census_unexplained'::text,k.unexplained), ('birth_census_births'::text,k.births), ('birth_census_missing'::text,k.unborn), ('birth_census_checks_failed'::text,k.failed), ('birth_census_timestamp_seconds'::text,(EXTRACT(epoch FROM k.acted_at))::bigint)) m(name, value))
  WHERE (c.coverage_status = 'BIRTH_REQUIRED'::text)
UNION ALL
 SELECT 'birth_gate_tables'::text AS name,
    jsonb_build_object('schema', g.schema_name, 'state', g.state) AS labels,
    (count(*))::numeric AS value
   FROM birth.v_birth_gate g
  GROUP BY g.schema_name, g.state
UNION ALL
 SELECT 'birth_trigger_guard_alerts_total'::text AS name,
    '{}'::jsonb AS labels,
    (count(*))::numeric AS value
   FROM birth.fn_birth_alerts() fn_birth_alerts(raised_at, raised_by, command, object, detail)
UNION ALL
 SELECT 'birth_dots_frozen'::text AS name,
    jsonb_build_object('dangerous', d.dangerous) AS labels,
    (count(*))::numeric AS value
   FROM birth.v_birth_dot_status d
  WHERE d.frozen
  GROUP BY d.dangerous;

ALTER VIEW birth.v_birth_metrics OWNER TO birth_definer;

-- Name: VIEW v_birth_metrics; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_metrics IS 'Metrics for exporters: name, labels, value. Specification: 2.';

-- Name: v_birth_plan_reconciliation; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_plan_reconciliation AS
 SELECT DISTINCT ON (collection_name) collection_name,
    run_id,
    status,
    planned_at,
    source_rows,
    unresolvable,
    duplicates,
    collisions,
    existing_births,
    orphans,
    dead,
    planned_rows,
    ((((((source_rows - unresolvable) - duplicates) - collisions) - planned_rows) + orphans) + dead) AS births_accounted,
    (existing_births = ((((((source_rows - unresolvable) - duplicates) - collisions) - planned_rows) + orphans) + dead)) AS reconciled,
    expected_delta,
    actual_inserted,
    compensated_rows,
    ((planned_rows - actual_inserted) + compensated_rows) AS outstanding
   FROM birth.birth_backfill_ledger_v2 l
  WHERE (purpose = 'APPLY'::text)
  ORDER BY collection_name, planned_at DESC, run_id;

ALTER VIEW birth.v_birth_plan_reconciliation OWNER TO birth_definer;

-- Name: VIEW v_birth_plan_reconciliation; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_plan_reconciliation IS 'The latest plan of a backfill of each collection: its counts, whether they add up, and what is outstanding. Specification: 2, 6, R10.';

-- Name: v_birth_release_history; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_release_history AS
 SELECT generation,
    release,
    min(released_at) AS released_at,
    min(released_by) AS released_by,
    min(server_major) AS server_major,
    min(algorithm) AS algorithm,
    count(*) FILTER (WHERE (exact_sha256 IS NOT NULL)) AS recorded,
    count(*) FILTER (WHERE (exact_sha256 IS NULL)) AS removed
   FROM birth.birth_gateway_release_registry r
  GROUP BY generation, release
  ORDER BY generation;

ALTER VIEW birth.v_birth_release_history OWNER TO birth_definer;

-- Name: VIEW v_birth_release_history; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_release_history IS 'Who released what, when, and how many objects the release recorded or removed. Specification: 2, 7.';

-- Name: v_birth_run_source_change; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_run_source_change AS
 SELECT l.run_id,
    l.collection_name,
    'born otherwise'::text AS change,
    b.entity_code,
    (1)::bigint AS rows,
    b.born_at
   FROM (birth.birth_backfill_ledger_v2 l
     CROSS JOIN LATERAL birth.fn_birth_births_since(l.collection_name, l.planned_at, (COALESCE(l.last_batch_at, l.planned_at) + '01:00:00'::interval), l.run_id) b(entity_code, born_at, run_id))
  WHERE ((l.status = 'stopped'::text) AND (l.stop_reason = 'source_changed'::text) AND (l.purpose = 'APPLY'::text))
UNION ALL
 SELECT l.run_id,
    l.collection_name,
    'planned and not written'::text AS change,
    NULL::text AS entity_code,
    (l.expected_delta - l.actual_inserted) AS rows,
    NULL::timestamp with time zone AS born_at
   FROM birth.birth_backfill_ledger_v2 l
  WHERE ((l.status = 'stopped'::text) AND (l.stop_reason = 'source_changed'::text));

ALTER VIEW birth.v_birth_run_source_change OWNER TO birth_definer;

-- Name: VIEW v_birth_run_source_change; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_run_source_change IS 'Runs that stopped because the source changed: the codes born otherwise since the plan, and how many planned rows were not written. Specification: 6.';

-- Name: v_birth_separation_of_duties; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_separation_of_duties AS
 WITH login AS (
         SELECT r.oid,
            (r.rolname)::text AS name,
            r.rolsuper,
            r.rolcreaterole
           FROM pg_roles r
          WHERE r.rolcanlogin
        ), owner AS (
         SELECT r.oid,
            (r.rolname)::text AS name
           FROM pg_roles r
          WHERE (r.rolname = ANY (ARRAY['birth_definer'::name, 'birth_scanner'::name]))
        ), held AS (
         SELECT l.name,
            array_agg(d.role ORDER BY d.role) AS roles
           FROM (login l
             JOIN ( VALUES ('birth_steward'::text), ('birth_operator'::text), ('birth_reviewer'::text), ('birth_permit_owner'::text), ('birth_dba'::text)) d(role) ON (((to_regrole(d.role) IS NOT NULL) AND birth.fn_birth_is_member((l.name)::name, d.role))))
          WHERE (NOT l.rolsuper)
          GROUP BY l.name
        )
 SELECT h.name AS login,
    'conflicting roles'::text AS finding,
    array_to_string(h.roles, ', '::text) AS detail,
    format('REVOKE %s FROM %I;'::text, h.roles[2], h.name) AS next_step
   FROM held h
  WHERE (cardinality(ARRAY( SELECT unnest(h.roles) AS unnest
        INTERSECT
         SELECT unnest(ARRAY['birth_operator'::text, 'birth_reviewer'::text, 'birth_permit_owner'::text, 'birth_dba'::text]) AS unnest)) > 1)
UNION ALL
 SELECT l.name AS login,
    'superuser'::text AS finding,
    'passes every check of the database'::text AS detail,
    NULL::text AS next_step
   FROM login l
  WHERE l.rolsuper
UNION ALL
 SELECT l.name AS login,
    ('can become '::text || o.name) AS finding,
    'does what every routine of ours may, while it does'::text AS detail,
    format('REVOKE %s FROM %I;'::text, o.name, l.name) AS next_step
   FROM (login l
     JOIN owner o ON (birth.fn_birth_is_member((l.name)::name, o.name)))
  WHERE (NOT l.rolsuper)
UNION ALL
 SELECT l.name AS login,
    ('can let others become '::text || o.name) AS finding,
    COALESCE(('has ADMIN of '::text || a.roles), 'has CREATEROLE'::text) AS detail,
    NULL::text AS next_step
   FROM ((login l
     CROSS JOIN owner o)
     CROSS JOIN LATERAL ( SELECT string_agg(DISTINCT ((m.roleid)::regrole)::text, ', '::text) AS roles
           FROM pg_auth_members m
          WHERE (m.admin_option AND pg_has_role(l.oid, m.member, 'MEMBER'::text) AND ((m.roleid = o.oid) OR pg_has_role(m.roleid, o.oid, 'MEMBER'::text)) AND (NOT (EXISTS ( SELECT
                   FROM pg_roles s
                  WHERE ((s.oid = m.roleid) AND s.rolsuper)))))) a)
  WHERE ((NOT l.rolsuper) AND ((a.roles IS NOT NULL) OR (l.rolcreaterole AND ((current_setting('server_version_num'::text))::integer < 160000))))
UNION ALL
 SELECT l.name AS login,
    p.finding,
    ('is a member of '::text || p.role) AS detail,
    format('REVOKE %s FROM %I;'::text, p.role, l.name) AS next_step
   FROM (login l
     JOIN ( VALUES ('pg_write_all_data'::text,'can write every table'::text), ('pg_execute_server_program'::text,'can become the server'::text), ('pg_write_server_files'::text,'can become the server'::text)) p(role, finding) ON (birth.fn_birth_is_member((l.name)::name, p.role)))
  WHERE (NOT l.rolsuper)
UNION ALL
 SELECT r.released_by AS login,
    'released'::text AS finding,
    format('%s, last at %s; may not review what it released'::text, string_agg(DISTINCT r.release, ', '::text), max(r.released_at)) AS detail,
    NULL::text AS next_step
   FROM birth.v_birth_release_history r
  GROUP BY r.released_by
UNION ALL
 SELECT l.name AS login,
        CASE
            WHEN (a.actor = l.name) THEN 'has the name of an earlier login'::text
            ELSE 'acted under another name'::text
        END AS finding,
    format('%s acts as %s, last at %s; is one person with it'::text, a.acts, a.actor, a.last_at) AS detail,
    NULL::text AS next_step
   FROM ((login l
     CROSS JOIN pg_control_system() s(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified))
     JOIN ( SELECT x.actor,
            x.actor_id,
            count(*) AS acts,
            max(x.acted_at) AS last_at
           FROM birth.birth_act x
          GROUP BY x.actor, x.actor_id) a ON ((((a.actor = l.name) <> (a.actor_id = format('%s:%s'::text, s.system_identifier, l.oid))) AND starts_with(a.actor_id, (s.system_identifier || ':'::text)))));

ALTER VIEW birth.v_birth_separation_of_duties OWNER TO birth_definer;

-- Name: VIEW v_birth_separation_of_duties; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_separation_of_duties IS 'Logins with conflicting roles, superusers, who can become birth_definer or let others, who released, and who acted under another name. Specification: 2, 9, R16.';

-- Name: v_birth_stage2_qt001_readiness_dashboard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_stage2_qt001_readiness_dashboard AS
 WITH counted AS (
         SELECT ( SELECT count(*) AS count
                   FROM birth.collection_registry c_1
                  WHERE (c_1.coverage_status = 'BIRTH_REQUIRED'::text)) AS required,
            ( SELECT count(*) AS count
                   FROM (birth.collection_registry c_1
                     CROSS JOIN LATERAL birth.fn_birth_identity_definition(c_1.collection_name) d(status, reason, relation, source_sql, code_sql, columns, types, key_columns, key_types, codes_distinct))
                  WHERE ((c_1.coverage_status = 'BIRTH_REQUIRED'::text) AND starts_with(d.status, 'ELIGIBLE_'::text))) AS resolvable,
            ( SELECT count(*) AS count
                   FROM birth.birth_admission_permit_v2 p
                  WHERE ((p.status = 'OPEN'::text) AND (p.purpose = 'APPLY'::text) AND (p.expires_at > birth.fn_birth_clock()))) AS permits,
            (to_regclass('birth.birth_admission_permit_v2'::text) IS NOT NULL) AS permit_table,
            (to_regclass('birth.birth_backfill_ledger_v2'::text) IS NOT NULL) AS ledger_table,
            ( SELECT count(*) AS count
                   FROM (pg_proc p
                     JOIN pg_namespace n ON (((n.oid = p.pronamespace) AND (n.nspname = 'birth'::name))))
                  WHERE (p.proname = 'fn_birth_register'::name)) AS register,
            (( SELECT count(DISTINCT p.proname) AS count
                   FROM (pg_proc p
                     JOIN pg_namespace n ON (((n.oid = p.pronamespace) AND (n.nspname = 'birth'::name))))
                  WHERE (p.proname = ANY (ARRAY['fn_dot_birth_qt001_plan'::name, 'fn_dot_birth_qt001_apply'::name, 'sp_dot_birth_qt001_apply'::name]))) = 3) AS writer
        )
 SELECT m.metric,
    m.value
   FROM (counted c
     CROSS JOIN LATERAL ( VALUES ('birth_required_total'::text,(c.required)::text), ('identity_resolvable_now'::text,(c.resolvable)::text), ('identity_unclassified_blockers'::text,((c.required - c.resolvable))::text), ('admission_permit_table'::text,
                CASE
                    WHEN c.permit_table THEN 'present'::text
                    ELSE 'absent'::text
                END), ('open_permits'::text,(c.permits)::text), ('backfill_ledger_table'::text,
                CASE
                    WHEN c.ledger_table THEN 'present'::text
                    ELSE 'absent'::text
                END), ('shared_register_fn'::text,
                CASE
                    WHEN (c.register = 1) THEN 'present'::text
                    ELSE 'absent'::text
                END), ('apply_writer'::text,
                CASE
                    WHEN c.writer THEN 'present'::text
                    ELSE 'absent'::text
                END), ('qt001_gate'::text,COALESCE(('BLOCKED_UNTIL_'::text || NULLIF(concat_ws('_AND_'::text,
                CASE
                    WHEN (c.required > c.resolvable) THEN (((c.required - c.resolvable))::text || '_IDENTITIES_RESOLVED'::text)
                    WHEN (NOT c.writer) THEN 'WRITER_RELEASED'::text
                    ELSE NULL::text
                END,
                CASE
                    WHEN (c.permits = 0) THEN 'PERMIT_OPENED'::text
                    ELSE NULL::text
                END), ''::text)), 'OPEN_FOR_PERMITTED_RUNS'::text))) m(metric, value));

ALTER VIEW birth.v_birth_stage2_qt001_readiness_dashboard OWNER TO birth_definer;

-- Name: VIEW v_birth_stage2_qt001_readiness_dashboard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_stage2_qt001_readiness_dashboard IS 'How ready QT-001 is: required, resolvable and blocked identities, permits, objects, and the gate that follows from them. Specification: 2.';

-- Name: v_birth_verdict_standing; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_birth_verdict_standing AS
 SELECT v.review_id,
    v.run_id,
    v.purpose,
    v.verdict,
    v.findings,
    v.accept_orphans,
    v.reviewed_at,
    v.reviewed_by,
    v.planned_fingerprint,
    v.contract_hash,
    v.identity_hash,
    v.failures_seen
   FROM (birth.birth_review v
     LEFT JOIN birth.birth_review s ON (((s.run_id = v.run_id) AND (s.purpose = v.purpose) AND (v.review_id = ANY (s.supersedes)))))
  WHERE (s.review_id IS NULL);

ALTER VIEW birth.v_birth_verdict_standing OWNER TO birth_definer;

-- Name: VIEW v_birth_verdict_standing; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_birth_verdict_standing IS 'The verdicts that no other verdict takes back. A run goes on while a SAFE stands and no NOT_SAFE_NEEDS_FIX does. Specification: 6, R5.';

-- Name: v_qt001_apply_runtime_no_go_guard; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_qt001_apply_runtime_no_go_guard AS
 SELECT 'dangerous operations frozen, stage 0 enforced'::text AS check_name,
    ((((count(*) FILTER (WHERE (g.pass IS NOT TRUE)))::text || ' of '::text) || (count(*))::text) || ' checks fail'::text) AS found,
    (('0 of '::text || (count(*))::text) || ' checks fail'::text) AS expected,
    ((count(*) > 0) AND (count(*) FILTER (WHERE (g.pass IS NOT TRUE)) = 0)) AS pass
   FROM birth.v_birth_stage0_still_enforced_guard g
UNION ALL
 SELECT 'contract intact'::text AS check_name,
    format('%s of %s objects block'::text, d.blocking, d.objects) AS found,
    format('0 of %s objects block'::text, d.objects) AS expected,
    COALESCE(d.all_ok, false) AS pass
   FROM birth.v_birth_gateway_contract_integrity_dashboard d
UNION ALL
 SELECT 'every open permit is confirmed, unexpired, and stands on a verdict for this contract'::text AS check_name,
    (count(*) FILTER (WHERE (NOT p.sound)))::text AS found,
    '0'::text AS expected,
    (count(*) FILTER (WHERE (NOT p.sound)) = 0) AS pass
   FROM ( SELECT ((o.confirmed_by IS DISTINCT FROM o.opened_by) AND (NOT (EXISTS ( SELECT
                   FROM birth.v_birth_verdict_standing v
                  WHERE ((v.run_id = o.run_id) AND (v.purpose = o.purpose) AND (v.reviewed_by = o.opened_by))))) AND (NOT (EXISTS ( SELECT
                   FROM (unnest(ARRAY['permit'::text, 'spend'::text]) s(scope)
                     CROSS JOIN LATERAL birth.fn_birth_checks(s.scope, l.*, o.purpose, jsonb_populate_record(l.*, jsonb_build_object('permit_id', o.permit_id))) c(number, check_name, found, expected, pass, blocker))
                  WHERE (NOT c.pass))))) AS sound
           FROM (birth.birth_admission_permit_v2 o
             LEFT JOIN birth.birth_backfill_ledger_v2 l ON ((l.run_id = o.run_id)))
          WHERE (o.status = 'OPEN'::text)
        UNION ALL
         SELECT false AS sound
           FROM birth.birth_admission_permit f
          WHERE (f.status = 'OPEN'::text)) p
UNION ALL
 SELECT 'no false done'::text AS check_name,
    (count(*))::text AS found,
    '0'::text AS expected,
    (count(*) = 0) AS pass
   FROM (birth.birth_backfill_ledger_v2 l
     LEFT JOIN LATERAL ( SELECT COALESCE(sum(r_1.written), (0)::numeric) AS written,
            COALESCE(sum(r_1.fingerprint[2]), (0)::numeric) AS sum_a,
            COALESCE(sum(r_1.fingerprint[3]), (0)::numeric) AS sum_b
           FROM birth.birth_receipt r_1
          WHERE ((r_1.run_id = l.run_id) AND (r_1.purpose <> 'COMPENSATE'::text))) r ON (true))
  WHERE ((l.status = 'done'::text) AND ((l.actual_inserted <> l.expected_delta) OR (l.expected_delta = 0) OR (ARRAY[r.written, r.sum_a, r.sum_b] <> l.target_fingerprint) OR (l.written_fingerprint <> l.target_fingerprint)));

ALTER VIEW birth.v_qt001_apply_runtime_no_go_guard OWNER TO birth_definer;

-- Name: VIEW v_qt001_apply_runtime_no_go_guard; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_qt001_apply_runtime_no_go_guard IS 'Guard of apply, four checks: stage 0 enforced, contract intact, open permits sound, no false done. Specification: 2, 6.';

-- Name: v_qt001_apply_runtime_status; Type: VIEW; Schema: birth; Owner: birth_definer

CREATE VIEW birth.v_qt001_apply_runtime_status AS
 WITH routine AS (
         SELECT (p.proname)::text AS name,
            p.prokind,
            p.pronargs,
            p.proargnames,
            p.pronargdefaults,
            pg_get_function_arguments(p.oid) AS arguments,
            encode(sha256(convert_to(p.prosrc, 'UTF8'::name)), 'hex'::text) AS sha256
           FROM (pg_proc p
             JOIN pg_namespace n ON (((n.oid = p.pronamespace) AND (n.nspname = 'birth'::name))))
        ), claim AS (
         SELECT c.object AS flag,
            bool_and(((r.sha256 IS NOT NULL) AND (r.sha256 = (c.parts ->> 'body_sha256'::text)))) AS proven
           FROM (birth.v_birth_contract_recorded c
             LEFT JOIN routine r ON ((r.name = (c.parts ->> 'routine'::text))))
          WHERE (c.kind = 'claim'::text)
          GROUP BY c.object
        )
 SELECT (EXISTS ( SELECT
           FROM routine r
          WHERE ((r.name = 'fn_dot_birth_qt001_apply'::text) AND (r.prokind = 'f'::"char")))) AS writer_fn_exists,
    (EXISTS ( SELECT
           FROM routine r
          WHERE ((r.name = 'sp_dot_birth_qt001_apply'::text) AND (r.prokind = 'p'::"char")))) AS driver_proc_exists,
    (EXISTS ( SELECT
           FROM routine r
          WHERE ((r.name = 'fn_dot_birth_qt001_plan'::text) AND (r.prokind = 'f'::"char")))) AS plan_fn_exists,
    COALESCE(( SELECT c.proven
           FROM claim c
          WHERE (c.flag = 'writer_calls_fn_birth_register'::text)), false) AS writer_calls_fn_birth_register,
    COALESCE(( SELECT c.proven
           FROM claim c
          WHERE (c.flag = 'writer_has_false_done_guard'::text)), false) AS writer_has_false_done_guard,
    COALESCE(( SELECT c.proven
           FROM claim c
          WHERE (c.flag = 'writer_has_collision_failclose'::text)), false) AS writer_has_collision_failclose,
    COALESCE(( SELECT c.proven
           FROM claim c
          WHERE (c.flag = 'writer_has_parity_failclose'::text)), false) AS writer_has_parity_failclose,
    COALESCE(( SELECT c.proven
           FROM claim c
          WHERE (c.flag = 'writer_no_pseudocode'::text)), false) AS writer_no_pseudocode,
    COALESCE(( SELECT ((count(*) = 2) AND bool_and(((r.arguments ~ '\mp_execute boolean DEFAULT false\M'::text) AND ((r.prokind = 'p'::"char") OR (r.arguments ~ '\mp_dry_run boolean DEFAULT true\M'::text)))))
           FROM routine r
          WHERE (r.name = ANY (ARRAY['fn_dot_birth_qt001_apply'::text, 'sp_dot_birth_qt001_apply'::text]))), false) AS execute_defaults_false,
    ((EXISTS ( SELECT
           FROM birth.fn_birth_contract_drift() d(kind, object, drift, expected, found, blocks, repair)
          WHERE ((d.kind = 'constraint'::text) AND (d.object = 'birth_backfill_ledger_v2.bbl2_no_false_done'::text) AND (d.drift = 'ok'::text)))) AND (EXISTS ( SELECT
           FROM pg_constraint k
          WHERE ((k.conrelid = (to_regclass('birth.birth_backfill_ledger_v2'::text))::oid) AND (k.conname = 'bbl2_no_false_done'::name) AND k.convalidated)))) AS false_done_check_constraint;

ALTER VIEW birth.v_qt001_apply_runtime_status OWNER TO birth_definer;

-- Name: VIEW v_qt001_apply_runtime_status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON VIEW birth.v_qt001_apply_runtime_status IS 'Ten flags of the writer, from the catalogue and from claims proven for these exact bodies. Specification: 2, 7.';

-- Name: birth_act birth_act_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_act
    ADD CONSTRAINT birth_act_pkey PRIMARY KEY (act_id);

-- Name: birth_admission_permit birth_admission_permit_closed; Type: CHECK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_admission_permit
    ADD CONSTRAINT birth_admission_permit_closed CHECK (false) NOT VALID;

-- Name: CONSTRAINT birth_admission_permit_closed ON birth_admission_permit; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON CONSTRAINT birth_admission_permit_closed ON birth.birth_admission_permit IS 'Closed for writing: see birth_admission_permit_v2.';

-- Name: birth_admission_permit birth_admission_permit_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_admission_permit
    ADD CONSTRAINT birth_admission_permit_pkey PRIMARY KEY (permit_id);

-- Name: birth_admission_permit_v2 birth_admission_permit_v2_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_admission_permit_v2
    ADD CONSTRAINT birth_admission_permit_v2_pkey PRIMARY KEY (permit_id);

-- Name: birth_backfill_ledger birth_backfill_ledger_closed; Type: CHECK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_backfill_ledger
    ADD CONSTRAINT birth_backfill_ledger_closed CHECK (false) NOT VALID;

-- Name: CONSTRAINT birth_backfill_ledger_closed ON birth_backfill_ledger; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON CONSTRAINT birth_backfill_ledger_closed ON birth.birth_backfill_ledger IS 'Closed for writing: see birth_backfill_ledger_v2.';

-- Name: birth_backfill_ledger birth_backfill_ledger_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_backfill_ledger
    ADD CONSTRAINT birth_backfill_ledger_pkey PRIMARY KEY (run_id);

-- Name: birth_backfill_ledger_v2 birth_backfill_ledger_v2_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_backfill_ledger_v2
    ADD CONSTRAINT birth_backfill_ledger_v2_pkey PRIMARY KEY (run_id);

-- Name: birth_death birth_death_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_death
    ADD CONSTRAINT birth_death_pkey PRIMARY KEY (entity_code);

-- Name: birth_gate_scope birth_gate_scope_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_gate_scope
    ADD CONSTRAINT birth_gate_scope_pkey PRIMARY KEY (schema_name);

-- Name: birth_gateway_finding birth_gateway_finding_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_gateway_finding
    ADD CONSTRAINT birth_gateway_finding_pkey PRIMARY KEY (collection_name, error, found_at, found_xid);

-- Name: birth_gateway_release_registry birth_gateway_release_registry_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_gateway_release_registry
    ADD CONSTRAINT birth_gateway_release_registry_pkey PRIMARY KEY (kind, object, generation);

-- Name: birth_receipt birth_receipt_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_receipt
    ADD CONSTRAINT birth_receipt_pkey PRIMARY KEY (run_id, batch_no);

-- Name: birth_registry birth_registry_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_registry
    ADD CONSTRAINT birth_registry_pkey PRIMARY KEY (entity_code);

-- Name: birth_review birth_review_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_review
    ADD CONSTRAINT birth_review_pkey PRIMARY KEY (review_id);

-- Name: birth_stage_anchor birth_stage_anchor_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_stage_anchor
    ADD CONSTRAINT birth_stage_anchor_pkey PRIMARY KEY (stage, subject);

-- Name: birth_transition birth_transition_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_transition
    ADD CONSTRAINT birth_transition_pkey PRIMARY KEY (run_id);

-- Name: collection_registry collection_registry_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.collection_registry
    ADD CONSTRAINT collection_registry_pkey PRIMARY KEY (collection_name);

-- Name: collection_registry collection_registry_table; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.collection_registry
    ADD CONSTRAINT collection_registry_table UNIQUE (schema_name, table_name);

-- Name: dot_registry dot_registry_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.dot_registry
    ADD CONSTRAINT dot_registry_pkey PRIMARY KEY (dot_name);

-- Name: trigger_guard_alerts trigger_guard_alerts_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.trigger_guard_alerts
    ADD CONSTRAINT trigger_guard_alerts_pkey PRIMARY KEY (alert_id);

-- Name: bbl2_collection; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX bbl2_collection ON birth.birth_backfill_ledger_v2 USING btree (collection_name, planned_at);

-- Name: bbl2_one_running; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE UNIQUE INDEX bbl2_one_running ON birth.birth_backfill_ledger_v2 USING btree (collection_name) WHERE (status = 'running'::text);

-- Name: birth_act_collection; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_collection ON birth.birth_act USING btree (collection_name, act, acted_at) WHERE (collection_name IS NOT NULL);

-- Name: birth_act_dot; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_dot ON birth.birth_act USING btree (dot_name) WHERE (dot_name IS NOT NULL);

-- Name: birth_act_home; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_home ON birth.birth_act USING btree (acted_at) WHERE (act = 'home'::text);

-- Name: birth_act_lineage; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_lineage ON birth.birth_act USING btree (lineage) WHERE (lineage IS NOT NULL);

-- Name: birth_act_time; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_time ON birth.birth_act USING btree (acted_at);

-- Name: birth_admission_permit_v2_open; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE UNIQUE INDEX birth_admission_permit_v2_open ON birth.birth_admission_permit_v2 USING btree (run_id, purpose) WHERE (status = 'OPEN'::text);

-- Name: birth_death_collection; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_death_collection ON birth.birth_death USING btree (collection_name);

-- Name: birth_death_run; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_death_run ON birth.birth_death USING btree (run_id) WHERE (run_id IS NOT NULL);

-- Name: birth_registry_live; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_registry_live ON birth.birth_registry USING btree (born_at) WHERE (run_id IS NULL);

-- Name: birth_registry_run; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_registry_run ON birth.birth_registry USING brin (run_id, collection_name text_bloom_ops (n_distinct_per_range='64')) WITH (autosummarize='on');

-- Name: birth_review_run; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_review_run ON birth.birth_review USING btree (run_id, purpose);

-- Name: birth_transition_collection; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_transition_collection ON birth.birth_transition USING btree (collection_name, executed_at);

-- Name: birth_act birth_act_dot_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_act
    ADD CONSTRAINT birth_act_dot_name_fkey FOREIGN KEY (dot_name) REFERENCES birth.dot_registry(dot_name);

-- Name: birth_admission_permit birth_admission_permit_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_admission_permit
    ADD CONSTRAINT birth_admission_permit_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_admission_permit_v2 birth_admission_permit_v2_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_admission_permit_v2
    ADD CONSTRAINT birth_admission_permit_v2_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_backfill_ledger birth_backfill_ledger_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_backfill_ledger
    ADD CONSTRAINT birth_backfill_ledger_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_backfill_ledger_v2 birth_backfill_ledger_v2_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_backfill_ledger_v2
    ADD CONSTRAINT birth_backfill_ledger_v2_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_death birth_death_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_death
    ADD CONSTRAINT birth_death_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_gateway_finding birth_gateway_finding_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_gateway_finding
    ADD CONSTRAINT birth_gateway_finding_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_receipt birth_receipt_run_id_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_receipt
    ADD CONSTRAINT birth_receipt_run_id_fkey FOREIGN KEY (run_id) REFERENCES birth.birth_backfill_ledger_v2(run_id);

-- Name: birth_review birth_review_run_id_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_review
    ADD CONSTRAINT birth_review_run_id_fkey FOREIGN KEY (run_id) REFERENCES birth.birth_backfill_ledger_v2(run_id);

-- Name: birth_transition birth_transition_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_transition
    ADD CONSTRAINT birth_transition_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_transition birth_transition_run_id_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_transition
    ADD CONSTRAINT birth_transition_run_id_fkey FOREIGN KEY (run_id) REFERENCES birth.birth_backfill_ledger_v2(run_id);

-- Name: SCHEMA birth; Type: ACL; Schema: -; Owner: birth_definer

GRANT USAGE ON SCHEMA birth TO birth_scanner;
GRANT USAGE ON SCHEMA birth TO birth_reader;
GRANT USAGE ON SCHEMA birth TO birth_steward;
GRANT USAGE ON SCHEMA birth TO birth_operator;
GRANT USAGE ON SCHEMA birth TO birth_reviewer;
GRANT USAGE ON SCHEMA birth TO birth_permit_owner;
GRANT USAGE ON SCHEMA birth TO birth_dba;
GRANT USAGE ON SCHEMA birth TO birth_source_owner;

-- Name: FUNCTION fn_birth_act_part(p_act text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_act_part(p_act text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_actor(p_role text, VARIADIC p_routines text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_alerts(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_alerts() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_alerts() TO birth_reader;

-- Name: FUNCTION fn_birth_anchor_record(p_stage text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_anchor_record(p_stage text) FROM PUBLIC;

-- Name: TABLE birth_backfill_ledger_v2; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_backfill_ledger_v2 TO birth_reader;

-- Name: FUNCTION fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_apply_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_apply_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_apply_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_births_since(p_collection text, p_since timestamp with time zone, p_until timestamp with time zone, p_run_id uuid) TO birth_reader;

-- Name: FUNCTION fn_birth_census(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_census(p_collection text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_census(p_collection text) TO birth_reader;

-- Name: FUNCTION fn_birth_census_record(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_census_record(p_collection text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_census_record(p_collection text) TO birth_operator;

-- Name: FUNCTION fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint, p_foreign text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint, p_foreign text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_checks(p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2, p_rows bigint, p_foreign text[]) TO birth_reader;

-- Name: FUNCTION fn_birth_clock(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_clock() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_clock() TO birth_reader;

-- Name: FUNCTION fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_collection_births(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_collection_births(p_collection text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_collection_register(p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean) TO birth_steward;

-- Name: FUNCTION fn_birth_collection_withdraw(p_collection text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_collection_withdraw(p_collection text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_collection_withdraw(p_collection text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2, p_codes text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_compensate_fault(p_run birth.birth_backfill_ledger_v2, p_codes text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_compensate_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_compensate_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_constraint_violations(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_constraint_violations() FROM PUBLIC;

-- Name: FUNCTION fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_contract_compare(p_wanted jsonb, p_rules jsonb) TO birth_reader;

-- Name: FUNCTION fn_birth_contract_drift(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_drift() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_contract_drift() TO birth_reader;

-- Name: FUNCTION fn_birth_contract_hash(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_hash() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_contract_hash() TO birth_reader;

-- Name: FUNCTION fn_birth_contract_live(p_rules jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_live(p_rules jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_contract_live(p_rules jsonb) TO birth_reader;

-- Name: FUNCTION fn_birth_contract_objects(p_manifest jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_objects(p_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_contract_objects(p_manifest jsonb) TO birth_reader;

-- Name: FUNCTION fn_birth_contract_recolumn(p_table text, p_wanted jsonb, p_live jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_recolumn(p_table text, p_wanted jsonb, p_live jsonb) FROM PUBLIC;

-- Name: FUNCTION fn_birth_contract_record(p_release text, p_manifest jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_record(p_release text, p_manifest jsonb) FROM PUBLIC;

-- Name: FUNCTION fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[], p_owners text[], p_kept jsonb) FROM PUBLIC;

-- Name: FUNCTION fn_birth_contract_repair(p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[], p_definition text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_repair(p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[], p_definition text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_contract_token(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_contract_token() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_contract_token() TO birth_reader;

-- Name: FUNCTION fn_birth_death_codes(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_codes(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_proof(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_undo_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_violations(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_violations() FROM PUBLIC;

-- Name: FUNCTION fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_death_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_distributed(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_distributed() FROM PUBLIC;

-- Name: FUNCTION fn_birth_dot_freeze(p_dot text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text) TO birth_operator;
GRANT ALL ON FUNCTION birth.fn_birth_dot_freeze(p_dot text, p_reason text) TO birth_dba;

-- Name: FUNCTION fn_birth_dot_unfreeze(p_dot text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_dot_unfreeze(p_dot text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_dot_unfreeze(p_dot text, p_reason text) TO birth_dba;

-- Name: FUNCTION fn_birth_durable(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_durable() FROM PUBLIC;

-- Name: FUNCTION fn_birth_error(p_error text, p_detail text, p_hint text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text) TO birth_reader;

-- Name: FUNCTION fn_birth_evidence(p_table text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_evidence(p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_evidence(p_table text) TO birth_reader;

-- Name: FUNCTION fn_birth_evidence_acknowledge(p_table text, p_digest text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) TO birth_dba;

-- Name: FUNCTION fn_birth_finding_acknowledge(p_collection text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_finding_acknowledge(p_collection text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_finding_acknowledge(p_collection text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_finding_record(p_collection text, p_error text, p_rows bigint, p_examples text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_finding_record(p_collection text, p_error text, p_rows bigint, p_examples text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gate(p_schema text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gate(p_schema text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gate(p_schema text) TO birth_reader;
GRANT ALL ON FUNCTION birth.fn_birth_gate(p_schema text) TO birth_source_owner;

-- Name: FUNCTION fn_birth_gate_admit(p_collection text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gate_admit(p_collection text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gate_admit(p_collection text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_gate_insert(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gate_insert() FROM PUBLIC;

-- Name: TABLE collection_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.collection_registry TO birth_reader;

-- Name: FUNCTION fn_birth_gate_read(p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gate_read(p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gate_scope(p_schema text, p_mode text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gate_scope(p_schema text, p_mode text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gate_scope(p_schema text, p_mode text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_gateway_again(p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[], OUT refusal jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_again(p_collection text, p_codes text[], OUT born bigint, OUT taken bigint, OUT examples text[], OUT refusal jsonb) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gateway_attach(p_collection text, p_mode text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_attach(p_collection text, p_mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gateway_attach(p_collection text, p_mode text) TO birth_steward;

-- Name: FUNCTION fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_collection(p_collection text, p_relation oid, p_schema text, p_table text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gateway_detach(p_collection text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_detach(p_collection text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gateway_detach(p_collection text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_gateway_fence(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_fence() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gateway_fence() TO birth_steward;

-- Name: FUNCTION fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_gateway_mode(p_collection text, p_mode text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_gateway_no_code(p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_no_code(p_collection birth.collection_registry, p_relation oid, p_rows bigint, p_long bigint, p_keys text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gateway_report(p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint, p_examples text[], p_long bigint, p_keys text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_report(p_collection birth.collection_registry, p_relation oid, p_unborn bigint, p_unresolved bigint, p_taken bigint, p_examples text[], p_long bigint, p_keys text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gateway_shared(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_shared(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_gateway_statement(p_what text, p_collection birth.collection_registry, p_relation oid, p_rows text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_gateway_statement(p_what text, p_collection birth.collection_registry, p_relation oid, p_rows text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_home_confirm(p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_home_confirm(p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_home_confirm(p_reason text) TO birth_dba;

-- Name: FUNCTION fn_birth_identity_classify(p_collection text, p_strategy text, p_column text, p_prefix text, p_template text, p_part_of_key boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_classify(p_collection text, p_strategy text, p_column text, p_prefix text, p_template text, p_part_of_key boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_identity_classify(p_collection text, p_strategy text, p_column text, p_prefix text, p_template text, p_part_of_key boolean) TO birth_steward;

-- Name: FUNCTION fn_birth_identity_code(p_collection birth.collection_registry, p_relation oid, OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_code(p_collection birth.collection_registry, p_relation oid, OUT code_sql text, OUT columns text[], OUT types regtype[], OUT told text[], OUT fault text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_identity_definition(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_definition(p_collection text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_identity_definition(p_collection text) TO birth_reader;

-- Name: FUNCTION fn_birth_identity_hash(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_hash(p_collection text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_identity_loss(p_collection text, p_code_before text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_loss(p_collection text, p_code_before text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_identity_propose(p_schema text, p_table text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_propose(p_schema text, p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_identity_propose(p_schema text, p_table text) TO birth_reader;

-- Name: FUNCTION fn_birth_identity_store(p_collection text, OUT status text, OUT reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_identity_store(p_collection text, OUT status text, OUT reason text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_is_member(p_login name, p_role text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_is_member(p_login name, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_is_member(p_login name, p_role text) TO birth_reader;

-- Name: FUNCTION fn_birth_key_lists(p_key_columns text[], p_key_types text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_key_lists(p_key_columns text[], p_key_types text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_attach(p_collection text, p_mode text, p_column text, p_dead text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_attach(p_collection text, p_mode text, p_column text, p_dead text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_life_attach(p_collection text, p_mode text, p_column text, p_dead text[]) TO birth_steward;

-- Name: FUNCTION fn_birth_life_auto(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_auto() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_life_auto() TO birth_source_owner;

-- Name: FUNCTION fn_birth_life_change(p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[], p_living_before boolean, p_code text, p_keys text[], p_living boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_change(p_collection birth.collection_registry, p_relation oid, p_code_before text, p_keys_before text[], p_living_before boolean, p_code text, p_keys text[], p_living boolean) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_column(p_relation oid, p_column text, p_dead text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_column(p_relation oid, p_column text, p_dead text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_detach(p_collection text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_detach(p_collection text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_life_detach(p_collection text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_life_end(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text, p_successor text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_end(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[], p_manner text, p_successor text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_living(p_collection birth.collection_registry); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_living(p_collection birth.collection_registry) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_look(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_look(p_collection birth.collection_registry, p_relation oid, p_codes text[], p_keys text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_mode(p_collection text, p_mode text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_mode(p_collection text, p_mode text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_life_mode(p_collection text, p_mode text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_life_report(p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_report(p_collection birth.collection_registry, p_error text, p_rows bigint, p_examples text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_return(p_collection text, p_codes text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_return(p_collection text, p_codes text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_row(p_collection birth.collection_registry, p_one boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_row(p_collection birth.collection_registry, p_one boolean) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_shape(p_collection birth.collection_registry); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_shape(p_collection birth.collection_registry) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_life_shape(p_collection birth.collection_registry) TO birth_reader;

-- Name: FUNCTION fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_truncate(p_collection birth.collection_registry, p_relation oid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_unborn(p_collection text, p_codes text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_unborn(p_collection text, p_codes text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_life_write(p_collection text, p_codes text[], p_manner text, p_successor text, p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_life_write(p_collection text, p_codes text[], p_manner text, p_successor text, p_run_id uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_lineage_lock(p_lineage uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_lineage_lock(p_lineage uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_live_births(p_from timestamp with time zone, p_to timestamp with time zone, p_cap bigint) TO birth_reader;

-- Name: FUNCTION fn_birth_lock_holder(p_name text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_lock_holder(p_name text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_lock_key(p_name text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_lock_key(p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_lock_key(p_name text) TO birth_reader;

-- Name: FUNCTION fn_birth_lock_owner(p_name text, p_table regclass, p_xmax xid, p_pid integer); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_lock_owner(p_name text, p_table regclass, p_xmax xid, p_pid integer) FROM PUBLIC;

-- Name: FUNCTION fn_birth_login_id(p_login name); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_login_id(p_login name) FROM PUBLIC;

-- Name: FUNCTION fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_measure(p_collection text, p_seed_a bigint, p_seed_b bigint, p_upper text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_now(p_code text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_now(p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_now(p_code text) TO birth_reader;

-- Name: FUNCTION fn_birth_open_run(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_open_run(p_collection text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_people_check(p_run_id uuid, p_lineage uuid, p_act text, p_login name); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_people_check(p_run_id uuid, p_lineage uuid, p_act text, p_login name) FROM PUBLIC;

-- Name: FUNCTION fn_birth_permit_confirm(p_permit_id bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_permit_confirm(p_permit_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_permit_confirm(p_permit_id bigint) TO birth_reviewer;

-- Name: FUNCTION fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_permit_open(p_collection text, p_run_id uuid, p_max_rows bigint, p_expires_at timestamp with time zone, p_reason text, p_purpose text) TO birth_permit_owner;

-- Name: FUNCTION fn_birth_permit_revoke(p_permit_id bigint, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_permit_revoke(p_permit_id bigint, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_permit_revoke(p_permit_id bigint, p_reason text) TO birth_permit_owner;

-- Name: FUNCTION fn_birth_permit_settle(p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_permit_settle(p_run_id uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_plan(p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid, p_wanted jsonb, OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_plan(p_purpose text, p_collection text, p_dry_run boolean, p_run_id uuid, p_wanted jsonb, OUT run birth.birth_backfill_ledger_v2, OUT blockers jsonb) FROM PUBLIC;

-- Name: FUNCTION fn_birth_plan_sample(p_collection text, p_rows integer); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_plan_sample(p_collection text, p_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_plan_sample(p_collection text, p_rows integer) TO birth_reader;

-- Name: FUNCTION fn_birth_policy_decision(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_policy_decision(p_collection text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_policy_decision(p_collection text) TO birth_reader;

-- Name: FUNCTION fn_birth_purpose(p_purpose text, p_undoes text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_purpose(p_purpose text, p_undoes text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_raise(p_error text, p_detail text, p_hint text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) TO birth_reader;

-- Name: TABLE birth_receipt; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_receipt TO birth_reader;

-- Name: FUNCTION fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_receipt_seal(p_receipt birth.birth_receipt, p_before text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_refuse(p_error jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_refuse(p_error jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_refuse(p_error jsonb) TO birth_reader;

-- Name: FUNCTION fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean) TO birth_steward;
GRANT ALL ON FUNCTION birth.fn_birth_register(p_collection text, p_codes text[], p_dot_origin text, p_run_id uuid, p_dry_run boolean, p_fresh boolean) TO birth_operator;

-- Name: FUNCTION fn_birth_registry_auto(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_registry_auto() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_registry_auto() TO birth_source_owner;

-- Name: FUNCTION fn_birth_registry_auto_id(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_registry_auto_id() FROM PUBLIC;

-- Name: FUNCTION fn_birth_released(p_login name); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_released(p_login name) FROM PUBLIC;

-- Name: FUNCTION fn_birth_replicated_tables(p_relation oid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_replicated_tables(p_relation oid) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_replicated_tables(p_relation oid) TO birth_reader;

-- Name: FUNCTION fn_birth_resolve_identity(p_collection text, p_row jsonb); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_resolve_identity(p_collection text, p_row jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_resolve_identity(p_collection text, p_row jsonb) TO birth_reader;

-- Name: FUNCTION fn_birth_return(p_code text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_return(p_code text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_return(p_code text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint, p_purpose text, p_supersedes bigint[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint, p_purpose text, p_supersedes bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_review_record(p_run_id uuid, p_verdict text, p_findings text, p_accept_orphans bigint, p_purpose text, p_supersedes bigint[]) TO birth_reviewer;

-- Name: FUNCTION fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_review_statement(p_run birth.birth_backfill_ledger_v2, p_purpose text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_rule_state(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_rule_state(p_collection text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_audit(p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_audit(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_audit(p_run_id uuid) TO birth_reader;

-- Name: FUNCTION fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_batch(p_run birth.birth_backfill_ledger_v2, p_batch integer) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text, p_mode text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text, p_mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_begin(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text, p_purpose text, p_mode text) TO birth_operator;

-- Name: FUNCTION fn_birth_run_births(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_births(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_claim(p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_claim(p_run birth.birth_backfill_ledger_v2, p_now birth.birth_backfill_ledger_v2, p_purpose text, p_session boolean) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_failures(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_finish(p_run birth.birth_backfill_ledger_v2, p_purpose text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_holder(p_run_id uuid, p_epoch bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_holder(p_run_id uuid, p_epoch bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_leave(p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_leave(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_leave(p_run_id uuid) TO birth_operator;

-- Name: FUNCTION fn_birth_run_lock(p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_lock(p_run_id uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_next_step(p_run_id uuid, p_purpose text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_next_step(p_run_id uuid, p_purpose text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_next_step(p_run_id uuid, p_purpose text) TO birth_reader;

-- Name: FUNCTION fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_outcome(p_run_id uuid, p_sqlstate text, p_message text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_proof(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_receipt(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_receipt(p_run birth.birth_backfill_ledger_v2, p_purpose text, p_key_after text[], p_visited bigint, p_fingerprint numeric[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint, OUT fresh birth.birth_backfill_ledger_v2, OUT foreign_codes text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint, OUT fresh birth.birth_backfill_ledger_v2, OUT foreign_codes text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer, p_took_ms double precision); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer, p_took_ms double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_step(p_run_id uuid, p_permit_id bigint, p_purpose text, p_batch integer, p_last integer, p_took_ms double precision) TO birth_operator;

-- Name: FUNCTION fn_birth_run_stop(p_run_id uuid, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_stop(p_run_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_stop(p_run_id uuid, p_reason text) TO birth_operator;

-- Name: FUNCTION fn_birth_run_takeover(p_run_id uuid, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_takeover(p_run_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_takeover(p_run_id uuid, p_reason text) TO birth_dba;

-- Name: FUNCTION fn_birth_run_tune(p_run_id uuid, p_batch integer, p_pause_ms integer, p_target_ms integer); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_tune(p_run_id uuid, p_batch integer, p_pause_ms integer, p_target_ms integer) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_run_tune(p_run_id uuid, p_batch integer, p_pause_ms integer, p_target_ms integer) TO birth_operator;

-- Name: FUNCTION fn_birth_run_wait(p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_run_wait(p_run_id uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_scan(p_sql text, p_collection text, p_seed_a bigint, p_seed_b bigint, p_after text[], p_upper text[], p_rows bigint, p_run_id uuid, p_codes text[]); Type: ACL; Schema: birth; Owner: birth_scanner

REVOKE ALL ON FUNCTION birth.fn_birth_scan(p_sql text, p_collection text, p_seed_a bigint, p_seed_b bigint, p_after text[], p_upper text[], p_rows bigint, p_run_id uuid, p_codes text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_scan(p_sql text, p_collection text, p_seed_a bigint, p_seed_b bigint, p_after text[], p_upper text[], p_rows bigint, p_run_id uuid, p_codes text[]) TO birth_definer;

-- Name: FUNCTION fn_birth_scan_lock(p_schema text, p_table text); Type: ACL; Schema: birth; Owner: birth_scanner

REVOKE ALL ON FUNCTION birth.fn_birth_scan_lock(p_schema text, p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_scan_lock(p_schema text, p_table text) TO birth_definer;

-- Name: FUNCTION fn_birth_scan_traces(p_before text[]); Type: ACL; Schema: birth; Owner: birth_scanner

REVOKE ALL ON FUNCTION birth.fn_birth_scan_traces(p_before text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_side_doors(p_collection text, p_relation oid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_side_doors(p_collection text, p_relation oid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_signers(p_run_id uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_signers(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_signers(p_run_id uuid) TO birth_reader;

-- Name: FUNCTION fn_birth_source_grants(p_collection text, p_privilege text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_source_grants(p_collection text, p_privilege text) TO birth_reader;

-- Name: FUNCTION fn_birth_source_keys(p_relation oid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_source_keys(p_relation oid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_source_lock(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_source_lock(p_collection text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_source_look(p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[], p_condition text, p_beyond integer); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_source_look(p_collection birth.collection_registry, p_relation oid, p_columns text[], p_codes text[], p_keys text[], p_condition text, p_beyond integer) FROM PUBLIC;

-- Name: FUNCTION fn_birth_source_status(p_collection text, p_schema name, p_table name); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_source_status(p_collection text, p_schema name, p_table name) FROM PUBLIC;

-- Name: FUNCTION fn_birth_succeed(p_old text, p_new text, p_reason text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_succeed(p_old text, p_new text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_succeed(p_old text, p_new text, p_reason text) TO birth_steward;

-- Name: FUNCTION fn_birth_template_parse(p_template text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_template_parse(p_template text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_timeout_check(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_timeout_check() FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_timeout_check() TO birth_operator;

-- Name: FUNCTION fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean) FROM PUBLIC;

-- Name: FUNCTION fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_transition_fault(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2) FROM PUBLIC;

-- Name: FUNCTION fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_transition_slice(p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint) FROM PUBLIC;

-- Name: FUNCTION fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_transition_write(p_run birth.birth_backfill_ledger_v2, p_codes text[], p_fingerprint numeric[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_type_text(p_type oid, OUT type regtype, OUT base text, OUT text_sql text, OUT fault text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_type_text(p_type oid, OUT type regtype, OUT base text, OUT text_sql text, OUT fault text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_type_way_out(p_relation oid, p_columns text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_type_way_out(p_relation oid, p_columns text[]) FROM PUBLIC;

-- Name: FUNCTION fn_dot_birth_backfill(p_collection text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_backfill(p_collection text) FROM PUBLIC;

-- Name: FUNCTION fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean, p_execute boolean, p_dot_origin text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean, p_execute boolean, p_dot_origin text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt001_apply(p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch_size integer, p_dry_run boolean, p_execute boolean, p_dot_origin text) TO birth_operator;

-- Name: FUNCTION fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt001_compensate(p_run_id uuid, p_permit_id bigint, p_batch integer, p_step text) TO birth_operator;

-- Name: FUNCTION fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt001_plan(p_collection text, p_dry_run boolean) TO birth_operator;

-- Name: FUNCTION fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint) TO birth_operator;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt001_rehearse(p_collection text, p_max_rows bigint) TO birth_reviewer;

-- Name: FUNCTION fn_dot_birth_qt005_plan(p_collection text, p_to_status text, p_to_governed boolean, p_dry_run boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_qt005_plan(p_collection text, p_to_status text, p_to_governed boolean, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt005_plan(p_collection text, p_to_status text, p_to_governed boolean, p_dry_run boolean) TO birth_operator;

-- Name: FUNCTION fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_dot_birth_qt006_plan(p_collection text, p_dry_run boolean) TO birth_operator;

-- Name: FUNCTION fn_dot_birth_trigger_setup(); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_dot_birth_trigger_setup() FROM PUBLIC;

-- Name: PROCEDURE sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON PROCEDURE birth.sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer) FROM PUBLIC;
GRANT ALL ON PROCEDURE birth.sp_birth_run_drive(IN p_run_id uuid, IN p_permit_id bigint, IN p_purpose text, IN p_batch integer) TO birth_operator;

-- Name: PROCEDURE sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer, IN p_execute boolean, IN p_dot_origin text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON PROCEDURE birth.sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer, IN p_execute boolean, IN p_dot_origin text) FROM PUBLIC;
GRANT ALL ON PROCEDURE birth.sp_dot_birth_qt001_apply(IN p_collection text, IN p_run_id uuid, IN p_permit_id bigint, IN p_expected_delta bigint, IN p_max_rows bigint, IN p_batch integer, IN p_execute boolean, IN p_dot_origin text) TO birth_operator;

-- Name: PROCEDURE sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON PROCEDURE birth.sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) FROM PUBLIC;
GRANT ALL ON PROCEDURE birth.sp_dot_birth_qt001_compensate(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) TO birth_operator;

-- Name: PROCEDURE sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON PROCEDURE birth.sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean) FROM PUBLIC;
GRANT ALL ON PROCEDURE birth.sp_dot_birth_qt005_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_execute boolean) TO birth_operator;

-- Name: PROCEDURE sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON PROCEDURE birth.sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) FROM PUBLIC;
GRANT ALL ON PROCEDURE birth.sp_dot_birth_qt006_apply(IN p_run_id uuid, IN p_permit_id bigint, IN p_batch integer, IN p_execute boolean) TO birth_operator;

-- Name: TABLE birth_act; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_act TO birth_reader;

-- Name: TABLE birth_admission_permit; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_admission_permit TO birth_reader;

-- Name: TABLE birth_admission_permit_v2; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_admission_permit_v2 TO birth_reader;

-- Name: TABLE birth_backfill_ledger; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_backfill_ledger TO birth_reader;

-- Name: TABLE birth_death; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_death TO birth_reader;

-- Name: COLUMN birth_death.entity_code; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT(entity_code) ON TABLE birth.birth_death TO birth_scanner;

-- Name: COLUMN birth_death.collection_name; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT(collection_name) ON TABLE birth.birth_death TO birth_scanner;

-- Name: COLUMN birth_death.returned_at; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT(returned_at) ON TABLE birth.birth_death TO birth_scanner;

-- Name: TABLE birth_gate_scope; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_gate_scope TO birth_reader;

-- Name: TABLE birth_gateway_finding; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_gateway_finding TO birth_reader;

-- Name: TABLE birth_gateway_release_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_gateway_release_registry TO birth_reader;

-- Name: TABLE birth_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_registry TO birth_reader;

-- Name: COLUMN birth_registry.run_id; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT(run_id) ON TABLE birth.birth_registry TO birth_scanner;

-- Name: COLUMN birth_registry.entity_code; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT(entity_code) ON TABLE birth.birth_registry TO birth_scanner;

-- Name: COLUMN birth_registry.collection_name; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT(collection_name) ON TABLE birth.birth_registry TO birth_scanner;

-- Name: TABLE birth_review; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_review TO birth_reader;

-- Name: TABLE birth_stage_anchor; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_stage_anchor TO birth_reader;

-- Name: TABLE birth_transition; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_transition TO birth_reader;

-- Name: TABLE dot_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.dot_registry TO birth_reader;

-- Name: TABLE trigger_guard_alerts; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.trigger_guard_alerts TO birth_reader;

-- Name: TABLE v_birth_coverage_since_anchor; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_coverage_since_anchor TO birth_reader;

-- Name: TABLE v_birth_dot_status; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_dot_status TO birth_reader;

-- Name: TABLE v_birth_gateway_trigger; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_trigger TO birth_reader;

-- Name: TABLE v_birth_gate; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gate TO birth_reader;

-- Name: TABLE v_birth_gateway_fence; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_fence TO birth_reader;

-- Name: TABLE v_birth_gateway_finding; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_finding TO birth_reader;

-- Name: TABLE v_birth_gateway_gap; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_gap TO birth_reader;

-- Name: TABLE v_birth_gateway_release_drift_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_release_drift_guard TO birth_reader;

-- Name: TABLE v_birth_gateway_ssot_drift_detector; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_ssot_drift_detector TO birth_reader;

-- Name: TABLE v_birth_home; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_home TO birth_reader;

-- Name: TABLE v_birth_life_trigger; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_life_trigger TO birth_reader;

-- Name: TABLE v_birth_life; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_life TO birth_reader;

-- Name: TABLE v_birth_policy; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_policy TO birth_reader;

-- Name: TABLE v_birth_run_progress; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_run_progress TO birth_reader;

-- Name: TABLE v_birth_spike; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_spike TO birth_reader;

-- Name: TABLE v_birth_stage0_freeze_no_go_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage0_freeze_no_go_guard TO birth_reader;

-- Name: TABLE v_birth_stage0_no_old_function_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage0_no_old_function_guard TO birth_reader;

-- Name: TABLE v_birth_stage0_still_enforced_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage0_still_enforced_guard TO birth_reader;

-- Name: TABLE v_birth_stage1_no_worse_proof; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage1_no_worse_proof TO birth_reader;

-- Name: TABLE v_birth_stage2_no_worse_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage2_no_worse_guard TO birth_reader;

-- Name: TABLE v_birth_stage3_no_worse_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage3_no_worse_guard TO birth_reader;

-- Name: TABLE v_birth_stage4_no_worse_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage4_no_worse_guard TO birth_reader;

-- Name: TABLE v_birth_attention; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_attention TO birth_reader;

-- Name: TABLE v_birth_contract_recorded; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_contract_recorded TO birth_reader;

-- Name: TABLE v_birth_dependent; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_dependent TO birth_reader;

-- Name: TABLE v_birth_event_trigger; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_event_trigger TO birth_reader;

-- Name: TABLE v_birth_gateway_contract_integrity_dashboard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_gateway_contract_integrity_dashboard TO birth_reader;

-- Name: TABLE v_birth_living; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_living TO birth_reader;

-- Name: TABLE v_birth_metadata_compatibility; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_metadata_compatibility TO birth_reader;

-- Name: TABLE v_birth_metrics; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_metrics TO birth_reader;

-- Name: TABLE v_birth_plan_reconciliation; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_plan_reconciliation TO birth_reader;

-- Name: TABLE v_birth_release_history; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_release_history TO birth_reader;

-- Name: TABLE v_birth_run_source_change; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_run_source_change TO birth_reader;

-- Name: TABLE v_birth_separation_of_duties; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_separation_of_duties TO birth_reader;

-- Name: TABLE v_birth_stage2_qt001_readiness_dashboard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_stage2_qt001_readiness_dashboard TO birth_reader;

-- Name: TABLE v_birth_verdict_standing; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_birth_verdict_standing TO birth_reader;

-- Name: TABLE v_qt001_apply_runtime_no_go_guard; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_qt001_apply_runtime_no_go_guard TO birth_reader;

-- Name: TABLE v_qt001_apply_runtime_status; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.v_qt001_apply_runtime_status TO birth_reader;

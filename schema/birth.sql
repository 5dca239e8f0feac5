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

COMMENT ON FUNCTION birth.fn_birth_act_part(p_act text) IS 'The part an act plays in a run: execution, review, admission, or NULL. Specification: 6.1 R7.';

-- Name: fn_birth_act_record(text, uuid, bigint, text, text, bigint, text, jsonb, uuid); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid DEFAULT NULL::uuid, p_permit_id bigint DEFAULT NULL::bigint, p_collection text DEFAULT NULL::text, p_dot text DEFAULT NULL::text, p_epoch bigint DEFAULT NULL::bigint, p_reason text DEFAULT NULL::text, p_detail jsonb DEFAULT '{}'::jsonb, p_lineage uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_part text := birth.fn_birth_act_part(p_act);
  v_other text;
BEGIN
  SELECT format('%s already acted as %s (%s)', a.actor, birth.fn_birth_act_part(a.act), a.act) INTO v_other
  FROM birth.birth_act a
  WHERE a.lineage = p_lineage AND a.actor = session_user AND birth.fn_birth_act_part(a.act) <> v_part
  LIMIT 1;
  IF v_other IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('separation_of_duties', format('run %s: %s', p_run_id, v_other));
  END IF;
  INSERT INTO birth.birth_act (act, run_id, lineage, permit_id, collection_name, dot_name, epoch, reason, detail)
  VALUES (p_act, p_run_id, p_lineage, p_permit_id, p_collection, p_dot, p_epoch, p_reason, p_detail);
END;
$$;

ALTER FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid) IS 'Records an act of session_user; NB209 when it would give one login two parts in a chain of plans. Specification: 6.1 R7.';

-- Name: fn_birth_actor(text, text[]); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF NOT pg_has_role(session_user, p_role, 'MEMBER') THEN
    PERFORM birth.fn_birth_raise('role_required', format('login %s is not a member of %s', session_user, p_role));
  END IF;
  IF NOT EXISTS (SELECT FROM unnest(p_routines) AS r(routine) WHERE strpos(lower(current_query()), r.routine) > 0) THEN
    PERFORM birth.fn_birth_raise('routine_not_named',
      format('the statement sent by %s does not name %s', session_user, array_to_string(p_routines, ' or ')));
  END IF;
  RETURN session_user;
END;
$$;

ALTER FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_actor(p_role text, VARIADIC p_routines text[]); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) IS 'The acting login, when it is itself a member of the role and the statement sent names one of the routines; else NB110, NB111. Specification: 6.1 R7.';

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
     'a dry run cannot execute',
     'pass p_dry_run := false together with p_execute := true'),
    ('bad_argument', 'NB102', 'failed',
     'an argument is missing or out of range',
     'correct the argument named in the detail and send the statement again'),
    ('unknown_collection', 'NB103', 'failed',
     'the collection is not registered',
     'register it with birth.fn_birth_collection_register, or correct the name'),
    ('policy_not_required', 'NB104', 'failed',
     'the policy of the collection does not ask for births',
     'only BIRTH_REQUIRED collections are registered or backfilled; have a steward decide the policy first'),
    ('identity_not_eligible', 'NB105', 'failed',
     'the identity of the collection is not eligible',
     'classify it with birth.fn_birth_identity_classify; birth.fn_birth_identity_propose suggests how'),
    ('identity_malformed', 'NB106', 'failed',
     'the identity definition is malformed',
     'see birth.fn_birth_identity_classify for strategies and the template grammar'),
    ('code_missing', 'NB107', 'failed',
     'an entity code is null, blank or longer than 512 bytes',
     'give every row a value its code can be made of'),
    ('code_foreign', 'NB108', 'failed',
     'an entity code belongs to another collection',
     'give one of the two collections an identity with a prefix, then plan again'),
    ('code_duplicate', 'NB109', 'failed',
     'two rows of the collection have one entity code',
     'choose an identity that tells the rows apart, then plan again'),
    ('role_required', 'NB110', 'failed',
     'the login is not a member of the role this act needs',
     'ask a DBA to grant the role, or let a member do it'),
    ('routine_not_named', 'NB111', 'failed',
     'the statement sent does not name the routine',
     'send the statement itself, not a function or view that calls it'),
    ('isolation_level', 'NB112', 'failed',
     'executing needs READ COMMITTED',
     'SET default_transaction_isolation = ''read committed'', then send the statement again'),
    ('timeout_would_cut', 'NB113', 'failed',
     'a statement timeout would cut the run',
     'SET statement_timeout = 0, then send the CALL again'),
    ('source_missing', 'NB114', 'failed',
     'the source table does not exist or is not an ordinary or partitioned table',
     'create the table, or correct schema and table with birth.fn_birth_collection_register'),
    ('source_privilege', 'NB115', 'failed',
     'birth_definer lacks a privilege on the source table',
     'let the owner of the table grant it'),
    ('definition_in_use', 'NB116', 'failed',
     'the collection has an open run',
     'finish or compensate the run first'),
    ('permit_unknown', 'NB201', 'failed',
     'there is no such permit',
     'let a permit owner open one with birth.fn_birth_permit_open'),
    ('permit_not_open', 'NB202', 'stopped',
     'the permit is no longer open',
     'a permit is used once; let a permit owner open another'),
    ('permit_expired', 'NB203', 'stopped',
     'the permit has expired',
     'let a permit owner open a further permit for the same run, then send the same CALL with its id'),
    ('permit_scope', 'NB204', 'failed',
     'the permit was opened for something else',
     'use the permit of this collection, run and purpose'),
    ('permit_not_confirmed', 'NB205', 'failed',
     'the permit is not confirmed',
     'let a reviewer confirm it with birth.fn_birth_permit_confirm'),
    ('permit_exhausted', 'NB206', 'stopped',
     'the permit has too few rows left',
     'let a permit owner open a further permit with enough rows'),
    ('permit_terms', 'NB207', 'failed',
     'the terms of the permit are not allowed',
     'name a positive number of rows, a reason, and an expiry at most seven days ahead'),
    ('permit_in_the_way', 'NB208', 'failed',
     'the run has an open permit already',
     'use it, or revoke it first'),
    ('separation_of_duties', 'NB209', 'failed',
     'one person cannot hold two parts in a run',
     'let somebody else do this: planner and executor, reviewer and permit owner are different people'),
    ('verdict_missing', 'NB210', 'failed',
     'there is no current verdict SAFE',
     'let a reviewer record one with birth.fn_birth_review_record'),
    ('verdict_malformed', 'NB211', 'failed',
     'the verdict does not fit the run',
     'correct the argument named in the detail'),
    ('run_unknown', 'NB301', 'failed',
     'there is no such run',
     'plan one with birth.fn_dot_birth_qt001_plan(p_collection := …, p_dry_run := false)'),
    ('run_status', 'NB302', 'failed',
     'the status of the run does not allow this',
     'see birth.v_birth_attention for what the run needs next'),
    ('run_held', 'NB303', 'stopped',
     'the run is held by another session',
     'wait for it, stop it with birth.fn_birth_run_stop, or let a DBA take it over with birth.fn_birth_run_takeover'),
    ('run_taken_over', 'NB304', 'stopped',
     'the run was taken over by another session',
     'do nothing here: the run belongs to the session named in the detail'),
    ('plan_stale', 'NB305', 'failed',
     'the plan is older than the data',
     'plan again with birth.fn_dot_birth_qt001_plan'),
    ('delta_mismatch', 'NB306', 'failed',
     'the expected delta is not what the run would write',
     'pass the numbers of the plan: p_expected_delta is the lesser of its expected_delta and p_max_rows'),
    ('bound_exceeded', 'NB307', 'failed',
     'the bound of the run is higher than the permit allows',
     'lower p_max_rows, or let a permit owner open a permit with more rows'),
    ('parity_broken', 'NB308', 'failed',
     'the births of the collection do not add up',
     'see birth.fn_birth_census; orphans need a verdict that accepts exactly their number'),
    ('false_done', 'NB309', 'failed',
     'the run is not what it says it wrote',
     'do not repair by hand: have the run reviewed, then compensate or resume it'),
    ('source_changed', 'NB310', 'stopped',
     'planned rows were deleted, re-keyed or born otherwise',
     'see birth.v_birth_run_source_change, then plan again: what was written stays'),
    ('stop_requested', 'NB311', 'stopped',
     'the run was asked to stop',
     'send the same CALL again to go on'),
    ('driver_required', 'NB312', 'failed',
     'this run needs the procedure',
     'CALL birth.sp_dot_birth_qt001_apply with the same arguments'),
    ('births_touched', 'NB313', 'failed',
     'births of the run were touched since',
     'see the detail; what is referenced or changed cannot be compensated'),
    ('nothing_to_do', 'NB314', 'failed',
     'there is nothing to register',
     'every row that can have a birth has one'),
    ('alerts_grew', 'NB315', 'failed',
     'trigger guard alerts grew during the run',
     'see birth.trigger_guard_alerts, then have the run reviewed'),
    ('gateway_missing', 'NB316', 'failed',
     'the collection is enforced but has no enabled gateway',
     'attach it with birth.fn_birth_gateway_attach, then plan again: rows inserted meanwhile would have no birth'),
    ('rehearsal_over', 'NB317', 'failed',
     'the rehearsal is over and is rolled back',
     'this signal never leaves birth.fn_dot_birth_qt001_rehearse'),
    ('dot_frozen', 'NB401', 'stopped',
     'the operation is frozen',
     'see birth.v_birth_attention; only a DBA unfreezes'),
    ('dot_unknown', 'NB402', 'failed',
     'there is no such operation',
     'see birth.dot_registry'),
    ('dot_dangerous', 'NB403', 'failed',
     'a dangerous operation stays frozen',
     'use dot-birth-backfill-plan and dot-birth-backfill-apply, or birth.fn_birth_gateway_attach'),
    ('contract_drift', 'NB404', 'failed',
     'the database differs from its release',
     'see birth.v_birth_gateway_release_drift_guard for the object and the statement that repairs it'),
    ('stage0_not_enforced', 'NB405', 'failed',
     'a stage 0 guard does not pass',
     'see birth.v_birth_stage0_still_enforced_guard'),
    ('release_in_progress', 'NB406', 'stopped',
     'a release holds the schema',
     'wait until alembic has finished'),
    ('release_blocked', 'NB407', 'failed',
     'a run is live',
     'stop it with birth.fn_birth_run_stop and wait for its batch, then release'),
    ('not_birth_neutral', 'NB408', 'failed',
     'the release touched births',
     'nothing was released; report the revision'),
    ('evidence_kept', 'NB409', 'failed',
     'the downgrade would destroy evidence',
     'export it with: birthdb evidence; acknowledge the digests with birth.fn_birth_evidence_acknowledge as a DBA; downgrade again'),
    ('release_privilege', 'NB410', 'failed',
     'the login cannot release',
     'let a role that may, grant what the detail names'),
    ('gateway_no_identity', 'NB501', 'failed',
     'a row has no entity code',
     'give the row a value its code can be made of; a steward can switch the gateway to observe'),
    ('gateway_foreign', 'NB502', 'failed',
     'the entity code of a row belongs to another collection',
     'give the row another code; a steward can switch the gateway to observe'),
    ('gateway_unregistered', 'NB503', 'failed',
     'the trigger names a collection that is not registered',
     'register the collection with birth.fn_birth_collection_register, or let the owner drop the trigger'),
    ('gateway_attached', 'NB504', 'failed',
     'the table has its gateway already',
     'switch its mode with birth.fn_birth_gateway_mode'),
    ('gateway_absent', 'NB505', 'failed',
     'the collection has no gateway',
     'attach it with birth.fn_birth_gateway_attach'),
    ('source_claimed', 'NB506', 'failed',
     'the table belongs to another collection',
     'one collection covers a table and all its partitions')
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
  IF p_table IS NULL OR NOT EXISTS (
    SELECT FROM pg_class c
    WHERE c.relnamespace = 'birth'::regnamespace AND c.relname = p_table AND c.relkind IN ('r', 'p'))
  THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_table is %s: no table of schema birth', coalesce(p_table, 'NULL')));
  END IF;
  -- Two sums over hashes with different seeds: equal for the same rows in any order, and they do not cancel out.
  RETURN QUERY EXECUTE format($digest$
    SELECT %L::text, count(*), format('%%s:%%s:%%s', count(*),
      coalesce(sum(hashtextextended((t.*)::text, 1)), 0), coalesce(sum(hashtextextended((t.*)::text, 2)), 0))
    FROM birth.%I t $digest$, p_table, p_table);
END;
$_$;

ALTER FUNCTION birth.fn_birth_evidence(p_table text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_evidence(p_table text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_evidence(p_table text) IS 'Rows of a table of schema birth and their order-independent digest, count:sum:sum; NB102 for another table. Specification: 3.';

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
      format('p_digest is %s; birth.%s holds %s rows, digest %s', coalesce(p_digest, 'NULL'), p_table, r_evidence.rows, r_evidence.digest),
      'export the table as it is now, and acknowledge the digest of that');
  END IF;
  PERFORM birth.fn_birth_act_record(
    p_act := 'evidence_acknowledged', p_reason := p_table,
    p_detail := jsonb_build_object('rows', r_evidence.rows, 'digest', r_evidence.digest));
  RETURN r_evidence.rows;
END;
$$;

ALTER FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_evidence_acknowledge(p_table text, p_digest text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) IS 'Lets a downgrade drop the rows a table holds now, named by their digest; returns how many. NB110 for others than a DBA, NB102 for a digest that is not the current one. Specification: 3.';

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

-- Name: fn_birth_raise(text, text, text); Type: FUNCTION; Schema: birth; Owner: birth_definer

CREATE FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_error jsonb := birth.fn_birth_error(p_error, p_detail, p_hint);
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = v_error ->> 'code',
    MESSAGE = v_error ->> 'message',
    DETAIL = coalesce(v_error ->> 'detail', ''),
    HINT = v_error ->> 'hint';
END;
$$;

ALTER FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) OWNER TO birth_definer;

-- Name: FUNCTION fn_birth_raise(p_error text, p_detail text, p_hint text); Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) IS 'Raises the named refusal of the catalogue with its SQLSTATE, message, the given detail and hint. Specification: 8.';

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
    CONSTRAINT birth_act_known CHECK ((act = ANY (ARRAY['register'::text, 'classify'::text, 'attach'::text, 'detach'::text, 'mode'::text, 'freeze'::text, 'unfreeze'::text, 'plan'::text, 'review'::text, 'permit_open'::text, 'permit_confirm'::text, 'permit_revoke'::text, 'attempt'::text, 'outcome'::text, 'stop'::text, 'tune'::text, 'takeover'::text, 'evidence_acknowledged'::text]))),
    CONSTRAINT birth_act_reason CHECK (((act <> ALL (ARRAY['freeze'::text, 'unfreeze'::text, 'stop'::text, 'mode'::text, 'detach'::text, 'permit_open'::text, 'permit_revoke'::text, 'takeover'::text])) OR ((reason IS NOT NULL) AND (btrim(reason) <> ''::text)))),
    CONSTRAINT birth_act_run CHECK (((run_id IS NULL) = (lineage IS NULL)))
);

ALTER TABLE birth.birth_act OWNER TO birth_definer;

-- Name: TABLE birth_act; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_act IS 'Who did what, when and why: append-only. Freeze, stop, tune, revoke and takeover take effect by being here. Specification: 6, 6.1.';

-- Name: COLUMN birth_act.act_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.act_id IS 'Identity; gives no order.';

-- Name: COLUMN birth_act.act; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.act IS 'What was done.';

-- Name: COLUMN birth_act.actor; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.actor IS 'The login (session_user) that did it.';

-- Name: COLUMN birth_act.acted_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.acted_at IS 'When, by the real clock.';

-- Name: COLUMN birth_act.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.run_id IS 'The run concerned.';

-- Name: COLUMN birth_act.lineage; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.lineage IS 'The first run of the chain of plans that run_id belongs to.';

-- Name: COLUMN birth_act.permit_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.permit_id IS 'The permit concerned.';

-- Name: COLUMN birth_act.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.collection_name IS 'The collection concerned.';

-- Name: COLUMN birth_act.dot_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.dot_name IS 'The DOT concerned.';

-- Name: COLUMN birth_act.epoch; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.epoch IS 'The run''s epoch: which attempt this belongs to.';

-- Name: COLUMN birth_act.reason; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.reason IS 'Why, in the actor''s words.';

-- Name: COLUMN birth_act.detail; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_act.detail IS 'Facts that belong to the act.';

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
    CONSTRAINT birth_admission_permit_v2_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text]))),
    CONSTRAINT birth_admission_permit_v2_reason CHECK ((btrim(reason) <> ''::text)),
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

COMMENT ON COLUMN birth.birth_admission_permit_v2.purpose IS 'APPLY or COMPENSATE.';

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

-- Name: birth_backfill_ledger_v2; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_backfill_ledger_v2 (
    run_id uuid NOT NULL,
    lineage uuid NOT NULL,
    predecessor uuid,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    status text DEFAULT 'planned'::text NOT NULL,
    stop_reason text,
    dry_run boolean DEFAULT true NOT NULL,
    source_rows bigint NOT NULL,
    existing_births bigint NOT NULL,
    orphans bigint NOT NULL,
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
    CONSTRAINT bbl2_counts CHECK (((LEAST(source_rows, existing_births, orphans, unresolvable, duplicates, collisions, planned_rows, expected_delta, accepted_orphans, epoch, batches, visited, actual_inserted, skipped, blocked, compensated_rows) >= 0) AND (actual_inserted <= expected_delta) AND (expected_delta <= planned_rows) AND (compensated_rows <= actual_inserted))),
    CONSTRAINT bbl2_executed CHECK ((dry_run = (status = 'planned'::text))),
    CONSTRAINT bbl2_fingerprints CHECK (((cardinality(planned_fingerprint) = 3) AND (array_position(planned_fingerprint, NULL::numeric) IS NULL) AND (cardinality(target_fingerprint) = 3) AND (array_position(target_fingerprint, NULL::numeric) IS NULL) AND (cardinality(written_fingerprint) = 3) AND (array_position(written_fingerprint, NULL::numeric) IS NULL))),
    CONSTRAINT bbl2_no_false_compensation CHECK ((((status <> 'compensated'::text) OR ((compensated_rows = actual_inserted) AND (actual_inserted > 0) AND (compensating_since IS NOT NULL))) IS TRUE)),
    CONSTRAINT bbl2_no_false_done CHECK ((((status <> 'done'::text) OR ((expected_delta > 0) AND (actual_inserted = expected_delta) AND (target_fingerprint[1] = (expected_delta)::numeric) AND (written_fingerprint = target_fingerprint) AND (permit_id IS NOT NULL) AND (executed_by IS NOT NULL) AND (finished_at IS NOT NULL))) IS TRUE)),
    CONSTRAINT bbl2_one_way CHECK (((compensating_since IS NULL) OR (status = ANY (ARRAY['running'::text, 'stopped'::text, 'failed'::text, 'compensated'::text])))),
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

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.orphans IS 'O: births of the collection without a source row.';

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

-- Name: COLUMN birth_backfill_ledger_v2.max_rows; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.max_rows IS 'The bound of the run; NULL until it begins.';

-- Name: COLUMN birth_backfill_ledger_v2.expected_delta; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.expected_delta IS 'Size of the target set: planned_rows, or max_rows where that is less.';

-- Name: COLUMN birth_backfill_ledger_v2.target_upper; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.target_upper IS 'Key of the last row of the target set.';

-- Name: COLUMN birth_backfill_ledger_v2.target_fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.target_fingerprint IS 'Fingerprint of the target set.';

-- Name: COLUMN birth_backfill_ledger_v2.accepted_orphans; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_backfill_ledger_v2.accepted_orphans IS 'Orphans that the verdict accepted.';

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

-- Name: birth_gateway_finding; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_gateway_finding (
    finding_id bigint NOT NULL,
    found_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    inserted_by text DEFAULT SESSION_USER NOT NULL,
    collection_name text NOT NULL COLLATE pg_catalog."C",
    error text NOT NULL,
    row_count bigint NOT NULL,
    examples text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT birth_gateway_finding_rows CHECK ((row_count > 0))
);

ALTER TABLE birth.birth_gateway_finding OWNER TO birth_definer;

-- Name: TABLE birth_gateway_finding; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_gateway_finding IS 'Rows the gateway let pass without a birth (mode observe, or deferred): one row a statement and reason. Specification: 5.';

-- Name: COLUMN birth_gateway_finding.finding_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.finding_id IS 'Identity; gives no order.';

-- Name: COLUMN birth_gateway_finding.found_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.found_at IS 'When.';

-- Name: COLUMN birth_gateway_finding.inserted_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.inserted_by IS 'Login that inserted the rows.';

-- Name: COLUMN birth_gateway_finding.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.collection_name IS 'The collection.';

-- Name: COLUMN birth_gateway_finding.error; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.error IS 'The refusal that enforce would have raised, by its name in the catalogue.';

-- Name: COLUMN birth_gateway_finding.row_count; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.row_count IS 'How many rows of the statement.';

-- Name: COLUMN birth_gateway_finding.examples; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_finding.examples IS 'Up to ten of the codes concerned.';

-- Name: birth_gateway_finding_finding_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.birth_gateway_finding ALTER COLUMN finding_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.birth_gateway_finding_finding_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: birth_gateway_release_registry; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_gateway_release_registry (
    generation bigint NOT NULL,
    release text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    object text NOT NULL COLLATE pg_catalog."C",
    parts jsonb,
    exact_sha256 text COLLATE pg_catalog."C",
    semantic_sha256 text COLLATE pg_catalog."C",
    normalized_md5 text COLLATE pg_catalog."C",
    algorithm text NOT NULL,
    server_major integer NOT NULL,
    released_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    released_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT birth_gateway_release_registry_whole CHECK (((parts IS NULL) = (exact_sha256 IS NULL)))
);

ALTER TABLE birth.birth_gateway_release_registry OWNER TO birth_definer;

-- Name: TABLE birth_gateway_release_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_gateway_release_registry IS 'Every object as each release fixed it: readable parts, exact and semantic SHA-256. Append-only. Specification: 7.';

-- Name: COLUMN birth_gateway_release_registry.generation; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.generation IS 'Number of the recording; the highest of an object counts.';

-- Name: COLUMN birth_gateway_release_registry.release; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.release IS 'The stage, as Alembic names the revision.';

-- Name: COLUMN birth_gateway_release_registry.kind; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.kind IS 'gateway (the five functions of the documents), function, procedure, view, table, constraint, index, trigger, schema, claim.';

-- Name: COLUMN birth_gateway_release_registry.object; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.object IS 'Name of the object within schema birth.';

-- Name: COLUMN birth_gateway_release_registry.parts; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.parts IS 'What is fixed, part by part: body, signature, configuration, owner, privileges, state.';

-- Name: COLUMN birth_gateway_release_registry.exact_sha256; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.exact_sha256 IS 'SHA-256 of the parts, computed in this database; NULL when the release removed the object.';

-- Name: COLUMN birth_gateway_release_registry.semantic_sha256; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.semantic_sha256 IS 'SHA-256 that formatting and comments do not change, from the release''s manifest.';

-- Name: COLUMN birth_gateway_release_registry.normalized_md5; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.normalized_md5 IS 'The documents'' normalised md5; shown, never decided by.';

-- Name: COLUMN birth_gateway_release_registry.algorithm; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.algorithm IS 'Version of the hash algorithms.';

-- Name: COLUMN birth_gateway_release_registry.server_major; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.server_major IS 'Major version of the server that deparsed the object.';

-- Name: COLUMN birth_gateway_release_registry.released_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.released_at IS 'When.';

-- Name: COLUMN birth_gateway_release_registry.released_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_gateway_release_registry.released_by IS 'Login that released; it may not review what it released.';

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
    sha256 text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT birth_receipt_counts CHECK ((((LEAST(batch_no, visited, written, skipped) >= 0) AND (cardinality(fingerprint) = 3) AND (array_position(fingerprint, NULL::numeric) IS NULL) AND (fingerprint[1] = (written)::numeric)) IS TRUE)),
    CONSTRAINT birth_receipt_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text])))
);

ALTER TABLE birth.birth_receipt OWNER TO birth_definer;

-- Name: TABLE birth_receipt; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_receipt IS 'One row a committed batch: range, counts, fingerprint, chained by SHA-256. Receipts, births and ledger always agree. Specification: 6.';

-- Name: COLUMN birth_receipt.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.run_id IS 'The run.';

-- Name: COLUMN birth_receipt.batch_no; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.batch_no IS 'Number of the batch in the run, from 1.';

-- Name: COLUMN birth_receipt.purpose; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.purpose IS 'APPLY: written births. COMPENSATE: removed births.';

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

-- Name: COLUMN birth_receipt.sha256; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_receipt.sha256 IS 'SHA-256 of this receipt and the one before it.';

-- Name: birth_registry; Type: TABLE; Schema: birth; Owner: birth_definer

CREATE TABLE birth.birth_registry (
    born_at timestamp with time zone DEFAULT now() NOT NULL,
    run_id uuid,
    entity_code text NOT NULL COLLATE pg_catalog."C",
    collection_name text NOT NULL COLLATE pg_catalog."C",
    dot_origin text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT birth_registry_code CHECK (((octet_length(entity_code) <= 512) AND (btrim(entity_code, ' 	

v'::text) <> ''::text)))
);

ALTER TABLE birth.birth_registry OWNER TO birth_definer;

-- Name: TABLE birth_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_registry IS 'Every birth: one row under one globally unique entity code. Written only by birth_definer''s routines. Specification: 1, 4.';

-- Name: COLUMN birth_registry.born_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.born_at IS 'Start of the transaction that recorded the birth.';

-- Name: COLUMN birth_registry.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.run_id IS 'The backfill run that wrote the birth; NULL for a live birth.';

-- Name: COLUMN birth_registry.entity_code; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.entity_code IS 'The globally unique name of the entity; at most 512 bytes, not blank.';

-- Name: COLUMN birth_registry.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.collection_name IS 'The collection that owns the code.';

-- Name: COLUMN birth_registry.dot_origin; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_registry.dot_origin IS 'The operation that recorded the birth: QT-002 for the gateway, the DOT of a backfill.';

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
    CONSTRAINT birth_review_findings CHECK ((btrim(findings) <> ''::text)),
    CONSTRAINT birth_review_orphans CHECK ((accept_orphans >= 0)),
    CONSTRAINT birth_review_purpose CHECK ((purpose = ANY (ARRAY['APPLY'::text, 'COMPENSATE'::text]))),
    CONSTRAINT birth_review_verdict CHECK ((verdict = ANY (ARRAY['SAFE'::text, 'NOT_SAFE_NEEDS_FIX'::text])))
);

ALTER TABLE birth.birth_review OWNER TO birth_definer;

-- Name: TABLE birth_review; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.birth_review IS 'Verdicts, bound to run, planned set, contract and identity; the latest of a run and purpose counts. Specification: 6, R5.';

-- Name: COLUMN birth_review.review_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.review_id IS 'Identity; gives no order.';

-- Name: COLUMN birth_review.run_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.run_id IS 'The run reviewed.';

-- Name: COLUMN birth_review.purpose; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.purpose IS 'APPLY or COMPENSATE.';

-- Name: COLUMN birth_review.verdict; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.verdict IS 'SAFE or NOT_SAFE_NEEDS_FIX.';

-- Name: COLUMN birth_review.findings; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.findings IS 'What was found, in the reviewer''s words.';

-- Name: COLUMN birth_review.accept_orphans; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.accept_orphans IS 'Exact number of orphans accepted.';

-- Name: COLUMN birth_review.reviewed_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.reviewed_at IS 'When.';

-- Name: COLUMN birth_review.reviewed_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.reviewed_by IS 'By which reviewer.';

-- Name: COLUMN birth_review.planned_fingerprint; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.planned_fingerprint IS 'The planned set it is bound to.';

-- Name: COLUMN birth_review.contract_hash; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.contract_hash IS 'The contract it is bound to.';

-- Name: COLUMN birth_review.identity_hash; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_review.identity_hash IS 'The policy, identity and table it is bound to.';

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

COMMENT ON COLUMN birth.birth_stage_anchor.value IS 'What was measured then, as text.';

-- Name: COLUMN birth_stage_anchor.recorded_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.birth_stage_anchor.recorded_at IS 'When.';

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
    birth_code_columns text[] DEFAULT '{}'::text[] NOT NULL,
    gateway_mode text DEFAULT 'observe'::text NOT NULL,
    registered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    registered_by text DEFAULT SESSION_USER NOT NULL,
    classified_at timestamp with time zone,
    classified_by text,
    CONSTRAINT collection_registry_coverage CHECK (((coverage_status = ANY (ARRAY['BIRTH_REQUIRED'::text, 'BIRTH_DEFERRED_NEEDS_REVIEW'::text])) OR (coverage_status ~ '^BIRTH_EXEMPT_[A-Z0-9_]+$'::text))),
    CONSTRAINT collection_registry_identity CHECK (
CASE birth_code_strategy
    WHEN 'column'::text THEN ((birth_code_column IS NOT NULL) AND (birth_code_prefix IS NULL) AND (birth_code_template IS NULL))
    WHEN 'synthetic_id'::text THEN ((birth_code_column IS NOT NULL) AND (btrim(birth_code_prefix) <> ''::text) AND (birth_code_prefix IS NOT NULL) AND (birth_code_template IS NULL))
    WHEN 'legacy'::text THEN ((birth_code_template IS NOT NULL) AND (birth_code_column IS NULL) AND (birth_code_prefix IS NULL))
    ELSE ((birth_code_strategy IS NULL) AND (birth_code_column IS NULL) AND (birth_code_prefix IS NULL) AND (birth_code_template IS NULL) AND (birth_code_sql IS NULL))
END),
    CONSTRAINT collection_registry_mode CHECK ((gateway_mode = ANY (ARRAY['observe'::text, 'enforce'::text]))),
    CONSTRAINT collection_registry_name CHECK (((btrim(collection_name) <> ''::text) AND (octet_length(collection_name) <= 63)))
);

ALTER TABLE birth.collection_registry OWNER TO birth_definer;

-- Name: TABLE collection_registry; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON TABLE birth.collection_registry IS 'Governed and known source tables: location, policy, identity and gateway mode of each collection. Specification: 4.';

-- Name: COLUMN collection_registry.collection_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.collection_name IS 'The name of the collection; written into each of its births.';

-- Name: COLUMN collection_registry.schema_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.schema_name IS 'Schema of the source table.';

-- Name: COLUMN collection_registry.table_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.table_name IS 'Name of the source table.';

-- Name: COLUMN collection_registry.coverage_status; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.coverage_status IS 'Policy: BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW or BIRTH_EXEMPT_<reason>.';

-- Name: COLUMN collection_registry.governed; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.governed IS 'Whether the collection is under governance.';

-- Name: COLUMN collection_registry.birth_code_strategy; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_strategy IS 'Identity: column, synthetic_id or legacy; NULL while unclassified.';

-- Name: COLUMN collection_registry.birth_code_column; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_column IS 'Strategies column and synthetic_id: the column the code is made of.';

-- Name: COLUMN collection_registry.birth_code_prefix; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_prefix IS 'Strategy synthetic_id: what stands before the key.';

-- Name: COLUMN collection_registry.birth_code_template; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_template IS 'Strategy legacy: a template such as APR-{id:06}.';

-- Name: COLUMN collection_registry.birth_code_sql; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_sql IS 'The code as SQL over a row called t, as fn_birth_identity_definition derived it at classification; the gateway evaluates it.';

-- Name: COLUMN collection_registry.birth_code_columns; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.birth_code_columns IS 'The columns birth_code_sql reads.';

-- Name: COLUMN collection_registry.gateway_mode; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.gateway_mode IS 'observe: never refuse an insert, record what would have been refused. enforce: refuse.';

-- Name: COLUMN collection_registry.registered_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.registered_at IS 'When the collection was entered.';

-- Name: COLUMN collection_registry.registered_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.registered_by IS 'Login that entered the collection.';

-- Name: COLUMN collection_registry.classified_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.classified_at IS 'When the identity was last decided.';

-- Name: COLUMN collection_registry.classified_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.collection_registry.classified_by IS 'Login that last decided the identity.';

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

COMMENT ON TABLE birth.dot_registry IS 'Named, governed database operations. Frozen ones are listed by fn_birth_dot_frozen. Specification: 1, 2.';

-- Name: COLUMN dot_registry.dot_name; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.dot_name IS 'Name of the operation.';

-- Name: COLUMN dot_registry.dot_code; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.dot_code IS 'Number of the operation where the documents give one.';

-- Name: COLUMN dot_registry.dangerous; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.dangerous IS 'Whether the operation can destroy what birthdb promises; such a one stays frozen from stage 0 on.';

-- Name: COLUMN dot_registry.routine; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.dot_registry.routine IS 'The routine of schema birth that carries the operation out.';

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

COMMENT ON TABLE birth.trigger_guard_alerts IS 'Recorded attempts against a tracked trigger or routine; counted at the start and the end of every run. Specification: 6.';

-- Name: COLUMN trigger_guard_alerts.alert_id; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.alert_id IS 'Identity; gives no order.';

-- Name: COLUMN trigger_guard_alerts.raised_at; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.raised_at IS 'When it happened.';

-- Name: COLUMN trigger_guard_alerts.raised_by; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.raised_by IS 'Login that did it.';

-- Name: COLUMN trigger_guard_alerts.command; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.command IS 'The command, such as ALTER TABLE.';

-- Name: COLUMN trigger_guard_alerts.object; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.object IS 'The object concerned.';

-- Name: COLUMN trigger_guard_alerts.detail; Type: COMMENT; Schema: birth; Owner: birth_definer

COMMENT ON COLUMN birth.trigger_guard_alerts.detail IS 'What else is known.';

-- Name: trigger_guard_alerts_alert_id_seq; Type: SEQUENCE; Schema: birth; Owner: birth_definer

ALTER TABLE birth.trigger_guard_alerts ALTER COLUMN alert_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME birth.trigger_guard_alerts_alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: birth_act birth_act_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_act
    ADD CONSTRAINT birth_act_pkey PRIMARY KEY (act_id);

-- Name: birth_admission_permit birth_admission_permit_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_admission_permit
    ADD CONSTRAINT birth_admission_permit_pkey PRIMARY KEY (permit_id);

-- Name: birth_admission_permit_v2 birth_admission_permit_v2_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_admission_permit_v2
    ADD CONSTRAINT birth_admission_permit_v2_pkey PRIMARY KEY (permit_id);

-- Name: birth_backfill_ledger birth_backfill_ledger_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_backfill_ledger
    ADD CONSTRAINT birth_backfill_ledger_pkey PRIMARY KEY (run_id);

-- Name: birth_backfill_ledger_v2 birth_backfill_ledger_v2_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_backfill_ledger_v2
    ADD CONSTRAINT birth_backfill_ledger_v2_pkey PRIMARY KEY (run_id);

-- Name: birth_gateway_finding birth_gateway_finding_pkey; Type: CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_gateway_finding
    ADD CONSTRAINT birth_gateway_finding_pkey PRIMARY KEY (finding_id);

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

-- Name: birth_act_dot; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_dot ON birth.birth_act USING btree (dot_name) WHERE (dot_name IS NOT NULL);

-- Name: birth_act_lineage; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_act_lineage ON birth.birth_act USING btree (lineage) WHERE (lineage IS NOT NULL);

-- Name: birth_admission_permit_v2_open; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE UNIQUE INDEX birth_admission_permit_v2_open ON birth.birth_admission_permit_v2 USING btree (run_id, purpose) WHERE (status = 'OPEN'::text);

-- Name: birth_registry_born; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_registry_born ON birth.birth_registry USING brin (born_at) WITH (pages_per_range='32', autosummarize='on');

-- Name: birth_registry_run; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_registry_run ON birth.birth_registry USING btree (run_id) WHERE (run_id IS NOT NULL);

-- Name: birth_review_run; Type: INDEX; Schema: birth; Owner: birth_definer

CREATE INDEX birth_review_run ON birth.birth_review USING btree (run_id, purpose, reviewed_at);

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

-- Name: birth_gateway_finding birth_gateway_finding_collection_name_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_gateway_finding
    ADD CONSTRAINT birth_gateway_finding_collection_name_fkey FOREIGN KEY (collection_name) REFERENCES birth.collection_registry(collection_name);

-- Name: birth_receipt birth_receipt_run_id_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_receipt
    ADD CONSTRAINT birth_receipt_run_id_fkey FOREIGN KEY (run_id) REFERENCES birth.birth_backfill_ledger_v2(run_id);

-- Name: birth_review birth_review_run_id_fkey; Type: FK CONSTRAINT; Schema: birth; Owner: birth_definer

ALTER TABLE ONLY birth.birth_review
    ADD CONSTRAINT birth_review_run_id_fkey FOREIGN KEY (run_id) REFERENCES birth.birth_backfill_ledger_v2(run_id);

-- Name: SCHEMA birth; Type: ACL; Schema: -; Owner: birth_definer

GRANT USAGE ON SCHEMA birth TO birth_reader;
GRANT USAGE ON SCHEMA birth TO birth_steward;
GRANT USAGE ON SCHEMA birth TO birth_operator;
GRANT USAGE ON SCHEMA birth TO birth_reviewer;
GRANT USAGE ON SCHEMA birth TO birth_permit_owner;
GRANT USAGE ON SCHEMA birth TO birth_dba;

-- Name: FUNCTION fn_birth_act_part(p_act text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_act_part(p_act text) FROM PUBLIC;

-- Name: FUNCTION fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_act_record(p_act text, p_run_id uuid, p_permit_id bigint, p_collection text, p_dot text, p_epoch bigint, p_reason text, p_detail jsonb, p_lineage uuid) FROM PUBLIC;

-- Name: FUNCTION fn_birth_actor(p_role text, VARIADIC p_routines text[]); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_actor(p_role text, VARIADIC p_routines text[]) FROM PUBLIC;

-- Name: FUNCTION fn_birth_error(p_error text, p_detail text, p_hint text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_error(p_error text, p_detail text, p_hint text) TO birth_reader;

-- Name: FUNCTION fn_birth_evidence(p_table text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_evidence(p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_evidence(p_table text) TO birth_reader;

-- Name: FUNCTION fn_birth_evidence_acknowledge(p_table text, p_digest text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_evidence_acknowledge(p_table text, p_digest text) TO birth_dba;

-- Name: FUNCTION fn_birth_lock_key(p_name text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_lock_key(p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_lock_key(p_name text) TO birth_reader;

-- Name: FUNCTION fn_birth_raise(p_error text, p_detail text, p_hint text); Type: ACL; Schema: birth; Owner: birth_definer

REVOKE ALL ON FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) FROM PUBLIC;
GRANT ALL ON FUNCTION birth.fn_birth_raise(p_error text, p_detail text, p_hint text) TO birth_reader;

-- Name: TABLE birth_act; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_act TO birth_reader;

-- Name: TABLE birth_admission_permit; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_admission_permit TO birth_reader;

-- Name: TABLE birth_admission_permit_v2; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_admission_permit_v2 TO birth_reader;

-- Name: TABLE birth_backfill_ledger; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_backfill_ledger TO birth_reader;

-- Name: TABLE birth_backfill_ledger_v2; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_backfill_ledger_v2 TO birth_reader;

-- Name: TABLE birth_gateway_finding; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_gateway_finding TO birth_reader;

-- Name: TABLE birth_gateway_release_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_gateway_release_registry TO birth_reader;

-- Name: TABLE birth_receipt; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_receipt TO birth_reader;

-- Name: TABLE birth_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_registry TO birth_reader;

-- Name: TABLE birth_review; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_review TO birth_reader;

-- Name: TABLE birth_stage_anchor; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.birth_stage_anchor TO birth_reader;

-- Name: TABLE collection_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.collection_registry TO birth_reader;

-- Name: TABLE dot_registry; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.dot_registry TO birth_reader;

-- Name: TABLE trigger_guard_alerts; Type: ACL; Schema: birth; Owner: birth_definer

GRANT SELECT ON TABLE birth.trigger_guard_alerts TO birth_reader;

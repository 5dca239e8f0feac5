-- The list of checks. Its order is the order of refusals, as the specification gives it (6). A row says in which scopes
-- it is asked, what passes, what was found, what is expected, and which error of the catalogue it is. Nothing else
-- decides about a run.
--   plan     before a plan is written             claim  before a run is measured: status, holder, freeze, home, people
--   permit   before a permit is opened            start  when a run begins or goes on, in full
--   confirm  before a permit is confirmed         batch  before each batch: costs the same however large the tables are
--   spend    at the end of a batch                end    when nothing is left to visit
-- A dry run reads all of a scope, everyone else raises the first that does not pass. The facts are gathered first, for
-- this scope only. p_run is the run as the ledger has it, under its lock; p_now the run as the CALL wants it, with the
-- counts of now (fn_birth_run_set).
-- SECURITY DEFINER: readers may ask, and the guard views do, what stands in the way; it changes nothing.
-- Returns: the checks of a scope, in order; blocker is the error as jsonb where one does not pass.
-- Calls: fn_birth_purpose, fn_birth_distributed, fn_birth_run_holder, fn_birth_people_check, fn_birth_policy_decision,
--        fn_birth_identity_definition, fn_birth_source_grants, fn_birth_run_failures, fn_birth_contract_hash,
--        fn_birth_identity_hash, fn_birth_clock, fn_birth_run_proof, fn_birth_is_member, fn_birth_alerts,
--        fn_birth_raise, fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_checks(
    p_scope text, p_run birth.birth_backfill_ledger_v2, p_purpose text, p_now birth.birth_backfill_ledger_v2,
    p_rows bigint DEFAULT 0, p_foreign text[] DEFAULT NULL)
  RETURNS TABLE (number bigint, check_name text, found text, expected text, pass boolean, blocker jsonb)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_checks$
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
$fn_birth_checks$;

COMMENT ON FUNCTION birth.fn_birth_checks(
  text, birth.birth_backfill_ledger_v2, text, birth.birth_backfill_ledger_v2, bigint, text[]) IS
  'The checks of a scope in the order of refusals: check, found, expected, pass, and the error as jsonb. '
  'Specification: 6.';

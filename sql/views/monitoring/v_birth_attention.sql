-- What needs action by a person: what, since when, and the statement to send next. The most severe first.
-- One CTE per kind of item; rank 1 is critical, 2 a warning, 3 a notice.
CREATE OR REPLACE VIEW birth.v_birth_attention AS
WITH known AS (
  SELECT c.collection_name, c.schema_name, c.table_name, c.coverage_status, c.governed, c.gateway_mode,
         c.life_mode, c.registered_at,
         t.oid AS relation, t.relkind, t.relispartition,
         (SELECT count(*) FROM birth.v_birth_gateway_trigger g
          WHERE g.relation = t.oid AND g.collection_name = c.collection_name AND g.enabled) AS gateways,
         (SELECT min(g.repair) FROM birth.v_birth_gateway_trigger g
          WHERE g.relation = t.oid AND g.collection_name = c.collection_name) AS repair
  FROM birth.collection_registry c
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = c.schema_name
  LEFT JOIN pg_catalog.pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
), run AS (
  SELECT CASE WHEN r.status = 'failed' OR r.interrupted THEN 1 WHEN r.status = 'stopped' THEN 2 ELSE 3 END AS rank,
         CASE WHEN r.interrupted
                THEN format('run %s of %s is interrupted: its session ended', r.run_id, r.collection_name)
              WHEN r.status = 'planned' THEN format('plan %s of %s is not executed', r.run_id, r.collection_name)
              ELSE format('run %s of %s is %s: %s', r.run_id, r.collection_name, r.status, r.stop_reason) END AS what,
         coalesce(r.last_batch_at, r.running_since, l.planned_at) AS since,
         r.next_step
  FROM birth.v_birth_run_progress r
  JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = r.run_id
  WHERE (r.status IN ('planned', 'stopped', 'failed') OR r.interrupted)
    -- Nothing to do for a run that a later plan replaced.
    AND NOT EXISTS (
      SELECT FROM birth.birth_backfill_ledger_v2 f
      WHERE f.predecessor = r.run_id
         OR f.collection_name = r.collection_name AND f.purpose = l.purpose
            AND (f.status = 'done' AND f.finished_at > l.planned_at
                 OR r.status = 'planned' AND f.planned_at > l.planned_at))
), permit AS (
  SELECT CASE WHEN p.expires_at <= k.now THEN 2 ELSE 3 END AS rank,
         format('permit %s of %s %s', p.permit_id, p.collection_name,
           CASE WHEN p.expires_at <= k.now THEN 'has expired'
                WHEN p.confirmed_by IS NULL THEN 'is not confirmed'
                ELSE 'expires within an hour' END) AS what,
         CASE WHEN p.expires_at <= k.now THEN p.expires_at ELSE p.opened_at END AS since,
         CASE WHEN p.expires_at <= k.now
                THEN format('SELECT * FROM birth.fn_birth_permit_revoke(p_permit_id := %s, p_reason := ''expired'');'
                            '  -- a permit owner', p.permit_id)
              WHEN p.confirmed_by IS NULL
                -- Where that is the next step of the run, it has its remarks.
                THEN coalesce(
                  (SELECT s.step FROM birth.fn_birth_run_next_step(p.run_id, p.purpose) AS s(step)
                   WHERE starts_with(s.step, format('SELECT * FROM birth.fn_birth_permit_confirm(p_permit_id := %s)',
                                                    p.permit_id))),
                  format('SELECT * FROM birth.fn_birth_permit_confirm(p_permit_id := %s);  -- a reviewer',
                         p.permit_id))
              ELSE birth.fn_birth_run_next_step(p.run_id) END AS next_step
  FROM birth.birth_admission_permit_v2 p
  CROSS JOIN (SELECT birth.fn_birth_clock() AS now) k
  WHERE p.status = 'OPEN' AND (p.confirmed_by IS NULL OR p.expires_at <= k.now + interval '1 hour')
), contract AS (
  SELECT CASE WHEN d.blocks THEN 1 ELSE 3 END AS rank,
         format('%s has drifted: %s%s', d.check_name, d.drift,
                CASE WHEN d.blocks THEN '; apply is blocked' END) AS what,
         NULL::timestamptz AS since,
         'SET search_path = pg_catalog, pg_temp; ' || d.repair AS next_step
  FROM birth.v_birth_gateway_release_drift_guard d
  WHERE NOT d.pass
), reference AS (
  -- PostgreSQL checks a foreign key as the owner of birth_registry. If the types differ, it runs a cast, and the owner
  -- of the column's type may have made that cast.
  SELECT 1 AS rank,
         format('%I of %I.%I references births by a column of type %s, whose cast runs as birth_definer',
                k.conname, n.nspname, c.relname, a.atttypid::regtype) AS what,
         NULL::timestamptz AS since,
         format('ALTER TABLE %I.%I DROP CONSTRAINT %I;  -- the owner of the table',
                n.nspname, c.relname, k.conname) AS next_step
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  WHERE k.confrelid = 'birth.birth_registry'::regclass AND k.contype = 'f' AND k.conparentid = 0
    AND a.atttypid NOT IN ('text'::regtype, 'varchar'::regtype)
), guard AS (
  SELECT 1 AS rank, format('stage 0 is not enforced: %s: %s', g.check_name, g.found) AS what,
         NULL::timestamptz AS since, 'SELECT * FROM birth.v_birth_stage0_still_enforced_guard;' AS next_step
  FROM birth.v_birth_stage0_still_enforced_guard g WHERE g.pass IS NOT TRUE
  UNION ALL
  SELECT 2, format('worse than at stage 1: %s: %s instead of %s', g.check_name, g.found, g.expected),
         NULL::timestamptz AS since, 'SELECT * FROM birth.v_birth_stage1_no_worse_proof;' AS next_step
  FROM birth.v_birth_stage1_no_worse_proof g WHERE g.pass IS NOT TRUE
  UNION ALL
  SELECT 2, format('worse than at stage 2: %s: %s instead of %s', g.check_name, g.found, g.expected),
         NULL::timestamptz AS since, 'SELECT * FROM birth.v_birth_stage2_no_worse_guard;' AS next_step
  FROM birth.v_birth_stage2_no_worse_guard g WHERE g.pass IS NOT TRUE
  UNION ALL
  SELECT 2, format('worse than at stage 3: %s: %s instead of %s', g.check_name, g.found, g.expected),
         NULL::timestamptz AS since, 'SELECT * FROM birth.v_birth_stage3_no_worse_guard;' AS next_step
  FROM birth.v_birth_stage3_no_worse_guard g WHERE g.pass IS NOT TRUE
  UNION ALL
  SELECT 1, format('worse than at stage 4: %s: %s instead of %s', g.check_name, g.found, g.expected),
         NULL::timestamptz AS since, 'SELECT * FROM birth.v_birth_stage4_no_worse_guard;' AS next_step
  FROM birth.v_birth_stage4_no_worse_guard g WHERE g.pass IS NOT TRUE
), frozen AS (
  SELECT 2 AS rank, format('%s is frozen by %s: %s', d.dot_name, d.frozen_by, d.frozen_because) AS what,
         d.frozen_since AS since,
         format('SELECT birth.fn_birth_dot_unfreeze(p_dot := %L, p_reason := ''...'');  -- a DBA', d.dot_name)
           AS next_step
  FROM birth.v_birth_dot_status d WHERE d.frozen AND NOT d.dangerous
), home AS (
  -- A promoted server has a new timeline; so has a server restored to an earlier time. The two look the same here.
  SELECT CASE WHEN h.confirmed THEN 3 ELSE 1 END AS rank,
         CASE WHEN h.confirmed
                THEN format('the server is on timeline %s, and was on %s when this database was confirmed: '
                            'it was promoted, or restored to an earlier time', h.timeline, h.confirmed_timeline)
              ELSE 'this database is a restored or cloned copy: no run executes until a DBA confirms that it is '
                   'the one to continue with' END AS what,
         NULL::timestamptz AS since,
         'SELECT birth.fn_birth_home_confirm(p_reason := ''...'');  -- a DBA, after every other copy is retired'
           AS next_step
  FROM birth.v_birth_home h
  WHERE NOT h.confirmed OR h.timeline <> h.confirmed_timeline
), finding AS (
  SELECT 2 AS rank,
         format('%s%s rows of %s %s: %s, last by %s',
                CASE WHEN f.at_least THEN 'at least ' END, f.row_count, f.collection_name,
                CASE f.error WHEN 'code_duplicate' THEN 'may share their birth with another row'
                             WHEN 'code_dead' THEN 'took a code that was dead'
                             WHEN 'code_taken' THEN 'took the code of another birth'
                             WHEN 'truncate_refused' THEN 'were truncated'
                             WHEN 'not_retired' THEN 'were deleted and had not been retired'
                             WHEN 'life_unread' THEN 'ended, and whether their code is still in use could not be seen'
                             WHEN 'birth_absent' THEN 'ended and never had a birth'
                             ELSE 'have no birth' END,
                f.error, f.last_by) AS what,
         f.first_at AS since,
         format('SELECT * FROM birth.fn_birth_census(p_collection := %1$L);'
                '  -- after the rows are corrected, a steward: '
                'SELECT birth.fn_birth_finding_acknowledge(p_collection := %1$L, p_reason := ''...'');',
                f.collection_name) AS next_step
  FROM birth.v_birth_gateway_finding f
), fence AS (
  SELECT 2 AS rank,
         format('enforce does not hold yet for %s: %s', f.collection_name,
           CASE WHEN f.fence_xid IS NULL
                  THEN 'a transaction that began before the change may still commit rows without a birth'
                ELSE 'open since before the change: '
                     || coalesce(array_to_string(f.waits_for[1:3], ', '), 'a transaction that has just ended') END)
           AS what,
         f.recorded_at AS since,
         coalesce(f.next_step,
                  'SELECT birth.fn_birth_gateway_fence();  -- a steward, as a separate statement') AS next_step
  FROM birth.v_birth_gateway_fence f
  WHERE NOT f.holds AND f.gateway_mode = 'enforce' AND f.coverage_status = 'BIRTH_REQUIRED'
), missing AS (
  -- With an enforced life, what comes back comes unseen.
  SELECT CASE 'enforce' WHEN k.gateway_mode THEN 1 WHEN k.life_mode THEN 2 ELSE 3 END AS rank,
         format('%s is %s and has no enabled gateway', k.collection_name,
                CASE k.gateway_mode WHEN 'enforce' THEN 'enforced' ELSE 'required' END) AS what,
         NULL::timestamptz AS since,
         coalesce(k.repair, format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);'
                                   '  -- a steward', k.collection_name, k.gateway_mode)) AS next_step
  FROM known k WHERE k.relation IS NOT NULL AND k.coverage_status = 'BIRTH_REQUIRED' AND k.gateways = 0
), hidden AS (
  SELECT 2 AS rank,
         format('%s is under row level security, which would hide rows from birth_scanner: no plan, run or census',
                k.collection_name) AS what,
         NULL::timestamptz AS since, 'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser' AS next_step
  FROM known k
  JOIN pg_catalog.pg_class t ON t.oid = k.relation AND t.relrowsecurity
  JOIN pg_catalog.pg_roles r ON r.rolname = 'birth_scanner' AND NOT r.rolbypassrls
  WHERE k.coverage_status = 'BIRTH_REQUIRED'
), absent AS (
  SELECT 3 AS rank,
         format('%s is required, and its table %I.%I does not exist',
                k.collection_name, k.schema_name, k.table_name) AS what,
         k.registered_at AS since,
         -- Attached or planned once, its table may have another name. What has acts since it was registered,
         -- fn_birth_collection_withdraw refuses.
         CASE WHEN EXISTS (SELECT FROM birth.birth_act a
                           WHERE a.collection_name = k.collection_name AND a.act IN ('attach', 'plan'))
           THEN format('SELECT birth.fn_birth_collection_register(p_collection := %L, p_schema := ''...'', '
                       'p_table := ''...'', p_coverage_status := %L, p_governed := %L);  -- a steward',
                       k.collection_name, k.coverage_status, k.governed)
         WHEN (SELECT count(*) FROM birth.birth_act a
               WHERE a.collection_name = k.collection_name
                 AND a.act_id > ALL (SELECT w.act_id FROM birth.birth_act w
                                     WHERE w.collection_name = k.collection_name AND w.act = 'withdraw')) > 1
           THEN format('SELECT * FROM birth.fn_dot_birth_qt005_plan(p_collection := %L, '
                       'p_to_status := ''BIRTH_EXEMPT_...'', p_dry_run := false);  -- an operator', k.collection_name)
         ELSE format('SELECT birth.fn_birth_collection_withdraw(p_collection := %L, p_reason := ''...'');'
                     '  -- a steward, unless the table is still to come', k.collection_name) END AS next_step
  FROM known k WHERE k.relation IS NULL AND k.coverage_status = 'BIRTH_REQUIRED'
), misplaced AS (
  SELECT 2 AS rank,
         format('gateway of %s is on %I.%I, which is %s', coalesce(g.collection_name, 'no collection'),
                g.schema_name, g.table_name,
                coalesce(format('registered as %I.%I', k.schema_name, k.table_name), 'not registered')) AS what,
         NULL::timestamptz AS since,
         -- To where the gateway stands, unless another table has the registered name: that one is in use.
         CASE WHEN k.collection_name IS NULL OR k.relkind IN ('r', 'p')
                THEN format('DROP TRIGGER %I ON %I.%I;  -- its owner', g.trigger_name, g.schema_name, g.table_name)
              ELSE format('SELECT birth.fn_birth_collection_register(p_collection := %L, p_schema := %L, '
                          'p_table := %L, p_coverage_status := %L, p_governed := %L);  -- a steward',
                          k.collection_name, g.schema_name, g.table_name, k.coverage_status, k.governed) END
           AS next_step
  FROM birth.v_birth_gateway_trigger g
  LEFT JOIN known k ON k.collection_name = g.collection_name
  WHERE k.relation IS DISTINCT FROM g.relation
    -- A trigger on a single partition of the registered table is in its place.
    AND NOT EXISTS (SELECT FROM pg_partition_ancestors(g.relation) a WHERE a.relid = k.relation)
), partition AS (
  SELECT 2 AS rank, format('partition %s of %s has no gateway', g.partition, k.collection_name) AS what,
         NULL::timestamptz AS since, g.repair AS next_step
  FROM birth.v_birth_gateway_gap g
  JOIN known k ON k.collection_name = g.collection_name
  UNION ALL
  -- PostgreSQL clones the triggers to a new partition, and asks whether its owner may execute their function.
  SELECT 2, format('%s, the owner of %I.%I, can make no partition of it', pg_get_userbyid(t.relowner), k.schema_name,
                   k.table_name),
         NULL::timestamptz,
         format('GRANT birth_source_owner TO %I;  -- an administrator of roles', pg_get_userbyid(t.relowner))
  FROM known k JOIN pg_catalog.pg_class t ON t.oid = k.relation
  WHERE k.relkind = 'p' AND k.gateways > 0
    AND NOT has_function_privilege(t.relowner, 'birth.fn_birth_registry_auto()', 'EXECUTE')
), gate AS (
  SELECT CASE g.state WHEN 'CLOSED' THEN 3 WHEN 'UNKNOWN' THEN CASE g.mode WHEN 'enforce' THEN 1 ELSE 3 END ELSE 2 END
           AS rank,
         format('table %I.%I is %s', g.schema_name, g.table_name,
           CASE g.state WHEN 'UNKNOWN' THEN 'in a gated schema and not registered'
             WHEN 'CLOSED' THEN 'closed until it is admitted'
             WHEN 'BREACHED' THEN 'in use and was never admitted'
             ELSE 'registered and not governed yet' END) AS what,
         NULL::timestamptz AS since, g.next_step
  FROM birth.v_birth_gate g
  WHERE g.state NOT IN ('ADMITTED', 'EXEMPT')
  UNION ALL
  SELECT 2, format('%s is closed, in schema %I, which is not under the gate', r.collection_name, r.schema_name),
         NULL::timestamptz,
         format('SELECT birth.fn_birth_gate_admit(p_collection := %L, p_reason := ''...'');  -- a steward who neither '
                'registered nor classified it', r.collection_name)
  FROM birth.collection_registry r
  WHERE r.gate_closed AND r.schema_name NOT IN (SELECT s.schema_name FROM birth.birth_gate_scope s)
  UNION ALL
  SELECT 2, format('the gate names schema %I, which does not exist', s.schema_name), s.since,
         format('SELECT birth.fn_birth_gate_scope(p_schema := %L, p_mode := NULL, p_reason := ''...'');  -- a steward',
                s.schema_name)
  FROM birth.birth_gate_scope s
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = s.schema_name)
), brake AS (
  -- What one steward alone may do, because it protects the application; it stays here until it is taken back. The step
  -- back is the first act since it was last enforced: no later one of the same kind takes it out of sight.
  SELECT 2 AS rank, format('%s was set back to observe by %s: %s', c.collection_name, b.actor, b.reason) AS what,
         b.acted_at AS since,
         format('SELECT birth.fn_birth_gateway_mode(p_collection := %L, p_mode := ''enforce'', p_reason := ''...'');'
                '  -- a steward', c.collection_name) AS next_step
  FROM birth.collection_registry c
  CROSS JOIN LATERAL (
    SELECT a.actor, a.reason, a.acted_at FROM birth.birth_act a
    WHERE a.collection_name = c.collection_name AND a.act IN ('mode', 'attach', 'detach')
      AND a.acted_at > (SELECT max(e.acted_at) FROM birth.birth_act e
                        WHERE e.collection_name = c.collection_name AND e.act IN ('mode', 'attach')
                          AND e.detail ->> 'mode' = 'enforce')
    ORDER BY a.acted_at LIMIT 1
  ) b
  WHERE c.gateway_mode = 'observe' AND c.coverage_status = 'BIRTH_REQUIRED'
    -- Without a gateway it is listed as missing, and no mode can be set.
    AND EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = c.collection_name)
  UNION ALL
  SELECT 2, format('schema %s was set back to %s by %s: %s', n.nspname, coalesce(b.detail ->> 'mode', 'no gate'),
                   b.actor, b.reason),
         b.acted_at,
         format('SELECT birth.fn_birth_gate_scope(p_schema := %L, p_mode := ''enforce'', p_reason := ''...'');'
                '  -- a steward', n.nspname)
  FROM pg_catalog.pg_namespace n
  CROSS JOIN LATERAL (
    SELECT a.actor, a.reason, a.acted_at, a.detail FROM birth.birth_act a
    WHERE a.act = 'gate_scope' AND a.detail ->> 'schema' = n.nspname
      AND a.acted_at > (SELECT max(e.acted_at) FROM birth.birth_act e
                        WHERE e.act = 'gate_scope' AND e.detail ->> 'schema' = n.nspname
                          AND e.detail ->> 'mode' = 'enforce')
    ORDER BY a.acted_at LIMIT 1
  ) b
  UNION ALL
  SELECT 2, format('the life of %s was set back to %s by %s: %s', c.collection_name, c.life_mode, b.actor, b.reason),
         b.acted_at,
         CASE c.life_key WHEN '{}'
           THEN format('SELECT birth.fn_birth_life_attach(p_collection := %L, p_mode := %L, p_column := %L, '
                       'p_dead := %L);  -- a steward', c.collection_name, m.mode, m.attached ->> 'column',
                       ARRAY(SELECT jsonb_array_elements_text(m.attached -> 'dead')))
         ELSE format('SELECT birth.fn_birth_life_mode(p_collection := %L, p_mode := %L, p_reason := ''...'');'
                     '  -- a steward', c.collection_name, m.mode) END
  FROM birth.collection_registry c
  CROSS JOIN LATERAL (
    -- The strongest mode that it had, since when, and how it was attached.
    SELECT e.detail ->> 'mode' AS mode, e.acted_at AS since,
           (SELECT l.detail FROM birth.birth_act l WHERE l.collection_name = c.collection_name AND l.act = 'life_attach'
            ORDER BY l.acted_at DESC LIMIT 1) AS attached
    FROM birth.birth_act e
    WHERE e.collection_name = c.collection_name AND e.act IN ('life_attach', 'life_mode')
      AND e.detail ->> 'mode' IN ('enforce', 'observe')
    ORDER BY (e.detail ->> 'mode' = 'enforce') DESC, e.acted_at DESC LIMIT 1
  ) m
  CROSS JOIN LATERAL (
    SELECT a.actor, a.reason, a.acted_at FROM birth.birth_act a
    WHERE a.collection_name = c.collection_name AND a.act IN ('life_attach', 'life_mode', 'life_detach')
      AND a.acted_at > m.since
    ORDER BY a.acted_at LIMIT 1
  ) b
  WHERE c.life_mode <> 'enforce' AND c.life_mode <> m.mode
), identity AS (
  -- Classified anew under its gateway: a transaction that was open may have written under the former identity, and was
  -- not counted.
  SELECT 2 AS rank, format('the identity of %s was changed by %s, and nothing has found every row born since',
                           p.collection_name, a.actor) AS what,
         a.acted_at AS since, p.next_step
  FROM birth.v_birth_policy p
  CROSS JOIN LATERAL (
    SELECT c.actor, c.acted_at, c.detail FROM birth.birth_act c
    WHERE c.act = 'classify' AND c.collection_name = p.collection_name ORDER BY c.acted_at DESC LIMIT 1
  ) a
  WHERE a.detail ? 'under_gateway' AND p.next_step IS NOT NULL
  UNION ALL
  -- Its table was changed since it was classified. Without its columns no row has a code, and enforce refuses each.
  SELECT CASE WHEN k.gateway_mode = 'enforce' AND i.status NOT IN ('BLOCKED_SOURCE', 'BLOCKED_NO_UNIQUE_KEY')
              THEN 1 ELSE 2 END,
         format('the identity of %s is not eligible: %s', k.collection_name, i.reason), NULL::timestamptz,
         CASE i.status
           WHEN 'BLOCKED_SOURCE' THEN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);'
                                             '  -- after the owner has undone what is named', k.collection_name)
           ELSE format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);'
                       '  -- then a steward: fn_birth_identity_classify', k.schema_name, k.table_name) END
  FROM known k CROSS JOIN LATERAL birth.fn_birth_identity_definition(k.collection_name) i
  WHERE k.coverage_status = 'BIRTH_REQUIRED' AND k.gateways > 0 AND starts_with(i.status, 'BLOCKED_')
), life AS (
  SELECT CASE l.life_mode WHEN 'enforce' THEN 1 ELSE 2 END AS rank,
         format('life triggers of %s: %s', l.collection_name, l.fault) AS what,
         NULL::timestamptz AS since,
         l.next_step
  FROM birth.v_birth_life l WHERE l.life_mode <> 'off' AND l.fault IS NOT NULL
), replicated AS (
  SELECT 2 AS rank,
         format('rows replicated into %s of %s get no birth', r.relation::regclass, k.collection_name) AS what,
         NULL::timestamptz AS since,
         CASE WHEN g.tgname IS NOT NULL
                THEN format('ALTER TABLE %I.%I ENABLE ALWAYS TRIGGER %I;  -- its owner',
                            k.schema_name, k.table_name, g.tgname)
              ELSE format('SELECT birth.fn_birth_gateway_detach(p_collection := %1$L, p_reason := ''replicated'');'
                          '  -- a steward; then what it answers, where that is for the owner; then a steward: '
                          'SELECT birth.fn_birth_gateway_attach(p_collection := %1$L, p_mode := %2$L);',
                          k.collection_name, k.gateway_mode) END AS next_step
  FROM known k
  CROSS JOIN LATERAL birth.fn_birth_replicated_tables(k.relation) r
  LEFT JOIN pg_catalog.pg_trigger g ON g.tgrelid = k.relation AND g.tgtype = 5 AND g.tgparentid = 0
    AND g.tgfoid = to_regprocedure('birth.fn_birth_registry_auto()')
  WHERE EXISTS (SELECT FROM pg_catalog.pg_subscription_rel) AND k.coverage_status = 'BIRTH_REQUIRED'
    AND k.gateways > 0 AND NOT r.born
), replica AS (
  SELECT CASE WHEN w.everybody THEN 1 ELSE 2 END AS rank,
         format('no gateway fires and no foreign key is checked in sessions of %s: '
                'it has session_replication_role = replica', w.name) AS what,
         NULL::timestamptz AS since,
         'ALTER ' || w.name || ' RESET session_replication_role;  -- a superuser' AS next_step
  FROM (
    SELECT s.setrole = 0 AS everybody,
           CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'ROLE ALL'
                ELSE concat_ws(' IN ',
                  'ROLE ' || quote_ident(pg_get_userbyid(nullif(s.setrole, 0))),
                  'DATABASE ' || CASE WHEN s.setdatabase <> 0 THEN quote_ident(current_database()) END) END AS name
    FROM pg_catalog.pg_db_role_setting s
    -- A setting keeps the case in which it was sent.
    WHERE 'session_replication_role=replica' = ANY (lower(s.setconfig::text COLLATE "C")::text[])
      AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
    UNION ALL
    SELECT true AS everybody, 'SYSTEM' AS name FROM pg_catalog.pg_settings s
    WHERE current_setting('session_replication_role') = 'replica' AND s.name = 'session_replication_role'
      AND s.source IN ('configuration file', 'command line')
  ) w
), unmanned AS (
  -- Who leaves may take along the memberships that it granted. A role that no login has acted as is not missed, and a
  -- superuser's acts say nothing of the role.
  SELECT 2 AS rank, format('no login but a superuser can act as %s any more; %s did', v.role, l.names) AS what,
         NULL::timestamptz AS since,
         format('GRANT %I TO %I;  -- an administrator of roles', v.role, l.first) AS next_step
  FROM (
    SELECT d.role, d.acts
    FROM (VALUES ('birth_operator', ARRAY['plan', 'attempt']), ('birth_permit_owner', ARRAY['permit_open']),
                 ('birth_reviewer', ARRAY['review', 'permit_confirm'])) AS d(role, acts)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles r
                      WHERE r.rolcanlogin AND NOT r.rolsuper AND birth.fn_birth_is_member(r.rolname, d.role))
    OFFSET 0
  ) v
  CROSS JOIN LATERAL (
    SELECT string_agg(r.rolname::text, ', ' ORDER BY r.rolname) AS names, min(r.rolname::text) AS first
    FROM pg_catalog.pg_roles r
    WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname IN (
      SELECT a.actor::name FROM birth.birth_act a WHERE a.act = ANY (v.acts))
  ) l
  WHERE l.names IS NOT NULL
), spike AS (
  SELECT 2 AS rank,
         format('%s live births in the %s, the norm is %s', s.live_births, s.window_name,
                coalesce(round(s.norm)::text, 'unknown')) AS what,
         NULL::timestamptz AS since, 'SELECT * FROM birth.v_birth_spike;' AS next_step
  FROM birth.v_birth_spike s WHERE s.state <> 'OK'
)
SELECT CASE i.rank WHEN 1 THEN 'critical' WHEN 2 THEN 'warning' ELSE 'notice' END AS severity,
       i.what, i.since, i.next_step
FROM (
  SELECT * FROM run
  UNION ALL SELECT * FROM permit
  UNION ALL SELECT * FROM contract
  UNION ALL SELECT * FROM reference
  UNION ALL SELECT g.rank, g.what, g.since,
         g.next_step || '  -- where what it compares with is gone or changed, a person has to restore the rows of '
                        'birth.birth_stage_anchor from a backup' AS next_step
       FROM guard g
  UNION ALL SELECT * FROM frozen
  UNION ALL SELECT * FROM home
  UNION ALL SELECT * FROM finding
  UNION ALL SELECT * FROM fence
  UNION ALL SELECT * FROM missing
  UNION ALL SELECT * FROM hidden
  UNION ALL SELECT * FROM absent
  UNION ALL SELECT * FROM misplaced
  UNION ALL SELECT * FROM partition
  UNION ALL SELECT * FROM gate
  UNION ALL SELECT * FROM brake
  UNION ALL SELECT * FROM identity
  UNION ALL SELECT * FROM life
  UNION ALL SELECT * FROM replicated
  UNION ALL SELECT * FROM replica
  UNION ALL SELECT * FROM unmanned
  UNION ALL SELECT * FROM spike
) i
ORDER BY i.rank, i.since, i.what;

COMMENT ON VIEW birth.v_birth_attention IS
  'What needs action by a person: severity, what, since when, and the statement to send next. Specification: 2.';

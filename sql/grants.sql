-- All privileges, on one page. The end of every release applies them to the objects that exist then. No other file
-- grants privileges on objects.
-- PUBLIC has none. Only routines of birth_definer write tables. All roles except birth_definer, birth_scanner and
-- birth_source_owner are members of birth_reader.
-- A trigger function fires without EXECUTE; but creating a partition needs EXECUTE for the trigger that it clones.
-- So an owner can put the gateway on a table of its own: it gives no birth there (fn_birth_gateway_collection).
-- No routine is overloaded, so its name is enough.
DO $grants$
DECLARE
  v_roles CONSTANT text := 'birth_reader, birth_steward, birth_operator, birth_reviewer, birth_permit_owner, '
                           'birth_dba, birth_source_owner';
  v_relations text;
  r_grant record;
BEGIN
  -- Revoke what an earlier release granted. Objects of other owners, such as a user's view, are left alone.
  EXECUTE format('REVOKE ALL ON SCHEMA birth FROM PUBLIC, %s', v_roles);
  EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA birth FROM PUBLIC, %s', v_roles);
  SELECT string_agg(c.oid::regclass::text, ', ') INTO v_relations
  FROM pg_class c
  WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND pg_get_userbyid(c.relowner) = 'birth_definer';
  EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, %s, birth_scanner', v_relations, v_roles);

  -- The routines that read source tables belong to birth_scanner. Of birthdb it may only read the codes of births.
  -- ALTER ... OWNER TO requires that the new owner has CREATE on the schema: granted and revoked again.
  GRANT USAGE, CREATE ON SCHEMA birth TO birth_scanner;
  ALTER FUNCTION birth.fn_birth_scan OWNER TO birth_scanner;
  ALTER FUNCTION birth.fn_birth_scan_traces OWNER TO birth_scanner;
  ALTER FUNCTION birth.fn_birth_scan_lock OWNER TO birth_scanner;
  REVOKE CREATE ON SCHEMA birth FROM birth_scanner;
  GRANT EXECUTE ON FUNCTION birth.fn_birth_scan, birth.fn_birth_scan_lock TO birth_definer;
  GRANT SELECT (entity_code, collection_name, run_id) ON birth.birth_registry TO birth_scanner;
  GRANT SELECT (entity_code, collection_name, returned_at) ON birth.birth_death TO birth_scanner;

  FOR r_grant IN
    SELECT format('GRANT %s ON %s birth%s TO %s', g.privilege, g.kind, coalesce('.' || quote_ident(g.object), ''),
                  g.role) AS statement
    FROM (VALUES
      -- kind     object                              role                  privilege
      ('SCHEMA',  NULL,                               'birth_reader',       'USAGE'),
      ('SCHEMA',  NULL,                               'birth_steward',      'USAGE'),
      ('SCHEMA',  NULL,                               'birth_operator',     'USAGE'),
      ('SCHEMA',  NULL,                               'birth_reviewer',     'USAGE'),
      ('SCHEMA',  NULL,                               'birth_permit_owner', 'USAGE'),
      ('SCHEMA',  NULL,                               'birth_dba',          'USAGE'),

      -- tables, for every reader
      ('TABLE',   'collection_registry',              'birth_reader',       'SELECT'),
      ('TABLE',   'birth_registry',                   'birth_reader',       'SELECT'),
      ('TABLE',   'dot_registry',                     'birth_reader',       'SELECT'),
      ('TABLE',   'trigger_guard_alerts',             'birth_reader',       'SELECT'),
      ('TABLE',   'birth_gateway_finding',            'birth_reader',       'SELECT'),
      ('TABLE',   'birth_gate_scope',                 'birth_reader',       'SELECT'),
      ('TABLE',   'birth_act',                        'birth_reader',       'SELECT'),
      ('TABLE',   'birth_stage_anchor',               'birth_reader',       'SELECT'),
      ('TABLE',   'birth_gateway_release_registry',   'birth_reader',       'SELECT'),
      ('TABLE',   'birth_admission_permit',           'birth_reader',       'SELECT'),
      ('TABLE',   'birth_backfill_ledger',            'birth_reader',       'SELECT'),
      ('TABLE',   'birth_admission_permit_v2',        'birth_reader',       'SELECT'),
      ('TABLE',   'birth_backfill_ledger_v2',         'birth_reader',       'SELECT'),
      ('TABLE',   'birth_review',                     'birth_reader',       'SELECT'),
      ('TABLE',   'birth_receipt',                    'birth_reader',       'SELECT'),
      ('TABLE',   'birth_transition',                 'birth_reader',       'SELECT'),
      ('TABLE',   'birth_death',                      'birth_reader',       'SELECT'),
      ('TABLE',   'alembic_version',                  'birth_reader',       'SELECT'),
      -- Alembic writes it as the releasing login.
      ('TABLE',   'alembic_version',                  'birth_dba',          'INSERT, UPDATE, DELETE'),

      -- views; they read with the privileges of birth_definer
      ('TABLE',   'v_birth_stage0_no_old_function_guard',         'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_dot_status',                           'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_trigger',                      'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_fence',                        'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_finding',                      'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_gap',                          'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gate',                                 'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_coverage_since_anchor',                'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_contract_recorded',                    'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage0_freeze_no_go_guard',            'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage0_still_enforced_guard',          'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_ssot_drift_detector',          'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_release_drift_guard',          'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_gateway_contract_integrity_dashboard', 'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage1_no_worse_proof',                'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage2_no_worse_guard',                'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage3_no_worse_guard',                'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage4_no_worse_guard',                'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_policy',                               'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_dependent',                            'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_life',                                 'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_living',                               'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_life_trigger',                         'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_stage2_qt001_readiness_dashboard',     'birth_reader', 'SELECT'),
      ('TABLE',   'v_qt001_apply_runtime_status',                 'birth_reader', 'SELECT'),
      ('TABLE',   'v_qt001_apply_runtime_no_go_guard',            'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_run_progress',                         'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_run_source_change',                    'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_attention',                            'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_spike',                                'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_metrics',                              'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_release_history',                      'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_separation_of_duties',                 'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_event_trigger',                        'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_plan_reconciliation',                  'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_metadata_compatibility',               'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_home',                                 'birth_reader', 'SELECT'),
      ('TABLE',   'v_birth_verdict_standing',                     'birth_reader', 'SELECT'),

      -- routines that only read
      ('ROUTINE', 'fn_birth_error',                   'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_raise',                   'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_refuse',                  'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_lock_key',                'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_alerts',                  'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_clock',                   'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_evidence',                'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_is_member',               'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_audit',               'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_checks',                  'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_policy_decision',         'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_resolve_identity',        'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_identity_definition',     'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_identity_propose',        'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_source_grants',           'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_replicated_tables',       'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_census',                  'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_plan_sample',             'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_contract_live',           'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_contract_compare',        'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_contract_objects',        'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_contract_drift',          'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_contract_hash',           'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_contract_token',          'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_next_step',           'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_signers',                 'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_live_births',             'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_births_since',            'birth_reader',       'EXECUTE'),

      -- collections, identities, gateways
      ('ROUTINE', 'fn_birth_collection_register',     'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_collection_withdraw',     'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_identity_classify',       'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_gateway_attach',          'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_gateway_mode',            'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_gateway_detach',          'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_gateway_fence',           'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_finding_acknowledge',     'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_register',                'birth_steward',      'EXECUTE'),

      -- the first-row gate
      ('ROUTINE', 'fn_birth_gate_scope',              'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_gate_admit',              'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_gate',                    'birth_reader',       'EXECUTE'),

      -- owners of sources: the end of a migration, and new partitions
      ('SCHEMA',  NULL,                               'birth_source_owner', 'USAGE'),
      ('ROUTINE', 'fn_birth_gate',                    'birth_source_owner', 'EXECUTE'),
      ('ROUTINE', 'fn_birth_registry_auto',           'birth_source_owner', 'EXECUTE'),

      -- the backfill
      ('ROUTINE', 'fn_birth_register',                'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_dot_birth_qt001_plan',          'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_dot_birth_qt001_rehearse',      'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_dot_birth_qt001_rehearse',      'birth_reviewer',     'EXECUTE'),
      ('ROUTINE', 'fn_dot_birth_qt001_apply',         'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'sp_dot_birth_qt001_apply',         'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'sp_dot_birth_qt001_compensate',    'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_dot_birth_qt001_compensate',    'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_begin',               'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'sp_birth_run_drive',               'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_step',                'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_timeout_check',           'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_leave',               'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_stop',                'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_tune',                'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_dot_freeze',              'birth_operator',     'EXECUTE'),

      -- governance transitions
      ('ROUTINE', 'fn_dot_birth_qt005_plan',          'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'sp_dot_birth_qt005_apply',         'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_census_record',           'birth_operator',     'EXECUTE'),

      -- lifecycle
      ('ROUTINE', 'fn_birth_life_shape',              'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_now',                     'birth_reader',       'EXECUTE'),
      ('ROUTINE', 'fn_birth_life_auto',               'birth_source_owner', 'EXECUTE'),
      ('ROUTINE', 'fn_birth_life_attach',             'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_life_mode',               'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_life_detach',             'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_return',                  'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_birth_succeed',                 'birth_steward',      'EXECUTE'),
      ('ROUTINE', 'fn_dot_birth_qt006_plan',          'birth_operator',     'EXECUTE'),
      ('ROUTINE', 'sp_dot_birth_qt006_apply',         'birth_operator',     'EXECUTE'),

      -- reviewer and permit owner
      ('ROUTINE', 'fn_birth_review_record',           'birth_reviewer',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_permit_confirm',          'birth_reviewer',     'EXECUTE'),
      ('ROUTINE', 'fn_birth_permit_open',             'birth_permit_owner', 'EXECUTE'),
      ('ROUTINE', 'fn_birth_permit_revoke',           'birth_permit_owner', 'EXECUTE'),

      -- DBA
      ('ROUTINE', 'fn_birth_dot_freeze',              'birth_dba',          'EXECUTE'),
      ('ROUTINE', 'fn_birth_dot_unfreeze',            'birth_dba',          'EXECUTE'),
      ('ROUTINE', 'fn_birth_run_takeover',            'birth_dba',          'EXECUTE'),
      ('ROUTINE', 'fn_birth_evidence_acknowledge',    'birth_dba',          'EXECUTE'),
      ('ROUTINE', 'fn_birth_home_confirm',            'birth_dba',          'EXECUTE')
    ) AS g(kind, object, role, privilege)
    -- Skip the objects that this release does not have.
    WHERE g.kind = 'SCHEMA'
       OR g.kind = 'TABLE' AND EXISTS (
            SELECT FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace AND c.relname = g.object)
       OR g.kind = 'ROUTINE' AND EXISTS (
            SELECT FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = g.object)
  LOOP
    EXECUTE r_grant.statement;
  END LOOP;
END
$grants$;

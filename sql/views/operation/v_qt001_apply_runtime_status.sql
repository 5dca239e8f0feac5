-- Whether the writer is what it must be: ten flags, one row. What exists and what is the default comes from the
-- catalogue. What a guard does cannot be read off a text: those flags are true because this exact body, by its hash,
-- passed a named test that fails when the guard is taken out; the evidence came with the release as claims.
CREATE OR REPLACE VIEW birth.v_qt001_apply_runtime_status AS
WITH routine AS (
  SELECT p.proname::text AS name, p.prokind, p.pronargs, p.proargnames, p.pronargdefaults,
    pg_get_function_arguments(p.oid) AS arguments,
         encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') AS sha256
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'birth'
), claim AS (
  SELECT c.object AS flag, bool_and(r.sha256 IS NOT NULL AND r.sha256 = (c.parts ->> 'body_sha256')) AS proven
  FROM birth.v_birth_contract_recorded c
  LEFT JOIN routine r ON r.name = (c.parts ->> 'routine')
  WHERE c.kind = 'claim'
  GROUP BY c.object
)
SELECT EXISTS (SELECT FROM routine r WHERE r.name = 'fn_dot_birth_qt001_apply' AND r.prokind = 'f') AS writer_fn_exists,
       EXISTS (SELECT FROM routine r WHERE r.name = 'sp_dot_birth_qt001_apply'
         AND r.prokind = 'p') AS driver_proc_exists,
       EXISTS (SELECT FROM routine r WHERE r.name = 'fn_dot_birth_qt001_plan' AND r.prokind = 'f') AS plan_fn_exists,
       coalesce((SELECT c.proven FROM claim c WHERE c.flag = 'writer_calls_fn_birth_register'),
         false) AS writer_calls_fn_birth_register,
       coalesce((SELECT c.proven FROM claim c WHERE c.flag = 'writer_has_false_done_guard'),
         false) AS writer_has_false_done_guard,
       coalesce((SELECT c.proven FROM claim c WHERE c.flag = 'writer_has_collision_failclose'),
         false) AS writer_has_collision_failclose,
       coalesce((SELECT c.proven FROM claim c WHERE c.flag = 'writer_has_parity_failclose'),
         false) AS writer_has_parity_failclose,
       coalesce((SELECT c.proven FROM claim c WHERE c.flag = 'writer_no_pseudocode'), false) AS writer_no_pseudocode,
       coalesce((SELECT count(*) = 2 AND bool_and(r.arguments ~ '\mp_execute boolean DEFAULT false\M'
                          AND (r.prokind = 'p' OR r.arguments ~ '\mp_dry_run boolean DEFAULT true\M'))
                 FROM routine r WHERE r.name IN ('fn_dot_birth_qt001_apply', 'sp_dot_birth_qt001_apply')),
                   false) AS execute_defaults_false,
       EXISTS (SELECT FROM birth.fn_birth_contract_drift() d
               WHERE d.kind = 'constraint' AND d.object = 'birth_backfill_ledger_v2.bbl2_no_false_done'
                 AND d.drift = 'ok')
         AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
               WHERE k.conrelid = to_regclass('birth.birth_backfill_ledger_v2') AND k.conname = 'bbl2_no_false_done'
                 AND k.convalidated)
         AS false_done_check_constraint;

COMMENT ON VIEW birth.v_qt001_apply_runtime_status IS
  'Ten flags of the writer, from the catalogue and from claims proven for these exact bodies. Specification: 2, 7.';

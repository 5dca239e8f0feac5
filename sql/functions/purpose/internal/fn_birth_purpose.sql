-- The list of purposes: what a run can be for, and which routines do it. One operation (plan, verdict, permit, batches,
-- proof) serves them all; nothing else names them. A row says:
--   purpose   what the run does
--   undoes    only of COMPENSATE: the purpose of the run that it undoes
--   plan      the routine that plans it
--   plan_dot  a freeze of this DOT stops its plans
--   dot       a freeze of this DOT stops its runs at their next batch
--   doors     the routines that a statement has to name; the first one is the CALL
--   numbers   the CALL repeats collection, expected delta, bound and origin
--   source    its set is read from the source table, so policy, identity and gateway are checked: rows (those without a
--             birth) or births (those without a row)
--   whole     (p_run, p_rows) -> counts, fingerprint and upper key of what is left of the set, or of its first p_rows;
--             optional: without it the slices hold exactly what is left
--   slice     (p_run, p_after, p_rows) -> visited, codes, fingerprint, last_key: the next part of the set;
--             p_rows NULL: all that is left
--   write     (p_run, p_codes, p_fingerprint) -> the fingerprint of what it wrote; raises its own refusals
--   proof     (p_run) -> the fingerprint of what the records hold of the run now
--   fault     (p_run) -> a refusal of its own, asked when it is planned and when it begins, or NULL; optional
--   accepts   what p_accept_orphans of a verdict is about: orphans (exactly those of the plan), or births (at most)
--   settles   its writing, which is one batch, changes what a verdict is bound to by the identity hash; from then on
--             that is not compared
-- Returns: the row of a purpose; without arguments every row.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_purpose(p_purpose text DEFAULT NULL, p_undoes text DEFAULT NULL)
  RETURNS TABLE (purpose text, undoes text, plan text, plan_dot text, dot text, doors text[], numbers boolean,
                 source text, whole text, slice text, write text, proof text, fault text, accepts text,
                 settles boolean)
  LANGUAGE sql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_purpose$
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
$fn_birth_purpose$;

COMMENT ON FUNCTION birth.fn_birth_purpose(text, text) IS
  'The list of purposes: their doors, DOTs and the routines that slice, write and prove. Specification: 6.';

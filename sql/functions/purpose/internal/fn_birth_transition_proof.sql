-- TRANSITION: what the records hold of a run: its change, unless it was undone.
-- Returns: its fingerprint, or that of nothing.
-- Calls: fn_birth_transition_change
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_proof(p_run birth.birth_backfill_ledger_v2)
  RETURNS numeric[]
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_proof$
  SELECT coalesce((SELECT c.fingerprint FROM birth.fn_birth_transition_change(p_run, true) c), '{0,0,0}');
$fn_birth_transition_proof$;

COMMENT ON FUNCTION birth.fn_birth_transition_proof(birth.birth_backfill_ledger_v2) IS
  'Purpose TRANSITION: fingerprint of the change that the records hold of a run. Specification: 4.1.';

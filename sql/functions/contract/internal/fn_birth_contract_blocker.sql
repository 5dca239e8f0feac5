-- Whether the database is what its release says and stage 0 still holds.
-- Returns: an error of the catalogue, or NULL.
-- Calls: fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_blocker()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_blocker$
DECLARE
  v_objects text;
BEGIN
  IF (SELECT d.all_ok FROM birth.v_birth_gateway_contract_integrity_dashboard d) IS NOT TRUE THEN
    SELECT string_agg(format('%s %s: %s', g.kind, g.object, g.drift), '; ') INTO v_objects
    FROM birth.v_birth_gateway_release_drift_guard g WHERE g.blocks;
    RETURN birth.fn_birth_error('contract_drift', coalesce(v_objects, 'no release is recorded'));
  END IF;
  SELECT string_agg(g.check_name, '; ') INTO v_objects FROM birth.v_birth_stage0_still_enforced_guard g WHERE g.pass IS NOT TRUE;
  RETURN CASE WHEN v_objects IS NOT NULL THEN birth.fn_birth_error('stage0_not_enforced', v_objects) END;
END;
$fn_birth_contract_blocker$;

COMMENT ON FUNCTION birth.fn_birth_contract_blocker() IS
  'NB404 or NB405 as jsonb when the contract has drifted or a stage 0 guard does not pass, else NULL. Specification: 6 step 5.';

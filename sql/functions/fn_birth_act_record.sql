-- Records an act. On a run it first holds the actor against everybody who acted on the run and its predecessors: planners and
-- executors, reviewers, and permit owners are three disjoint sets of logins.
-- Returns: nothing.
-- Calls: fn_birth_act_part, fn_birth_lock_key, fn_birth_raise
-- Writes: birth_act
CREATE OR REPLACE FUNCTION birth.fn_birth_act_record(
    p_act text, p_run_id uuid DEFAULT NULL, p_permit_id bigint DEFAULT NULL, p_collection text DEFAULT NULL,
    p_dot text DEFAULT NULL, p_epoch bigint DEFAULT NULL, p_reason text DEFAULT NULL, p_detail jsonb DEFAULT '{}',
    p_lineage uuid DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_act_record$
DECLARE
  v_part text := birth.fn_birth_act_part(p_act);
  v_other text;
BEGIN
  IF v_part IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(birth.fn_birth_lock_key('lineage:' || p_lineage));
  END IF;
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
$fn_birth_act_record$;

COMMENT ON FUNCTION birth.fn_birth_act_record(text, uuid, bigint, text, text, bigint, text, jsonb, uuid) IS
  'Records an act of session_user; NB209 when it would give one login two parts in a chain of plans. Specification: 6.1 R7.';

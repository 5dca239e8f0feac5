-- Records an act. On a run it first holds the actor against everybody who acted on the run and its predecessors: planners and
-- executors, reviewers, and permit owners are three disjoint sets of people. A person is known by the login's name and by
-- its OID: a renamed login is no other person, and neither is a new login with an old name. What is recorded survives a crash
-- of the server once it is committed.
-- Returns: when, by the clock of the records.
-- Calls: fn_birth_durable, fn_birth_act_part, fn_birth_lineage_lock, fn_birth_login_id, fn_birth_raise, fn_birth_clock
-- Writes: birth_act
CREATE OR REPLACE FUNCTION birth.fn_birth_act_record(
    p_act text, p_run_id uuid DEFAULT NULL, p_permit_id bigint DEFAULT NULL, p_collection text DEFAULT NULL,
    p_dot text DEFAULT NULL, p_epoch bigint DEFAULT NULL, p_reason text DEFAULT NULL, p_detail jsonb DEFAULT '{}',
    p_lineage uuid DEFAULT NULL)
  RETURNS timestamptz
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_act_record$
DECLARE
  v_part text := birth.fn_birth_act_part(p_act);
  v_id text := birth.fn_birth_login_id();
  v_other text;
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_durable();
  -- Who says no waits for nobody: fn_birth_people_check finds two parts of one person before anything is written.
  IF v_part IS NOT NULL AND p_detail ->> 'verdict' IS DISTINCT FROM 'NOT_SAFE_NEEDS_FIX' THEN
    PERFORM birth.fn_birth_lineage_lock(p_lineage);
  END IF;
  SELECT format('%s%s already acted as %s (%s)', session_user,
    CASE WHEN a.actor <> session_user THEN format(', then called %s,', a.actor) END,
    birth.fn_birth_act_part(a.act), a.act) INTO v_other
  FROM birth.birth_act a
  WHERE a.lineage = p_lineage AND (a.actor = session_user OR a.actor_id = v_id)
    AND birth.fn_birth_act_part(a.act) <> v_part
  LIMIT 1;
  IF v_other IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('separation_of_duties', format('run %s: %s', p_run_id, v_other));
  END IF;
  v_at := birth.fn_birth_clock();
  INSERT INTO birth.birth_act
    (act, actor_id, acted_at, run_id, lineage, permit_id, collection_name, dot_name, epoch, reason, detail)
  VALUES (p_act, v_id, v_at, p_run_id, p_lineage, p_permit_id, p_collection, p_dot, p_epoch, p_reason,
    -- The births of a run have the server's time: an audit needs to know how far that was behind.
    p_detail || CASE WHEN v_at > clock_timestamp()
      THEN jsonb_build_object('clock_behind', extract(epoch FROM v_at - clock_timestamp())) ELSE '{}' END);
  RETURN v_at;
END;
$fn_birth_act_record$;

COMMENT ON FUNCTION birth.fn_birth_act_record(text, uuid, bigint, text, text, bigint, text, jsonb, uuid) IS
  'Records an act of session_user and returns when; NB209 when it would give one person two parts in a chain of plans; NB303. Specification: 6.1 R7.';

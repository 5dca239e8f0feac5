-- Records an act of session_user. An act on a run is first checked for separation of duties. Once it is committed it
-- survives a crash of the server.
-- Returns: when, by fn_birth_clock.
-- Calls: fn_birth_durable, fn_birth_act_part, fn_birth_lineage_lock, fn_birth_people_check, fn_birth_raise,
--        fn_birth_login_id, fn_birth_clock
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
  v_fault text;
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_durable();
  IF birth.fn_birth_act_part(p_act) IS NOT NULL THEN
    -- A verdict NOT_SAFE_NEEDS_FIX never waits. The check before each batch finds two acts recorded at the same moment.
    IF p_detail ->> 'verdict' IS DISTINCT FROM 'NOT_SAFE_NEEDS_FIX' THEN
      PERFORM birth.fn_birth_lineage_lock(p_lineage);
    END IF;
    v_fault := birth.fn_birth_people_check(p_run_id, p_lineage, p_act);
    IF v_fault IS NOT NULL THEN
      PERFORM birth.fn_birth_raise('separation_of_duties', v_fault);
    END IF;
  END IF;
  v_at := birth.fn_birth_clock();
  INSERT INTO birth.birth_act
    (act, actor_id, acted_at, run_id, lineage, permit_id, collection_name, dot_name, epoch, reason, detail)
  VALUES (p_act, birth.fn_birth_login_id(), v_at, p_run_id, p_lineage, p_permit_id, p_collection, p_dot, p_epoch,
    p_reason,
    -- A run's births have the server's time: an audit needs to know by how much the server's clock was behind.
    p_detail || CASE WHEN v_at > clock_timestamp()
      THEN jsonb_build_object('clock_behind', extract(epoch FROM v_at - clock_timestamp())) ELSE '{}' END);
  RETURN v_at;
END;
$fn_birth_act_record$;

COMMENT ON FUNCTION birth.fn_birth_act_record(text, uuid, bigint, text, text, bigint, text, jsonb, uuid) IS
  'Records an act of session_user and returns its time. NB209: it would give one person two parts in a chain of plans; '
  'NB303: another act on the chain is open. Specification: 6.1 R7.';

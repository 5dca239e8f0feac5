-- Records the values that the guards of a stage compare with, when the stage is released: the number of collections of
-- each policy, the required ones that have a gateway, the exact bodies of the gateway and of the dangerous operations,
-- open permits, alerts. Recorded again when the stage is released again. Called by release/anchor_<stage>.sql.
-- Returns: how many values it recorded.
-- Calls: fn_birth_alerts
-- Writes: birth_stage_anchor
CREATE OR REPLACE FUNCTION birth.fn_birth_anchor_record(p_stage text)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_anchor_record$
DECLARE
  v_permits bigint := 0;
  v_rows bigint;
BEGIN
  -- The permits come with later stages.
  IF to_regclass('birth.birth_admission_permit') IS NOT NULL THEN
    EXECUTE 'SELECT count(*) FROM birth.birth_admission_permit p WHERE p.status = ''OPEN''' INTO v_permits;
  END IF;
  DELETE FROM birth.birth_stage_anchor a WHERE a.stage = p_stage;
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT p_stage, s.subject, s.value
  FROM (
    SELECT 'coverage.' || k.kind AS subject,
           (SELECT count(*) FROM birth.collection_registry c
            WHERE starts_with(c.coverage_status, k.kind))::text AS value
    FROM unnest(ARRAY['BIRTH_REQUIRED', 'BIRTH_DEFERRED_NEEDS_REVIEW', 'BIRTH_EXEMPT_']) AS k(kind)
    UNION ALL
    SELECT 'gateway.required', coalesce(jsonb_agg(DISTINCT g.collection_name), '[]')::text
    FROM birth.v_birth_gateway_trigger g
    JOIN birth.collection_registry c ON c.collection_name = g.collection_name AND c.coverage_status = 'BIRTH_REQUIRED'
    WHERE g.enabled
    UNION ALL
    SELECT 'body.' || p.proname, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')
    FROM pg_proc p
    WHERE p.pronamespace = 'birth'::regnamespace
      AND (p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
           OR p.proname IN (SELECT d.routine FROM birth.dot_registry d WHERE d.dangerous))
    UNION ALL
    SELECT 'dots.frozen', count(*)::text FROM birth.v_birth_dot_status d WHERE d.dangerous AND d.frozen
    UNION ALL
    SELECT 'permits.open', v_permits::text
    UNION ALL
    SELECT 'alerts', count(*)::text FROM birth.fn_birth_alerts()
    UNION ALL
    -- The body that DOT-119 would have set up, without white space: fn_dot_birth_trigger_setup has it in
    -- migrations/objects; a test compares the two.
    SELECT 'body.old_gateway', '11a35a8fb4bc1302b92b1756dd44065afcd1dbfc3dfafe58812aaaa27df07367'
  ) s;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END;
$fn_birth_anchor_record$;

COMMENT ON FUNCTION birth.fn_birth_anchor_record(text) IS
  'Records what the guards of a stage compare with; returns how many values. For releases. Specification: 3.';

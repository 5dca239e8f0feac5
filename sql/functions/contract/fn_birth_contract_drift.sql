-- Generated from pgcontract/sql/drift.sql by python -m birthdb.release render: edit that, or contract.toml.
-- The difference between the contract in force and the database, one row per object: what differs, whether it blocks,
-- and the statement that repairs it.
-- SECURITY DEFINER: the caller does not need SELECT on the registry.
-- Returns: drift as fn_birth_contract_compare has it; expected, found and repair are NULL where it is ok.
-- Calls: fn_birth_contract_live, fn_birth_contract_compare, fn_birth_contract_repair
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_drift()
  RETURNS TABLE (kind text, object text, drift text, expected text, found text, blocks boolean, repair text)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 300
  SET search_path = pg_catalog, pg_temp
  SET jit = off
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_contract_drift$
DECLARE
  v_rules CONSTANT jsonb := (SELECT coalesce(jsonb_object_agg(substr(a.subject, 6), a.value), '{}')
                             FROM birth.birth_stage_anchor a WHERE a.stage = 'contract'
                               AND starts_with(a.subject, 'rule.'));
  v_kinds text[];
  v_objects text[];
  v_same boolean;
BEGIN
  -- Usually nothing differs: the recorded parts are read only if a hash differs.
  SELECT array_agg(l.kind), array_agg(l.object), coalesce(bool_and(r.exact_sha256 IS NOT DISTINCT FROM l.exact_sha256),
    true)
  INTO v_kinds, v_objects, v_same
  FROM (SELECT n.kind, n.object, n.exact_sha256 FROM birth.v_birth_contract_recorded n WHERE n.kind <> 'claim') r
  FULL JOIN birth.fn_birth_contract_live(v_rules) l ON l.kind = r.kind AND l.object = r.object;
  IF v_same THEN
    RETURN QUERY SELECT o.kind, o.object, 'ok', NULL::text, NULL::text, false, NULL::text
      FROM unnest(v_kinds, v_objects) AS o(kind, object);
    RETURN;
  END IF;
  RETURN QUERY
  SELECT c.kind, c.object, c.drift,
         CASE c.drift WHEN 'privileges' THEN nullif(array_to_string(c.removed, ', '), '')
           ELSE (SELECT string_agg(format('%s: %s', k.part, c.wanted ->> k.part), '; ' ORDER BY k.rank)
                 FROM unnest(c.differs) WITH ORDINALITY AS k(part, rank) WHERE c.wanted IS NOT NULL) END,
         CASE c.drift WHEN 'privileges' THEN nullif(array_to_string(c.added, ', '), '')
           ELSE (SELECT string_agg(format('%s: %s', k.part, c.live ->> k.part), '; ' ORDER BY k.rank)
                 FROM unnest(c.differs) WITH ORDINALITY AS k(part, rank) WHERE c.live IS NOT NULL) END,
         c.blocks,
         CASE WHEN c.drift <> 'ok' THEN birth.fn_birth_contract_repair(c.kind, c.object, c.drift, c.wanted, c.live,
           c.added, c.removed,
           (SELECT r.definition FROM birth.v_birth_contract_recorded r WHERE r.kind = c.kind
             AND r.object = c.object)) END
  FROM birth.fn_birth_contract_compare(
    (SELECT jsonb_object_agg(r.kind || ' ' || r.object, jsonb_build_object('parts', r.parts, 'exact', r.exact_sha256))
     FROM birth.v_birth_contract_recorded r WHERE r.kind <> 'claim'), v_rules) c;
END;
$fn_birth_contract_drift$;

COMMENT ON FUNCTION birth.fn_birth_contract_drift() IS
  'Every object of the contract against the database: drift, expected, found, whether it blocks, and the '
  'statement that repairs it. Specification: 7.';

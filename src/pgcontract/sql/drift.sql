-- The difference between the contract in force and the database, one row per object: what differs, whether it blocks,
-- and the statement that repairs it.
-- SECURITY DEFINER: the caller does not need SELECT on the registry.
-- Returns: drift as @prefix@compare has it; expected, found and repair are NULL where it is ok.
-- Calls: @prefix@live, @prefix@compare, @prefix@repair
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@drift()
  RETURNS TABLE (kind text, object text, drift text, expected text, found text, blocks boolean, repair text)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 300
  SET search_path = pg_catalog, pg_temp
  SET jit = off
  SET plan_cache_mode = force_generic_plan
AS $@prefix@drift$
DECLARE
  v_rules CONSTANT jsonb := (SELECT coalesce(jsonb_object_agg(substr(a.subject, 6), a.value), '{}')
                             FROM @schema@.@rules@ a WHERE a.stage = 'contract'
                               AND starts_with(a.subject, 'rule.'));
  v_kinds text[];
  v_objects text[];
  v_same boolean;
BEGIN
  -- Usually nothing differs: the recorded parts are read only if a hash differs.
  SELECT array_agg(l.kind), array_agg(l.object), coalesce(bool_and(r.exact_sha256 IS NOT DISTINCT FROM l.exact_sha256),
    true)
  INTO v_kinds, v_objects, v_same
  FROM (SELECT n.kind, n.object, n.exact_sha256 FROM @schema@.@recorded@ n WHERE n.kind <> 'claim') r
  FULL JOIN @schema@.@prefix@live(v_rules) l ON l.kind = r.kind AND l.object = r.object;
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
         CASE WHEN c.drift <> 'ok' THEN @schema@.@prefix@repair(c.kind, c.object, c.drift, c.wanted, c.live,
           c.added, c.removed,
           (SELECT r.definition FROM @schema@.@recorded@ r WHERE r.kind = c.kind
             AND r.object = c.object)) END
  FROM @schema@.@prefix@compare(
    (SELECT jsonb_object_agg(r.kind || ' ' || r.object, jsonb_build_object('parts', r.parts, 'exact', r.exact_sha256))
     FROM @schema@.@recorded@ r WHERE r.kind <> 'claim'), v_rules) c;
END;
$@prefix@drift$;

COMMENT ON FUNCTION @schema@.@prefix@drift() IS
  'Every object of the contract against the database: drift, expected, found, whether it blocks, and the '
  'statement that repairs it.@see@';

-- The difference between the contract in force and the database, one row an object: what differs, whether it blocks, and the statement that
-- repairs it. A change that lets something in or makes something behave otherwise blocks; one that only shuts somebody out or adds something
-- to read does not.
-- SECURITY DEFINER: whoever plans, reviews or watches need not be able to read the registry.
-- Returns: drift is ok, missing, extra, overload, body, signature, configuration, owner, privileges, disabled, not validated, or state.
-- Calls: fn_birth_contract_live, fn_birth_contract_repair
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_drift()
  RETURNS TABLE (kind text, object text, drift text, expected text, found text, blocks boolean, repair text)
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 300
  SET search_path = pg_catalog, pg_temp
  SET jit = off
AS $fn_birth_contract_drift$
BEGIN
  RETURN QUERY
  WITH recorded AS MATERIALIZED (
    SELECT r.kind, r.object, r.parts, r.exact_sha256, split_part(r.object, '(', 1) AS name
    FROM birth.v_birth_contract_recorded r WHERE r.kind <> 'claim'
  ), pair AS (
    SELECT coalesce(r.kind, l.kind) AS kind, coalesce(r.object, l.object) AS object, r.parts AS wanted, l.parts AS live,
           r.exact_sha256 = l.exact_sha256 AS same
    FROM recorded r
    FULL JOIN birth.fn_birth_contract_live(true) l ON l.kind = r.kind AND l.object = r.object
  ), different AS (
    SELECT p.*, w.*,
           ARRAY(SELECT jsonb_array_elements_text(p.live -> 'privileges') EXCEPT SELECT jsonb_array_elements_text(p.wanted -> 'privileges') ORDER BY 1) AS added,
           ARRAY(SELECT jsonb_array_elements_text(p.wanted -> 'privileges') EXCEPT SELECT jsonb_array_elements_text(p.live -> 'privileges') ORDER BY 1) AS removed
    FROM pair p
    CROSS JOIN LATERAL (
      -- The parts that differ, the gravest first, when both sides are there.
      SELECT array_agg(k.part ORDER BY k.rank) AS parts
      FROM unnest(ARRAY['body', 'signature', 'configuration', 'owner', 'state', 'privileges']) WITH ORDINALITY AS k(part, rank)
      WHERE (p.wanted -> k.part) IS DISTINCT FROM (p.live -> k.part)
    ) w
    WHERE p.same IS NOT TRUE
  ), classified AS (
    SELECT d.*,
           CASE
             WHEN d.live IS NULL THEN 'missing'
             WHEN d.wanted IS NULL AND d.kind IN ('gateway', 'function', 'procedure')
               AND EXISTS (SELECT FROM recorded r WHERE r.kind IN ('gateway', 'function', 'procedure') AND r.name = split_part(d.object, '(', 1)) THEN 'overload'
             WHEN d.wanted IS NULL THEN 'extra'
             WHEN d.parts[1] <> 'state' THEN d.parts[1]
             WHEN d.live -> 'state' ? 'enabled' OR (d.live -> 'state' -> 'triggers') IS DISTINCT FROM (d.wanted -> 'state' -> 'triggers') THEN 'disabled'
             WHEN d.live -> 'state' -> 'validated' = 'false' THEN 'not validated'
             ELSE 'state'
           END AS class,
           -- The table that a constraint, trigger, rule or policy is on, when the contract knows it.
           EXISTS (SELECT FROM recorded r WHERE r.kind IN ('table', 'view') AND r.object = split_part(d.object, '.', 1)) AS on_ours,
           -- Reading and being let into the schema change nothing.
           EXISTS (SELECT FROM unnest(d.added) AS a(entry)
                   WHERE a.entry !~ '=(SELECT|USAGE)\*?( |\(|$)' AND a.entry !~ ('^' || coalesce(d.live ->> 'owner', '') || '=')) AS opens
    FROM different d
  )
  SELECT p.kind, p.object, 'ok', NULL, NULL, false, NULL FROM pair p WHERE p.same
  UNION ALL
  SELECT c.kind, c.object, c.class,
         CASE c.class WHEN 'privileges' THEN nullif(array_to_string(c.removed, ', '), '')
           ELSE (SELECT string_agg(format('%s: %s', k.part, c.wanted ->> k.part), '; ' ORDER BY k.rank)
                 FROM unnest(c.parts) WITH ORDINALITY AS k(part, rank) WHERE c.wanted IS NOT NULL) END,
         CASE c.class WHEN 'privileges' THEN nullif(array_to_string(c.added, ', '), '')
           ELSE (SELECT string_agg(format('%s: %s', k.part, c.live ->> k.part), '; ' ORDER BY k.rank)
                 FROM unnest(c.parts) WITH ORDINALITY AS k(part, rank) WHERE c.live IS NOT NULL) END,
         CASE
           WHEN c.class = 'privileges' THEN c.opens
           WHEN c.class = 'extra' THEN CASE
             WHEN c.kind IN ('table', 'view') THEN c.opens
             WHEN c.kind = 'index' THEN (c.live ->> 'signature') LIKE 'CREATE UNIQUE %'
               AND EXISTS (SELECT FROM recorded r WHERE r.kind = 'table' AND strpos(c.live ->> 'signature', ' ON birth.' || r.object || ' ') > 0)
             WHEN c.kind IN ('constraint', 'trigger', 'rule', 'policy') THEN c.on_ours
             ELSE true END
           WHEN c.kind = 'index' THEN c.class <> 'missing' OR (c.wanted ->> 'signature') LIKE 'CREATE UNIQUE %'
           ELSE true
         END,
         birth.fn_birth_contract_repair(c.kind, c.object, c.class, c.wanted, c.live, c.added, c.removed)
  FROM classified c;
END;
$fn_birth_contract_drift$;

COMMENT ON FUNCTION birth.fn_birth_contract_drift() IS
  'Every object of the contract against the database: drift, expected, found, whether it blocks apply, and the statement that repairs it. Specification: 7.';

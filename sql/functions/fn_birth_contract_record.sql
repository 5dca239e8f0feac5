-- Records what a release fixed: a new row for every object that is not as the newest generation has it, one without hashes for an object that
-- is gone. Going back to an earlier body is a new row. p_semantic is the release's manifest: semantic hashes by name (routine, view) and the
-- claims of v_qt001_apply_runtime_status. Called at the end of every release.
-- Returns: how many rows it appended.
-- Calls: fn_birth_contract_live
-- Writes: birth_gateway_release_registry, birth_stage_anchor
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_record(p_release text, p_semantic jsonb)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_record$
DECLARE
  v_semantic jsonb := coalesce(p_semantic, '{}');
  v_major CONSTANT integer := current_setting('server_version_num')::integer / 10000;
  v_rows bigint;
BEGIN
  INSERT INTO birth.birth_gateway_release_registry
    (generation, release, kind, object, parts, exact_sha256, semantic_sha256, normalized_md5, algorithm, server_major)
  WITH wanted AS (
    SELECT l.kind, l.object, l.parts, l.exact_sha256, l.normalized_md5,
           coalesce(v_semantic #>> ARRAY['routine', split_part(l.object, '(', 1)], v_semantic #>> ARRAY['view', l.object]) AS semantic_sha256
    FROM birth.fn_birth_contract_live() l
    UNION ALL
    SELECT 'claim', c.key, c.value, encode(sha256(convert_to(c.value::text, 'UTF8')), 'hex'), NULL, NULL
    FROM jsonb_each(coalesce(v_semantic -> 'claims', '{}')) c
  ), newest AS (
    SELECT DISTINCT ON (r.kind, r.object) r.kind, r.object, r.exact_sha256, r.semantic_sha256, r.server_major
    FROM birth.birth_gateway_release_registry r
    ORDER BY r.kind, r.object, r.generation DESC
  )
  SELECT (SELECT coalesce(max(g.generation), 0) + 1 FROM birth.birth_gateway_release_registry g),
         p_release, coalesce(w.kind, n.kind), coalesce(w.object, n.object), w.parts, w.exact_sha256, w.semantic_sha256, w.normalized_md5,
         'exact-1/' || coalesce(v_semantic ->> 'algorithm', 'semantic-1'), v_major
  FROM wanted w
  FULL JOIN newest n ON n.kind = w.kind AND n.object = w.object
  WHERE (w.exact_sha256, w.semantic_sha256, v_major) IS DISTINCT FROM (n.exact_sha256, n.semantic_sha256, n.server_major)
    AND (w.kind IS NOT NULL OR n.exact_sha256 IS NOT NULL);
  GET DIAGNOSTICS v_rows = ROW_COUNT;

  -- How this database stores the views that were recorded: what lets a check trust a rule it has seen.
  DELETE FROM birth.birth_stage_anchor a WHERE a.stage = 'contract';
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT 'contract', 'rule.' || r.object, hashtextextended(w.ev_action::text, 0)::text || ' ' || (r.parts ->> 'body')
  FROM birth.v_birth_contract_recorded r
  JOIN pg_class c ON c.relnamespace = 'birth'::regnamespace AND c.relname = r.object
  JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename = '_RETURN'
  WHERE r.kind = 'view';
  RETURN v_rows;
END;
$fn_birth_contract_record$;

COMMENT ON FUNCTION birth.fn_birth_contract_record(text, jsonb) IS
  'Appends what a release changed to birth_gateway_release_registry; returns how many rows. For releases. Specification: 7.';

-- Records the contract of a release: a new row for every object that differs from its newest generation, and a row
-- without hashes for an object that is gone. Going back to an earlier body is a new row.
-- The contract is what p_manifest says for this server; the release has just compared it with the database. So what
-- another role added, such as a grant for a dashboard, is not recorded. With a manifest without objects (while a
-- release is being made) it records what is there. Called at the end of every release, and when it is attested again.
-- Returns: the number of rows appended.
-- Calls: @prefix@live, @prefix@objects
-- Writes: @registry@, @rules@
CREATE OR REPLACE FUNCTION @schema@.@prefix@record(p_release text, p_manifest jsonb)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
  SET timezone = 'UTC'
  SET datestyle = 'ISO, MDY'
  SET intervalstyle = 'postgres'
  SET quote_all_identifiers = off
  SET extra_float_digits = 1
  SET bytea_output = 'hex'
  SET standard_conforming_strings = on
AS $@prefix@record$
DECLARE
  v_major CONSTANT integer := current_setting('server_version_num')::integer / 10000;
  v_objects CONSTANT jsonb := coalesce(@schema@.@prefix@objects(p_manifest),
    (SELECT jsonb_object_agg(l.kind || ' ' || l.object, jsonb_build_object('parts', l.parts::jsonb))
      FROM @schema@.@prefix@live() l));
  v_rows bigint;
BEGIN
  INSERT INTO @schema@.@registry@
    (generation, release, kind, object, parts, definition, exact_sha256, semantic_sha256, normalized_md5, algorithm,
      server_major)
  WITH wanted AS (
    SELECT split_part(o.key, ' ', 1) AS kind, substr(o.key, strpos(o.key, ' ') + 1) AS object,
      o.value -> 'parts' AS parts, o.value ->> 'semantic' AS semantic
    FROM (SELECT v.key, v.value FROM jsonb_each(v_objects) v
          UNION ALL
          SELECT 'claim ' || c.key, jsonb_build_object('parts', c.value) FROM jsonb_each(p_manifest -> 'claims') c) o
  ), exact AS (
    SELECT w.*, encode(sha256(convert_to(w.parts::text, 'UTF8')), 'hex') AS sha256 FROM wanted w
  ), newest AS (
    SELECT DISTINCT ON (r.kind, r.object) r.kind, r.object, r.exact_sha256, r.semantic_sha256, r.server_major
    FROM @schema@.@registry@ r
    ORDER BY r.kind, r.object, r.generation DESC
  )
  SELECT (SELECT coalesce(max(g.generation), 0) + 1 FROM @schema@.@registry@ g),
         p_release, coalesce(w.kind, n.kind), coalesce(w.object, n.object), w.parts,
         CASE WHEN w.kind IN (@routine_kinds@)
           THEN pg_get_functiondef(to_regprocedure('@schema@.' || w.object))
              WHEN w.kind = 'view' THEN format('CREATE OR REPLACE VIEW @schema@.%s%s AS%s%s', w.object,
                (SELECT ' WITH (' || string_agg(o.option, ', ') || ')'
                 FROM jsonb_array_elements_text(CASE jsonb_typeof(w.parts -> 'configuration') WHEN 'array'
                   THEN w.parts -> 'configuration' ELSE '[]' END) AS o(option)),
                E'\n', pg_get_viewdef(to_regclass('@schema@.' || w.object))) END,
         w.sha256, w.semantic,
         (SELECT md5(replace(replace(replace(p.prosrc, ' ', ''), E'\n', ''), E'\t', '')) FROM pg_proc p
          WHERE w.kind IN (@routine_kinds@) AND p.oid = to_regprocedure('@schema@.' || w.object)),
         coalesce(p_manifest ->> 'algorithm', 'live'), v_major
  FROM exact w
  FULL JOIN newest n ON n.kind = w.kind AND n.object = w.object
  WHERE (w.sha256, w.semantic, v_major) IS DISTINCT FROM (n.exact_sha256, n.semantic_sha256, n.server_major)
    AND (w.kind IS NOT NULL OR n.exact_sha256 IS NOT NULL);
  GET DIAGNOSTICS v_rows = ROW_COUNT;

  -- How this database stores the recorded views, so that a later check can trust an unchanged rule. A view may have
  -- been replaced since it was compared: only the rule of the recorded body is kept.
  DELETE FROM @schema@.@rules@ a WHERE a.stage = 'contract';
  INSERT INTO @schema@.@rules@ (stage, subject, value)
  SELECT 'contract', 'rule.' || r.object, hashtextextended(coalesce(
           (SELECT string_agg(CASE x.refclassid WHEN 'pg_class'::regclass THEN x.refobjid::regclass::text
                                WHEN 'pg_proc'::regclass THEN x.refobjid::regprocedure::text END, ' '
                                  ORDER BY x.refclassid, x.refobjid)
            FROM (SELECT DISTINCT d.refclassid, d.refobjid FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass
              AND d.objid = w.oid) x), ''),
           hashtextextended(w.ev_action::text, 0))::text || ' ' || (r.parts ->> 'body')
  FROM @schema@.@recorded@ r
  JOIN pg_class c ON c.relnamespace = '@schema@'::regnamespace AND c.relname = r.object
  JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename = '_RETURN'
  WHERE r.kind = 'view' AND encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex') = r.parts ->> 'body';
  RETURN v_rows;
END;
$@prefix@record$;

COMMENT ON FUNCTION @schema@.@prefix@record(text, jsonb) IS
  'Appends what a release changed to @registry@; returns how many rows. For releases.@see@';

-- The difference between a contract and the database, one row per object.
-- A difference blocks if it lets a role do more, or changes what a routine does. A difference that only takes a
-- privilege away, adds something to read, or is an operator's tuning, does not block.
-- p_wanted is the contract by "kind object": parts, and their SHA-256 as exact. @prefix@drift takes it from
-- the registry; a release, its way back and a check from outside take it from the manifest of a release.
-- The body is one query, so that a check from outside can send it from the release's files, not call this copy.
-- Returns: drift is ok, missing, extra, overload, body, signature, configuration, owner, privileges, disabled,
-- not validated, state, or tuning; differs names the parts that differ, the most serious first; added and removed are
-- privileges. Where drift is ok, wanted and live are NULL.
-- Calls: @prefix@live
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@compare(p_wanted jsonb, p_rules jsonb DEFAULT '{}')
  RETURNS TABLE (kind text, object text, drift text, blocks boolean, wanted jsonb, live jsonb, differs text[],
    added text[], removed text[])
  LANGUAGE plpgsql
  STABLE
  ROWS 300
  SET search_path = pg_catalog, pg_temp
  SET jit = off
  SET plan_cache_mode = force_generic_plan
AS $@prefix@compare$
BEGIN
  RETURN QUERY
  WITH recorded AS MATERIALIZED (
    SELECT split_part(w.key, ' ', 1) AS kind, substr(w.key, strpos(w.key, ' ') + 1) AS object, w.value AS entry,
      w.value ->> 'exact' AS exact
    FROM jsonb_each(p_wanted) w
  ), member AS MATERIALIZED (
    -- An extension in the schema is one difference: what it made there goes with it.
    SELECT CASE m.classid
             WHEN 'pg_proc'::regclass THEN m.objid::regprocedure::text
             WHEN 'pg_class'::regclass THEN m.objid::regclass::text
             ELSE i.identity END AS name
    FROM pg_depend e
    JOIN pg_depend m ON m.refclassid = e.classid AND m.refobjid = e.objid AND m.deptype = 'e'
    CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) i
    WHERE e.classid = 'pg_extension'::regclass AND e.refclassid = 'pg_namespace'::regclass
      AND e.refobjid = to_regnamespace('@schema@')
  ), pair AS (
    SELECT coalesce(r.kind, l.kind) AS kind, coalesce(r.object, l.object) AS object, r.entry, l.parts AS live,
           r.exact = l.exact_sha256 AS same
    FROM recorded r
    FULL JOIN @schema@.@prefix@live(p_rules) l ON l.kind = r.kind AND l.object = r.object
  ), differing AS (
    -- Parts are long; they are shown only where they differ.
    SELECT p.kind, p.object, p.entry -> 'parts' AS wanted, p.live::jsonb AS live
    FROM pair p
    WHERE p.same IS NOT TRUE AND NOT (p.entry IS NULL AND EXISTS (
      SELECT FROM member m
      WHERE m.name IN (CASE p.kind WHEN 'cast' THEN p.object ELSE '@schema@.' || p.object END,
        '@schema@.' || substring(p.object FROM '^(?:"(?:[^"]|"")+"|[^".]+)'),
        CASE p.kind WHEN 'index' THEN substring(p.live::jsonb ->> 'signature' FROM ' ON (@schema@[.][^ ]+) ') END)))
  ), different AS (
    SELECT p.*, w.*,
           ARRAY(SELECT jsonb_array_elements_text(p.live -> 'privileges')
                 EXCEPT SELECT jsonb_array_elements_text(p.wanted -> 'privileges') ORDER BY 1) AS added,
           ARRAY(SELECT jsonb_array_elements_text(p.wanted -> 'privileges')
                 EXCEPT SELECT jsonb_array_elements_text(p.live -> 'privileges') ORDER BY 1) AS removed
    FROM differing p
    CROSS JOIN LATERAL (
      SELECT array_agg(k.part ORDER BY k.rank) AS differs
      FROM unnest(ARRAY['signature', 'body', 'configuration', 'owner', 'state',
        'privileges', 'tuning']) WITH ORDINALITY AS k(part, rank)
      WHERE (p.wanted -> k.part) IS DISTINCT FROM (p.live -> k.part)
    ) w
  ), classified AS (
    SELECT d.*,
           CASE
             WHEN d.live IS NULL THEN 'missing'
             WHEN d.wanted IS NULL AND d.kind IN (@routine_kinds@)
               AND EXISTS (SELECT FROM recorded r WHERE r.kind IN (@routine_kinds@)
                             AND split_part(r.object, '(', 1) = split_part(d.object, '(', 1)) THEN 'overload'
             WHEN d.wanted IS NULL THEN 'extra'
             WHEN d.differs[1] <> 'state' THEN d.differs[1]
             WHEN d.live -> 'state' ? 'enabled'
               OR (d.live -> 'state' -> 'triggers') IS DISTINCT FROM (d.wanted -> 'state' -> 'triggers') THEN 'disabled'
             WHEN d.live -> 'state' -> 'validated' = 'false' THEN 'not validated'
             ELSE 'state'
           END AS drift,
           -- The table that a constraint, trigger, rule, policy or statistics object is on, when the contract knows it.
           EXISTS (SELECT FROM recorded r WHERE r.kind IN ('table', 'view')
             AND r.object = substring(d.object FROM '^(?:"(?:[^"]|"")+"|[^".]+)')) AS on_ours,
           -- SELECT and USAGE change nothing, nor does what default privileges take.
           EXISTS (SELECT FROM unnest(d.added) AS a(entry)
                   WHERE a.entry !~ '^("([^"]|"")+"|[^"=]+)=((SELECT|USAGE)[*]?( |[(]|$)|[A-Z]+[*]? taken )'
                     AND NOT starts_with(a.entry, coalesce(d.live ->> 'owner', '') || '=')) AS opens,
           -- The routines run as the owners. Another role: a difference that lets its members do more than read.
           d.object IN (@owners_quoted@)
             OR d.live -> 'configuration' ?| ARRAY['SUPERUSER', 'CREATEROLE']
             OR EXISTS (SELECT FROM unnest(d.added) AS a(entry)
                        WHERE a.entry ~ '^(@role_prefix@|'
                          'pg_(write_all_data|execute_server_program|write_server_files)([ *]|$)|'
                          '("([^"]|"")+"|[^" ]+) (SUPERUSER|CREATEROLE))'
                          -- A membership that the contract has, with an option less, gives nothing more.
                          AND NOT d.wanted -> 'privileges' ? regexp_replace(a.entry, ' NO(INHERIT|SET)', '', 'g')
                       ) AS seizes
    FROM different d
  )
  SELECT p.kind, p.object, 'ok' AS drift, false AS blocks, NULL::jsonb AS wanted, NULL::jsonb AS live,
    NULL::text[] AS differs, NULL::text[] AS added, NULL::text[] AS removed
  FROM pair p WHERE p.same
  UNION ALL
  SELECT c.kind, c.object, c.drift,
         CASE
           WHEN c.kind = 'role' THEN c.drift = 'missing' OR c.seizes
           WHEN c.drift = 'tuning' THEN false
           WHEN c.drift = 'privileges' THEN c.opens
           WHEN c.drift = 'extra' THEN CASE
             WHEN c.kind IN ('table', 'view', 'sequence') THEN c.opens
             -- An index over plain columns only speeds up reading. One that is unique, partial or over an expression
             -- affects every row that is written.
             WHEN c.kind = 'index'
               THEN (c.live ->> 'signature') !~ (E'^CREATE INDEX (?:"(?:[^"]|"")+"|\\w+) ON @schema@[.]\\w+ USING \\w+ '
                 '[(](?:\\w+(?: COLLATE "C")?(?: \\w+_ops)?(?: DESC)?(?: NULLS \\w+)?(?:, )?)+[)]'
                 '(?: INCLUDE [(][\\w, ]+[)])?$')
               AND EXISTS (SELECT FROM recorded r WHERE r.kind = 'table'
                 AND strpos(c.live ->> 'signature', ' ON @schema@.' || r.object || ' ') > 0)
             -- A foreign key from elsewhere runs code of its table's owner as the owner of ours.
             WHEN c.kind IN ('constraint', 'trigger', 'rule', 'policy', 'statistics')
               THEN c.on_ours OR c.live ? 'undo'
             WHEN c.kind = 'cast' THEN c.object ~ '(^[(]| AS )@schema@[.]'
             -- A type: to PostgreSQL, @schema@.f('x') is a cast where there is a type f.
             ELSE c.kind IN (@routine_kinds@, 'type', 'extension', 'dependency', 'subscription') END
           WHEN c.kind = 'index' THEN c.drift <> 'missing' OR (c.wanted ->> 'signature') LIKE 'CREATE UNIQUE %'
           ELSE true
         END,
         c.wanted, c.live, c.differs, c.added, c.removed
  FROM classified c;
END;
$@prefix@compare$;

COMMENT ON FUNCTION @schema@.@prefix@compare(jsonb, jsonb) IS
  'Every object of a contract against the database: drift, whether it blocks, what was wanted, what is '
  'there, and what differs.@see@';

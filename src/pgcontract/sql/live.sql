-- Every object of schema @schema@ as it is now, part by part. The parts hold no OID and no transaction number, so two
-- databases of one server major agree, before and after a dump and restore. Settings that change how the server writes
-- a definition are pinned. NOT NULL constraints are left out: the columns show them.
--
-- Most of the time goes into writing out the definitions of views. p_rules holds what the last release recorded of this
-- database: by view, the hash of the stored rule and the body that belongs to it. A view with another rule, as after a
-- restore, is written out.
--
-- The parts are built as text in the order in which jsonb writes them (shorter keys first, then alphabetically),
-- because the text is what is hashed. Building a jsonb per object took longer than everything else. A manifest's
-- objects are hashed from their jsonb; if the text here were written in another order, that would show as drift.
--
-- A superuser's UPDATE of the catalogue can disable what the definitions still show: the server trusts relchecks,
-- relhasindex, indisunique, and the function of a foreign key's trigger (an OID that is the same on every server).
-- Where a row contradicts the rows that it sums up, `state` has an entry `contradicts`.
--
-- `tuning` is what an operator may set: where and how rows are stored, how statements are planned. Each entry is an
-- action of ALTER TABLE or ALTER INDEX. An object without a kind of its own here, such as a type, has the kind that
-- pg_identify_object names, and `undo`: the statement that takes it away. So has what others made of our objects: a
-- publication, a subscription, a foreign key from elsewhere, a cast, a place in an extension.
--
-- Roles belong to the cluster; recorded are their attributes, settings and memberships.
-- The body is one query, so that a check from outside can send it from the release's files, not call this copy.
-- Returns: one row per object: kind, object, parts, their SHA-256.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@live(p_rules jsonb DEFAULT '{}')
  RETURNS TABLE (kind text, object text, parts text, exact_sha256 text)
  LANGUAGE plpgsql
  STABLE
  ROWS 300
  SET search_path = pg_catalog, pg_temp
  SET timezone = 'UTC'
  SET datestyle = 'ISO, MDY'
  SET intervalstyle = 'postgres'
  SET quote_all_identifiers = off
  SET extra_float_digits = 1
  SET bytea_output = 'hex'
  SET standard_conforming_strings = on
  SET jit = off
  SET enable_seqscan = off
  SET plan_cache_mode = force_generic_plan
AS $@prefix@live$
BEGIN
  RETURN QUERY
  WITH relation AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner, c.relacl, c.reloptions, c.relpersistence,
           c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relchecks, c.relhasindex,
           c.relhastriggers, c.relhasrules, c.reltype, c.reloftype, c.relam, c.reltablespace, c.reltoastrelid
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('@schema@') AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  ), routine AS MATERIALIZED (
    SELECT p.oid, p.proname, p.prokind, p.prosrc, p.prolang, p.provolatile, p.proparallel, p.proisstrict,
           p.prosecdef, p.proleakproof, p.procost, p.prorows, p.prosupport, p.proconfig, p.proowner, p.protrftypes,
           coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
    FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('@schema@')
  ), attribute AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.atthasdef,
           a.attidentity, a.attgenerated, a.attacl, a.attstattarget, a.attstorage, a.attcompression, a.attoptions
    FROM pg_attribute a
    WHERE a.attrelid = ANY (ARRAY(SELECT o.oid FROM relation o)) AND a.attnum > 0 AND NOT a.attisdropped
  ), sequence AS MATERIALIZED (
    SELECT r.oid, d.refobjsubid AS attnum, s.oid AS sequence, s.relname, s.relpersistence, s.relacl, s.relowner,
           format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
             q.seqtypid::regtype, q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
             CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS settings
    FROM relation r
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.refobjsubid > 0
      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_sequence q ON q.seqrelid = s.oid
    WHERE r.relkind <> 'v'
      -- Of the sequences that a column owns, the one of its identity or default.
      AND (d.deptype = 'i' OR EXISTS (
        SELECT FROM pg_attrdef f
        JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid
          AND u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid
        WHERE f.adrelid = r.oid AND f.adnum = d.refobjsubid))
  ), index AS MATERIALIZED (
    SELECT i.oid, x.indrelid, i.relname, i.reloptions, i.reltablespace, x.indisclustered, x.indimmediate,
           x.indexprs IS NOT NULL AS computes, x.indisvalid AND x.indisready AND x.indislive AS valid,
           -- Options are tuning.
           CASE WHEN i.reloptions IS NULL THEN pg_get_indexdef(i.oid) ELSE replace(pg_get_indexdef(i.oid), (
             SELECT format(' WITH (%s)', string_agg(format('%I=%s', o.option_name,
               CASE WHEN quote_ident(o.option_value) = o.option_value THEN o.option_value
                    ELSE quote_literal(o.option_value) END), ', '))
             FROM pg_options_to_table(i.reloptions) o), '') END AS definition
    FROM relation r
    JOIN pg_index x ON x.indrelid = r.oid
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE r.relkind <> 'v'
  ), fallback AS MATERIALIZED (
    SELECT d.oid, d.adrelid, d.adnum, d.adbin FROM pg_attrdef d
    WHERE d.adrelid = ANY (ARRAY(SELECT r.oid FROM relation r))
  ), dependent AS MATERIALIZED (
    -- @prefix@token finds the objects by these rows: without its row an object changes unseen.
    SELECT d.classid, d.objid FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace('@schema@') AND d.refobjsubid = 0
  ), other AS MATERIALIZED (
    -- What no other branch describes.
    SELECT d.classid, d.objid, i.type, i.identity,
           coalesce((SELECT s.refobjid FROM pg_shdepend s
                     WHERE s.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                       AND s.classid = d.classid AND s.objid = d.objid AND s.deptype = 'o'), 10) AS owner
    FROM dependent d
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
    WHERE CASE d.classid
      WHEN 'pg_proc'::regclass THEN false
      WHEN 'pg_default_acl'::regclass THEN false
      WHEN 'pg_class'::regclass THEN d.objid NOT IN (SELECT r.oid FROM relation r)
        AND d.objid NOT IN (SELECT s.sequence FROM sequence s)
      WHEN 'pg_statistic_ext'::regclass THEN NOT EXISTS (
        SELECT FROM pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid WHERE s.oid = d.objid)
      -- The multirange of a range.
      ELSE NOT EXISTS (
        SELECT FROM pg_depend p WHERE p.classid = d.classid AND p.objid = d.objid AND p.deptype = 'i') END
  ), held AS MATERIALIZED (
    -- base: what PostgreSQL grants by itself, where an ACL says what differs from that.
    SELECT 'relation' AS class, r.oid, coalesce(r.relacl, acldefault('r', r.relowner)) AS acl,
           '{}'::aclitem[] AS base, r.relowner AS owner, '' AS suffix
    FROM relation r
    UNION ALL
    SELECT 'relation', r.oid, w.acl, w.base, r.relowner, format(' %son the row type', w.taken)
    FROM relation r
    JOIN pg_type t ON t.oid = r.reltype AND t.typacl IS NOT NULL
      AND t.oid = ANY (ARRAY(SELECT u.reltype FROM relation u))
    CROSS JOIN LATERAL acldefault('T', t.typowner) AS b(acl)
    CROSS JOIN LATERAL (VALUES ('', t.typacl, b.acl), ('taken ', b.acl, t.typacl)) AS w(taken, acl, base)
    UNION ALL
    SELECT 'relation', a.attrelid, a.attacl, '{}', r.relowner, format('(%I)', a.attname)
    FROM attribute a JOIN relation r ON r.oid = a.attrelid
    WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'relation', s.oid, coalesce(s.relacl, acldefault('s', s.relowner)), '{}', s.relowner,
           format(' on the sequence of %I', a.attname)
    FROM sequence s JOIN attribute a ON a.attrelid = s.oid AND a.attnum = s.attnum
    UNION ALL
    SELECT 'routine', p.oid, p.acl, '{}', p.proowner, ''
    FROM routine p
    UNION ALL
    SELECT 'other', s.oid, coalesce(s.relacl, acldefault('s', s.relowner)), '{}', s.relowner, ''
    FROM other o JOIN pg_class s ON s.oid = o.objid
    WHERE o.classid = 'pg_class'::regclass
    UNION ALL
    SELECT 'other', t.oid, coalesce(t.typacl, acldefault('T', t.typowner)), '{}', t.typowner, ''
    FROM other o JOIN pg_type t ON t.oid = o.objid
    WHERE o.classid = 'pg_type'::regclass
    UNION ALL
    SELECT 'schema', n.oid, coalesce(n.nspacl, acldefault('n', n.nspowner)), '{}', n.nspowner, ''
    FROM pg_namespace n
    WHERE n.oid = to_regnamespace('@schema@')
    UNION ALL
    SELECT 'schema', to_regnamespace('@schema@'), w.acl, w.base, d.defaclrole,
           format(' %sby default on new %s of %I%s', w.taken, d.defaclobjtype, pg_get_userbyid(d.defaclrole),
             CASE d.defaclnamespace WHEN 0 THEN ' anywhere' END)
    FROM pg_default_acl d
    CROSS JOIN LATERAL (SELECT CASE d.defaclnamespace WHEN 0
      THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)
      ELSE '{}' END AS acl) b
    CROSS JOIN LATERAL (VALUES ('', d.defaclacl, b.acl), ('taken ', b.acl, d.defaclacl)) AS w(taken, acl, base)
    WHERE d.defaclnamespace = to_regnamespace('@schema@')
       OR d.defaclnamespace = 0 AND d.defaclrole = to_regrole('@owner@')
  ), granted AS MATERIALIZED (
    -- Who may do what. Names are quoted where they need it, so that no name reads as another entry. A star is the
    -- grant option. The grantor is left out, because a restore changes it. So is the owner's MAINTAIN, which
    -- PostgreSQL 17 added and which a dump of an earlier server does not grant.
    -- Most objects share a few lists; each list is written once.
    SELECT h.acl, h.base, h.owner, h.suffix, (
             SELECT string_agg(to_json(e.entry)::text, ', ' ORDER BY e.entry COLLATE "C")
             FROM (
               SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                        || '=' || x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END
                        || h.suffix AS entry
               FROM aclexplode(nullif(h.acl, '{}')) x
               WHERE NOT (x.privilege_type = 'MAINTAIN' AND x.grantee = h.owner)
                 AND NOT EXISTS (
                   SELECT FROM aclexplode(nullif(h.base, '{}')) b WHERE (b.grantee, b.privilege_type, b.is_grantable)
                     = (x.grantee, x.privilege_type, x.is_grantable))
             ) e) AS entries
    FROM (SELECT DISTINCT d.acl, d.base, d.owner, d.suffix FROM held d) h
  ), privileges AS MATERIALIZED (
    SELECT p.class, p.oid, '[' || CASE p.lists
             WHEN 1 THEN p.entries
             ELSE (SELECT string_agg(to_json(e.entry)::text, ', ' ORDER BY e.entry COLLATE "C")
                   FROM json_array_elements_text(('[' || p.entries || ']')::json) AS e(entry))
           END || ']' AS entries
    FROM (
      SELECT h.class, h.oid, count(*) AS lists, string_agg(g.entries, ', ') AS entries
      FROM held h
      JOIN granted g ON g.acl = h.acl AND g.base = h.base AND g.owner = h.owner AND g.suffix = h.suffix
        AND g.entries IS NOT NULL
      GROUP BY h.class, h.oid
    ) p
  ), type AS MATERIALIZED (
    SELECT t.oid, u.atttypmod, t.typcollation, t.typstorage, to_json(format_type(t.oid, u.atttypmod))::text AS name
    FROM (SELECT DISTINCT a.atttypid, a.atttypmod FROM attribute a) u
    JOIN pg_type t ON t.oid = u.atttypid
    WHERE t.oid = ANY (ARRAY(SELECT DISTINCT a.atttypid FROM attribute a))
  ), columns AS MATERIALIZED (
    SELECT a.attrelid AS oid, '[' || string_agg(concat(
             '{"name": ', to_json(a.attname), ', "type": ', t.name,
             ', "default": ' || to_json(pg_get_expr(d.adbin, d.adrelid))::text,
             ', "identity": "' || nullif(a.attidentity::text, '') || '"',
             CASE WHEN a.attnotnull THEN ', "not null": true' END,
             ', "sequence": ' || to_json(s.settings)::text,
             CASE WHEN s.relpersistence <> 'p' THEN ', "unlogged": true' END,
             CASE WHEN a.attcollation <> t.typcollation THEN ', "collation": ' || (
               SELECT to_json(quote_ident(c.collname))::text FROM pg_collation c WHERE c.oid = a.attcollation) END,
             ', "generated": "' || nullif(a.attgenerated::text, '') || '"',
             ', "sequence name": ' || to_json(s.relname)::text,
             '}'), ', ' ORDER BY a.attnum) || ']' AS list,
             bool_and(a.atthasdef = (d.oid IS NOT NULL)) AS defaulted
    FROM attribute a
    JOIN type t ON t.oid = a.atttypid AND t.atttypmod = a.atttypmod
    LEFT JOIN fallback d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN sequence s ON s.oid = a.attrelid AND s.attnum = a.attnum
    GROUP BY a.attrelid
  ), tuned AS MATERIALIZED (
    SELECT u.oid, '[' || string_agg(to_json(u.action)::text, ', ' ORDER BY u.action COLLATE "C") || ']' AS actions
    FROM (
      SELECT r.oid, format('SET (%s)', o.option) AS action
      FROM relation r CROSS JOIN LATERAL unnest(r.reloptions) AS o(option) WHERE r.relkind <> 'v'
      UNION ALL
      SELECT r.oid, format('SET (toast.%s)', o.option)
      FROM relation r
      JOIN pg_class t ON t.oid = r.reltoastrelid
      CROSS JOIN LATERAL unnest(t.reloptions) AS o(option)
      WHERE t.oid = ANY (ARRAY(SELECT u.reltoastrelid FROM relation u))
      UNION ALL
      SELECT i.oid, format('SET (%s)', o.option) FROM index i CROSS JOIN LATERAL unnest(i.reloptions) AS o(option)
      UNION ALL
      SELECT p.oid, format('SET TABLESPACE %I', s.spcname)
      FROM (SELECT r.oid, r.reltablespace FROM relation r UNION ALL SELECT i.oid, i.reltablespace FROM index i) p
      JOIN pg_tablespace s ON s.oid = p.reltablespace
      UNION ALL
      SELECT i.indrelid, format('CLUSTER ON %I', i.relname) FROM index i WHERE i.indisclustered
      UNION ALL
      SELECT i.oid, format('ALTER COLUMN %s SET STATISTICS %s', a.attnum, a.attstattarget)
      FROM index i JOIN pg_attribute a ON a.attrelid = i.oid AND a.attstattarget >= 0
      WHERE i.computes
      UNION ALL
      SELECT a.attrelid, format('ALTER COLUMN %I SET %s', a.attname, c.setting)
      FROM attribute a
      JOIN type t ON t.oid = a.atttypid AND t.atttypmod = a.atttypmod
      CROSS JOIN LATERAL (
        SELECT 'STATISTICS ' || a.attstattarget AS setting WHERE a.attstattarget >= 0
        UNION ALL
        SELECT 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
          ELSE 'EXTENDED' END
        WHERE a.attstorage <> t.typstorage
        UNION ALL
        SELECT 'COMPRESSION ' || CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END WHERE a.attcompression <> ''
        UNION ALL
        SELECT format('(%s)', o.option) FROM unnest(a.attoptions) AS o(option)
      ) c
      WHERE a.attstattarget >= 0 OR a.attstorage <> t.typstorage OR a.attcompression <> '' OR a.attoptions IS NOT NULL
    ) u
    GROUP BY u.oid
  ), role AS MATERIALIZED (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
           r.rolbypassrls, r.rolinherit, r.rolconnlimit, r.rolvaliduntil, r.rolconfig
    FROM pg_roles r
    WHERE r.rolname = ANY ('{
      @roles@}'::name[])
  ), membership AS MATERIALIZED (
    -- Every role that a role can act as, and by which membership; a star is ADMIN. It stops at the roles of the
    -- contract, which have a row each. From PostgreSQL 16 on each grantor's row has options, of which the most count.
    WITH RECURSIVE member AS (
      SELECT m.member AS role, m.roleid, m.roleid AS direct, m.admin_option,
             to_jsonb(m) ->> 'inherit_option' AS inherits, to_jsonb(m) ->> 'set_option' AS sets
      FROM pg_auth_members m
      WHERE m.member IN (SELECT r.oid FROM role r)
        -- A release makes @owner@ a member of the other owners, and ends that before it commits.
        AND NOT (m.member = to_regrole('@owner@') AND pg_get_userbyid(m.roleid) = ANY ('{@lent@}'::name[])
                 AND age(m.xmin) <= 0)
      UNION
      SELECT b.role, m.roleid, b.direct, m.admin_option, b.inherits, b.sets
      FROM member b JOIN pg_auth_members m ON m.member = b.roleid
      WHERE b.roleid NOT IN (SELECT r.oid FROM role r)
    )
    SELECT m.role, concat(
             quote_ident(o.rolname),
             CASE WHEN o.rolsuper THEN ' SUPERUSER' END,
             CASE WHEN o.rolcreaterole THEN ' CREATEROLE' END,
             CASE WHEN max(m.inherits) = 'false' THEN ' NOINHERIT' END,
             CASE WHEN max(m.sets) = 'false' THEN ' NOSET' END,
             CASE WHEN bool_or(m.admin_option) THEN '*' END,
             ' by ' || CASE WHEN m.roleid <> m.direct THEN quote_ident(pg_get_userbyid(m.direct)) END) AS entry
    FROM member m JOIN pg_roles o ON o.oid = m.roleid
    GROUP BY m.role, m.roleid, m.direct, o.rolname, o.rolsuper, o.rolcreaterole
  ), described AS (
    SELECT @routine_kind@ AS kind,
           substr(p.oid::regprocedure::text, @after_schema@) AS object,
           concat(
             '{"body": "',
             encode(sha256(convert_to(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'),
             '", "owner": ', to_json(pg_get_userbyid(p.proowner)),
             CASE WHEN p.oid NOT IN (SELECT d.objid FROM dependent d WHERE d.classid = 'pg_proc'::regclass)
               THEN ', "state": {"contradicts": ["pg_depend"]}'
               WHEN p.protrftypes IS NOT NULL THEN ', "state": {"transforms": true}' END,
             ', "signature": ', to_json(format('%s(%s) %s',
               CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' WHEN 'w' THEN 'WINDOW'
                 ELSE 'FUNCTION' END,
               pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))),
             ', "privileges": ', x.entries,
             ', "configuration": [', to_json(l.lanname), ', "', p.provolatile, '", "', p.proparallel, '", ',
             p.proisstrict::text, ', ', p.prosecdef::text, ', ', p.proleakproof::text, ', ', to_jsonb(p.procost), ', ',
             to_jsonb(p.prorows), ', ', to_json(p.prosupport::text), ', ',
             CASE
               WHEN p.proconfig IS NULL THEN 'null'
               WHEN cardinality(p.proconfig) = 1 THEN to_json(p.proconfig)::text
               ELSE coalesce((
                 SELECT '[' || string_agg(to_json(s.setting)::text, ', ' ORDER BY s.setting COLLATE "C") || ']'
                 FROM unnest(p.proconfig) AS s(setting)), 'null')
             END,
             ']}') AS parts
    FROM routine p
    JOIN pg_language l ON l.oid = p.prolang
    JOIN privileges x ON x.class = 'routine' AND x.oid = p.oid
    UNION ALL
    SELECT CASE WHEN r.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, quote_ident(r.name),
           concat(
             '{"body": ', coalesce(CASE WHEN r.relkind IN ('v', 'm') THEN '"' || coalesce(
               CASE WHEN p_rules ? r.name THEN (
                 SELECT split_part(p_rules ->> r.name, ' ', 2)
                 FROM pg_rewrite w
                 WHERE w.ev_class = r.oid AND w.rulename = '_RETURN'
                   -- The rule refers to objects by OID; such an object may have been renamed and another one created.
                   AND split_part(p_rules ->> r.name, ' ', 1) = hashtextextended(
                     coalesce((
                       SELECT string_agg(
                                CASE x.refclassid
                                  WHEN 'pg_class'::regclass THEN x.refobjid::regclass::text
                                  WHEN 'pg_proc'::regclass THEN x.refobjid::regprocedure::text
                                END, ' ' ORDER BY x.refclassid, x.refobjid)
                       FROM (SELECT DISTINCT d.refclassid, d.refobjid FROM pg_depend d
                             WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid) x), ''),
                     hashtextextended(w.ev_action::text, 0))::text) END,
               encode(sha256(convert_to(pg_get_viewdef(r.oid), 'UTF8')), 'hex')) || '"' END, 'null'),
             ', "owner": ', to_json(pg_get_userbyid(r.relowner)),
             ', "state": ', jsonb_build_object(
                 'kind', r.relkind, 'persistence', r.relpersistence, 'replica identity', r.relreplident,
                 'row security', r.relrowsecurity, 'forced', r.relforcerowsecurity,
                 'children', (
                   SELECT jsonb_agg(i.inhrelid::regclass::text ORDER BY i.inhrelid::regclass::text COLLATE "C")
                   FROM pg_inherits i WHERE i.inhparent = r.oid))
               -- A role that may write the parent writes these rows. A contract has no parent, so an entry is drift.
               || coalesce((
                 SELECT jsonb_build_object(
                   CASE WHEN r.relispartition THEN 'partition of' ELSE 'parents' END,
                   jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhparent::regclass::text COLLATE "C"))
                 FROM pg_inherits i WHERE i.inhrelid = r.oid HAVING count(*) > 0), '{}')
               || CASE WHEN r.reloftype = 0 THEN '{}' ELSE jsonb_build_object('of', ARRAY[r.reloftype::regtype]) END
               -- An index and a view have none, and 2 is heap on every server.
               || CASE WHEN r.relam IN (0, 2) THEN '{}' ELSE jsonb_build_object('access method', ARRAY(
                 SELECT m.amname FROM pg_am m WHERE m.oid = r.relam)) END
               || CASE WHEN n.list = '' THEN '{}' ELSE format('{"contradicts": [%s]}', n.list)::jsonb END,
             ', "tuning": ' || u.actions,
             ', "signature": ', coalesce(c.list, '[]'),
             ', "privileges": ', coalesce(x.entries, '[]'),
             ', "configuration": ', coalesce((
               SELECT '[' || string_agg(to_json(o.option)::text, ', ' ORDER BY o.option COLLATE "C") || ']'
               FROM unnest(r.reloptions) AS o(option) WHERE r.relkind = 'v'), 'null'),
             '}')
    FROM relation r
    LEFT JOIN columns c ON c.oid = r.oid
    LEFT JOIN tuned u ON u.oid = r.oid
    LEFT JOIN privileges x ON x.class = 'relation' AND x.oid = r.oid
    CROSS JOIN LATERAL (
      -- Flags that switch off what the contract has. An object that the contract does not have is drift anyway.
      SELECT concat_ws(', ',
               CASE WHEN r.relkind NOT IN ('v', 'm')
                 AND r.relchecks <> (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'c')
                 THEN '"relchecks"' END,
               CASE WHEN NOT r.relhasindex AND r.relkind <> 'v'
                 AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid) THEN '"relhasindex"' END,
               CASE WHEN NOT r.relhastriggers AND r.relkind <> 'v'
                 AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = r.oid) THEN '"relhastriggers"' END,
               CASE WHEN NOT r.relhasrules AND r.relkind = 'v' THEN '"relhasrules"' END,
               CASE WHEN NOT c.defaulted THEN '"atthasdef"' END,
               CASE WHEN r.oid NOT IN (SELECT d.objid FROM dependent d WHERE d.classid = 'pg_class'::regclass)
                 THEN '"pg_depend"' END) AS list
      OFFSET 0
    ) n
    UNION ALL
    SELECT 'constraint', format('%I.%I', r.name, k.conname),
           concat(
             -- What enforces it: the index of a key, the triggers of a foreign key.
             '{"state": {"index": ', coalesce(to_json(x.definition
               || CASE WHEN x.indimmediate = k.condeferrable THEN ', not immediate' ELSE '' END)::text, 'null'),
             ', "valid": ', coalesce(x.valid::text, 'null'),
             ', "triggers": ', coalesce(CASE WHEN k.contype NOT IN ('c', 'n') THEN (
               SELECT to_json(string_agg(s.text, ', ' ORDER BY s.text COLLATE "C"))::text
               FROM (
                 SELECT concat_ws(' ', t.tgenabled, t.tgfoid, t.tgtype,
                          CASE t.tgrelid WHEN k.conrelid THEN 'from' WHEN k.confrelid THEN 'to' END,
                          CASE WHEN t.tgqual IS NOT NULL OR t.tgattr::text <> '' THEN 'partly' END) AS text
                 FROM pg_trigger t WHERE t.tgconstraint = k.oid
               ) s) END, 'null'),
             ', "validated": ', k.convalidated::text,
             '}', ', "tuning": ' || u.actions,
             ', "signature": ', -- A constraint that is being dropped has no definition any more.
             coalesce(to_json(
               CASE WHEN k.convalidated THEN d.definition
                    ELSE regexp_replace(d.definition, ' NOT VALID$', '') END)::text, 'null'),
             '}')
    FROM relation r
    JOIN pg_constraint k ON k.conrelid = r.oid
    CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d(definition)
    LEFT JOIN index x ON x.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
    LEFT JOIN tuned u ON u.oid = x.oid
    WHERE k.contype <> 'n' OR NOT k.convalidated
    UNION ALL
    SELECT 'index', quote_ident(i.relname),
           concat(
             '{"state": {"valid": ', (i.valid AND i.indimmediate)::text,
             '}', ', "tuning": ' || u.actions,
             ', "signature": ', to_json(i.definition),
             '}')
    FROM index i
    LEFT JOIN tuned u ON u.oid = i.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'trigger', format('%I.%I', r.name, t.tgname),
           jsonb_build_object(
             'signature', pg_get_triggerdef(t.oid),
             'state', jsonb_build_object('enabled', t.tgenabled))::text
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
    -- Those of foreign keys belong to their constraints; any other internal trigger was not made by the server.
    WHERE NOT t.tgisinternal
       OR NOT EXISTS (SELECT FROM pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 'f')
    UNION ALL
    SELECT 'rule', format('%I.%I', r.name, w.rulename),
           jsonb_build_object(
             'signature', pg_get_ruledef(w.oid),
             'state', jsonb_build_object('enabled', w.ev_enabled))::text
    FROM relation r
    JOIN pg_rewrite w ON w.ev_class = r.oid
      AND NOT (w.rulename = '_RETURN' AND w.ev_type = '1' AND r.relkind IN ('v', 'm'))
    UNION ALL
    SELECT 'policy', format('%I.%I', r.name, l.polname),
           jsonb_build_object(
             'signature', concat_ws(' ', l.polcmd, l.polpermissive,
               pg_get_expr(l.polqual, l.polrelid), pg_get_expr(l.polwithcheck, l.polrelid), 'TO',
               (SELECT string_agg(CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END, ', '
                         ORDER BY pg_get_userbyid(u.role) COLLATE "C") FROM unnest(l.polroles) AS u(role))))::text
    FROM relation r JOIN pg_policy l ON l.polrelid = r.oid
    UNION ALL
    SELECT 'statistics', format('%I.%I', r.name, s.stxname),
           jsonb_build_object(
             'signature', pg_get_statisticsobjdef(s.oid),
             'name', format('%s.%I', s.stxnamespace::regnamespace, s.stxname))::text
    FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
    UNION ALL
    SELECT replace(o.type, ' ', '_'),
           CASE WHEN starts_with(o.identity, '@schema@.') THEN substr(o.identity, @after_schema@) ELSE o.identity END,
           concat(
             '{"undo": ', to_json(CASE o.type
               WHEN 'extension' THEN (
                 -- Moved or dropped, it takes along what was added to it: an object of the owner is none of its own.
                 SELECT format(CASE
                     WHEN e.extrelocatable AND to_regnamespace('public') IS NOT NULL AND NOT EXISTS (
                       SELECT FROM pg_depend m
                       JOIN pg_shdepend s ON s.classid = m.classid AND s.objid = m.objid AND s.deptype = 'o'
                         AND pg_get_userbyid(s.refobjid) = ANY ('{@lent@}'::name[] || '@owner@'::name)
                         AND s.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                       WHERE m.refclassid = o.classid AND m.refobjid = o.objid AND m.deptype = 'e')
                     THEN 'ALTER EXTENSION %1$s SET SCHEMA public'
                     ELSE '-- extension %1$s lies in the schema and cannot be moved: its owner takes objects of the '
                       'contract out of it, ALTER EXTENSION %1$s DROP these, then drops it and makes it in another'
                     END, o.identity)
                 FROM pg_extension e WHERE e.oid = o.objid)
               WHEN 'publication namespace' THEN format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA @schema@',
                 (pg_identify_object_as_address(o.classid, o.objid, 0)).object_args[1])
               ELSE format('DROP %s %s', upper(replace(o.type, ' object', '') COLLATE "C"), o.identity) END),
             ', "owner": ', to_json(pg_get_userbyid(o.owner)),
             ', "privileges": ', coalesce(x.entries, '[]'),
             '}')
    FROM other o
    LEFT JOIN privileges x ON x.class = 'other' AND x.oid = o.objid
    UNION ALL
    SELECT 'publication', format('%I of %s', p.pubname, coalesce(quote_ident(t.name), 'all tables')),
           jsonb_build_object('undo', CASE WHEN t.name IS NULL
             THEN format('-- publication %I is of all tables of the database: its owner may make one of chosen tables, '
                         'and drop it', p.pubname)
             ELSE format('ALTER PUBLICATION %I DROP TABLE @schema@.%I', p.pubname, t.name) END)::text
    FROM pg_publication p
    CROSS JOIN LATERAL (
      SELECT r.name FROM pg_publication_rel m JOIN relation r ON r.oid = m.prrelid WHERE m.prpubid = p.oid
      UNION ALL
      SELECT NULL WHERE p.puballtables
    ) t
    UNION ALL
    SELECT 'subscription', format('%I of %I', s.subname, r.name),
           jsonb_build_object('undo', format('-- subscription %1$I writes @schema@.%2$I: on the publisher take the '
             'table out of the publication; then ALTER SUBSCRIPTION %1$I REFRESH PUBLICATION', s.subname, r.name))::text
    FROM pg_subscription_rel m
    JOIN relation r ON r.oid = m.srrelid
    JOIN pg_subscription s ON s.oid = m.srsubid
    UNION ALL
    SELECT DISTINCT 'constraint', format('%s.%I', k.conrelid::regclass, k.conname),
           jsonb_build_object(
             'undo', format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
             'signature', pg_get_constraintdef(k.oid))::text
    FROM relation r
    JOIN pg_trigger t ON t.tgrelid = r.oid AND t.tgisinternal AND t.tgconstrrelid <> 0
    JOIN pg_constraint k ON k.oid = t.tgconstraint AND k.confrelid = r.oid
    WHERE r.name <> ALL ('{@referenced@}') AND k.conrelid NOT IN (SELECT o.oid FROM relation o)
    UNION ALL
    SELECT 'cast', i.identity, jsonb_build_object('undo', 'DROP CAST ' || i.identity)::text
    FROM pg_cast c
    CROSS JOIN LATERAL pg_identify_object('pg_cast'::regclass, c.oid, 0) i
    -- 16384: PostgreSQL's own have lower numbers.
    WHERE c.oid >= 16384
      AND (c.castfunc IN (SELECT p.oid FROM routine p) OR EXISTS (
        SELECT FROM pg_type t WHERE t.oid IN (c.castsource, c.casttarget)
                                AND t.typnamespace = to_regnamespace('@schema@')))
    UNION ALL
    SELECT 'dependency', format('%s %s on extension %I', i.type, i.identity, e.extname),
           jsonb_build_object('undo', format(CASE d.deptype
             WHEN 'e' THEN 'ALTER EXTENSION %1$I DROP %2$s %3$s'
             ELSE 'ALTER %2$s %3$s NO DEPENDS ON EXTENSION %1$I' END,
             e.extname, upper(i.type COLLATE "C"), i.identity))::text
    FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype IN ('e', 'x')
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
    -- What an extension made in our schema is its own.
    WHERE e.extnamespace <> to_regnamespace('@schema@')
      AND CASE d.classid
        WHEN 'pg_proc'::regclass THEN d.objid IN (SELECT p.oid FROM routine p)
        WHEN 'pg_class'::regclass THEN d.objid IN (
          SELECT r.oid FROM relation r UNION ALL SELECT x.oid FROM index x UNION ALL SELECT s.sequence FROM sequence s)
        WHEN 'pg_trigger'::regclass THEN EXISTS (
          SELECT FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE t.oid = d.objid)
        WHEN 'pg_namespace'::regclass THEN d.objid = to_regnamespace('@schema@')
        ELSE (d.classid, d.objid) IN (SELECT o.classid, o.objid FROM other o) END
    UNION ALL
    SELECT 'schema', n.nspname::text,
           concat(
             '{"owner": ', to_json(pg_get_userbyid(n.nspowner)),
             ', "privileges": ', coalesce(x.entries, '[]'),
             '}')
    FROM pg_namespace n
    LEFT JOIN privileges x ON x.class = 'schema' AND x.oid = n.oid
    WHERE n.oid = to_regnamespace('@schema@')
    UNION ALL
    SELECT 'role', quote_ident(r.rolname),
           concat(
             '{"privileges": ', coalesce((
               SELECT '[' || string_agg(to_json(m.entry)::text, ', ' ORDER BY m.entry COLLATE "C") || ']'
               FROM membership m WHERE m.role = r.oid), '[]'),
             ', "configuration": ', coalesce(nullif(to_jsonb(array_remove(ARRAY[
                 CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
                 CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                 CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
                 CASE WHEN r.rolcanlogin THEN 'LOGIN' END,
                 CASE WHEN r.rolreplication THEN 'REPLICATION' END,
                 -- The other owners read what is granted to them, and a DBA decides whether past row level security.
                 CASE WHEN r.rolbypassrls AND r.rolname <> ALL ('{@lent@}'::name[]) THEN 'BYPASSRLS' END,
                 CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
                 CASE WHEN r.rolconnlimit <> -1 THEN 'CONNECTION LIMIT' END,
                 CASE WHEN r.rolvaliduntil <> 'infinity' THEN 'VALID UNTIL' END], NULL)
               || ARRAY(SELECT 'SET ' || c.setting FROM unnest(r.rolconfig) AS c(setting)))::text, '[]'), 'null'),
             '}')
    FROM role r
  )
  SELECT d.kind, d.object, d.parts, encode(sha256(convert_to(d.parts, 'UTF8')), 'hex') AS exact_sha256
  FROM described d;
END;
$@prefix@live$;

COMMENT ON FUNCTION @schema@.@prefix@live(jsonb) IS
  'Every object of schema @schema@ as it is now: kind, object, parts (body, signature, configuration, owner, '
  'privileges, state), their SHA-256.@see@';

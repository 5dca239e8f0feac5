-- Generated from pgcontract/sql/live.sql by python -m birthdb.release render: edit that, or contract.toml.
-- Every object of schema birth as it is now, part by part. The parts hold no OID and no transaction number, so two
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
-- Roles belong to the cluster; recorded are their attributes, settings and memberships.
-- The body is one query, so that a check from outside can send it from the release's files, not call this copy.
-- Returns: one row per object: kind, object, parts, their SHA-256.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_live(p_rules jsonb DEFAULT '{}')
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
AS $fn_birth_contract_live$
BEGIN
  RETURN QUERY
  WITH relation AS MATERIALIZED (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner, c.relacl, c.reloptions, c.relpersistence,
           c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relchecks, c.relhasindex,
           c.relhastriggers, c.relhasrules
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('birth') AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  ), routine AS MATERIALIZED (
    SELECT p.oid, p.proname, p.prokind, p.prosrc, p.prolang, p.provolatile, p.proparallel, p.proisstrict,
           p.prosecdef, p.proleakproof, p.procost, p.prorows, p.prosupport, p.proconfig, p.proowner,
           coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
    FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('birth')
  ), attribute AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.atthasdef,
           a.attidentity, a.attgenerated, a.attacl
    FROM pg_attribute a
    WHERE a.attrelid = ANY (ARRAY(SELECT o.oid FROM relation o)) AND a.attnum > 0 AND NOT a.attisdropped
  ), sequence AS MATERIALIZED (
    SELECT r.oid, d.refobjsubid AS attnum, s.relacl, s.relowner,
           format('SET INCREMENT BY %s SET MINVALUE %s SET MAXVALUE %s SET START WITH %s SET CACHE %s SET %s',
             q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
             CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS settings
    FROM relation r
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.refobjsubid > 0
      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_sequence q ON q.seqrelid = s.oid
    WHERE r.relkind <> 'v'
  ), fallback AS MATERIALIZED (
    SELECT d.oid, d.adrelid, d.adnum, d.adbin FROM pg_attrdef d
    WHERE d.adrelid = ANY (ARRAY(SELECT r.oid FROM relation r))
  ), held AS MATERIALIZED (
    SELECT 'relation' AS class, r.oid, coalesce(r.relacl, acldefault('r', r.relowner)) AS acl, r.relowner AS owner,
           '' AS suffix
    FROM relation r
    UNION ALL
    SELECT 'relation', a.attrelid, a.attacl, r.relowner, format('(%I)', a.attname)
    FROM attribute a JOIN relation r ON r.oid = a.attrelid
    WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'relation', s.oid, coalesce(s.relacl, acldefault('s', s.relowner)), s.relowner,
           format(' on the sequence of %I', a.attname)
    FROM sequence s JOIN attribute a ON a.attrelid = s.oid AND a.attnum = s.attnum
    UNION ALL
    SELECT 'routine', p.oid, p.acl, p.proowner, ''
    FROM routine p
    UNION ALL
    SELECT 'schema', n.oid, coalesce(n.nspacl, acldefault('n', n.nspowner)), n.nspowner, ''
    FROM pg_namespace n
    WHERE n.oid = to_regnamespace('birth')
    UNION ALL
    SELECT 'schema', to_regnamespace('birth'), d.defaclacl, d.defaclrole,
           format(' by default on new %s of %I%s', d.defaclobjtype, pg_get_userbyid(d.defaclrole),
             CASE d.defaclnamespace WHEN 0 THEN ' anywhere' END)
    FROM pg_default_acl d
    WHERE d.defaclnamespace = to_regnamespace('birth')
       OR d.defaclnamespace = 0 AND d.defaclrole = to_regrole('birth_definer')
  ), granted AS MATERIALIZED (
    -- Who may do what. Names are quoted where they need it, so that no name reads as another entry. A star is the
    -- grant option. The grantor is left out, because a restore changes it. So is the owner's MAINTAIN, which
    -- PostgreSQL 17 added and which a dump of an earlier server does not grant.
    -- Most objects share a few lists; each list is written once.
    SELECT h.acl, h.owner, h.suffix, (
             SELECT string_agg(to_json(e.entry)::text, ', ' ORDER BY e.entry COLLATE "C")
             FROM (
               SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                        || '=' || x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END
                        || h.suffix AS entry
               FROM aclexplode(h.acl) x
               WHERE NOT (x.privilege_type = 'MAINTAIN' AND x.grantee = h.owner)
             ) e) AS entries
    FROM (SELECT DISTINCT d.acl, d.owner, d.suffix FROM held d) h
  ), privileges AS MATERIALIZED (
    SELECT p.class, p.oid, '[' || CASE p.lists
             WHEN 1 THEN p.entries
             ELSE (SELECT string_agg(to_json(e.entry)::text, ', ' ORDER BY e.entry COLLATE "C")
                   FROM json_array_elements_text(('[' || p.entries || ']')::json) AS e(entry))
           END || ']' AS entries
    FROM (
      SELECT h.class, h.oid, count(*) AS lists, string_agg(g.entries, ', ') AS entries
      FROM held h
      JOIN granted g ON g.acl = h.acl AND g.owner = h.owner AND g.suffix = h.suffix AND g.entries IS NOT NULL
      GROUP BY h.class, h.oid
    ) p
  ), type AS MATERIALIZED (
    SELECT t.oid, u.atttypmod, t.typcollation, to_json(format_type(t.oid, u.atttypmod))::text AS name
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
             CASE WHEN a.attcollation <> t.typcollation THEN ', "collation": ' || (
               SELECT to_json(quote_ident(c.collname))::text FROM pg_collation c WHERE c.oid = a.attcollation) END,
             ', "generated": "' || nullif(a.attgenerated::text, '') || '"',
             '}'), ', ' ORDER BY a.attnum) || ']' AS list,
             bool_and(a.atthasdef = (d.oid IS NOT NULL)) AS defaulted
    FROM attribute a
    JOIN type t ON t.oid = a.atttypid AND t.atttypmod = a.atttypmod
    LEFT JOIN fallback d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN sequence s ON s.oid = a.attrelid AND s.attnum = a.attnum
    GROUP BY a.attrelid
  ), dependent AS MATERIALIZED (
    -- fn_birth_contract_token finds the objects by these rows: without its row an object changes unseen.
    SELECT d.classid, d.objid FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace('birth') AND d.refobjsubid = 0
  ), role AS MATERIALIZED (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
           r.rolbypassrls, r.rolinherit, r.rolconnlimit, r.rolvaliduntil, r.rolconfig
    FROM pg_roles r
    WHERE r.rolname = ANY ('{
      birth_definer, birth_scanner, birth_reader, birth_steward, birth_operator, birth_reviewer, birth_permit_owner,
      birth_dba, birth_source_owner}'::name[])
  ), membership AS MATERIALIZED (
    -- Every role that a role can act as, and by which membership; a star is ADMIN. It stops at the roles of the
    -- contract, which have a row each. From PostgreSQL 16 on each grantor's row has options, of which the most count.
    WITH RECURSIVE member AS (
      SELECT m.member AS role, m.roleid, m.roleid AS direct, m.admin_option,
             to_jsonb(m) ->> 'inherit_option' AS inherits, to_jsonb(m) ->> 'set_option' AS sets
      FROM pg_auth_members m
      WHERE m.member IN (SELECT r.oid FROM role r)
        -- A release makes birth_definer a member of the other owners, and ends that before it commits.
        AND NOT (m.member = to_regrole('birth_definer') AND pg_get_userbyid(m.roleid) = ANY ('{birth_scanner}'::name[])
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
    SELECT CASE WHEN p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id',
                'fn_birth_policy_decision', 'fn_birth_resolve_identity', 'fn_birth_register') THEN
                'gateway' WHEN p.prokind = 'p' THEN 'procedure' ELSE 'function' END AS kind,
           substr(p.oid::regprocedure::text, 7) AS object,
           concat(
             '{"body": "',
             encode(sha256(convert_to(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'),
             '", "owner": ', to_json(pg_get_userbyid(p.proowner)),
             CASE WHEN p.oid NOT IN (SELECT d.objid FROM dependent d WHERE d.classid = 'pg_proc'::regclass)
               THEN ', "state": {"contradicts": ["pg_depend"]}' END,
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
               || CASE WHEN n.list = '' THEN '{}' ELSE format('{"contradicts": [%s]}', n.list)::jsonb END,
             ', "signature": ', coalesce(c.list, 'null'),
             ', "privileges": ', coalesce(x.entries, '[]'),
             ', "configuration": ', coalesce((
               SELECT '[' || string_agg(to_json(o.option)::text, ', ' ORDER BY o.option COLLATE "C") || ']'
               FROM unnest(r.reloptions) AS o(option)), 'null'),
             '}')
    FROM relation r
    LEFT JOIN columns c ON c.oid = r.oid
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
             '{"state": {"index": ', coalesce(to_json(pg_get_indexdef(x.indexrelid)
               || CASE WHEN x.indimmediate = k.condeferrable THEN ', not immediate' ELSE '' END)::text, 'null'),
             ', "valid": ', coalesce((x.indisvalid AND x.indisready AND x.indislive)::text, 'null'),
             ', "triggers": ', coalesce(CASE WHEN k.contype NOT IN ('c', 'n') THEN (
               SELECT to_json(string_agg(s.text, ', ' ORDER BY s.text COLLATE "C"))::text
               FROM (
                 SELECT concat_ws(' ', t.tgenabled, t.tgfoid, t.tgtype,
                          CASE t.tgrelid WHEN k.conrelid THEN 'from' WHEN k.confrelid THEN 'to' END,
                          CASE WHEN t.tgqual IS NOT NULL OR t.tgattr::text <> '' THEN 'partly' END) AS text
                 FROM pg_trigger t WHERE t.tgconstraint = k.oid
               ) s) END, 'null'),
             ', "validated": ', k.convalidated::text,
             '}, "signature": ', -- A constraint that is being dropped has no definition any more.
             coalesce(to_json(
               CASE WHEN k.convalidated THEN d.definition
                    ELSE regexp_replace(d.definition, ' NOT VALID$', '') END)::text, 'null'),
             '}')
    FROM relation r
    JOIN pg_constraint k ON k.conrelid = r.oid
    CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d(definition)
    LEFT JOIN pg_index x ON x.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
    WHERE k.contype <> 'n' OR NOT k.convalidated
    UNION ALL
    SELECT 'index', quote_ident(i.relname),
           jsonb_build_object(
             'signature', pg_get_indexdef(i.oid),
             'state', jsonb_build_object(
               'valid', x.indisvalid AND x.indisready AND x.indislive AND x.indimmediate))::text
    FROM relation r
    JOIN pg_index x ON x.indrelid = r.oid
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
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
               pg_get_expr(l.polqual, l.polrelid), pg_get_expr(l.polwithcheck, l.polrelid)))::text
    FROM relation r JOIN pg_policy l ON l.polrelid = r.oid
    UNION ALL
    SELECT 'statistics', format('%I.%I', r.name, s.stxname),
           jsonb_build_object(
             'signature', pg_get_statisticsobjdef(s.oid),
             'name', format('%s.%I', s.stxnamespace::regnamespace, s.stxname))::text
    FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
    UNION ALL
    SELECT 'schema', n.nspname::text,
           concat(
             '{"owner": ', to_json(pg_get_userbyid(n.nspowner)),
             ', "privileges": ', coalesce(x.entries, '[]'),
             '}')
    FROM pg_namespace n
    LEFT JOIN privileges x ON x.class = 'schema' AND x.oid = n.oid
    WHERE n.oid = to_regnamespace('birth')
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
                 CASE WHEN r.rolbypassrls AND r.rolname <> ALL ('{birth_scanner}'::name[]) THEN 'BYPASSRLS' END,
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
$fn_birth_contract_live$;

COMMENT ON FUNCTION birth.fn_birth_contract_live(jsonb) IS
  'Every object of schema birth as it is now: kind, object, parts (body, signature, configuration, owner, '
  'privileges, state), their SHA-256. Specification: 7.';

-- The optional event triggers. A superuser installs them once per database: psql -f event_triggers.sql. No release
-- creates them and nothing else needs them; birth.v_birth_event_trigger shows their state.
--
-- stopped    (NB413), outside a release: an object of birth_definer is replaced, altered, renamed, moved or gets a new
--            owner; an object in schema birth is altered or dropped; one of its tables gets a trigger, rule, policy,
--            column, constraint, statistics object, child, or an index that is unique, partial or over an expression.
--            The rollback also removes any row about the attempt, so the attempt is written to the server log.
-- recorded   in birth_guard.alert: the gateway trigger of a source table is disabled, changed or dropped (the table
--            belongs to its owner, so this is not stopped); a new object in schema birth; a grant of a privilege other
--            than SELECT or USAGE. birth.fn_birth_alerts() reads it; an alert during a run prevents done (NB315).
-- gated      in the schemas of birth_guard.gated_schema: a table that CREATE TABLE AS or SELECT INTO fills is refused
--            (NB509), and so is one that ALTER TABLE ... SET SCHEMA moves in with rows. An empty table that is made or
--            moved there gets the trigger birth_gate: it refuses rows until the table's collection is admitted. Not
--            gated: temporary and foreign tables, those of extensions, partitions of a root that has no birth_gate and
--            lies in a gated schema. A renamed schema is not seen: in the catalogue it looks like one with a new owner.
-- neither    COMMENT, SECURITY LABEL, REINDEX; a grant of SELECT or USAGE; REVOKE
--
-- Security. An event trigger runs in every session that sends DDL, also in a superuser's. A role that can change the
-- code it runs is therefore a superuser. So everything here belongs to the superuser who installs this file, lies in a
-- schema of its own and runs with that superuser's rights. It calls and reads only pg_catalog and this schema:
-- no routine of schema birth, because birth_definer could replace it; no view, which is code too; and no table, because
-- reading or writing a table runs the code that its owner attached (triggers, CHECKs, defaults, index expressions,
-- statistics). Therefore it recognises objects of birthdb by schema and owner, not by the recorded contract, and
-- records alerts in a table of its own.
--
-- The gated schemas are a list of their own, because the scope of the gate belongs to birth_definer. It is empty at
-- first. After a steward has set a schema to enforce, a superuser adds it; before it leaves enforce, he removes it:
--   INSERT INTO birth_guard.gated_schema (schema_name) VALUES ('app');
-- What differs, for a login with birth_reader:
--   SELECT coalesce(s.schema_name, g.schema_name), s.mode AS scope, g.schema_name IS NOT NULL AS gated
--   FROM birth.birth_gate_scope s FULL JOIN birth_guard.gated_schema g ON g.schema_name = s.schema_name
--   WHERE coalesce(s.mode = 'enforce', false) <> (g.schema_name IS NOT NULL);
-- birth_gate itself asks the scope: with a schema in observe, or taken out, it lets every row pass. Its function is of
-- birth_definer and runs with every INSERT into such a table, as the gateway's does. Who adds a schema to the list
-- therefore consents, in place of the owners of its tables, that birth_definer's code runs there. It must belong to
-- birth_definer and be SECURITY DEFINER, or no table gets it.
--
-- A table is filled if a file of it, or of a partition, is longer than 0 (pg_relation_size). A SELECT would run the
-- code of the table's owner as a superuser. So a table whose rows were all deleted counts as filled until TRUNCATE.
--
-- A session is in a release if it holds the release lock in exclusive mode and its login is a member of birth_dba. A
-- repair takes the same lock first. This is checked first. An error in this code is written to the server log and the
-- command passes: no DDL may fail because of birthdb. It is a mitigation, as a superuser can bypass it. The drift guard
-- is the proof.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL quote_all_identifiers = off;

DO $owner$
DECLARE
  v_stranger text;
  v_grant text;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = 'only a superuser can add the event triggers';
  END IF;
  -- Schema birth_guard may exist, from this file or from another role.
  SELECT string_agg(format('%s of %I', o.name, r.rolname), ', ') INTO v_stranger
  FROM pg_namespace n
  CROSS JOIN LATERAL (
    SELECT 'schema birth_guard' AS name, n.nspowner AS owner
    UNION ALL SELECT c.oid::regclass::text, c.relowner FROM pg_class c WHERE c.relnamespace = n.oid
    UNION ALL SELECT p.oid::regprocedure::text, p.proowner FROM pg_proc p WHERE p.pronamespace = n.oid
    UNION ALL SELECT t.oid::regtype::text, t.typowner FROM pg_type t WHERE t.typnamespace = n.oid
    UNION ALL SELECT o.oid::regoperator::text, o.oprowner FROM pg_operator o WHERE o.oprnamespace = n.oid
    UNION ALL
    SELECT format('%s for a trigger', p.oid::regprocedure), p.proowner
    FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace = n.oid
  ) o
  JOIN pg_roles r ON r.oid = o.owner AND NOT r.rolsuper
  WHERE n.nspname = 'birth_guard';
  IF v_stranger IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = 'schema birth_guard holds objects of a role that is no superuser',
      DETAIL = v_stranger, HINT = 'drop or rename that schema, then run the file again';
  END IF;
  IF to_regnamespace('birth_guard') IS NULL THEN
    CREATE SCHEMA birth_guard;
  END IF;
  IF to_regclass('birth_guard.alert') IS NULL THEN
    -- No sequence: it would change lastval() of the session that sends DDL.
    CREATE TABLE birth_guard.alert (
      alert_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      raised_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      raised_by     text NOT NULL DEFAULT session_user,
      command       text NOT NULL,
      object        text NOT NULL,
      detail        text NOT NULL,
      source_schema text,
      source_table  text
    );
  END IF;
  IF to_regclass('birth_guard.gated_schema') IS NULL THEN
    CREATE TABLE birth_guard.gated_schema (
      schema_name name COLLATE "C" PRIMARY KEY,
      since       timestamptz NOT NULL DEFAULT clock_timestamp(),
      set_by      text NOT NULL DEFAULT session_user
    );
  END IF;
  -- Default privileges may have granted rights, for example to create a trigger on a table: revoke them.
  FOR v_grant IN
    SELECT format('REVOKE ALL ON %s FROM %s CASCADE', g.object,
                  CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END)
    FROM (SELECT 'SCHEMA birth_guard' AS object, n.nspacl AS acl, n.nspowner AS owner
          FROM pg_namespace n WHERE n.nspname = 'birth_guard'
          UNION ALL
          SELECT c.oid::regclass::text, c.relacl, c.relowner
          FROM pg_class c
          WHERE c.oid IN ('birth_guard.alert'::regclass, 'birth_guard.gated_schema'::regclass)) g
    CROSS JOIN LATERAL aclexplode(g.acl) x
    WHERE x.grantee <> g.owner
  LOOP
    EXECUTE v_grant;
  END LOOP;
END
$owner$;

GRANT USAGE ON SCHEMA birth_guard TO birth_reader, birth_definer;
GRANT SELECT ON birth_guard.alert, birth_guard.gated_schema TO birth_reader, birth_definer;
COMMENT ON SCHEMA birth_guard IS
  'The optional event triggers of birthdb. Owned by a superuser, not part of the contract.';
COMMENT ON TABLE birth_guard.alert IS
  'Alerts of the event triggers; source_schema and source_table are set if a gateway trigger was dropped.';
COMMENT ON TABLE birth_guard.gated_schema IS
  'The schemas whose new tables the event trigger birth_guard_gate gates. A superuser writes it.';

-- True if this session is a release or a repair.
CREATE OR REPLACE FUNCTION birth_guard.is_release()
  RETURNS boolean
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $is_release$
  SELECT CASE WHEN pg_has_role(session_user, r.oid, 'USAGE') THEN EXISTS (
           SELECT FROM pg_locks k
           WHERE k.locktype = 'advisory' AND k.pid = pg_backend_pid() AND k.mode = 'ExclusiveLock' AND k.granted
             AND k.objsubid = 1 AND (k.classid::bigint << 32 | k.objid::bigint) = hashtextextended('birth.release', 0))
           ELSE false END
  FROM pg_roles r WHERE r.rolname = 'birth_dba';
$is_release$;

-- True if the current transaction wrote the catalogue row with this xmin: the row is visible and its transaction is in
-- progress. Rows written in a subtransaction have its id, which is higher than that of the transaction.
CREATE OR REPLACE FUNCTION birth_guard.written_here(p_xmin xid)
  RETURNS boolean
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $written_here$
DECLARE
  v_own CONSTANT bigint := pg_current_xact_id()::text::bigint;
  v_ahead CONSTANT bigint := -age(p_xmin);
BEGIN
  -- After wraparound, an old frozen id may look like a future id, for which pg_xact_status raises an error.
  IF v_ahead < 0 OR v_own + v_ahead > pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000 THEN
    RETURN false;
  END IF;
  RETURN pg_xact_status((v_own + v_ahead)::text::xid8) = 'in progress';
END;
$written_here$;

-- The privileges that a GRANT has just given. The event does not name the object, so it is found by the catalogue rows
-- that the transaction wrote. birth_dba on alembic_version is expected: Alembic writes it as the releasing login.
CREATE OR REPLACE FUNCTION birth_guard.privileges()
  RETURNS TABLE (stopped boolean, object text, detail text)
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $privileges$
  WITH held AS (
    SELECT 'schema birth' AS object, n.xmin, n.nspacl AS acl, n.nspowner AS owner
    FROM pg_namespace n WHERE n.nspname = 'birth'
    UNION ALL
    SELECT 'schema birth', d.xmin, d.defaclacl, d.defaclrole
    FROM pg_default_acl d
    WHERE d.defaclnamespace = to_regnamespace('birth')
       OR d.defaclnamespace = 0 AND d.defaclrole = to_regrole('birth_definer')
    UNION ALL
    SELECT format('function %s', p.oid::regprocedure), p.xmin, p.proacl, p.proowner
    FROM pg_proc p WHERE p.pronamespace = to_regnamespace('birth')
    UNION ALL
    SELECT format('table %s', c.oid::regclass), c.xmin, c.relacl, c.relowner
    FROM pg_class c WHERE c.relnamespace = to_regnamespace('birth')
    UNION ALL
    SELECT format('table %s', c.oid::regclass), a.xmin, a.attacl, c.relowner
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    WHERE c.relnamespace = to_regnamespace('birth')
  )
  SELECT false, h.object,
         format('is open to: %s', string_agg(DISTINCT format('%s=%s',
           CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
           x.privilege_type), ', '))
  FROM held h CROSS JOIN LATERAL aclexplode(h.acl) x
  WHERE age(h.xmin) <= 0 AND birth_guard.written_here(h.xmin)
    AND x.grantee <> h.owner AND x.privilege_type NOT IN ('SELECT', 'USAGE')
    AND NOT (h.object = 'table birth.alembic_version' AND x.grantee = to_regrole('birth_dba'))
    -- A role without the grant option can send a GRANT, too: it grants nothing, but rewrites the catalogue row.
    AND (pg_has_role(session_user, h.owner, 'MEMBER') OR EXISTS (
      SELECT FROM aclexplode(h.acl) o
      WHERE o.is_grantable AND (o.grantee = 0 OR pg_has_role(session_user, o.grantee, 'MEMBER'))))
  GROUP BY h.object;
$privileges$;

-- How the transaction changed the gateway trigger of a table so that it no longer fires for every insert (disabled,
-- BEFORE, another event, WHEN); else NULL. A rename counts too: of a dropped trigger only the name is known, so a
-- trigger with another name could be dropped undetected.
CREATE OR REPLACE FUNCTION birth_guard.gateway_fault(p_relation oid, p_renamed boolean)
  RETURNS text
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $gateway_fault$
  SELECT string_agg(format('gateway trigger %s on %s %s', t.tgname, p_relation::regclass, f.fault), '; '
                    ORDER BY t.tgname)
  FROM pg_trigger t
  JOIN pg_proc p ON p.oid = t.tgfoid
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN p.pronamespace IS DISTINCT FROM to_regnamespace('birth')
           OR p.proname NOT IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id')
        THEN CASE WHEN t.tgname = 'birth_gateway' THEN 'calls ' || t.tgfoid::regprocedure END
      WHEN t.tgenabled NOT IN ('O', 'A') THEN 'is disabled'
      -- tgtype 4 is AFTER INSERT FOR EACH STATEMENT, 5 is AFTER INSERT FOR EACH ROW.
      WHEN t.tgqual IS NOT NULL OR t.tgtype NOT IN (4, 5) THEN 'no longer fires for every insert'
      WHEN p_renamed AND t.tgname <> 'birth_gateway' THEN 'has another name now'
    END AS fault
  ) f
  WHERE t.tgrelid = p_relation AND (NOT t.tgisinternal OR t.tgparentid <> 0) AND f.fault IS NOT NULL
    AND birth_guard.written_here(t.xmin);
$gateway_fault$;

-- The changes by the command that has just ended: to schema birth, to objects of birth_definer, to gateway triggers.
CREATE OR REPLACE FUNCTION birth_guard.changed()
  RETURNS TABLE (stopped boolean, object text, detail text)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $changed$
DECLARE
  v_schema CONSTANT oid := to_regnamespace('birth');
  v_definer CONSTANT oid := to_regrole('birth_definer');
  r_command record;
BEGIN
  FOR r_command IN
    SELECT c.classid, c.objid, c.command_tag AS tag, c.object_identity AS identity, t.relation,
           format('%s %s', c.object_type, c.object_identity) AS thing,
           c.schema_name IS NOT DISTINCT FROM 'birth' AS inside,
           c.classid = 'pg_namespace'::regclass AND c.objid = v_schema AS is_schema,
           r.relnamespace = v_schema AND r.relowner = v_definer AS on_ours,
           EXISTS (SELECT FROM pg_inherits h JOIN pg_class m ON m.oid = h.inhparent
                   WHERE h.inhrelid = t.relation AND m.relnamespace = v_schema)
             OR EXISTS (SELECT FROM pg_inherits h JOIN pg_class m ON m.oid = h.inhrelid
                        WHERE h.inhparent = t.relation AND m.relnamespace = v_schema) AS related,
           CASE c.classid
             WHEN 'pg_class'::regclass THEN (SELECT o.relowner FROM pg_class o WHERE o.oid = c.objid)
             WHEN 'pg_proc'::regclass THEN (SELECT o.proowner FROM pg_proc o WHERE o.oid = c.objid)
             WHEN 'pg_type'::regclass THEN (SELECT o.typowner FROM pg_type o WHERE o.oid = c.objid)
             WHEN 'pg_namespace'::regclass THEN (SELECT o.nspowner FROM pg_namespace o WHERE o.oid = c.objid)
           END = v_definer AS of_definer,
           -- A non-unique index over columns only speeds up reading: it is allowed.
           c.command_tag = 'CREATE INDEX' AND EXISTS (
             SELECT FROM pg_index x
             WHERE x.indexrelid = c.objid AND NOT x.indisunique AND x.indexprs IS NULL AND x.indpred IS NULL)
             AS plain_index
    FROM pg_event_trigger_ddl_commands() c
    CROSS JOIN LATERAL (
      -- The table of an index, trigger, rule, constraint and so on; else the relation itself.
      SELECT CASE c.classid
        WHEN 'pg_class'::regclass
          THEN coalesce((SELECT x.indrelid FROM pg_index x WHERE x.indexrelid = c.objid), c.objid)
        WHEN 'pg_trigger'::regclass THEN (SELECT g.tgrelid FROM pg_trigger g WHERE g.oid = c.objid)
        WHEN 'pg_rewrite'::regclass THEN (SELECT w.ev_class FROM pg_rewrite w WHERE w.oid = c.objid)
        WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = c.objid)
        WHEN 'pg_policy'::regclass THEN (SELECT l.polrelid FROM pg_policy l WHERE l.oid = c.objid)
        WHEN 'pg_statistic_ext'::regclass THEN (SELECT s.stxrelid FROM pg_statistic_ext s WHERE s.oid = c.objid)
      END AS relation
    ) t
    LEFT JOIN pg_class r ON r.oid = t.relation
    WHERE c.command_tag NOT IN ('COMMENT', 'SECURITY LABEL', 'REINDEX', 'REVOKE')
  LOOP
    IF r_command.classid IS NULL THEN
      RETURN QUERY SELECT p.stopped, p.object, p.detail FROM birth_guard.privileges() p;
    ELSIF NOT r_command.plain_index AND (r_command.of_definer OR r_command.on_ours OR r_command.related)
       OR r_command.tag LIKE 'ALTER %' AND (r_command.inside OR r_command.is_schema) THEN
      RETURN QUERY SELECT true, r_command.thing, r_command.thing;
    ELSIF r_command.inside THEN
      RETURN QUERY SELECT false, r_command.identity, r_command.thing;
    ELSIF r_command.tag IN ('ALTER TABLE', 'CREATE TRIGGER', 'ALTER TRIGGER') THEN
      RETURN QUERY SELECT false, r_command.identity, f.fault
      FROM birth_guard.gateway_fault(r_command.relation, r_command.tag = 'ALTER TRIGGER') AS f(fault)
      WHERE f.fault IS NOT NULL;
    END IF;
  END LOOP;
END;
$changed$;

-- The objects of schema birth and the gateway triggers that the command drops. The catalogue no longer has owner and
-- parent of a dropped object: birth.fn_birth_alerts() decides whether the gateway was detached before, or belonged to a
-- partition. The internal triggers of a foreign key that references a table of birthdb are not counted.
CREATE OR REPLACE FUNCTION birth_guard.dropped()
  RETURNS TABLE (stopped boolean, object text, detail text, source_schema text, source_table text)
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $dropped$
  SELECT d.address_names[1] = 'birth', d.object_identity,
         CASE d.address_names[1] WHEN 'birth' THEN format('%s %s', d.object_type, d.object_identity)
           ELSE format('trigger %s dropped, the table is without a gateway now', d.address_names[3]) END,
         d.address_names[1], d.address_names[2]
  FROM pg_event_trigger_dropped_objects() d
  WHERE NOT d.is_temporary
    AND CASE d.address_names[1]
      WHEN 'birth' THEN d.object_type IN (
          'schema', 'function', 'procedure', 'aggregate', 'table', 'view', 'materialized view', 'foreign table',
          'index', 'statistics object', 'table column', 'table constraint', 'trigger', 'rule', 'policy')
        AND NOT (d.object_type = 'trigger' AND starts_with(d.address_names[3], 'RI_ConstraintTrigger_'))
      ELSE d.object_type = 'trigger' AND d.address_names[3] = 'birth_gateway' AND NOT EXISTS (
        SELECT FROM pg_trigger t
        JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = to_regclass(format('%I.%I', d.address_names[1], d.address_names[2]))
          AND t.tgenabled IN ('O', 'A') AND p.pronamespace = to_regnamespace('birth')
          AND p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id'))
    END;
$dropped$;

-- SECURITY DEFINER: the role that sends DDL has no privilege on birth_guard.alert.
CREATE OR REPLACE FUNCTION birth_guard.guard()
  RETURNS event_trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET quote_all_identifiers = off
AS $guard$
DECLARE
  v_stopped text;
  v_found text[];
BEGIN
  BEGIN
    IF birth_guard.is_release() THEN
      RETURN;
    ELSIF tg_event = 'sql_drop' THEN
      SELECT string_agg(d.detail, '; ') FILTER (WHERE d.stopped),
             array_agg(ARRAY[d.object, d.detail, d.source_schema, d.source_table]) FILTER (WHERE NOT d.stopped)
      INTO v_stopped, v_found FROM birth_guard.dropped() d;
    ELSE
      SELECT string_agg(d.detail, '; ') FILTER (WHERE d.stopped),
             array_agg(ARRAY[d.object, d.detail, NULL, NULL]) FILTER (WHERE NOT d.stopped)
      INTO v_stopped, v_found FROM birth_guard.changed() d;
    END IF;
    IF v_stopped IS NULL AND v_found IS NOT NULL THEN
      INSERT INTO birth_guard.alert (command, object, detail, source_schema, source_table)
      SELECT tg_tag, v_found[i][1], format('%s; application %s, from %s', v_found[i][2],
               current_setting('application_name'), coalesce(host(inet_client_addr()), 'a socket')),
             v_found[i][3], v_found[i][4]
      FROM generate_subscripts(v_found, 1) AS i;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'birthdb: the event trigger failed on %, which passed: % (%)', tg_tag, sqlerrm, sqlstate;
    RETURN;
  END;
  IF v_stopped IS NOT NULL THEN
    RAISE LOG 'birthdb: % by % stopped: %', tg_tag, session_user, v_stopped;
    RAISE EXCEPTION USING ERRCODE = 'NB413', MESSAGE = 'the object is part of the released contract',
      DETAIL = format('%s by %s: %s', tg_tag, session_user, v_stopped),
      HINT = 'change it by a release; to repair a drift, a member of birth_dba first sends in the same transaction: '
             'SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(''birth.release'', 0));';
  END IF;
END;
$guard$;

-- The tables that the command has just brought into a gated schema, whether they are filled, and the statement that
-- gates them. A partition is gated with its root: where that has birth_gate, or lies in no gated schema. Statement
-- triggers of a partition do not fire for rows through its root; so one below a root elsewhere gets a row trigger.
CREATE OR REPLACE FUNCTION birth_guard.arrived()
  RETURNS TABLE (object text, filled boolean, gate text, touch text)
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $arrived$
  SELECT format('%I.%I', n.nspname, c.relname),
         EXISTS (SELECT FROM (SELECT c.oid AS relid UNION ALL SELECT p.relid FROM pg_partition_tree(c.oid) p) f
                 WHERE pg_relation_size(f.relid) > 0),
         format('CREATE OR REPLACE TRIGGER birth_gate BEFORE INSERT ON %I.%I FOR EACH %s'
                ' EXECUTE FUNCTION birth.fn_birth_gate_insert()', n.nspname, c.relname,
                CASE WHEN c.relkind = 'r' AND c.relispartition AND NOT r.gated THEN 'ROW' ELSE 'STATEMENT' END),
         CASE WHEN c.relhastriggers THEN format('ALTER TABLE %I.%I RESET (birth_gate)', n.nspname, c.relname) END
  FROM pg_event_trigger_ddl_commands() e
  JOIN pg_class c ON c.oid = e.objid AND c.relkind IN ('r', 'p')
  JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM birth_guard.gated_schema g
                   JOIN pg_namespace s ON s.nspname = g.schema_name
                   JOIN pg_class root ON root.relnamespace = s.oid
                   WHERE root.oid = coalesce(pg_partition_root(c.oid), c.oid)) AS gated
  ) r
  WHERE e.classid = 'pg_class'::regclass AND NOT e.in_extension
    AND (e.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
      -- Of all that ALTER TABLE does only SET SCHEMA writes this dependency, in one command with the row of pg_class.
      -- Later statements of the transaction do not see it again: the first trigger of a table rewrites the row of
      -- pg_class, and where it is not the first, resetting an option that no table has.
      OR e.command_tag = 'ALTER TABLE' AND EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
          AND d.refclassid = 'pg_namespace'::regclass
          AND d.xmin = c.xmin AND d.cmin = c.cmin AND birth_guard.written_here(d.xmin)))
    AND CASE WHEN c.relispartition AND r.gated OR NOT EXISTS (
               SELECT FROM birth_guard.gated_schema g WHERE g.schema_name = n.nspname)
          THEN EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a JOIN pg_trigger t ON t.tgrelid = a.relid
                       WHERE a.relid <> c.oid AND t.tgname = 'birth_gate')
          ELSE true END
    -- A trigger of the owner's that has this name by chance is not replaced.
    AND NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                    WHERE t.tgrelid = c.oid AND t.tgname = 'birth_gate' AND p.proname <> 'fn_birth_gate_insert');
$arrived$;

-- SECURITY DEFINER: the role that sends DDL may neither read the list nor use schema birth. The CREATE TRIGGER fires
-- the event triggers again, which find no table in it.
CREATE OR REPLACE FUNCTION birth_guard.gate()
  RETURNS event_trigger
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $gate$
DECLARE
  v_filled text;
  v_gate text;
  v_touch text;
BEGIN
  BEGIN
    IF NOT EXISTS (SELECT FROM birth_guard.gated_schema) OR birth_guard.is_release() OR NOT EXISTS (
      SELECT FROM pg_proc p
      WHERE p.pronamespace = to_regnamespace('birth') AND p.proname = 'fn_birth_gate_insert' AND p.pronargs = 0
        AND p.prosecdef AND p.proowner = to_regrole('birth_definer')) THEN
      RETURN;
    END IF;
    SELECT string_agg(a.object, ', ' ORDER BY a.object) FILTER (WHERE a.filled),
           string_agg(a.gate, '; ') FILTER (WHERE NOT a.filled), string_agg(a.touch, '; ')
    INTO v_filled, v_gate, v_touch FROM birth_guard.arrived() a;
    IF v_filled IS NULL AND v_gate IS NOT NULL THEN
      EXECUTE v_gate;
      IF v_touch IS NOT NULL THEN
        BEGIN
          EXECUTE v_touch;
        EXCEPTION WHEN object_in_use THEN
          -- A cursor of the session is open on it.
          NULL;
        END;
      END IF;
    END IF;
  EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'birthdb: the event trigger failed on %, which passed: % (%)', tg_tag, sqlerrm, sqlstate;
    RETURN;
  END;
  IF v_filled IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB509', MESSAGE = 'a table of a gated schema is not governed',
      DETAIL = format('%s by %s: filled before it was admitted: %s', tg_tag, session_user, v_filled),
      HINT = 'create the table there without rows (CREATE TABLE, or AS ... WITH NO DATA), let stewards admit it, then '
             'insert the rows; a member of birth_dba can move a governed table, after this in the same transaction: '
             'SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(''birth.release'', 0));';
  END IF;
END;
$gate$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA birth_guard FROM PUBLIC;

DROP EVENT TRIGGER IF EXISTS birth_guard_changed;
DROP EVENT TRIGGER IF EXISTS birth_guard_dropped;
DROP EVENT TRIGGER IF EXISTS birth_guard_gate;
CREATE EVENT TRIGGER birth_guard_changed ON ddl_command_end EXECUTE FUNCTION birth_guard.guard();
CREATE EVENT TRIGGER birth_guard_dropped ON sql_drop EXECUTE FUNCTION birth_guard.guard();
CREATE EVENT TRIGGER birth_guard_gate ON ddl_command_end EXECUTE FUNCTION birth_guard.gate();
-- ALWAYS: fire also in a session with session_replication_role = replica.
ALTER EVENT TRIGGER birth_guard_changed ENABLE ALWAYS;
ALTER EVENT TRIGGER birth_guard_dropped ENABLE ALWAYS;
ALTER EVENT TRIGGER birth_guard_gate ENABLE ALWAYS;
COMMIT;

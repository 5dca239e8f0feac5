-- Generated from pgcontract/sql/repair.sql by python -m birthdb.release render: edit that, or contract.toml.
-- The statement that repairs a drift, for birth_definer or a superuser to send. p_definition is the statement that
-- makes a routine or view, which the registry keeps. If rows are lost, no statement restores them; a comment says so.
-- Returns: one text; several statements where several parts differ.
-- Calls: fn_birth_contract_recolumn, fn_birth_contract_regrant
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_repair(
    p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[],
    p_definition text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_repair$
  WITH thing AS (
    SELECT CASE WHEN p_kind IN ('gateway', 'function') THEN 'FUNCTION'
                ELSE upper(replace(p_kind, '_', ' ') COLLATE "C") END AS type,
           CASE WHEN p_kind IN ('schema', 'role') THEN p_object ELSE 'birth.' || p_object END AS name,
           -- A quoted name may hold a dot, and anything else.
           n.parent,
           CASE WHEN n.parent = p_object THEN p_object ELSE substr(p_object, length(n.parent) + 2) END AS child,
           CASE
             WHEN p_kind IN ('gateway', 'function', 'procedure') THEN 'ROUTINE'
             WHEN p_live #>> '{state,kind}' = 'm' THEN 'MATERIALIZED VIEW'
             WHEN p_live #>> '{state,kind}' = 'f' THEN 'FOREIGN TABLE'
             ELSE upper(p_kind COLLATE "C")
           END AS found,
           p_definition IS NOT NULL
             AND (p_drift = 'missing' OR (p_wanted -> 'signature') IS DISTINCT FROM (p_live -> 'signature')
                  OR (p_wanted #> '{state,kind}') IS DISTINCT FROM (p_live #> '{state,kind}')) AS anew,
           p_wanted IS NOT NULL AND p_live IS NOT NULL AS both_there,
           -- CREATE OR REPLACE restores a routine's row in pg_depend; an invalid index is created again.
           p_drift IN ('body', 'signature', 'configuration')
             OR p_drift = 'state' AND p_kind IN ('gateway', 'function', 'procedure', 'index') AS shape
    FROM (SELECT substring(p_object FROM '^(?:"(?:[^"]|"")+"|[^".]+)') AS parent) n
  ), dependent AS (
    -- The views of the schema that have to go first where an object is dropped; each is missing then.
    WITH RECURSIVE reader AS (
      SELECT w.ev_class AS oid
      FROM thing t
      JOIN pg_depend d ON d.refclassid = CASE p_kind WHEN 'view' THEN 'pg_class' ELSE 'pg_proc' END::regclass
        AND d.refobjid = CASE p_kind WHEN 'view' THEN to_regclass(t.name)::oid ELSE to_regprocedure(t.name) END
      JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
      WHERE t.anew AND t.both_there
      UNION
      SELECT w.ev_class
      FROM reader r
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
      JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    )
    SELECT format('DROP VIEW %s; ', string_agg(DISTINCT format('birth.%I', c.relname), ', ')) AS text
    FROM reader r
    JOIN pg_class c ON c.oid = r.oid AND c.relnamespace = to_regnamespace('birth') AND c.relkind = 'v'
    CROSS JOIN thing t
    WHERE format('birth.%I', c.relname) <> t.name
    HAVING count(*) > 0
  ), statement AS (
    -- its definition
    SELECT 1 AS rank, CASE
      WHEN p_wanted IS NULL AND p_live ? 'undo' THEN p_live ->> 'undo'
      WHEN p_kind = 'role' THEN CASE WHEN p_live IS NULL THEN format('CREATE ROLE %s NOLOGIN', p_object) END
      WHEN p_wanted IS NULL AND p_kind = 'constraint'
        THEN format('ALTER TABLE birth.%s DROP CONSTRAINT %s', t.parent, t.child)
      WHEN p_wanted IS NULL AND p_kind IN ('trigger', 'rule', 'policy')
        THEN format('DROP %s %s ON birth.%s', t.type, t.child, t.parent)
      WHEN p_wanted IS NULL AND p_kind = 'statistics' THEN format('DROP STATISTICS %s', p_live ->> 'name')
      WHEN p_wanted IS NULL THEN format('DROP %s %s', t.found, t.name)
      WHEN t.anew AND t.both_there
        THEN format('%sDROP %s %s; %s', (SELECT d.text FROM dependent d), t.found, t.name, p_definition)
      WHEN p_definition IS NOT NULL AND (t.anew OR t.shape) THEN p_definition
      WHEN p_kind = 'constraint' AND p_drift = 'missing'
        -- One that has another name now may be needed by foreign keys.
        THEN coalesce((
          SELECT format('ALTER TABLE birth.%s RENAME CONSTRAINT %I TO %s', t.parent, k.conname, t.child)
          FROM pg_constraint k
          WHERE k.conrelid = to_regclass('birth.' || t.parent)
            AND pg_get_constraintdef(k.oid) = p_wanted ->> 'signature' LIMIT 1),
          format('ALTER TABLE birth.%s ADD CONSTRAINT %s %s', t.parent, t.child, p_wanted ->> 'signature'))
      WHEN p_kind = 'constraint' AND t.shape
        THEN format('ALTER TABLE birth.%1$s DROP CONSTRAINT %2$s, ADD CONSTRAINT %2$s %3$s',
          t.parent, t.child, p_wanted ->> 'signature')
      WHEN p_kind IN ('index', 'trigger') AND p_drift = 'missing' THEN p_wanted ->> 'signature'
      WHEN p_kind = 'index' AND t.shape THEN format('DROP INDEX %s; %s', t.name, p_wanted ->> 'signature')
      WHEN p_kind = 'trigger' AND t.shape
        THEN format('DROP TRIGGER %s ON birth.%s; %s', t.child, t.parent, p_wanted ->> 'signature')
      WHEN p_kind = 'table' AND t.both_there THEN birth.fn_birth_contract_recolumn(p_object, p_wanted, p_live)
      WHEN p_drift = 'missing'
        THEN format('-- %s %s is gone: give it its name and schema back where it only has others now; otherwise '
          'restore it from a backup', replace(p_kind, '_', ' '), p_object)
    END AS text
    FROM thing t
    UNION ALL
    -- its owner; by CASE, because up to PostgreSQL 17 a plan may evaluate the text before the WHERE, and %I refuses
    -- NULL
    SELECT 2, CASE WHEN t.anew OR (t.both_there AND (p_wanted ->> 'owner') <> (p_live ->> 'owner'))
      THEN format('ALTER %s %s OWNER TO %I', t.type, t.name, p_wanted ->> 'owner') END
    FROM thing t
    UNION ALL
    -- its state
    SELECT 3, CASE
      WHEN s.key = 'validated' THEN format('ALTER TABLE birth.%s VALIDATE CONSTRAINT %s', t.parent, t.child)
      WHEN s.key = 'index'
        THEN format('UPDATE pg_catalog.pg_index SET indisunique = true, indimmediate = true '
          'WHERE indexrelid = %L::pg_catalog.regclass; REINDEX INDEX birth.%s', 'birth.' || t.child, t.child)
      WHEN s.key = 'valid' THEN format('REINDEX INDEX birth.%s', t.child)
      -- Created again, so that the rows are checked that were added while its triggers were disabled.
      WHEN s.key = 'triggers'
        THEN format('ALTER TABLE birth.%1$s DROP CONSTRAINT %2$s, ADD CONSTRAINT %2$s %3$s',
          t.parent, t.child, p_wanted ->> 'signature')
      WHEN s.key = 'enabled'
        THEN format('ALTER TABLE birth.%s ENABLE %s%s %s', t.parent,
          CASE s.value ->> 0 WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END, t.type, t.child)
      WHEN s.key = 'row security'
        THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY', t.name,
          CASE s.value WHEN 'true' THEN 'ENABLE' ELSE 'DISABLE' END)
      WHEN s.key = 'forced'
        THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY', t.name,
          CASE s.value WHEN 'true' THEN 'FORCE' ELSE 'NO FORCE' END)
      WHEN s.key = 'persistence'
        THEN format('ALTER TABLE %s SET %s', t.name, CASE s.value WHEN '"u"' THEN 'UNLOGGED' ELSE 'LOGGED' END)
      WHEN s.key = 'replica identity' THEN format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', t.name)
      WHEN s.key = 'children'
        THEN (SELECT string_agg(format('ALTER TABLE %s NO INHERIT %s', c.child, t.name), '; ')
              FROM jsonb_array_elements_text(p_live -> 'state' -> 'children') AS c(child))
      ELSE format('-- the %s of %s %s cannot be altered: restore it from a backup', s.key, p_kind, p_object)
    END
    FROM thing t
    CROSS JOIN LATERAL jsonb_each(p_wanted -> 'state') s
    WHERE t.both_there AND NOT t.anew AND s.value <> (p_live -> 'state' -> s.key)
      AND NOT (p_kind = 'index' AND t.shape)
    UNION ALL
    SELECT 3, CASE s.key
      WHEN 'parents' THEN format('ALTER TABLE %s NO INHERIT %s', t.name, p.parent)
      WHEN 'of' THEN format('ALTER TABLE %s NOT OF', t.name)
      WHEN 'access method' THEN format('ALTER TABLE %s SET ACCESS METHOD heap', t.name)
      ELSE format('ALTER TABLE %s DETACH PARTITION %s', p.parent, t.name)
    END
    FROM thing t
    CROSS JOIN LATERAL jsonb_each(p_live -> 'state') s
    CROSS JOIN LATERAL jsonb_array_elements_text(s.value) AS p(parent)
    WHERE t.both_there AND s.key IN ('parents', 'partition of', 'of', 'access method')
      AND (p_wanted -> 'state' -> s.key) IS DISTINCT FROM s.value
    UNION ALL
    -- its flags that contradict the rows which they sum up, after an UPDATE of the catalogue; for a superuser
    SELECT 3, format($flags$UPDATE pg_catalog.pg_class c SET
    relchecks = (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
    relhasindex = EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid),
    relhastriggers = EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid),
    relhasrules = EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)
WHERE c.oid = %1$L::pg_catalog.regclass;
UPDATE pg_catalog.pg_attribute a SET
    atthasdef = EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)
WHERE a.attrelid = %1$L::pg_catalog.regclass AND a.attnum > 0;
INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0,
       'pg_catalog.pg_namespace'::pg_catalog.regclass, c.relnamespace, 0, 'n'
FROM pg_catalog.pg_class c
WHERE c.oid = %1$L::pg_catalog.regclass AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjsubid = 0)$flags$, t.name)
      -- Disabled indexes are rebuilt, because rows may have been added meanwhile.
      || coalesce((SELECT format('; REINDEX TABLE %s', t.name) FROM pg_class c
                   WHERE c.oid = to_regclass(t.name) AND NOT c.relhasindex
                     AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid)), '')
    FROM thing t
    WHERE t.both_there AND p_kind IN ('table', 'view') AND p_live -> 'state' ? 'contradicts'
    UNION ALL
    -- the attributes and settings of a role
    SELECT 3, format('ALTER ROLE %s %s', p_object, CASE
      WHEN starts_with(a.name, 'SET ') THEN 'RESET ' || substring(a.name FROM '^SET ([^=]+)=')
      WHEN a.name = 'NOINHERIT' THEN 'INHERIT'
      WHEN a.name = 'CONNECTION LIMIT' THEN 'CONNECTION LIMIT -1'
      WHEN a.name = 'VALID UNTIL' THEN 'VALID UNTIL ''infinity'''
      ELSE 'NO' || a.name
    END)
    FROM jsonb_array_elements_text(
      CASE jsonb_typeof(p_live -> 'configuration') WHEN 'array' THEN p_live -> 'configuration' ELSE '[]' END) AS a(name)
    WHERE p_kind = 'role' AND NOT coalesce(p_wanted -> 'configuration' ? a.name, false)
    UNION ALL
    -- its privileges
    SELECT 4, birth.fn_birth_contract_regrant(t.type, t.name,
      CASE
        WHEN NOT t.anew THEN p_added
        WHEN t.type IN ('FUNCTION', 'PROCEDURE') THEN ARRAY['PUBLIC=EXECUTE']
        ELSE '{}'
      END,
      CASE WHEN NOT t.anew THEN p_removed ELSE ARRAY(SELECT jsonb_array_elements_text(p_wanted -> 'privileges')) END,
      CASE WHEN t.anew OR (p_wanted ->> 'owner') <> (p_live ->> 'owner')
        THEN ARRAY[p_wanted ->> 'owner', p_live ->> 'owner'] ELSE '{}' END,
      p_wanted -> 'privileges')
    FROM thing t
    WHERE t.anew OR t.both_there OR p_kind = 'role'
    UNION ALL
    -- its tuning: that of an index goes with it
    SELECT a.rank, format('ALTER %s %s %s', CASE p_kind WHEN 'table' THEN 'TABLE' ELSE 'INDEX' END,
      CASE p_kind WHEN 'constraint' THEN 'birth.' || t.child ELSE t.name END, a.action)
    FROM thing t
    CROSS JOIN LATERAL (
      SELECT 5 AS rank, CASE
          WHEN l.action ~ ' STORAGE [A-Z]+$' THEN (
            SELECT format('ALTER COLUMN %I SET STORAGE %s', c.attname, CASE y.typstorage WHEN 'p' THEN 'PLAIN'
              WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)
            FROM pg_attribute c JOIN pg_type y ON y.oid = c.atttypid
            WHERE c.attrelid = to_regclass(t.name)
              AND starts_with(l.action, format('ALTER COLUMN %I SET STORAGE', c.attname)))
          WHEN starts_with(l.action, 'CLUSTER ON ') THEN 'SET WITHOUT CLUSTER'
          WHEN starts_with(l.action, 'SET TABLESPACE ') THEN (
            SELECT format('SET TABLESPACE %I', s.spcname)
            FROM pg_database b JOIN pg_tablespace s ON s.oid = b.dattablespace WHERE b.datname = current_database())
          ELSE regexp_replace(regexp_replace(regexp_replace(l.action, 'SET ([(][^=]+)=.*[)]$', E'RESET \\1)'),
            'STATISTICS [0-9]+$', 'STATISTICS -1'), 'COMPRESSION [a-z0-9]+$', 'COMPRESSION default') END AS action
      FROM jsonb_array_elements_text(p_live -> 'tuning') AS l(action)
      WHERE p_drift = 'tuning' AND NOT coalesce(p_wanted -> 'tuning' ? l.action, false)
      UNION ALL
      SELECT 6, w.action FROM jsonb_array_elements_text(p_wanted -> 'tuning') AS w(action)
      WHERE p_drift = 'tuning' AND NOT coalesce(p_live -> 'tuning' ? w.action, false)
         OR p_kind IN ('index', 'constraint')
    ) a
  )
  SELECT string_agg(s.text, '; ' ORDER BY s.rank, s.text) FROM statement s WHERE s.text IS NOT NULL;
$fn_birth_contract_repair$;

COMMENT ON FUNCTION birth.fn_birth_contract_repair(text, text, text, jsonb, jsonb, text[], text[], text) IS
  'The statement that repairs a drift, for birth_definer or a superuser; a comment where none can. Specification: 7.';

-- Checks that Alembic's version table is exactly as a release creates it. This runs before anything reads or writes
-- the table: in every revision (also by script), and before Alembic starts.
--
-- It reads only the catalogue. Reading a table runs the code attached to it, in the planner before the first row, and
-- the reader may be a superuser. The result stays valid afterwards: table and schema belong to @owner@, so no
-- other role can change them.
--
-- A database without the table passes. Every login may run this, under any search path: until the path is pinned, even
-- types are qualified.
DO $version_table$
DECLARE
  v_path pg_catalog.text := pg_catalog.current_setting('search_path');
  v_faults pg_catalog.text;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  SELECT string_agg(x.fault, ', ' ORDER BY x.fault COLLATE "C") INTO v_faults
  FROM pg_namespace n
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = '@version_table@'
  CROSS JOIN LATERAL (
    SELECT format('schema @schema@ is of %I', pg_get_userbyid(n.nspowner))
    WHERE n.nspowner IS DISTINCT FROM to_regrole('@owner@')
    UNION ALL
    SELECT format('owner %I', pg_get_userbyid(c.relowner))
    WHERE c.relowner IS DISTINCT FROM to_regrole('@owner@')
    UNION ALL
    SELECT 'no ordinary table'
    WHERE (c.relkind, c.relpersistence, c.reloftype, c.relispartition) <> ('r', 'p', 0::oid, false)
    UNION ALL
    SELECT 'row security' WHERE c.relrowsecurity OR c.relforcerowsecurity
    UNION ALL
    SELECT format('column %I %s', a.attname, format_type(a.atttypid, a.atttypmod))
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, a.attcollation)
          <> ('version_num', 'character varying(32)', 'varchar'::regtype, '"default"'::regcollation)
    UNION ALL
    SELECT 'another default, identity or NULL'
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname = 'version_num'
      AND (a.attnotnull, a.atthasdef, a.attgenerated, a.attidentity) <> (true, false, '', '')
    UNION ALL
    SELECT format('constraint %I', k.conname)
    FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype NOT IN ('p', 'n')
    UNION ALL
    SELECT format('index %s', i.indexrelid::regclass)
    FROM pg_index i WHERE i.indrelid = c.oid AND NOT i.indisprimary
    UNION ALL
    SELECT format('statistics %I.%I', s.stxnamespace::regnamespace, s.stxname)
    FROM pg_statistic_ext s WHERE s.stxrelid = c.oid
    UNION ALL
    SELECT format('trigger %I', t.tgname) FROM pg_trigger t WHERE t.tgrelid = c.oid
    UNION ALL
    SELECT format('rule %I', w.rulename) FROM pg_rewrite w WHERE w.ev_class = c.oid
    UNION ALL
    SELECT format('policy %I', l.polname) FROM pg_policy l WHERE l.polrelid = c.oid
    UNION ALL
    SELECT 'a parent or child' FROM pg_inherits h WHERE c.oid IN (h.inhrelid, h.inhparent)
    UNION ALL
    -- A role with TRIGGER or REFERENCES could attach code after this check. If the table has another owner, a release
    -- takes it over and revokes such privileges.
    SELECT format('%s to %s', p.privilege_type,
                  CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(p.grantee)) END)
    FROM (SELECT c.relacl UNION ALL SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid) AS g(acl)
    CROSS JOIN LATERAL aclexplode(g.acl) p
    WHERE p.privilege_type IN ('TRIGGER', 'REFERENCES') AND p.grantee <> c.relowner
      AND c.relowner = to_regrole('@owner@')
    UNION ALL
    -- Not for a login that is no reader: it lacks the role.
    SELECT '@reader@ may not read it'
    WHERE pg_has_role(to_regrole('@reader@'), 'USAGE')
      AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
  ) AS x(fault)
  WHERE n.nspname = '@schema@';
  IF v_faults IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '@drift.code@', MESSAGE = '@drift.message@',
      DETAIL = format('@schema@.@version_table@ is not as a release creates it: %s', v_faults),
      HINT = CASE WHEN v_faults ~ '^owner [^,]*$'
        THEN 'as the releasing login run: @alembic@ upgrade, to the current release or a later one'
        ELSE 'find out who changed it; then, as a login that releases or a superuser: @repair@' END;
  END IF;
  PERFORM set_config('search_path', v_path, true);
END
$version_table$;

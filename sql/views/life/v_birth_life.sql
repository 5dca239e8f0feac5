-- The life of each collection: its mode, what is wrong with its triggers, and how many of its births were living, dead,
-- or neither when its census was last put on record (fn_birth_census_record). Counted here, they would be scans.
--
-- fault: NULL where the triggers are off, or complete, enabled, and made for the columns that the collection has now.
-- next_step: what mends it. A partition gets its trigger on TRUNCATE from its owner: life stays on meanwhile.
-- Bits of pg_trigger.tgtype: 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE; 34 is BEFORE TRUNCATE.
CREATE OR REPLACE VIEW birth.v_birth_life AS
SELECT c.collection_name, c.life_mode, c.life_column, c.life_dead,
       coalesce(f.fault, 'partition ' || p.name || ' has none on TRUNCATE') AS fault,
       k.births - k.dead - k.unexplained AS living, k.dead, k.unexplained, k.counted_at,
       CASE WHEN f.fault IS NULL THEN p.statements || '  -- the owner of the table'
            WHEN f.fault = h.fault THEN h.step
            ELSE format('SELECT birth.fn_birth_life_detach(p_collection := %1$L, p_reason := ''attach again'');'
                        '  -- a steward; then what it answers, where that is for the owner; then a steward: '
                        'SELECT birth.fn_birth_life_attach(p_collection := %1$L, p_mode := %2$L, p_column := %3$L, '
                        'p_dead := %4$L);', c.collection_name, c.life_mode, c.life_column, c.life_dead) END AS next_step
FROM birth.collection_registry c
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = c.schema_name
LEFT JOIN pg_catalog.pg_class s ON s.relnamespace = n.oid AND s.relname = c.table_name
CROSS JOIN LATERAL (
  SELECT bit_or(g.tgtype::integer) AS events, bool_or(NOT l.current) AS stale,
         bool_or(NOT l.enabled OR l.state <> 'A' AND EXISTS (SELECT FROM birth.fn_birth_replicated_tables(s.oid)))
           AS disabled
  FROM birth.v_birth_life_trigger l
  JOIN pg_catalog.pg_trigger g ON g.tgrelid = l.relation AND g.tgname = l.trigger_name
  WHERE l.collection_name = c.collection_name AND s.oid IN (l.relation, pg_partition_root(l.relation))
) t
CROSS JOIN LATERAL (
  SELECT min(r.relid::regclass::text) AS name,
         string_agg(format('CREATE TRIGGER birth_life_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
           ' EXECUTE FUNCTION birth.fn_birth_life_auto(%L, %L);', r.relid::regclass, c.collection_name,
           birth.fn_birth_life_shape(c)), ' ') AS statements
  FROM pg_partition_tree(s.oid) r
  WHERE c.life_key <> '{}' AND r.isleaf AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_trigger g
    WHERE g.tgrelid = r.relid AND g.tgtype = 34 AND g.tgfoid = to_regprocedure('birth.fn_birth_life_auto()'))
) p
LEFT JOIN LATERAL (
  SELECT min(k.name) AS column_name FROM unnest(c.birth_code_columns || c.life_column) AS k(name)
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = s.oid AND a.attname = k.name AND a.attnum > 0 AND NOT a.attisdropped)
) o ON s.oid IS NOT NULL
CROSS JOIN LATERAL (
  SELECT CASE WHEN NOT has_table_privilege('birth_scanner', s.oid, 'SELECT') THEN 'birth_scanner may not read the table'
              WHEN s.relrowsecurity AND NOT (SELECT r.rolbypassrls FROM pg_catalog.pg_roles r
                                             WHERE r.rolname = 'birth_scanner')
                THEN 'row level security would hide rows from birth_scanner' END AS fault,
         format(CASE WHEN has_table_privilege('birth_scanner', s.oid, 'SELECT')
                     THEN 'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser'
                     ELSE 'GRANT SELECT ON %I.%I TO birth_scanner;  -- the owner of the table' END,
                c.schema_name, c.table_name) AS step
) h
CROSS JOIN LATERAL (
  SELECT CASE WHEN c.life_key = '{}' THEN NULL
              WHEN t.events IS NULL THEN 'none is there'
              WHEN t.stale THEN 'its identity changed since they were attached'
              WHEN t.disabled THEN 'some are disabled, or do not fire for replicated rows'
              WHEN ~t.events & (24 | CASE WHEN c.life_column IS NULL THEN 0 ELSE 4 END
                                   | CASE s.relkind WHEN 'p' THEN 0 ELSE 32 END) <> 0 THEN 'some are missing'
              WHEN o.column_name IS NOT NULL THEN format('the table has no column %s any more', o.column_name)
              ELSE h.fault END
    AS fault
) f
LEFT JOIN LATERAL (
  SELECT (a.detail ->> 'births')::bigint AS births, (a.detail ->> 'dead')::bigint AS dead,
         (a.detail ->> 'unexplained')::bigint AS unexplained, a.acted_at AS counted_at
  FROM birth.birth_act a
  WHERE a.collection_name = c.collection_name AND a.act = 'census' AND a.detail ? 'births'
  ORDER BY a.acted_at DESC LIMIT 1
) k ON true;

COMMENT ON VIEW birth.v_birth_life IS
  'The life of each collection: mode, what is wrong with its triggers (fault) and what mends it, and how many births '
  'were living, dead or unexplained at the last census on record. Specification: 5.2.';

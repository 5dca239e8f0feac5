-- The tables of the schemas under the gate, the state of each and its next step. From the catalogue and birthdb's own
-- tables alone: no table of the user is read or locked.
--
-- UNKNOWN     nobody registered it
-- REGISTERED  required, and its identity is not eligible
-- READY       decided, and not governed: no enabled gateway; or, exempt or in a schema that the gate only observes, not
--             admitted
-- CLOSED      its gateway refuses every row until it is admitted
-- BREACHED    its gateway lets rows in, and it was never admitted
-- ADMITTED, EXEMPT. An admission is that of a table: one that took its name and has no gateway is READY, or REGISTERED.
-- With a gateway it is a restored one, and the admission stands.
--
-- No table of their own: temporary and foreign ones, those of extensions, and members of a partition tree that are
-- governed by another member: below a registered one, above one, or in a tree that nobody registered (its root stands
-- for it).
CREATE OR REPLACE VIEW birth.v_birth_gate AS
WITH tree AS (
  SELECT DISTINCT pg_partition_root(c.oid)::oid AS root
  FROM birth.collection_registry r
  JOIN pg_catalog.pg_namespace n ON n.nspname = r.schema_name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = r.table_name
  WHERE c.relkind = 'p' OR c.relispartition
), listed AS (
  SELECT s.schema_name, c.relname AS table_name, s.mode, c.oid AS relation, c.relkind, c.relispartition
  FROM birth.birth_gate_scope s
  JOIN pg_catalog.pg_namespace n ON n.nspname = s.schema_name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')
), stands AS (
  -- Whether the table stands for itself.
  SELECT l.*, r.collection_name, r.coverage_status, r.gateway_mode, r.gate_closed, r.gate_relation, r.admitted_how,
         r.admitted_at
  FROM listed l
  LEFT JOIN birth.collection_registry r ON r.schema_name = l.schema_name AND r.table_name = l.table_name
  WHERE CASE
    WHEN r.collection_name IS NOT NULL OR l.relkind = 'r' AND NOT l.relispartition THEN true
    WHEN coalesce(pg_partition_root(l.relation)::oid, l.relation) IN (SELECT t.root FROM tree t)
      THEN NOT EXISTS (
        SELECT FROM (SELECT a.relid FROM pg_partition_ancestors(l.relation) a
                     UNION ALL SELECT p.relid FROM pg_partition_tree(l.relation) p WHERE l.relkind = 'p') f
        JOIN pg_catalog.pg_class c ON c.oid = f.relid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN birth.collection_registry k ON k.schema_name = n.nspname AND k.table_name = c.relname)
    WHEN l.relispartition
      THEN NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       JOIN birth.birth_gate_scope s ON s.schema_name = n.nspname
                       WHERE c.oid = pg_partition_root(l.relation) AND (s.mode = 'enforce' OR l.mode = 'observe'))
    ELSE true END
), held AS (
  SELECT t.*, starts_with(t.coverage_status, 'BIRTH_EXEMPT_') AS exempt, g.has_gateway, g.closed_there
  FROM stands t
  CROSS JOIN LATERAL (
    -- Hashed once; a join would be a nested loop, as the planner expects one gateway.
    SELECT (t.relation, t.collection_name) IN (
             SELECT g.relation, g.collection_name FROM birth.v_birth_gateway_trigger g WHERE g.enabled) IS TRUE
             AS has_gateway,
           (t.gate_relation, t.collection_name) IN (
             SELECT g.relation, g.collection_name FROM birth.v_birth_gateway_trigger g) IS TRUE AS closed_there
    OFFSET 0
  ) g
), judged AS (
  SELECT t.*, s.state
  FROM held t
  -- OFFSET 0: once for each table, however often it is named below.
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN t.collection_name IS NULL THEN 'UNKNOWN'
      WHEN t.admitted_how = 'EXEMPT' THEN 'EXEMPT'
      WHEN t.admitted_how IS NOT NULL
           AND (t.has_gateway OR t.exempt OR t.gate_relation = t.relation OR t.admitted_how = 'GRANDFATHERED')
        THEN 'ADMITTED'
      -- As fn_birth_gateway_collection has it.
      WHEN t.has_gateway AND t.gate_closed
           AND (t.gate_relation = t.relation OR NOT t.closed_there AND NOT EXISTS (
                  SELECT FROM birth.birth_registry b WHERE b.collection_name = t.collection_name))
        THEN 'CLOSED'
      WHEN t.has_gateway AND (t.mode = 'enforce' OR EXISTS (
        SELECT FROM birth.birth_registry b WHERE b.collection_name = t.collection_name)) THEN 'BREACHED'
      WHEN t.coverage_status = 'BIRTH_REQUIRED' AND NOT (
        SELECT starts_with(i.status, 'ELIGIBLE_') FROM birth.fn_birth_identity_definition(t.collection_name) i)
        THEN 'REGISTERED'
      ELSE 'READY' END AS state
    OFFSET 0
  ) s
)
SELECT j.schema_name, j.table_name, j.mode, j.state, j.collection_name, j.coverage_status,
       j.admitted_how, j.admitted_at,
       array_remove(ARRAY[
         CASE WHEN j.state = 'CLOSED' THEN 'gateway' END,
         CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger t
                           WHERE t.tgrelid = j.relation AND t.tgenabled IN ('O', 'A')
                             AND t.tgfoid = to_regprocedure('birth.fn_birth_gate_insert()'))
                   AND j.admitted_how IS NULL AND j.mode = 'enforce' THEN 'trigger birth_gate' END], NULL) AS held_by,
       CASE
         WHEN j.state = 'UNKNOWN'
           THEN format('SELECT birth.fn_birth_collection_register(p_collection := %L, p_schema := %L, p_table := %L, '
                       'p_coverage_status := ''BIRTH_REQUIRED'');  -- a steward; or BIRTH_EXEMPT_<REASON>, '
                       'BIRTH_DEFERRED_NEEDS_REVIEW',
                       -- One that is taken, blank or longer than a name is none for a collection.
                       (SELECT c.name
                        FROM unnest(ARRAY[j.table_name::text, format('%s.%s', j.schema_name, j.table_name),
                                          format('table_%s', j.relation)]) WITH ORDINALITY AS c (name, place)
                        WHERE btrim(c.name) <> '' AND c.name = c.name::name AND NOT EXISTS (
                          SELECT FROM birth.collection_registry r WHERE r.collection_name = c.name)
                        ORDER BY c.place LIMIT 1),
                       j.schema_name, j.table_name)
         WHEN j.state = 'REGISTERED'
           THEN format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);'
                       '  -- then a steward: fn_birth_identity_classify', j.schema_name, j.table_name)
         WHEN j.state = 'READY' AND NOT j.exempt AND NOT j.has_gateway
           THEN format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);  -- a steward',
                       j.collection_name,
                       CASE j.coverage_status WHEN 'BIRTH_REQUIRED' THEN 'enforce' ELSE 'observe' END)
         WHEN j.state IN ('READY', 'CLOSED', 'BREACHED')
           THEN format('SELECT birth.fn_birth_gate_admit(p_collection := %L, p_reason := ''...'');  -- a steward who '
                       'neither registered nor classified it', j.collection_name) END AS next_step
FROM judged j;

COMMENT ON VIEW birth.v_birth_gate IS
  'The tables of the schemas under the gate: state (UNKNOWN, REGISTERED, READY, CLOSED, BREACHED, ADMITTED, EXEMPT), '
  'what refuses its rows now (held_by), and the statement to send next. Specification: 5.1.';

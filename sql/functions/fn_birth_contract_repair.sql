-- The statement that repairs a drift, or, where only the source has the text, the file to apply again as birth_definer.
-- Returns: one text; several statements where several parts differ.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_repair(
    p_kind text, p_object text, p_drift text, p_wanted jsonb, p_live jsonb, p_added text[], p_removed text[])
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_repair$
  WITH thing AS (
    SELECT CASE WHEN p_kind IN ('gateway', 'function') THEN 'FUNCTION' WHEN p_kind = 'schema' THEN 'SCHEMA' ELSE upper(p_kind) END AS type,
           CASE WHEN p_kind = 'schema' THEN p_object ELSE 'birth.' || p_object END AS name,
           split_part(p_object, '.', 1) AS parent,
           substr(p_object, strpos(p_object, '.') + 1) AS child,
           format('apply %s again, as birth_definer',
             CASE WHEN p_kind IN ('gateway', 'function', 'procedure') THEN format('sql/functions/%s.sql', split_part(p_object, '(', 1))
                  WHEN p_kind = 'view' THEN format('sql/views/%s.sql', p_object)
                  ELSE format('what differs in sql/tables/%s.sql', split_part(p_object, '.', 1)) END) AS source
  ), privilege AS (
    -- An entry is role=PRIVILEGE, a star for the right to pass it on, then (column), the sequence of a column, or what is yet to be made.
    SELECT e.verb, m[1] AS grantee, m[2] AS privilege, m[4] AS column_list, m[5] AS sequence_column, m[6] AS class, m[7] AS creator, m[3] = '*' AS passed_on
    FROM (SELECT 'REVOKE' AS verb, unnest(p_added) AS entry UNION ALL SELECT 'GRANT', unnest(p_removed)) e
    CROSS JOIN LATERAL regexp_match(e.entry, '^(.*)=([A-Z]+)(\*?)(\(.*\))?(?: on the sequence of (.*))?(?: by default on new ([rSfT]) of (.*))?$') AS m
  ), statement AS (
    SELECT 1 AS rank, CASE
      WHEN p_drift = 'missing' AND p_kind = 'constraint' THEN format('ALTER TABLE birth.%s ADD CONSTRAINT %s %s', t.parent, t.child, p_wanted ->> 'signature')
      WHEN p_drift = 'missing' AND p_kind IN ('index', 'trigger') THEN p_wanted ->> 'signature'
      WHEN p_drift = 'missing' THEN t.source
      WHEN p_drift IN ('extra', 'overload') AND p_kind = 'constraint' THEN format('ALTER TABLE birth.%s DROP CONSTRAINT %s', t.parent, t.child)
      WHEN p_drift IN ('extra', 'overload') AND p_kind IN ('trigger', 'rule', 'policy') THEN format('DROP %s %s ON birth.%s', t.type, t.child, t.parent)
      WHEN p_drift IN ('extra', 'overload') THEN format('DROP %s %s', t.type, t.name)
      WHEN p_drift IN ('body', 'signature', 'configuration') AND p_kind = 'constraint'
        THEN format('ALTER TABLE birth.%1$s DROP CONSTRAINT %2$s, ADD CONSTRAINT %2$s %3$s', t.parent, t.child, p_wanted ->> 'signature')
      WHEN p_drift IN ('body', 'signature', 'configuration') AND p_kind = 'index' THEN format('DROP INDEX %s; %s', t.name, p_wanted ->> 'signature')
      WHEN p_drift IN ('body', 'signature', 'configuration') AND p_kind = 'trigger'
        THEN format('DROP TRIGGER %s ON birth.%s; %s', t.child, t.parent, p_wanted ->> 'signature')
      WHEN p_drift IN ('body', 'signature', 'configuration') THEN t.source
    END AS text FROM thing t
    UNION ALL
    SELECT 2, format('ALTER %s %s OWNER TO %I', t.type, t.name, p_wanted ->> 'owner') FROM thing t
    WHERE p_live IS NOT NULL AND (p_wanted ->> 'owner') <> (p_live ->> 'owner')
    UNION ALL
    SELECT 3, CASE
      WHEN p_kind = 'constraint' AND p_drift = 'not validated' THEN format('ALTER TABLE birth.%s VALIDATE CONSTRAINT %s', t.parent, t.child)
      WHEN p_kind = 'constraint' THEN format('ALTER TABLE birth.%s ENABLE TRIGGER ALL', t.parent)
      WHEN p_kind = 'trigger' THEN format('ALTER TABLE birth.%s ENABLE %sTRIGGER %s', t.parent,
        CASE p_wanted -> 'state' ->> 'enabled' WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END, t.child)
      WHEN p_kind = 'index' THEN format('REINDEX INDEX %s', t.name)
      WHEN (p_live -> 'state' -> 'row security') IS DISTINCT FROM (p_wanted -> 'state' -> 'row security')
        THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY', t.name, CASE WHEN (p_wanted -> 'state' -> 'row security') = 'true' THEN 'ENABLE' ELSE 'DISABLE' END)
      WHEN (p_live -> 'state' -> 'children') IS DISTINCT FROM (p_wanted -> 'state' -> 'children')
        THEN format('ALTER TABLE %s NO INHERIT %s', p_live -> 'state' -> 'children' ->> 0, t.name)
      ELSE t.source END
    FROM thing t
    WHERE p_live IS NOT NULL AND p_wanted IS NOT NULL AND (p_live -> 'state') IS DISTINCT FROM (p_wanted -> 'state')
    UNION ALL
    SELECT 4, concat_ws(' ',
      'ALTER DEFAULT PRIVILEGES FOR ROLE ' || quote_ident(v.creator) || ' IN SCHEMA ' || t.name, v.verb, v.privilege || coalesce(' ' || v.column_list, ''), 'ON',
      CASE WHEN v.class IS NOT NULL THEN CASE v.class WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' ELSE 'TABLES' END
           WHEN v.sequence_column IS NOT NULL THEN 'SEQUENCE ' || pg_get_serial_sequence(t.name, v.sequence_column)
           WHEN t.type = 'VIEW' THEN 'TABLE ' || t.name
           ELSE t.type || ' ' || t.name END,
      CASE v.verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END,
      CASE WHEN v.grantee = 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(v.grantee) END,
      CASE WHEN v.passed_on THEN CASE v.verb WHEN 'GRANT' THEN 'WITH GRANT OPTION' ELSE 'CASCADE' END END)
    FROM thing t CROSS JOIN privilege v
    WHERE p_live IS NOT NULL AND p_wanted IS NOT NULL AND v.grantee <> coalesce(p_live ->> 'owner', '')
  )
  SELECT string_agg(s.text, '; ' ORDER BY s.rank, s.text) FROM statement s WHERE s.text IS NOT NULL;
$fn_birth_contract_repair$;

COMMENT ON FUNCTION birth.fn_birth_contract_repair(text, text, text, jsonb, jsonb, text[], text[]) IS
  'The statement that repairs a drift, or the file to apply again. Specification: 7.';

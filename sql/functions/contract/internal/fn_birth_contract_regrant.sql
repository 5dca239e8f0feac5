-- Generated from pgcontract/sql/regrant.sql by python -m birthdb.release render: edit that, or contract.toml.
-- The GRANTs and REVOKEs that restore the privileges on an object. An entry is role=PRIVILEGE, a star for the grant
-- option, then (column), or the sequence of a column, or the kind of objects made later. Roles and columns are quoted
-- in it where they need it, and used as they are.
-- Returns: statements; NULL when there is nothing to do. Nothing for p_owners: an object's owner changes with its
-- privileges.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_contract_regrant(p_type text, p_name text, p_added text[], p_removed text[],
  p_owners text[])
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_contract_regrant$
  WITH privilege AS (
    SELECT e.verb, m[1] AS grantee, m[2] AS name, m[4] AS column_list, m[5] AS sequence_column, m[6] AS class,
      m[7] AS creator, m[8] AS anywhere, m[3] = '*' AS passed_on
    FROM (SELECT 'REVOKE' AS verb, unnest(p_added) AS entry UNION ALL SELECT 'GRANT', unnest(p_removed)) e
    CROSS JOIN LATERAL regexp_match(e.entry,
      '^("(?:[^"]|"")+"|[^"=]+)=([A-Z]+)([*]?)([(](?:"(?:[^"]|"")+"|[^"()]+)[)])?'
      '(?: on the sequence of (.*))?(?: by default on new ([rSfT]) of ("(?:[^"]|"")+"|[^" ]+)( anywhere)?)?$') AS m
  )
  SELECT string_agg(concat_ws(' ',
    'ALTER DEFAULT PRIVILEGES FOR ROLE ' || v.creator || CASE WHEN v.anywhere IS NULL THEN ' IN SCHEMA ' || p_name
      ELSE '' END, v.verb, v.name || coalesce(' ' || v.column_list, ''), 'ON',
    CASE WHEN v.class IS NOT NULL THEN CASE v.class WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T'
      THEN 'TYPES' ELSE 'TABLES' END
         WHEN v.sequence_column IS NOT NULL THEN 'SEQUENCE ' || pg_get_serial_sequence(p_name, v.sequence_column)
         ELSE replace(p_type, 'VIEW', 'TABLE') || ' ' || p_name END,
    CASE v.verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END,
    v.grantee,
    CASE WHEN v.passed_on THEN CASE v.verb WHEN 'GRANT' THEN 'WITH GRANT OPTION' ELSE 'CASCADE' END END), '; '
      ORDER BY v.verb DESC, v.grantee, v.name)
  FROM privilege v
  WHERE v.grantee <> ALL (array_remove(p_owners, NULL))
    -- A sequence that is gone comes back with its column.
    AND (v.sequence_column IS NULL OR pg_get_serial_sequence(p_name, v.sequence_column) IS NOT NULL);
$fn_birth_contract_regrant$;

COMMENT ON FUNCTION birth.fn_birth_contract_regrant(text, text, text[], text[], text[]) IS
  'The GRANTs and REVOKEs that restore the privileges on an object; NULL when there are none. Specification: 7.';

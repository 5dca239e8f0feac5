-- Checks the rows of every table of the contract but birth_registry against its constraints as the release recorded
-- them: CHECK, NOT NULL, keys, unique indexes, foreign keys. A superuser can switch a constraint off, write, and mark
-- it as validated again: the catalogue shows nothing. It reads the tables themselves, because an index may lack rows.
-- NOT NULL is asked by num_nulls: from PostgreSQL 17 on the planner folds IS NULL on a column that is declared NOT
-- NULL. birth_registry is left out: it would have to be read whole. Without JIT, whose code trusts NOT NULL and crashes
-- the server on an empty value.
-- Returns: one row for each constraint that is violated and run: run_id (NULL: the rows belong to no run), the
-- constraint, how many rows. A table that cannot be read is returned too, with the reason.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_constraint_violations()
  RETURNS TABLE (run_id uuid, violated text, violations bigint)
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
  SET standard_conforming_strings = on
  SET jit = off
  SET enable_seqscan = on
  SET enable_indexscan = off
  SET enable_indexonlyscan = off
  SET enable_bitmapscan = off
AS $fn_birth_constraint_violations$
DECLARE
  r_query record;
BEGIN
  FOR r_query IN
    WITH relation AS (
      SELECT c.object AS name, c.parts -> 'signature' AS columns,
             CASE WHEN c.parts -> 'signature' @> '[{"name": "run_id"}]' THEN 't.run_id' ELSE 'NULL::uuid' END AS run
      FROM birth.v_birth_contract_recorded c
      WHERE c.kind = 'table' AND c.object <> 'birth_registry'
    ), rule AS (
      SELECT substr(c.object, strpos(c.object, '.') + 1) AS name, split_part(c.object, '.', 1) AS relation,
             c.parts ->> 'signature' AS text
      FROM birth.v_birth_contract_recorded c WHERE c.kind = 'constraint'
      UNION ALL
      SELECT c.object, m[1], format('UNIQUE (%s) %s', m[2], m[3])
      FROM birth.v_birth_contract_recorded c
      CROSS JOIN LATERAL regexp_match(c.parts ->> 'signature',
        '^CREATE UNIQUE INDEX [^ ]+ ON birth[.]([^ ]+) USING btree [(]([^()]+)[)](?: (WHERE .+))?$') AS m
      WHERE c.kind = 'index' AND m IS NOT NULL
    ), condition AS (
      SELECT r.name AS relation, format('NOT NULL of %I', a.value ->> 'name') AS name,
             format('num_nulls(t.%I) = 0', a.value ->> 'name') AS text
      FROM relation r CROSS JOIN LATERAL jsonb_array_elements(r.columns) AS a WHERE a.value ? 'not null'
      UNION ALL
      SELECT u.relation, u.name, substr(u.text, 7) FROM rule u WHERE starts_with(u.text, 'CHECK (')
      UNION ALL
      SELECT u.relation, u.name, format('num_nulls(%1$s) > 0 OR ((%1$s) IN (SELECT %3$s FROM %2$s)) IS TRUE', m[1],
        m[2], m[3])
      FROM rule u CROSS JOIN LATERAL regexp_match(u.text, '^FOREIGN KEY [(](.+)[)] REFERENCES ([^ (]+)[(](.+)[)]') AS m
      WHERE m IS NOT NULL
    )
    SELECT r.name AS relation, format('SELECT %s, v.name, count(*) FROM birth.%s t '
               'CROSS JOIN LATERAL (VALUES %s) AS v(name, fine) WHERE v.fine IS FALSE GROUP BY 1, 2',
             r.run, r.name, string_agg(format('(%L, (%s))', format('%s: %s', r.name, c.name), c.text), ', ')) AS text
    FROM relation r JOIN condition c ON c.relation = r.name
    GROUP BY r.name, r.run
    UNION ALL
    SELECT r.name, format('SELECT (array_agg(%s))[1], %L, count(*) FROM birth.%s t %s '
             'GROUP BY %5$s HAVING count(*) > 1 AND num_nulls(%5$s) = 0',
             r.run, format('%s: %s', r.name, u.name), r.name, m[2], m[1])
    FROM relation r JOIN rule u ON u.relation = r.name
    CROSS JOIN LATERAL regexp_match(u.text, '^(?:PRIMARY KEY|UNIQUE) [(]([^()]+)[)](?: (WHERE .+))?') AS m
    WHERE m IS NOT NULL
  LOOP
    BEGIN
      RETURN QUERY EXECUTE r_query.text;
    EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
      RETURN QUERY SELECT NULL::uuid, format('%s cannot be read: %s', r_query.relation, SQLERRM), NULL::bigint;
    END;
  END LOOP;
END;
$fn_birth_constraint_violations$;

COMMENT ON FUNCTION birth.fn_birth_constraint_violations() IS
  'Rows that violate a constraint of the release, whatever the catalogue says of it: run, constraint, how many. '
  'Specification: 6, 6.1 R11.';

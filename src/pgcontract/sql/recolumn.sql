-- The ALTER TABLE that gives a table the columns of the contract, and the ALTER SEQUENCE of their sequences. A missing
-- column cannot be restored in its place with its values; a comment says so. One that only has another name gets its
-- own again.
-- Returns: statements; NULL when there is nothing to do.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@recolumn(p_table text, p_wanted jsonb, p_live jsonb)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $@prefix@recolumn$
  WITH renamed AS (
    SELECT w.value ->> 'name' AS name, l.value ->> 'name' AS found
    FROM jsonb_array_elements(p_wanted -> 'signature') WITH ORDINALITY w
    JOIN jsonb_array_elements(p_live -> 'signature') WITH ORDINALITY l USING (ordinality)
    WHERE l.value - 'name' = w.value - 'name'
      AND w.value -> 'name' NOT IN (SELECT o.value -> 'name' FROM jsonb_array_elements(p_live -> 'signature') o)
      AND l.value -> 'name' NOT IN (SELECT o.value -> 'name' FROM jsonb_array_elements(p_wanted -> 'signature') o)
  ), columns AS (
    SELECT coalesce(w.value, l.value) ->> 'name' AS name, w.value AS wanted, l.value AS live
    FROM jsonb_array_elements(p_wanted -> 'signature') w
    FULL JOIN jsonb_array_elements(p_live -> 'signature') l ON l.value -> 'name' = w.value -> 'name'
    WHERE coalesce(w.value, l.value) ->> 'name' NOT IN (
      SELECT r.name FROM renamed r UNION ALL SELECT r.found FROM renamed r)
  ), action AS (
    SELECT 1 AS rank, format('DROP COLUMN %I', c.name) AS text FROM columns c WHERE c.wanted IS NULL
    UNION ALL
    SELECT 2, format('ALTER COLUMN %1$I TYPE %2$s%3$s USING %1$I::%2$s', c.name, c.wanted ->> 'type',
      ' COLLATE ' || (c.wanted ->> 'collation'))
    FROM columns c
    WHERE (c.wanted -> 'type', c.wanted -> 'collation') IS DISTINCT FROM (c.live -> 'type', c.live -> 'collation')
      AND c.wanted IS NOT NULL AND c.live IS NOT NULL
    UNION ALL
    SELECT 3, format('ALTER COLUMN %I %s NOT NULL', c.name, CASE WHEN c.wanted ? 'not null' THEN 'SET' ELSE 'DROP' END)
    FROM columns c WHERE (c.wanted ? 'not null') <> (c.live ? 'not null')
    UNION ALL
    SELECT 4, format('ALTER COLUMN %I %s', c.name, coalesce('SET DEFAULT ' || (c.wanted ->> 'default'), 'DROP DEFAULT'))
    FROM columns c
    WHERE (c.wanted -> 'default') IS DISTINCT FROM (c.live -> 'default')
      AND c.wanted IS NOT NULL AND c.live IS NOT NULL
    UNION ALL
    SELECT 5, format('ALTER COLUMN %I %s', c.name, CASE
      WHEN c.wanted ? 'identity' THEN format('ADD GENERATED %s AS IDENTITY',
        CASE c.wanted ->> 'identity' WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)
      ELSE 'DROP IDENTITY' END)
    FROM columns c WHERE (c.wanted ? 'identity') <> (c.live ? 'identity')
    UNION ALL
    SELECT 6, format('ALTER COLUMN %I SET GENERATED %s', c.name,
      CASE c.wanted ->> 'identity' WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)
    FROM columns c WHERE (c.wanted ->> 'identity') <> (c.live ->> 'identity')
  ), altered AS (
    SELECT s.rank, format('ALTER SEQUENCE @schema@.%s %s', quote_ident(c.live ->> 'sequence name'), s.text) AS text
    FROM columns c
    CROSS JOIN LATERAL (VALUES
      (1, c.wanted ->> 'sequence', c.live -> 'sequence' <> c.wanted -> 'sequence'),
      (2, CASE WHEN c.wanted ? 'unlogged' THEN 'SET UNLOGGED' ELSE 'SET LOGGED' END,
       (c.live ? 'unlogged') <> (c.wanted ? 'unlogged')),
      (3, 'RENAME TO ' || quote_ident(c.wanted ->> 'sequence name'),
       c.live -> 'sequence name' <> c.wanted -> 'sequence name')
    ) AS s(rank, text, differs)
    WHERE s.differs AND c.live ? 'sequence' AND c.wanted ? 'sequence'
  )
  SELECT concat_ws('; ',
    (SELECT string_agg(
              format('-- column %s of %s is gone with its values: restore the table from a backup', c.name, p_table),
              E'\n' ORDER BY c.name)
     FROM columns c WHERE c.live IS NULL) || E'\n',
    (SELECT string_agg(format('ALTER TABLE @schema@.%s RENAME COLUMN %I TO %I', p_table, r.found, r.name), '; ')
     FROM renamed r),
    (SELECT format('ALTER TABLE @schema@.%s %s', p_table, string_agg(a.text, ', ' ORDER BY a.rank, a.text))
     FROM action a HAVING count(*) > 0),
    (SELECT string_agg(a.text, '; ' ORDER BY a.rank, a.text) FROM altered a),
    -- A new sequence starts after the highest value in the table.
    (SELECT string_agg(
              format('SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%L, %L), '
                '(SELECT coalesce(pg_catalog.max(%I), 0) OPERATOR(pg_catalog.+) 1 FROM @schema@.%s), false)',
                '@schema@.' || p_table, c.name, c.name, p_table), '; ' ORDER BY c.name)
     FROM columns c WHERE c.wanted ? 'identity' AND NOT c.live ? 'identity'))
  WHERE EXISTS (SELECT FROM action) OR EXISTS (SELECT FROM renamed) OR EXISTS (SELECT FROM altered)
     OR EXISTS (SELECT FROM columns c WHERE c.live IS NULL);
$@prefix@recolumn$;

COMMENT ON FUNCTION @schema@.@prefix@recolumn(text, jsonb, jsonb) IS
  'The ALTER TABLE that gives a table the columns of the contract; NULL when it has them.@see@';

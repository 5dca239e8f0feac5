-- What a new identity of a collection would take from its births: rows whose birth has another code then. Counted now,
-- row by row; where the former code can no longer be computed, because a column was renamed or is gone, every row must
-- have its birth under the new one.
-- Returns: the fault in words, or NULL.
-- Calls: fn_birth_source_grants, fn_birth_raise, fn_birth_identity_definition, fn_birth_scan,
--        fn_birth_measure
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_identity_loss(p_collection text, p_code_before text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_identity_loss$
DECLARE
  v_grants text;
  r_identity record;
  v_lost bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM birth.birth_registry b WHERE b.collection_name = p_collection) THEN
    RETURN NULL;
  END IF;
  v_grants := birth.fn_birth_source_grants(p_collection, 'SELECT');
  IF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s has births: its rows are counted',
      p_collection), 'let the owner of the table: ' || v_grants);
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  IF p_code_before IS NULL THEN
    SELECT m.missing + m.collisions + m.unresolvable INTO v_lost FROM birth.fn_birth_measure(p_collection, 0, 0) m;
  ELSE
    SELECT s.lost INTO v_lost
    FROM birth.fn_birth_scan(format(
      -- Filtered after the join: statistics from before a backfill say that the collection has no births.
      'SELECT count(*) FROM (SELECT b.collection_name FROM (SELECT %s AS before, %s AS after FROM %s t) s'
      ' JOIN birth.birth_registry b ON b.entity_code = s.before'
      ' WHERE s.after IS DISTINCT FROM s.before OFFSET 0) b WHERE b.collection_name = $1', p_code_before,
      r_identity.code_sql, r_identity.source_sql),
      p_collection := p_collection) AS s(lost bigint);
  END IF;
  RETURN CASE WHEN v_lost > 0 THEN format('%s rows of collection %s would lose their birth', v_lost, p_collection) END;
END;
$fn_birth_identity_loss$;

COMMENT ON FUNCTION birth.fn_birth_identity_loss(text, text) IS
  'How many rows would lose their birth by a new identity, in words; NULL when none. NB115. Specification: 4.1.';

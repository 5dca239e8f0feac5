-- A steward acknowledges the findings of a collection, which are the rows that the gateway let pass. They are folded
-- into one act, with counts, first and last time, logins and examples for each reason, and deleted. Findings of
-- transactions that are still open stay.
-- SECURITY DEFINER: only routines of birth_definer write findings and acts.
-- Returns: the number of rows they were about; 0, and no act, if there are none.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: birth_gateway_finding
CREATE OR REPLACE FUNCTION birth.fn_birth_finding_acknowledge(p_collection text, p_reason text)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_finding_acknowledge$
DECLARE
  v_rows bigint;
  v_folded jsonb;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_finding_acknowledge');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  IF NOT EXISTS (SELECT FROM birth.collection_registry c WHERE c.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  WITH gone AS (
    DELETE FROM birth.birth_gateway_finding f WHERE f.collection_name = p_collection
    RETURNING f.error, f.row_count, f.found_at, f.inserted_by, f.examples[1] AS example
  ), folded AS (
    SELECT g.error, sum(g.row_count) AS row_count, jsonb_build_object(
             'rows', sum(g.row_count), 'transactions', count(*),
             'first_at', min(g.found_at), 'last_at', max(g.found_at),
             'logins', (array_agg(DISTINCT g.inserted_by))[1:10],
             'examples', coalesce((array_agg(DISTINCT g.example) FILTER (WHERE g.example IS NOT NULL))[1:10], '{}')
           ) AS detail
    FROM gone g GROUP BY g.error
  )
  SELECT sum(f.row_count), jsonb_object_agg(f.error, f.detail) INTO v_rows, v_folded FROM folded f;
  IF v_rows IS NOT NULL THEN
    PERFORM birth.fn_birth_act_record('finding_acknowledged', p_collection := p_collection, p_reason := p_reason,
      p_detail := v_folded);
  END IF;
  RETURN coalesce(v_rows, 0);
END;
$fn_birth_finding_acknowledge$;

COMMENT ON FUNCTION birth.fn_birth_finding_acknowledge(text, text) IS
  'Folds the findings of a collection into one act (rows, transactions, first and last time, logins, examples by '
  'reason) and deletes them; returns the number of rows. Steward. NB102, NB103, NB110, NB111, NB112. Specification: 5.';

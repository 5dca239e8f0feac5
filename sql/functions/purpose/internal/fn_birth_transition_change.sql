-- TRANSITION: the one change that a run has left to write, against the registry as it is now. Its canonical text names
-- collection, old and new policy and the version of the old one: a policy that was changed and changed back is another.
-- p_undo: the inverse of what the run wrote, if it was not undone; its text is still that of the change.
-- Returns: one row, or none where nothing is left. loosening: it asks less in any respect.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_change(p_run birth.birth_backfill_ledger_v2, p_undo boolean)
  RETURNS TABLE (from_status text, from_governed boolean, from_version bigint, to_status text, to_governed boolean,
                 direction text, change text, fingerprint numeric[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_change$
  SELECT c.coverage_status, c.governed, c.policy_version, w.status, w.governed,
         CASE WHEN k.rank_to < k.rank_from OR k.rank_to = 0 AND w.status <> c.coverage_status
                OR c.governed AND NOT w.governed THEN 'loosening' ELSE 'tightening' END,
         x.change,
         ARRAY[1, hashtextextended(x.change, p_run.seed_a), hashtextextended(x.change, p_run.seed_b)]
  FROM birth.collection_registry c
  LEFT JOIN birth.birth_transition t ON t.run_id = p_run.run_id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p_undo THEN t.from_status ELSE p_run.wanted ->> 'p_to_status' END AS status,
           CASE WHEN p_undo THEN t.from_governed ELSE (p_run.wanted ->> 'p_to_governed')::boolean END AS governed
  ) w
  CROSS JOIN LATERAL (
    SELECT coalesce(array_position(o.ranks, c.coverage_status), 0) AS rank_from,
           coalesce(array_position(o.ranks, w.status), 0) AS rank_to
    FROM (SELECT ARRAY['BIRTH_DEFERRED_NEEDS_REVIEW', 'BIRTH_REQUIRED']) AS o(ranks)
  ) k
  CROSS JOIN LATERAL (
    SELECT CASE WHEN p_undo
      THEN jsonb_build_array(t.collection_name, t.from_status, t.from_governed, t.from_version, t.to_status,
                             t.to_governed)
      ELSE jsonb_build_array(c.collection_name, c.coverage_status, c.governed, c.policy_version, w.status, w.governed)
      END::text AS change
  ) x
  WHERE c.collection_name = p_run.collection_name
    AND CASE WHEN p_undo THEN t.run_id IS NOT NULL AND t.undone_at IS NULL
             ELSE t.run_id IS NULL AND (w.status, w.governed) <> (c.coverage_status, c.governed) END;
$fn_birth_transition_change$;

COMMENT ON FUNCTION birth.fn_birth_transition_change(birth.birth_backfill_ledger_v2, boolean) IS
  'Purpose TRANSITION: the change that a run has left to write, or to undo: old and new policy, direction, canonical '
  'text and its fingerprint. Specification: 4.1.';

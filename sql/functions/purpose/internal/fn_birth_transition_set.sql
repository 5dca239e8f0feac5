-- TRANSITION: what is planned is one change. Of the counts it has one more, existing_births: the births that a move to
-- exempt or deferred leaves behind, which a verdict has to accept.
-- Returns: one row.
-- Calls: fn_birth_transition_change, fn_birth_collection_births
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_transition_set(p_run birth.birth_backfill_ledger_v2, p_rows bigint)
  RETURNS TABLE (source_rows bigint, existing_births bigint, orphans bigint, dead bigint, unresolvable bigint,
                 duplicates bigint, collisions bigint, foreign_codes text[], missing bigint, fingerprint numeric[],
                 range_fingerprint numeric[], upper text[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_transition_set$
  SELECT 0::bigint, coalesce(CASE WHEN c.to_status NOT IN ('BIRTH_REQUIRED', c.from_status)
                                  THEN birth.fn_birth_collection_births(p_run.collection_name) END, 0),
         0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::text[], count(c.change) OVER (),
         coalesce(c.fingerprint, '{0,0,0}'), coalesce(c.fingerprint, '{0,0,0}'), NULL::text[]
  FROM (SELECT) AS one
  LEFT JOIN birth.fn_birth_transition_change(p_run, false) c ON true;
$fn_birth_transition_set$;

COMMENT ON FUNCTION birth.fn_birth_transition_set(birth.birth_backfill_ledger_v2, bigint) IS
  'Purpose TRANSITION: the one change of a plan, and the births that it leaves behind. Specification: 4.1.';

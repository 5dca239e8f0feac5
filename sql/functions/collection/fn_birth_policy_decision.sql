-- The policy's decision for a collection. Deterministic; writes nothing; no default: an unknown collection is refused.
-- Returns: one row: decision REQUIRED, DEFERRED, EXEMPT or REFUSED, and whether births may be registered.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_policy_decision(p_collection text)
  RETURNS TABLE (collection_name text, coverage_status text, decision text, may_register boolean, reason text)
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_policy_decision$
  SELECT p_collection, c.coverage_status, d.decision, d.decision = 'REQUIRED',
         CASE d.decision
           WHEN 'REQUIRED' THEN 'every row needs a birth'
           WHEN 'DEFERRED' THEN 'the policy is not decided'
           WHEN 'EXEMPT' THEN
             'exempt: ' || lower(replace(substr(c.coverage_status, length('BIRTH_EXEMPT_') + 1), '_', ' ') COLLATE "C")
           ELSE 'the collection is not registered'
         END
  FROM (SELECT) AS one
  LEFT JOIN birth.collection_registry c ON c.collection_name = p_collection
  CROSS JOIN LATERAL (SELECT CASE
      WHEN c.coverage_status = 'BIRTH_REQUIRED' THEN 'REQUIRED'
      WHEN c.coverage_status = 'BIRTH_DEFERRED_NEEDS_REVIEW' THEN 'DEFERRED'
      WHEN starts_with(c.coverage_status, 'BIRTH_EXEMPT_') THEN 'EXEMPT'
      ELSE 'REFUSED'
    END) AS d(decision);
$fn_birth_policy_decision$;

COMMENT ON FUNCTION birth.fn_birth_policy_decision(text) IS
  'The policy''s decision for a collection: REQUIRED, DEFERRED, EXEMPT; REFUSED if it is not registered. '
  'Specification: 4.';

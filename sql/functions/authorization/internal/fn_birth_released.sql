-- Which release in force a login made, itself or under another name: a verdict is bound to the contract, so who
-- released it does not judge a run.
-- Returns: the name of one; NULL when it made none.
-- Calls: fn_birth_login_id
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_released(p_login name)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_released$
  SELECT min(g.release) FROM birth.birth_gateway_release_registry g
  WHERE (g.released_by = p_login OR g.released_by_id = birth.fn_birth_login_id(p_login)) AND g.exact_sha256 IS NOT NULL
    AND NOT EXISTS (SELECT FROM birth.birth_gateway_release_registry n WHERE n.kind = g.kind AND n.object = g.object
      AND n.generation > g.generation);
$fn_birth_released$;

COMMENT ON FUNCTION birth.fn_birth_released(name) IS
  'A release in force that a login made; NULL when it made none. Specification: 6.1 R7.';

-- Follows the successors of a code to the one that is living.
-- Returns: the living code; NULL when there is no such birth, or the chain ends with a dead code.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_now(p_code text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_now$
  WITH RECURSIVE chain AS (
    SELECT b.entity_code, 1 AS step FROM birth.birth_registry b WHERE b.entity_code = p_code
    UNION
    SELECT d.successor, c.step + 1
    FROM chain c JOIN birth.birth_death d ON d.entity_code = c.entity_code
    WHERE d.returned_at IS NULL AND d.successor IS NOT NULL
  )
  SELECT c.entity_code FROM chain c
  WHERE NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = c.entity_code AND d.returned_at IS NULL)
  ORDER BY c.step DESC LIMIT 1;
$fn_birth_now$;

COMMENT ON FUNCTION birth.fn_birth_now(text) IS
  'The living code that a code goes on as, by its successors; itself while it is living; NULL when the chain ends '
  'dead. Specification: 5.2.';

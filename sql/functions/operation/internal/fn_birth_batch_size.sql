-- How many rows the next batch visits, when the operator has said how long a batch should take. It shrinks at once, in
-- proportion to the excess, because live traffic waits already; it grows by the square root of what is left, at most
-- twofold, so that one fast batch brings no slow one. Where the time is linear in the rows it nears the target from one
-- side and never swings. What the operator said stays the most.
-- Returns: rows: p_most without a target, at most a thousand before anything was measured, else from a hundred (or
-- p_most, where that is less) to p_most.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_batch_size(p_most integer, p_target_ms integer, p_last integer,
  p_took_ms double precision)
  RETURNS integer
  LANGUAGE plpgsql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_batch_size$
DECLARE
  v_factor double precision := p_target_ms / greatest(p_took_ms, 0.001);
BEGIN
  IF p_target_ms IS NULL THEN
    RETURN p_most;
  ELSIF p_last IS NULL OR p_took_ms IS NULL THEN
    RETURN least(p_most, 1000);
  END IF;
  RETURN least(p_most, greatest(100, floor(p_last * CASE WHEN v_factor < 1 THEN v_factor
    ELSE least(2, sqrt(v_factor)) END)));
END;
$fn_birth_batch_size$;

COMMENT ON FUNCTION birth.fn_birth_batch_size(integer, integer, integer, double precision) IS
  'Rows of the next batch: from those of the last, the milliseconds it took and the milliseconds it should take; at '
  'most p_most. Specification: 6.';

-- The columns whose values can be read back from a code: two rows with the same code agree in them. A unique key over
-- such columns proves that no two rows have the same code.
-- A code is read from the left and from the right. Literal text is known; a uuid has 36 characters; a number ends
-- before text that cannot be part of it (a sign stands only before the digits, so a hyphen ends an integer but does not
-- start one). What is left in the middle is known if it is one piece, whatever it holds.
-- One text never stands for two values of a unique index; one value may have several texts (1.0 and 1.00).
-- Returns: their names; a column of another type is among them only if it is what is left in the middle.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_code_tells(p_literals text[], p_columns text[], p_types regtype[])
  RETURNS text[]
  LANGUAGE plpgsql
  IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_code_tells$
DECLARE
  c_whole CONSTANT regtype[] := ARRAY['int2'::regtype, 'int4'::regtype, 'int8'::regtype];
  v_first integer := 1;
  v_last integer := cardinality(p_literals);
BEGIN
  -- Past either end, and next to another column, there is no literal: the comparison is NULL and the loop ends.
  WHILE p_literals[v_first] IS NOT NULL OR p_types[v_first] = 'uuid'::regtype
     OR p_types[v_first] = ANY (c_whole) AND strpos('0123456789', left(p_literals[v_first + 1], 1)) = 0
     OR p_types[v_first] = 'numeric'::regtype AND strpos('.0123456789', left(p_literals[v_first + 1], 1)) = 0 LOOP
    v_first := v_first + 1;
  END LOOP;
  WHILE p_literals[v_last] IS NOT NULL OR p_types[v_last] = 'uuid'::regtype
     OR p_types[v_last] = ANY (c_whole) AND strpos('-0123456789', right(p_literals[v_last - 1], 1)) = 0
     OR p_types[v_last] = 'numeric'::regtype AND strpos('-.0123456789', right(p_literals[v_last - 1], 1)) = 0 LOOP
    v_last := v_last - 1;
  END LOOP;
  RETURN ARRAY(
    SELECT c.name FROM unnest(p_columns) WITH ORDINALITY AS c(name, position)
    WHERE c.name IS NOT NULL AND (c.position < v_first OR c.position > v_last OR v_first = v_last));
END;
$fn_birth_code_tells$;

COMMENT ON FUNCTION birth.fn_birth_code_tells(text[], text[], regtype[]) IS
  'The columns whose values can be read back from a code, given the pieces of its template in order. '
  'Specification: 4, R3.';

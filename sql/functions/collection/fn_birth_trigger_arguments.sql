-- The arguments of the birth triggers on a table, as texts. The catalogue keeps them as bytes ended by zero.
-- Returns: one row a trigger.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_trigger_arguments(p_relation oid)
  RETURNS TABLE (trigger_name name, routine name, arguments text[])
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_trigger_arguments$
  SELECT t.tgname, p.proname,
         ARRAY(SELECT convert_from(decode(replace(piece.hex, ' ', ''), 'hex'), getdatabaseencoding())
               FROM string_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', E'\\1 ', 'g'), '00 ') WITH ORDINALITY AS piece(hex, position)
               WHERE piece.position <= t.tgnargs
               ORDER BY piece.position)
  FROM pg_trigger t
  JOIN pg_proc p ON p.oid = t.tgfoid
  WHERE t.tgrelid = p_relation AND p.proname IN ('fn_birth_registry_auto', 'fn_birth_registry_auto_id');
$fn_birth_trigger_arguments$;

COMMENT ON FUNCTION birth.fn_birth_trigger_arguments(oid) IS
  'Arguments of the birth triggers on a table: trigger, routine, texts. Specification: 4.';

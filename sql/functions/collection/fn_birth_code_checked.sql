-- A code is at most 512 bytes and not blank; anything else is no code. The tests are left out where the types rule them out. A code that sorts behind the white
-- space begins with something else and need not be trimmed, which costs more than all the rest.
-- Returns: the expression, NULL-valued where the code would be invalid, in the collation of the registry.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_code_checked(p_code_sql text, p_may_be_blank boolean, p_may_be_long boolean)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  STRICT
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_code_checked$
  SELECT CASE WHEN p_may_be_blank OR p_may_be_long
    THEN '(CASE WHEN ' || concat_ws(' AND ',
           CASE WHEN p_may_be_long THEN format('octet_length(%s) <= 512', p_code_sql) END,
           CASE WHEN p_may_be_blank THEN format(E'((%1$s) COLLATE "C" >= ''!'' OR btrim(%1$s, E'' \\t\\n\\r\\f\\x0b'') COLLATE "C" <> '''')', p_code_sql) END)
         || format(' THEN %s END) COLLATE "C"', p_code_sql)
    ELSE format('(%s) COLLATE "C"', p_code_sql)
  END;
$fn_birth_code_checked$;

COMMENT ON FUNCTION birth.fn_birth_code_checked(text, boolean, boolean) IS
  'The code expression with the tests of birth_registry_code, as far as the types need them. Specification: 4.';

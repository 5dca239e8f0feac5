-- The part that an act takes in a run. Several logins may take one part; one login may not take two.
-- Returns: execution, review, admission; NULL for an act that any of them may do.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_act_part(p_act text)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  STRICT
  PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_act_part$
  SELECT CASE
    WHEN p_act IN ('plan', 'attempt') THEN 'execution'
    WHEN p_act IN ('review', 'permit_confirm') THEN 'review'
    WHEN p_act = 'permit_open' THEN 'admission'
  END;
$fn_birth_act_part$;

COMMENT ON FUNCTION birth.fn_birth_act_part(text) IS
  'The part that an act takes in a run: execution, review, admission, or NULL. Specification: 6.1 R7.';

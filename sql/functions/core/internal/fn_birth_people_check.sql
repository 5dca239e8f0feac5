-- Whether the people of a chain of plans are still three disjoint sets. Each act is held against the earlier ones when it is recorded; here the whole chain is,
-- before anything is written, so that two acts recorded at the same moment are found too. One name is one person, and so is
-- one login under two names.
-- Returns: nothing; NB209.
-- Calls: fn_birth_act_part, fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_people_check(p_run_id uuid, p_lineage uuid)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_people_check$
DECLARE
  v_fault text;
BEGIN
  SELECT format('run %s: %s acted as %s', p_run_id, string_agg(DISTINCT a.actor, ' alias '),
    string_agg(DISTINCT a.act, ' and as ')) INTO v_fault
  FROM birth.birth_act a
  WHERE a.lineage = p_lineage AND birth.fn_birth_act_part(a.act) IS NOT NULL
  GROUP BY GROUPING SETS ((a.actor), (a.actor_id))
  HAVING count(DISTINCT birth.fn_birth_act_part(a.act)) > 1
  LIMIT 1;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('separation_of_duties', v_fault);
  END IF;
END;
$fn_birth_people_check$;

COMMENT ON FUNCTION birth.fn_birth_people_check(uuid, uuid) IS
  'Refuses with NB209 when one person holds two parts in a chain of plans. Specification: 6.1 R7.';

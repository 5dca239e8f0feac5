-- Checks that planners and executors, reviewers, and permit owners of a chain of plans are three disjoint sets of
-- people. With p_act it checks whether a login may record that act: session_user, unless one is named. Without it
-- checks the whole chain: each batch does, which also finds two acts that were recorded at the same moment. A person is
-- known by name and by login: a renamed login is the same person, and so is a new login with an old name.
-- Returns: who has, or would have, two parts; NULL when nobody does.
-- Calls: fn_birth_act_part, fn_birth_login_id
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_people_check(
    p_run_id uuid, p_lineage uuid, p_act text DEFAULT NULL, p_login name DEFAULT session_user)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_people_check$
DECLARE
  v_fault text;
BEGIN
  SELECT format('run %s: %s acted as %s', p_run_id, string_agg(DISTINCT p.actor, ' alias '),
    string_agg(DISTINCT format('%s (%s)', p.part, p.act), ' and as ')) INTO v_fault
  FROM (
    SELECT a.actor, a.actor_id, a.act, birth.fn_birth_act_part(a.act) AS part, false AS new
    FROM birth.birth_act a WHERE a.lineage = p_lineage
    UNION ALL
    SELECT p_login, birth.fn_birth_login_id(p_login), p_act, birth.fn_birth_act_part(p_act), true
    WHERE p_act IS NOT NULL
  ) p
  WHERE p.part IS NOT NULL
  GROUP BY GROUPING SETS ((p.actor), (p.actor_id))
  HAVING count(DISTINCT p.part) > 1 AND (p_act IS NULL OR bool_or(p.new))
  LIMIT 1;
  RETURN v_fault;
END;
$fn_birth_people_check$;

COMMENT ON FUNCTION birth.fn_birth_people_check(uuid, uuid, text, name) IS
  'Who has, or with p_act would have, two parts in a chain of plans; NULL when nobody does. '
  'Specification: 6.1 R7.';

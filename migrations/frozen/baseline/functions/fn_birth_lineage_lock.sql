-- Lets one session at a time take a part in a chain of plans. It locks the row of the act that planned the first run.
-- Only routines of birth_definer can lock that row; any login could take an advisory lock, whose key is public.
-- Returns: nothing; NB303 with the session that holds the lock if the caller's lock_timeout ran out.
-- Calls: fn_birth_raise, fn_birth_lock_owner
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_lineage_lock(p_lineage uuid)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_lineage_lock$
DECLARE
  r_owner record;
BEGIN
  -- Outside the block below, which is a subtransaction: xmax of a row that one locked does not lead to its session.
  PERFORM FROM birth.birth_act a
  WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan' FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    RETURN;
  END IF;
  BEGIN
    PERFORM FROM birth.birth_act a
    WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan' FOR NO KEY UPDATE;
  EXCEPTION WHEN lock_not_available THEN
    SELECT o.* INTO r_owner
    FROM birth.birth_act a, birth.fn_birth_lock_owner(p_table := 'birth.birth_act', p_xmax := a.xmax) o
    WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan';
    PERFORM birth.fn_birth_raise('run_held',
      format('an act on run %s or its successors is open in %s', p_lineage,
        coalesce('a transaction of ' || r_owner.who, 'another transaction')),
      coalesce(format('wait until it ends, or end it: %s then send the statement again', r_owner.remedy),
        'send the statement again'));
  END;
END;
$fn_birth_lineage_lock$;

COMMENT ON FUNCTION birth.fn_birth_lineage_lock(uuid) IS
  'Serialises the acts that take a part in a chain of plans, until the transaction ends. NB303. Specification: 6.1 R7.';

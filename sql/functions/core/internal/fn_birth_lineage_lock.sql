-- Lets one session at a time take a part in a chain of plans. The lock is on the row of the act that planned its first
-- run, which only birth_definer's routines can lock: the key of an advisory lock is public, and anybody could hold it.
-- Returns: nothing; NB303 with the session that has it, when the caller set a lock_timeout and it ran out.
-- Calls: fn_birth_raise, fn_birth_row_owner
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
  -- Outside of the block below: a row that a subtransaction has locked does not show whose it is.
  PERFORM FROM birth.birth_act a
  WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan' FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    RETURN;
  END IF;
  BEGIN
    PERFORM FROM birth.birth_act a
    WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan' FOR NO KEY UPDATE;
  EXCEPTION WHEN lock_not_available THEN
    SELECT o.* INTO r_owner FROM birth.birth_act a, birth.fn_birth_row_owner('birth.birth_act', a.xmax, NULL) o
    WHERE a.lineage = p_lineage AND a.run_id = p_lineage AND a.act = 'plan';
    PERFORM birth.fn_birth_raise('run_held',
      format('an act on run %s or its successors is in %s', p_lineage, coalesce('a transaction of ' || r_owner.who, 'another transaction')),
      coalesce(format('let it commit or roll back, or end it: %s then send the statement again', r_owner.remedy), 'send the statement again'));
  END;
END;
$fn_birth_lineage_lock$;

COMMENT ON FUNCTION birth.fn_birth_lineage_lock(uuid) IS
  'Serialises the acts that take a part in a chain of plans, until the transaction ends. Granted to nobody. NB303. Specification: 6.1 R7.';

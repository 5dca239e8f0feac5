-- Releases what this session still holds of a run, when the driver is through with it. Not in a transaction that has
-- written something: what that wrote of the run can still be rolled back, and the lock of a failed check is to outlive
-- that.
-- SECURITY DEFINER: operators look at locks through routines only.
-- Returns: nothing.
-- Calls: fn_birth_actor, fn_birth_purpose, fn_birth_lock_key, fn_birth_lock_holder
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_leave(p_run_id uuid)
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_leave$
BEGIN
  PERFORM birth.fn_birth_actor('birth_operator', VARIADIC ARRAY(SELECT p.doors[1]
    FROM birth.fn_birth_purpose() p));
  PERFORM pg_advisory_unlock(birth.fn_birth_lock_key(n.name))
  FROM birth.birth_backfill_ledger_v2 l
  CROSS JOIN generate_series(1, l.epoch) AS e(epoch)
  CROSS JOIN unnest(ARRAY['run', 'failed']) AS k(kind)
  CROSS JOIN LATERAL format('%s:%s:%s', k.kind, l.run_id, e.epoch) AS n(name)
  WHERE l.run_id = p_run_id AND pg_current_xact_id_if_assigned() IS NULL
    AND birth.fn_birth_lock_holder(n.name) = pg_backend_pid();
END;
$fn_birth_run_leave$;

COMMENT ON FUNCTION birth.fn_birth_run_leave(uuid) IS
  'Releases the locks that this session holds of a run, unless its transaction has written something. Called by the '
  'drivers. Operator. NB110 to NB112. Specification: 6, R8.';

-- Who may still sign a run: each login that has the role, no other part in the chain of plans, and, to judge it, no
-- release in force. Each act asks the same of the login that sends it.
-- SECURITY DEFINER: readers may ask, and need not be able to call what it asks itself.
-- Returns: rows: act (review, permit_open, permit_confirm), login, superuser; none for an unknown run.
-- Calls: fn_birth_is_member, fn_birth_people_check, fn_birth_released
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_signers(p_run_id uuid)
  RETURNS TABLE (act text, login text, superuser boolean)
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_signers$
  SELECT d.act, r.rolname::text, r.rolsuper
  FROM birth.birth_backfill_ledger_v2 l
  CROSS JOIN (VALUES (1, 'review', 'birth_reviewer'), (2, 'permit_open', 'birth_permit_owner'),
                     (3, 'permit_confirm', 'birth_reviewer')) AS d(place, act, role)
  JOIN pg_roles r ON r.rolcanlogin AND birth.fn_birth_is_member(r.rolname, d.role)
  WHERE l.run_id = p_run_id
    AND birth.fn_birth_people_check(l.run_id, l.lineage, d.act, r.rolname) IS NULL
    AND (d.act <> 'review' OR birth.fn_birth_released(r.rolname) IS NULL)
  ORDER BY d.place, r.rolname COLLATE "C";
$fn_birth_signers$;

COMMENT ON FUNCTION birth.fn_birth_signers(uuid) IS
  'The logins that may still judge a run, open its permit or confirm it: act, login, superuser. Specification: 6.1 R7.';

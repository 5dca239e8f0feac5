-- Writes down what is already so: an open permit of a run that was revoked or has expired gets that status. Skips a
-- permit that a batch spends in this moment, so that nobody who says no waits.
-- Returns: nothing.
-- Calls: fn_birth_clock
-- Writes: birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_permit_settle(p_run_id uuid)
  RETURNS void
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_permit_settle$
  UPDATE birth.birth_admission_permit_v2 p
  SET status = s.status, closed_at = birth.fn_birth_clock()
  FROM (
    SELECT o.permit_id, CASE
        WHEN EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = l.lineage AND a.permit_id = o.permit_id
          AND a.act = 'permit_revoke') THEN 'REVOKED'
        WHEN o.expires_at <= birth.fn_birth_clock() THEN 'EXPIRED' END AS status
    FROM birth.birth_admission_permit_v2 o JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = o.run_id
    WHERE o.run_id = p_run_id AND o.status = 'OPEN'
    FOR UPDATE OF o SKIP LOCKED) s
  WHERE p.permit_id = s.permit_id AND s.status IS NOT NULL;
$fn_birth_permit_settle$;

COMMENT ON FUNCTION birth.fn_birth_permit_settle(uuid) IS
  'Gives a run''s revoked or expired permit that status. Specification: 6, R9.';

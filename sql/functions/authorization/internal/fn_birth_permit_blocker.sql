-- Whether a permit admits a number of rows of a run, now: by the real clock, or by what is on record where that clock has gone back, so that an expired
-- permit does not open again. A revocation counts as soon as it is an act.
-- Returns: an error of the catalogue, or NULL.
-- Calls: fn_birth_error, fn_birth_clock
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_permit_blocker(
    p_run birth.birth_backfill_ledger_v2, p_permit_id bigint, p_purpose text, p_rows bigint)
  RETURNS jsonb
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_permit_blocker$
DECLARE
  r_permit birth.birth_admission_permit_v2;
BEGIN
  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_permit_id;
  RETURN CASE
    WHEN r_permit.permit_id IS NULL THEN birth.fn_birth_error('permit_unknown', format('permit %s', coalesce(p_permit_id::text, 'NULL')))
    WHEN r_permit.status <> 'OPEN' THEN
      birth.fn_birth_error(CASE r_permit.status WHEN 'EXPIRED' THEN 'permit_expired' ELSE 'permit_not_open' END,
        format('permit %s is %s since %s', p_permit_id, r_permit.status, r_permit.closed_at))
    WHEN EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = p_run.lineage AND a.permit_id = p_permit_id AND a.act = 'permit_revoke') THEN
      birth.fn_birth_error('permit_not_open', format('permit %s was revoked', p_permit_id))
    WHEN r_permit.expires_at <= birth.fn_birth_clock() THEN
      birth.fn_birth_error('permit_expired', format('permit %s expired at %s', p_permit_id, r_permit.expires_at))
    WHEN (r_permit.collection_name, r_permit.run_id, r_permit.purpose) <> (p_run.collection_name, p_run.run_id, p_purpose) THEN
      birth.fn_birth_error('permit_scope', format('permit %s is for %s of collection %s, run %s', p_permit_id, r_permit.purpose,
        r_permit.collection_name, r_permit.run_id))
    WHEN r_permit.confirmed_by IS NULL THEN birth.fn_birth_error('permit_not_confirmed', format('permit %s', p_permit_id))
    WHEN r_permit.max_rows - r_permit.spent_rows < p_rows THEN
      birth.fn_birth_error('permit_exhausted', format('permit %s has %s of %s rows left, the run needs %s', p_permit_id,
        r_permit.max_rows - r_permit.spent_rows, r_permit.max_rows, p_rows))
  END;
END;
$fn_birth_permit_blocker$;

COMMENT ON FUNCTION birth.fn_birth_permit_blocker(birth.birth_backfill_ledger_v2, bigint, text, bigint) IS
  'NB201 to NB206 as jsonb when the permit does not admit the rows of the run for the purpose, else NULL. Specification: 6, R4.';

-- Confirms a permit: the second person, without whom it admits nothing.
-- SECURITY DEFINER: reviewers write permits through routines only.
-- Returns: one row: permit_id, next_step (the CALL).
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_refuse, fn_birth_checks, fn_birth_act_record, fn_birth_run_next_step
-- Writes: birth_admission_permit_v2
CREATE OR REPLACE FUNCTION birth.fn_birth_permit_confirm(p_permit_id bigint)
  RETURNS TABLE (permit_id bigint, next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '5s'
AS $fn_birth_permit_confirm$
DECLARE
  r_permit birth.birth_admission_permit_v2;
  r_run birth.birth_backfill_ledger_v2;
  v_at timestamptz;
BEGIN
  PERFORM birth.fn_birth_actor('birth_reviewer', 'fn_birth_permit_confirm');
  SELECT p.* INTO r_permit FROM birth.birth_admission_permit_v2 p WHERE p.permit_id = p_permit_id FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('permit_unknown', format('permit %s', coalesce(p_permit_id::text, 'NULL')));
  END IF;
  SELECT l.* INTO r_run FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = r_permit.run_id;
  IF r_permit.confirmed_by IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('permit_not_open',
      format('permit %s is %s, confirmed by %s', p_permit_id, r_permit.status, r_permit.confirmed_by),
      'see birth.birth_admission_permit_v2 for the permit');
  END IF;
  r_run.permit_id := p_permit_id;
  PERFORM birth.fn_birth_refuse(c.blocker) FROM birth.fn_birth_checks('confirm', r_run, r_permit.purpose, r_run) c
    WHERE NOT c.pass ORDER BY c.number;
  v_at := birth.fn_birth_act_record('permit_confirm', p_run_id := r_run.run_id, p_lineage := r_run.lineage,
    p_permit_id := p_permit_id,
    p_collection := r_run.collection_name);
  UPDATE birth.birth_admission_permit_v2 p SET confirmed_by = session_user, confirmed_at = v_at
    WHERE p.permit_id = p_permit_id;
  permit_id := p_permit_id;
  next_step := birth.fn_birth_run_next_step(r_permit.run_id, r_permit.purpose);
  RETURN NEXT;
END;
$fn_birth_permit_confirm$;

COMMENT ON FUNCTION birth.fn_birth_permit_confirm(bigint) IS
  'Confirms an open permit; returns the ready CALL. Reviewer, not the one who opened it. NB110, NB111, NB201 to '
  'NB204, NB209. Specification: 6.';

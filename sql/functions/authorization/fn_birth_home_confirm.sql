-- A DBA says that this database is the one that goes on. Whoever confirms has seen to it that no other copy does:
-- nothing here can know that.
-- SECURITY DEFINER: acts are written by birth_definer's routines alone.
-- Returns: what now holds, in a sentence.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: nothing itself
CREATE OR REPLACE FUNCTION birth.fn_birth_home_confirm(p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_home_confirm$
DECLARE
  r_home birth.v_birth_home;
BEGIN
  PERFORM birth.fn_birth_actor('birth_dba', 'fn_birth_home_confirm');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT h.* INTO r_home FROM birth.v_birth_home h;
  PERFORM birth.fn_birth_act_record('home', p_reason := p_reason, p_detail := r_home.home
    || jsonb_build_object('timeline', r_home.timeline));
  RETURN format('permits are spent in database %s again; a run goes on with the CALL it was begun with',
    current_database());
END;
$fn_birth_home_confirm$;

COMMENT ON FUNCTION birth.fn_birth_home_confirm(text) IS
  'Confirms that this database, and no other copy of it, spends its permits; returns what then holds. DBA. NB102, '
  'NB110, NB111.';

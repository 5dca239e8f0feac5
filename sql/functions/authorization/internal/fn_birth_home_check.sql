-- Refuses to go on in a database that was restored or cloned, until a DBA says that it is the one: the permits are in the other copy too.
-- Returns: nothing; NB212.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_home_check()
  RETURNS void
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_home_check$
BEGIN
  IF NOT (SELECT h.confirmed FROM birth.v_birth_home h) THEN
    PERFORM birth.fn_birth_raise('home_unconfirmed', (SELECT format('this is %s; confirmed was %s', h.home,
      coalesce(format('%s, at %s by %s', h.confirmed_home, h.confirmed_at, h.confirmed_by), 'none')) FROM birth.v_birth_home h));
  END IF;
END;
$fn_birth_home_check$;

COMMENT ON FUNCTION birth.fn_birth_home_check() IS
  'Refuses with NB212 in a database that is not the confirmed one. Called before anything is begun and before every batch.';

-- Last step of every revision: reset the role, and revoke the memberships that enter.sql granted.
DO $leave$
DECLARE
  v_role text;
BEGIN
  SET LOCAL ROLE NONE;
  FOREACH v_role IN ARRAY '{@lent@}'::name[] LOOP
    EXECUTE format('REVOKE %I FROM @owner@', v_role);
  END LOOP;
  IF current_setting('@schema@.release_granted') = 'on' THEN
    EXECUTE format('REVOKE @owner@ FROM %I', session_user);
    PERFORM set_config('@schema@.release_granted', 'off', true);
  END IF;
  PERFORM set_config('search_path', current_setting('@schema@.release_path'), true),
          set_config('role', current_setting('@schema@.release_role'), true);
END
$leave$;

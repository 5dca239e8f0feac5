-- Last step of every revision: reset the role, and revoke the memberships that enter.sql granted.
DO $leave$
BEGIN
  SET LOCAL ROLE NONE;
  REVOKE birth_scanner FROM birth_definer;
  IF current_setting('birth.release_granted') = 'on' THEN
    EXECUTE format('REVOKE birth_definer FROM %I', session_user);
    PERFORM set_config('birth.release_granted', 'off', true);
  END IF;
  PERFORM set_config('search_path', current_setting('birth.release_path'), true),
          set_config('role', current_setting('birth.release_role'), true);
END
$leave$;

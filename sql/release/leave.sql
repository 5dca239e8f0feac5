-- Generated from pgcontract/sql/leave.sql by python -m birthdb.release render: edit that, or contract.toml.
-- Last step of every revision: reset the role, and revoke the memberships that enter.sql granted.
DO $leave$
DECLARE
  v_role text;
BEGIN
  SET LOCAL ROLE NONE;
  FOREACH v_role IN ARRAY '{birth_scanner}'::name[] LOOP
    EXECUTE format('REVOKE %I FROM birth_definer', v_role);
  END LOOP;
  IF current_setting('birth.release_granted') = 'on' THEN
    EXECUTE format('REVOKE birth_definer FROM %I', session_user);
    PERFORM set_config('birth.release_granted', 'off', true);
  END IF;
  PERFORM set_config('search_path', current_setting('birth.release_path'), true),
          set_config('role', current_setting('birth.release_role'), true);
END
$leave$;

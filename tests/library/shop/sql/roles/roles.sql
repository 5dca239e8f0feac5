-- The roles, made where they are missing. Who releases may read.
DO $roles$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY '{shop_owner, shop_dba, shop_reader}'::name[] LOOP
    IF to_regrole(v_role) IS NULL THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
    END IF;
  END LOOP;
  IF NOT pg_has_role('shop_dba', 'shop_reader', 'USAGE') THEN
    GRANT shop_reader TO shop_dba;
  END IF;
END
$roles$;

-- Runs as the owner: the database must be at the release from which the revision starts.
DO $from$
DECLARE
  v_from CONSTANT text := nullif(current_setting('@schema@.release_from', true), '');
  v_at text;
  v_recorded text;
  v_grantee text;
BEGIN
  -- A script is generated for one start release, and Alembic does not see on which database it runs.
  -- version_table.sql has just checked that reading the table is safe.
  IF v_from IS NOT NULL THEN
    SELECT coalesce(string_agg(v.version_num, ', ' ORDER BY v.version_num), 'base') INTO v_at
    FROM @schema@.@version_table@ v;
    IF v_at <> v_from THEN
      RAISE EXCEPTION USING ERRCODE = '@order.code@', MESSAGE = '@order.message@',
        DETAIL = format('this step starts from %s, the database is at %s', v_from, v_at),
        HINT = '@order.hint@';
    END IF;
  END IF;

  -- A version that was lost: to release again would meet the objects that are there.
  IF v_from = 'base' AND to_regclass('@schema@.@registry@') IS NOT NULL THEN
    SELECT r.release INTO v_recorded FROM @schema@.@registry@ r ORDER BY r.generation DESC LIMIT 1;
    RAISE EXCEPTION USING ERRCODE = '@order.code@', MESSAGE = '@order.message@',
      DETAIL = format('the schema holds the objects of %s, and the version table no version', v_recorded),
      HINT = format('write the version back, which compares the objects first: @alembic@ stamp %s', v_recorded);
  END IF;

  -- Before the first release no role needs privileges on the schema: revoke those that an interrupted script granted to
  -- its login (prepare.sql).
  IF v_from = 'base' THEN
    FOR v_grantee IN
      SELECT DISTINCT quote_ident(pg_get_userbyid(x.grantee))
      FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
      WHERE n.nspname = '@schema@' AND x.grantee NOT IN (0, n.nspowner)
        AND NOT starts_with(pg_get_userbyid(x.grantee), '@role_prefix@')
    LOOP
      EXECUTE format('REVOKE ALL ON SCHEMA @schema@ FROM %s', v_grantee);
    END LOOP;
    -- There is no earlier drift that contract.sql could let pass.
    PERFORM set_config('@schema@.contract_before', '{}', true);
  END IF;
END
$from$;

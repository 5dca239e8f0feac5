-- Generated from pgcontract/sql/from.sql by python -m birthdb.release render: edit that, or contract.toml.
-- Runs as the owner: the database must be at the release from which the revision starts.
DO $from$
DECLARE
  v_from CONSTANT text := nullif(current_setting('birth.release_from', true), '');
  v_at text;
  v_recorded text;
  v_grantee text;
BEGIN
  -- A script is generated for one start release, and Alembic does not see on which database it runs.
  -- version_table.sql has just checked that reading the table is safe.
  IF v_from IS NOT NULL THEN
    SELECT coalesce(string_agg(v.version_num, ', ' ORDER BY v.version_num), 'base') INTO v_at
    FROM birth.alembic_version v;
    IF v_at <> v_from THEN
      RAISE EXCEPTION USING ERRCODE = 'NB411', MESSAGE = 'the database is at a different release',
        DETAIL = format('this step starts from %s, the database is at %s', v_from, v_at),
        HINT = 'another release may have come first: see alembic current; generate a script again from that release';
    END IF;
  END IF;

  -- A version that was lost: to release again would meet the objects that are there.
  IF v_from = 'base' AND to_regclass('birth.birth_gateway_release_registry') IS NOT NULL THEN
    SELECT r.release INTO v_recorded FROM birth.birth_gateway_release_registry r ORDER BY r.generation DESC LIMIT 1;
    RAISE EXCEPTION USING ERRCODE = 'NB411', MESSAGE = 'the database is at a different release',
      DETAIL = format('the schema holds the objects of %s, and the version table no version', v_recorded),
      HINT = format('write the version back, which compares the objects first: birthdb alembic stamp %s', v_recorded);
  END IF;

  -- Before the first release no role needs privileges on the schema: revoke those that an interrupted script granted to
  -- its login (prepare.sql).
  IF v_from = 'base' THEN
    FOR v_grantee IN
      SELECT DISTINCT quote_ident(pg_get_userbyid(x.grantee))
      FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
      WHERE n.nspname = 'birth' AND x.grantee NOT IN (0, n.nspowner)
        AND NOT starts_with(pg_get_userbyid(x.grantee), 'birth_')
    LOOP
      EXECUTE format('REVOKE ALL ON SCHEMA birth FROM %s', v_grantee);
    END LOOP;
    -- There is no earlier drift that contract.sql could let pass.
    PERFORM set_config('birth.contract_before', '{}', true);
  END IF;
END
$from$;

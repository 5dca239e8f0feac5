-- The roles. They belong to the cluster, not to the database: a release creates missing ones, accepts existing ones,
-- and never drops one, because another database may use it. Login roles of people are members; the roles have NOLOGIN.
DO $roles$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY ARRAY[
    'birth_definer',       -- owns every object; its only member is the releasing login, during a release
    'birth_scanner',       -- reads source tables, in a sandbox; its only member is birth_definer, during a release
    'birth_reader',        -- reads the views
    'birth_steward',       -- registers and classifies collections, attaches the gateway
    'birth_operator',      -- plans, rehearses, applies, stops and freezes
    'birth_reviewer',      -- records verdicts and confirms permits
    'birth_permit_owner',  -- opens and revokes permits
    'birth_dba',           -- releases and unfreezes
    'birth_source_owner']  -- owners of partitioned sources: may create partitions, which clone the gateway's trigger
  LOOP
    CONTINUE WHEN to_regrole(v_role) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;  -- a concurrent release of another database of the cluster created it
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
          DETAIL = format('role %s is missing and %s may not create roles', v_role, session_user),
          HINT = format('ask a role with that right to send: CREATE ROLE %I NOLOGIN', v_role);
    END;
  END LOOP;

  -- The acting roles are members of birth_reader.
  FOREACH v_role IN ARRAY
    ARRAY['birth_steward', 'birth_operator', 'birth_reviewer', 'birth_permit_owner', 'birth_dba']
  LOOP
    CONTINUE WHEN pg_has_role(v_role, 'birth_reader', 'USAGE');
    BEGIN
      EXECUTE format('GRANT birth_reader TO %I', v_role);
    EXCEPTION
      WHEN unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'NB410', MESSAGE = 'the login lacks a privilege that a release needs',
          DETAIL = format('%s is not a member of birth_reader and %s may not grant it', v_role, session_user),
          HINT = format('ask a role with that right to send: GRANT birth_reader TO %I', v_role);
    END;
  END LOOP;
END
$roles$;

-- Is the database what the release in birth.manifest made? Sent before the first step of a release, with what the release before has fixed, and after its
-- last, with its own: what is found is refused and rolled back. Nothing that the database says of itself is believed; a manifest that
-- knows no objects, as while a release is being made, asks for nothing.
DO $contract$
DECLARE
  v_release CONSTANT text := current_setting('birth.contract');
  v_manifest CONSTANT jsonb := current_setting('birth.manifest');
  v_drift text;
BEGIN
  IF NOT v_manifest ? 'objects' THEN
    RETURN;
  END IF;
  IF birth.fn_birth_contract_objects(v_manifest) IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB414', MESSAGE = 'the release does not know this server',
      DETAIL = format('%s was fixed for PostgreSQL %s; this is %s', v_release,
        (SELECT string_agg(s.key, ', ' ORDER BY s.key) FROM jsonb_each(v_manifest -> 'servers') s), current_setting('server_version')),
      HINT = 'install a newer birthdb, or release on a server that it knows';
  END IF;
  SELECT string_agg(format('%s %s: %s', c.kind, c.object, c.drift), '; ' ORDER BY c.kind, c.object) INTO v_drift
  FROM birth.fn_birth_contract_compare(birth.fn_birth_contract_objects(v_manifest), '{}') c
  WHERE c.blocks;
  IF v_drift IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB404', MESSAGE = 'the database differs from its release',
      DETAIL = format('%s: %s', v_release, v_drift),
      HINT = 'nothing was released; see: birthdb verify; put back what differs with: birthdb repair, or write the script again';
  END IF;
END
$contract$;

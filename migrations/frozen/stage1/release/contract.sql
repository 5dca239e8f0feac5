-- Is the database what the release in birth.manifest made? Sent before the first step of a release, with what the release before has fixed, and after its
-- last, with its own: what is found is refused and rolled back. What does not block, such as a grant for a dashboard, is let in when it was there
-- before or comes by default privileges, and not when it came with the release. Nothing that the database says of itself is believed; a manifest that knows no
-- objects, as while a release is being made, asks for nothing.
DO $contract$
DECLARE
  v_release CONSTANT text := current_setting('birth.contract');
  v_manifest CONSTANT jsonb := current_setting('birth.manifest');
  -- What the first of the two found that does not block: the setting is this transaction's.
  v_before CONSTANT text[] := nullif(current_setting('birth.contract_before', true), '');
  v_harmless text[];
  v_drift text;
BEGIN
  IF NOT v_manifest ? 'objects' THEN
    RETURN;
  END IF;
  IF birth.fn_birth_contract_objects(v_manifest) IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB414', MESSAGE = 'the release has no contract for this server version',
      DETAIL = format('%s was fixed for PostgreSQL %s; this is %s', v_release,
        (SELECT string_agg(s.key, ', ' ORDER BY s.key) FROM jsonb_each(v_manifest -> 'servers') s), current_setting('server_version')),
      HINT = 'install a newer birthdb, or release on a server version that it supports';
  END IF;
  SELECT string_agg(d.entry, '; ' ORDER BY d.entry) FILTER (WHERE d.blocks OR d.whole <> ALL (v_before) AND NOT d.by_default),
         coalesce(array_agg(d.whole) FILTER (WHERE NOT d.blocks), '{}')
  INTO v_drift, v_harmless
  FROM (
    SELECT concat_ws(' ', format('%s %s: %s', c.kind, c.object, c.drift), CASE WHEN c.kind = 'role' THEN concat_ws(' ', c.live ->> 'configuration', c.added) END) AS entry, concat_ws(' ', c.kind, c.object, c.drift, c.added, c.live ->> 'signature') AS whole, c.blocks,
           -- Roles are the cluster's, and accepted when a DBA made them beforehand.
           c.kind = 'role' OR c.drift = 'privileges' AND EXISTS (SELECT FROM pg_default_acl a WHERE a.defaclrole = to_regrole('birth_definer')) AS by_default
    FROM birth.fn_birth_contract_compare(birth.fn_birth_contract_objects(v_manifest), '{}') c
    WHERE c.drift <> 'ok'
  ) d;
  PERFORM set_config('birth.contract_before', v_harmless::text, true);
  IF v_drift IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB404', MESSAGE = 'the schema does not match its release',
      DETAIL = format('%s: %s', v_release, v_drift),
      HINT = 'nothing was released; see: birthdb verify; put back what differs with: birthdb repair, a role as it says there; or write the script again';
  END IF;
END
$contract$;

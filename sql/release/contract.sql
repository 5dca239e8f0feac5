-- Generated from pgcontract/sql/contract.sql by python -m birthdb.release render: edit that, or contract.toml.
-- Does the live schema match the release manifest (drift check)? Runs before the first step of a release with the
-- manifest of the release before, and after its last step with its own manifest. Drift is refused, and the release is
-- rolled back.
--
-- Drift that does not block, such as a grant for a dashboard, passes if it was there before the release or comes from
-- default privileges. It does not pass if the release itself caused it.
-- The expected objects come from the manifest, not from the recorded contract. A manifest without objects (while a
-- release is being prepared) checks nothing.
DO $contract$
DECLARE
  v_release CONSTANT text := current_setting('birth.contract');
  v_manifest CONSTANT jsonb := current_setting('birth.manifest');
  -- The drift that did not block in the first of the two checks; the setting is local to this transaction.
  v_before CONSTANT text[] := nullif(current_setting('birth.contract_before', true), '');
  v_hint CONSTANT text :=
    'the release was rolled back; list the drift with: birthdb verify; repair it with: birthdb repair (which prints '
    'the statements for roles); if the script is old, generate it again';
  v_harmless text[];
  v_drift text;
BEGIN
  IF NOT v_manifest ? 'objects' THEN
    RETURN;
  END IF;
  SELECT string_agg(d.entry, '; ' ORDER BY d.entry)
           FILTER (WHERE d.blocks OR d.whole <> ALL (v_before) AND NOT d.by_default),
         coalesce(array_agg(d.whole) FILTER (WHERE NOT d.blocks), '{}')
  INTO v_drift, v_harmless
  FROM (
    SELECT concat_ws(' ', format('%s %s: %s', c.kind, c.object, c.drift),
             CASE WHEN c.kind = 'role' THEN concat_ws(' ', c.live ->> 'configuration', c.added) END) AS entry,
           concat_ws(' ', c.kind, c.object, c.drift, c.added,
             CASE c.drift WHEN 'extra' THEN c.live ->> 'signature' WHEN 'tuning' THEN c.live ->> 'tuning' END) AS whole,
           c.blocks,
           -- Roles belong to the cluster: a DBA may have created them before.
           c.kind = 'role' OR c.drift = 'privileges' AND EXISTS (
             SELECT FROM pg_default_acl a WHERE a.defaclrole = to_regrole('birth_definer')) AS by_default
    FROM birth.fn_birth_contract_compare(birth.fn_birth_contract_objects(v_manifest), '{}') c
    WHERE c.drift <> 'ok'
  ) d;
  PERFORM set_config('birth.contract_before', v_harmless::text, true);
  IF v_drift IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB404', MESSAGE = 'the schema does not match its release',
      DETAIL = format('%s: %s', v_release, v_drift),
      -- A repair is told what it left, in notes, and not to repair.
      HINT = CASE current_setting('birth.repairs', true)
        WHEN 'on' THEN 'nothing was put back: the notes say what a person has to do first'
        ELSE v_hint END;
  END IF;
END
$contract$;

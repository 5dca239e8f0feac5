-- After the steps of every revision: check that the release changed no births.
DO $finish$
DECLARE
  v_before text := current_setting('birth.release_births');
  v_after text;
BEGIN
  SELECT format('%s inserted, %s updated, %s deleted, file %s',
                pg_stat_get_xact_tuples_inserted(c.oid), pg_stat_get_xact_tuples_updated(c.oid),
                pg_stat_get_xact_tuples_deleted(c.oid), pg_relation_filenode(c.oid))
  INTO v_after FROM pg_class c WHERE c.oid = to_regclass('birth.birth_registry');
  -- A registry that this revision created must be empty; one that it dropped was empty or acknowledged (evidence.sql).
  IF v_before = '' THEN
    v_before := regexp_replace(v_after, '\d+ (inserted|updated|deleted)', '0 \1', 'g');
  END IF;
  IF v_before <> v_after THEN
    RAISE EXCEPTION USING ERRCODE = 'NB408', MESSAGE = 'the release changed births',
      DETAIL = format('birth.birth_registry before: %s; after: %s', v_before, v_after),
      HINT = 'the release was rolled back; report the revision';
  END IF;
END
$finish$;

-- A downgrade never destroys evidence. A table with rows, or a column with other values than its default, is dropped
-- only after a DBA has acknowledged the digest of the table's export; otherwise the downgrade is refused.
DO $evidence$
DECLARE
  v_entry text;
  v_table text;
  v_column text;
  v_default text;
  v_values bigint;
  v_rows bigint;
  v_digest text;
  v_acknowledged boolean;
  v_kept text[] := '{}';
  v_triggers text;
BEGIN
  -- An entry is a table, or table.column.
  FOREACH v_entry IN ARRAY string_to_array(current_setting('birth.evidence'), ' ') LOOP
    v_table := split_part(v_entry, '.', 1);
    v_column := nullif(split_part(v_entry, '.', 2), '');
    CONTINUE WHEN to_regclass(format('birth.%I', v_table)) IS NULL;
    -- It is dropped in this transaction: the lock keeps rows out after the digest.
    EXECUTE format('LOCK TABLE birth.%I IN ACCESS EXCLUSIVE MODE', v_table);
    IF v_column IS NOT NULL THEN
      SELECT coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') INTO v_default
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = format('birth.%I', v_table)::regclass AND a.attname = v_column AND NOT a.attisdropped;
      CONTINUE WHEN NOT FOUND;
      -- As text, because not every type can be compared.
      EXECUTE format('SELECT count(*) FROM birth.%1$I t WHERE t.%2$I::text COLLATE "C" IS DISTINCT FROM (%3$s)::text',
                     v_table, v_column, v_default)
      INTO v_values;
      CONTINUE WHEN v_values = 0;
    END IF;
    SELECT e.rows, e.digest INTO STRICT v_rows, v_digest FROM birth.fn_birth_evidence(v_table) e;
    CONTINUE WHEN v_rows = 0;
    SELECT EXISTS (
      SELECT FROM birth.birth_act a
      WHERE a.act = 'evidence_acknowledged' AND a.reason = v_table AND a.detail ->> 'digest' = v_digest)
    INTO v_acknowledged;
    IF NOT v_acknowledged THEN
      v_kept := v_kept || CASE WHEN v_column IS NULL
        THEN format('birth.%s holds %s rows, digest %s', v_table, v_rows, v_digest)
        ELSE format('birth.%s holds %s values, digest of birth.%s %s', v_entry, v_values, v_table, v_digest) END;
    END IF;
  END LOOP;
  IF cardinality(v_kept) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'NB409', MESSAGE = 'the downgrade would destroy evidence',
      DETAIL = array_to_string(v_kept, '; '),
      HINT = 'export it with: birthdb evidence; then a DBA acknowledges the digests with '
             'birth.fn_birth_evidence_acknowledge; then downgrade again';
  END IF;
  -- Dropping the registry drops the gateway functions; inserts into tables that still have a gateway would fail.
  IF 'birth_registry' = ANY (string_to_array(current_setting('birth.evidence'), ' ')) THEN
    SELECT string_agg(format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass), ' '
                      ORDER BY t.tgrelid::regclass::text, t.tgname)
    INTO v_triggers
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE p.pronamespace = 'birth'::regnamespace AND t.tgparentid = 0;
  END IF;
  IF v_triggers IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'NB412', MESSAGE = 'the gateway is still attached to tables',
      DETAIL = v_triggers,
      HINT = 'ask the owners of the tables to drop the triggers named in the detail, then downgrade again';
  END IF;
END
$evidence$;

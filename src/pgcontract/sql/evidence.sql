-- A downgrade never drops what was written: it is refused while a table that would go has a row, and while a column
-- that would go has another value than its default.
-- A project with a better rule writes sql/release/evidence.sql itself.
DO $evidence$
DECLARE
  v_entry text;
  v_table text;
  v_column text;
  v_default text;
  v_holds boolean;
  v_kept text[] := '{}';
BEGIN
  FOREACH v_entry IN ARRAY string_to_array(current_setting('@schema@.evidence'), ' ') LOOP
    v_table := split_part(v_entry, '.', 1);
    v_column := nullif(split_part(v_entry, '.', 2), '');
    CONTINUE WHEN to_regclass(format('@schema@.%I', v_table)) IS NULL;
    -- It is dropped in this transaction: the lock keeps values out after the check.
    EXECUTE format('LOCK TABLE @schema@.%I IN ACCESS EXCLUSIVE MODE', v_table);
    IF v_column IS NULL THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM @schema@.%I)', v_table) INTO v_holds;
    ELSE
      SELECT coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') INTO v_default
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = format('@schema@.%I', v_table)::regclass AND a.attname = v_column AND NOT a.attisdropped;
      CONTINUE WHEN NOT FOUND;
      -- As text, because not every type can be compared.
      EXECUTE format('SELECT EXISTS (SELECT FROM @schema@.%1$I t WHERE t.%2$I::text COLLATE "C" IS DISTINCT FROM '
                     '(%3$s)::text)', v_table, v_column, v_default)
      INTO v_holds;
    END IF;
    IF v_holds THEN
      v_kept := v_kept || v_entry;
    END IF;
  END LOOP;
  IF cardinality(v_kept) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = '@kept.code@', MESSAGE = '@kept.message@',
      DETAIL = format('tables with rows, or columns with values: %s', array_to_string(v_kept, ', ')),
      HINT = '@kept.hint@';
  END IF;
END
$evidence$;

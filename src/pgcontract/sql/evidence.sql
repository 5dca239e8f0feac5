-- A downgrade never drops rows: it is refused while a table that would go holds any.
-- A project with a better rule writes sql/release/evidence.sql itself.
DO $evidence$
DECLARE
  v_table text;
  v_holds boolean;
  v_kept text[] := '{}';
BEGIN
  FOREACH v_table IN ARRAY string_to_array(current_setting('@schema@.evidence'), ' ') LOOP
    CONTINUE WHEN to_regclass(format('@schema@.%I', v_table)) IS NULL;
    -- The table is dropped in this transaction: the lock keeps rows out after the check.
    EXECUTE format('LOCK TABLE @schema@.%I IN ACCESS EXCLUSIVE MODE', v_table);
    EXECUTE format('SELECT EXISTS (SELECT FROM @schema@.%I)', v_table) INTO v_holds;
    IF v_holds THEN
      v_kept := v_kept || v_table;
    END IF;
  END LOOP;
  IF cardinality(v_kept) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = '@kept.code@', MESSAGE = '@kept.message@',
      DETAIL = format('tables with rows: %s', array_to_string(v_kept, ', ')),
      HINT = '@kept.hint@';
  END IF;
END
$evidence$;

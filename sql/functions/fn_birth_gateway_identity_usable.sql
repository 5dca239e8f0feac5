-- Whether the identity columns are still there with the types they were classified with, or with ones of the same text. Asked per statement, so
-- that a renamed or retyped column is a refusal of ours (or a finding), and neither foreign code run with birth_definer's rights nor a wrong code.
-- Returns: true or false; false for an empty list.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_identity_usable(p_relation oid, p_columns text[], p_types regtype[])
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_identity_usable$
DECLARE
  r_column record;
  v_type oid;
  v_usable integer;
BEGIN
  -- An old snapshot shows the columns as they were; the parser sees them as they are, like the rows.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    FOR r_column IN SELECT c.name, c.type FROM unnest(p_columns, p_types) AS c(name, type) LOOP
      BEGIN
        EXECUTE format('SELECT pg_typeof((NULL::%s).%I)::oid', p_relation::regclass, r_column.name) INTO v_type;
      EXCEPTION WHEN undefined_column THEN
        RETURN false;
      END;
      IF (CASE WHEN v_type IN (20, 21, 23) THEN 20 WHEN v_type = 1043 THEN 25 ELSE v_type END) <> r_column.type THEN
        RETURN false;
      END IF;
    END LOOP;
  END IF;
  SELECT count(*) INTO v_usable
  FROM pg_attribute a
  WHERE a.attrelid = p_relation AND a.attname = ANY (p_columns::name[]) AND a.attnum > 0 AND NOT a.attisdropped
    AND CASE WHEN a.atttypid IN (20, 21, 23) THEN 20 WHEN a.atttypid = 1043 THEN 25 ELSE a.atttypid END = p_types[array_position(p_columns, a.attname::text)];
  RETURN v_usable > 0 AND v_usable = cardinality(p_columns);
END;
$fn_birth_gateway_identity_usable$;

COMMENT ON FUNCTION birth.fn_birth_gateway_identity_usable(oid, text[], regtype[]) IS
  'Whether the columns exist with the types of the classification; int8 stands for every integer, text for varchar. Specification: 6.1 R2.';

-- Whether the identity columns are still there with the types they were classified with, or with ones of the same text. Asked per statement, so
-- that a renamed or retyped column is a refusal of ours (or a finding), and neither foreign code run with birth_definer's rights nor a wrong code.
-- Returns: NULL where they are not, or there are none; 1 to 3 where it is one column, which stands there in the table, so that the gateway may call it
-- birth_gateway_code; else 0.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_identity_position(p_relation oid, p_columns text[], p_types regtype[])
  RETURNS integer
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_identity_position$
DECLARE
  v_old_snapshot boolean := current_setting('transaction_isolation') <> 'read committed';
  v_type oid;
  v_usable boolean;
  v_position integer;
BEGIN
  FOR v_number IN 1 .. cardinality(p_columns) LOOP
    -- By the whole key, with equality: no value of a parameter makes another plan look better, so the plan is kept.
    SELECT CASE WHEN a.atttypid IN (20, 21, 23) THEN 20 WHEN a.atttypid = 1043 THEN 25 ELSE a.atttypid END = p_types[v_number],
           CASE WHEN a.attnum <= 3
                 AND NOT EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = p_relation AND o.attnum BETWEEN 1 AND a.attnum AND o.attisdropped)
                 AND NOT EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = p_relation AND o.attname = 'birth_gateway_code')
                THEN a.attnum ELSE 0 END
    INTO v_usable, v_position
    FROM pg_attribute a
    WHERE a.attrelid = p_relation AND a.attname = p_columns[v_number]::name AND a.attnum > 0 AND NOT a.attisdropped;
    IF v_usable IS NOT TRUE THEN
      RETURN NULL;
    END IF;
    -- An old snapshot shows the columns as they were; the parser sees them as they are, like the rows.
    IF v_old_snapshot THEN
      BEGIN
        EXECUTE format('SELECT pg_typeof((NULL::%s).%I)::oid', p_relation::regclass, p_columns[v_number]) INTO v_type;
      EXCEPTION WHEN undefined_column THEN
        RETURN NULL;
      END;
      IF (CASE WHEN v_type IN (20, 21, 23) THEN 20 WHEN v_type = 1043 THEN 25 ELSE v_type END) <> p_types[v_number] THEN
        RETURN NULL;
      END IF;
    END IF;
  END LOOP;
  RETURN CASE WHEN v_position > 0 AND (v_old_snapshot OR cardinality(p_columns) > 1) THEN 0 ELSE v_position END;
END;
$fn_birth_gateway_identity_position$;

COMMENT ON FUNCTION birth.fn_birth_gateway_identity_position(oid, text[], regtype[]) IS
  'Whether the columns exist with the types of the classification (int8 stands for every integer, text for varchar): NULL where not, 1 to 3 for one of a table''s first three columns, else 0. Specification: 6.1 R2.';

-- Whether the identity columns are still there with the types they were classified with, or with ones of the same text. Asked per statement, so
-- that a renamed or retyped column is a refusal of ours (or a finding), and neither foreign code run with birth_definer's rights nor a wrong code.
-- Returns: NULL where they are not, or there are none; 1 where the one column is the first of the table, so that the gateway may call it
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
  v_first boolean := false;
BEGIN
  FOR v_number IN 1 .. cardinality(p_columns) LOOP
    -- By the whole key, with equality: no value of a parameter makes another plan look better, so the plan is kept.
    SELECT a.atttypid, a.attnum = 1 AND NOT EXISTS (
      SELECT FROM pg_attribute o WHERE o.attrelid = p_relation AND o.attname = 'birth_gateway_code')
    INTO v_type, v_first
    FROM pg_attribute a
    WHERE a.attrelid = p_relation AND a.attname = p_columns[v_number]::name AND a.attnum > 0 AND NOT a.attisdropped;
    IF (CASE WHEN v_type IN (20, 21, 23) THEN 20 WHEN v_type = 1043 THEN 25 ELSE v_type END) IS DISTINCT FROM p_types[v_number]::oid THEN
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
  RETURN CASE WHEN cardinality(p_columns) > 0 THEN (v_first AND NOT v_old_snapshot AND cardinality(p_columns) = 1)::integer END;
END;
$fn_birth_gateway_identity_position$;

COMMENT ON FUNCTION birth.fn_birth_gateway_identity_position(oid, text[], regtype[]) IS
  'Whether the columns exist with the types of the classification (int8 stands for every integer, text for varchar): NULL where not, 1 for a table''s first column, else 0. Specification: 6.1 R2.';

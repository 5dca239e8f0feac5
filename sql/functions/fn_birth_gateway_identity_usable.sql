-- Whether the identity columns are still there with a type whose text no setting and no user code decides. Asked per statement, so that a
-- renamed or retyped column is a refusal of ours (or a finding) and never foreign code run with birth_definer's rights.
-- Returns: true or false; false for an empty list.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_identity_usable(p_relation oid, p_columns text[])
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gateway_identity_usable$
DECLARE
  v_usable integer;
BEGIN
  SELECT count(*) INTO v_usable
  FROM pg_attribute a
  WHERE a.attrelid = p_relation AND a.attname = ANY (p_columns::name[]) AND a.attnum > 0 AND NOT a.attisdropped
    AND a.atttypid IN (20, 21, 23, 25, 1043, 1700, 2950);
  RETURN v_usable > 0 AND v_usable = cardinality(p_columns);
END;
$fn_birth_gateway_identity_usable$;

COMMENT ON FUNCTION birth.fn_birth_gateway_identity_usable(oid, text[]) IS
  'Whether the columns exist with an eligible type: int8, int2, int4, text, varchar, numeric, uuid by their fixed OIDs. Specification: 6.1 R2.';

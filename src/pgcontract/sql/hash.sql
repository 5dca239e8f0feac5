-- The contract in one value. It covers what was recorded, not what is there now; the drift check compares the two.
-- SECURITY DEFINER: the caller does not need SELECT on the registry.
-- Returns: SHA-256 over kind, object and hash of every object in force, without claims; NULL if nothing was recorded.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@hash()
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $@prefix@hash$
BEGIN
  RETURN (
    SELECT encode(sha256(convert_to(string_agg(concat_ws(E'\t', r.kind, r.object, r.exact_sha256), E'\n'
      ORDER BY r.kind, r.object), 'UTF8')), 'hex')
    FROM @schema@.@recorded@ r
    WHERE r.kind <> 'claim');
END;
$@prefix@hash$;

COMMENT ON FUNCTION @schema@.@prefix@hash() IS
  'SHA-256 of the contract in force; NULL when nothing was recorded.@see@';

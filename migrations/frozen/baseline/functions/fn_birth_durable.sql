-- Makes the COMMIT of this transaction wait for the disk, whatever the session has set: an answer survives a crash.
-- The setting lasts until the end of the transaction, also after the calling SECURITY DEFINER routine has returned.
-- remote_apply is stronger, and is kept if the session or the server has it.
-- Returns: nothing.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_durable()
  RETURNS void
  LANGUAGE sql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_durable$
  SELECT set_config('synchronous_commit',
    CASE WHEN 'remote_apply' IN (s.setting, s.reset_val) THEN 'remote_apply' ELSE 'on' END, true)
  FROM pg_settings s WHERE s.name = 'synchronous_commit';
$fn_birth_durable$;

COMMENT ON FUNCTION birth.fn_birth_durable() IS
  'Pins synchronous_commit for this transaction: remote_apply if that is set, else on. Specification: 6.1 R8.';

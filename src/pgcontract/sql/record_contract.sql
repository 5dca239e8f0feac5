-- Last but one step of every revision: record the contract, once a release has brought the registry.
DO $record$
BEGIN
  IF EXISTS (
    SELECT FROM pg_proc p
    WHERE p.pronamespace = '@schema@'::regnamespace AND p.proname = '@prefix@record'
  ) THEN
    PERFORM @schema@.@prefix@record(current_setting('@schema@.release'), current_setting('@schema@.manifest')::jsonb);
  END IF;
END
$record$;

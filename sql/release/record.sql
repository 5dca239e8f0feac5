-- Generated from pgcontract/sql/record_contract.sql by python -m birthdb.release render: edit that, or contract.toml.
-- Last but one step of every revision: record the contract, once a release has brought the registry.
DO $record$
BEGIN
  IF EXISTS (
    SELECT FROM pg_proc p
    WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = 'fn_birth_contract_record'
  ) THEN
    PERFORM birth.fn_birth_contract_record(current_setting('birth.release'), current_setting('birth.manifest')::jsonb);
  END IF;
END
$record$;

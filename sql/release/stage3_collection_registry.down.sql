-- A closed collection would open without a decision.
DO $gate$
DECLARE
  v_closed text;
BEGIN
  SELECT string_agg(c.collection_name, ', ' ORDER BY c.collection_name) INTO v_closed
  FROM birth.collection_registry c
  WHERE c.gate_closed
    AND EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = c.collection_name);
  IF v_closed IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('gate_in_use', v_closed);
  END IF;
END
$gate$;
ALTER TABLE birth.collection_registry
  DROP CONSTRAINT collection_registry_admission,
  DROP COLUMN gate_relation,
  DROP COLUMN admitted_at, DROP COLUMN admitted_by, DROP COLUMN admitted_how;
UPDATE birth.collection_registry c SET gate_closed = false WHERE c.gate_closed;

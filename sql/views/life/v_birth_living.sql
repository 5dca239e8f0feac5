-- The births that are not dead.
CREATE OR REPLACE VIEW birth.v_birth_living AS
SELECT b.entity_code, b.collection_name, b.born_at, b.dot_origin, b.run_id
FROM birth.birth_registry b
WHERE NOT EXISTS (SELECT FROM birth.birth_death d WHERE d.entity_code = b.entity_code AND d.returned_at IS NULL);

COMMENT ON VIEW birth.v_birth_living IS 'The births without an open death. Specification: 5.2.';

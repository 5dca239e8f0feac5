ALTER TABLE birth.collection_registry
  DROP CONSTRAINT collection_registry_life,
  DROP COLUMN life_mode, DROP COLUMN life_column, DROP COLUMN life_dead, DROP COLUMN life_key;

-- The columns of a collection's life; it is off.
ALTER TABLE birth.collection_registry
  ADD COLUMN life_mode text NOT NULL DEFAULT 'off',
  ADD COLUMN life_column text,
  ADD COLUMN life_dead text[] NOT NULL DEFAULT '{}',
  ADD COLUMN life_key text[] NOT NULL DEFAULT '{}' CONSTRAINT collection_registry_life CHECK (
    life_mode IN ('off', 'observe', 'enforce') AND (life_mode = 'off' OR life_key <> '{}')
    AND (life_column IS NULL) = (life_dead = '{}'));
COMMENT ON COLUMN birth.collection_registry.life_mode IS
  'off: the ends of rows are not recorded; observe: they are, and what enforce would refuse is a finding; enforce: '
  'that is refused.';
COMMENT ON COLUMN birth.collection_registry.life_column IS
  'The column by whose value a row is retired; NULL: a row lives as long as it is there.';
COMMENT ON COLUMN birth.collection_registry.life_dead IS 'Its values, as text, that mean dead.';
COMMENT ON COLUMN birth.collection_registry.life_key IS
  'The columns of the unique key by which a living row is looked for; empty while no life trigger is attached.';

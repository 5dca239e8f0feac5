-- The collections: source table, policy, identity and gateway mode of each.
-- A collection refers to its table by schema and name, not by OID, so that a dump and restore changes nothing.
CREATE TABLE birth.collection_registry (
  collection_name     text COLLATE "C" PRIMARY KEY,
  schema_name         name COLLATE "C" NOT NULL,
  table_name          name COLLATE "C" NOT NULL,
  coverage_status     text NOT NULL,
  governed            boolean NOT NULL DEFAULT false,
  birth_code_strategy text,
  birth_code_column   text,
  birth_code_prefix   text,
  birth_code_template text,
  birth_code_sql      text,
  birth_code_row_sql  text,
  birth_code_columns  text[] NOT NULL DEFAULT '{}',
  birth_code_types    regtype[] NOT NULL DEFAULT '{}',
  birth_code_part     boolean NOT NULL DEFAULT false,
  birth_code_distinct boolean NOT NULL DEFAULT false,
  gateway_mode        text NOT NULL DEFAULT 'observe',
  gateway_owner       name COLLATE "C",
  rule_version        bigint NOT NULL DEFAULT 1,
  policy_version      bigint NOT NULL DEFAULT 1,
  registered_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  registered_by       text NOT NULL DEFAULT session_user,
  classified_at       timestamptz,
  classified_by       text,
  gate_closed         boolean NOT NULL DEFAULT false,
  -- The name is stored in every birth and every trigger: it must not be blank, and must be short.
  CONSTRAINT collection_registry_name CHECK (btrim(collection_name) <> '' AND octet_length(collection_name) <= 63),
  -- A table belongs to one collection: with two, its rows would get two births.
  CONSTRAINT collection_registry_table UNIQUE (schema_name, table_name),
  -- There are three kinds of policy; an exemption states its reason.
  CONSTRAINT collection_registry_coverage CHECK (
    coverage_status IN ('BIRTH_REQUIRED', 'BIRTH_DEFERRED_NEEDS_REVIEW')
    OR coverage_status ~ '^BIRTH_EXEMPT_[A-Z0-9_]+$'),
  -- An identity is complete or absent: each strategy has exactly the columns that it uses.
  CONSTRAINT collection_registry_identity CHECK (
    CASE birth_code_strategy
      WHEN 'column' THEN birth_code_column IS NOT NULL AND birth_code_prefix IS NULL AND birth_code_template IS NULL
      WHEN 'synthetic_id' THEN birth_code_column IS NOT NULL
        AND btrim(birth_code_prefix) <> '' AND birth_code_prefix IS NOT NULL
        AND birth_code_template IS NULL
      WHEN 'legacy' THEN birth_code_template IS NOT NULL AND birth_code_column IS NULL AND birth_code_prefix IS NULL
      ELSE birth_code_strategy IS NULL AND birth_code_column IS NULL AND birth_code_prefix IS NULL
        AND birth_code_template IS NULL AND birth_code_sql IS NULL
    END),
  -- The gateway either observes or enforces. Disabled is a state of the trigger, not a mode.
  CONSTRAINT collection_registry_mode CHECK (gateway_mode IN ('observe', 'enforce'))
);

COMMENT ON TABLE birth.collection_registry IS
  'The collections: source table, policy, identity and gateway mode of each. Specification: 4.';
COMMENT ON COLUMN birth.collection_registry.collection_name IS 'Name of the collection; stored in each of its births.';
COMMENT ON COLUMN birth.collection_registry.schema_name IS 'Schema of the source table.';
COMMENT ON COLUMN birth.collection_registry.table_name IS 'Name of the source table.';
COMMENT ON COLUMN birth.collection_registry.coverage_status IS
  'Policy: BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW or BIRTH_EXEMPT_<reason>.';
COMMENT ON COLUMN birth.collection_registry.governed IS 'Whether the collection is governed.';
COMMENT ON COLUMN birth.collection_registry.birth_code_strategy IS
  'Identity: column, synthetic_id or legacy; NULL while unclassified.';
COMMENT ON COLUMN birth.collection_registry.birth_code_column IS
  'Strategies column and synthetic_id: the column from which the code is made.';
COMMENT ON COLUMN birth.collection_registry.birth_code_prefix IS 'Strategy synthetic_id: the prefix before the key.';
COMMENT ON COLUMN birth.collection_registry.birth_code_template IS
  'Strategy legacy: a template, for example APR-{id:06}.';
COMMENT ON COLUMN birth.collection_registry.birth_code_sql IS
  'The code as an SQL expression over a row named t, derived by fn_birth_identity_definition at classification; the '
  'gateway evaluates it.';
COMMENT ON COLUMN birth.collection_registry.birth_code_row_sql IS
  'The same as a statement over one row $1; the row-level gateway evaluates it.';
COMMENT ON COLUMN birth.collection_registry.birth_code_columns IS 'The columns that birth_code_sql reads.';
COMMENT ON COLUMN birth.collection_registry.birth_code_types IS
  'Types of birth_code_columns at classification (int8 for every integer type, text for varchar). If the types are '
  'different now, the gateway does not evaluate birth_code_sql.';
COMMENT ON COLUMN birth.collection_registry.birth_code_part IS
  'Whether the identity is a part of the table''s key, on a steward''s word that no two rows share it; the gateway '
  'looks for another row with the code.';
COMMENT ON COLUMN birth.collection_registry.birth_code_distinct IS
  'Whether no two rows can have one code, by the key of the table at classification. Then a row whose code was there '
  'already is the one that was there; else the gateway records it.';
COMMENT ON COLUMN birth.collection_registry.gateway_mode IS
  'observe: let every insert through and record what enforce would refuse; enforce: refuse it.';
COMMENT ON COLUMN birth.collection_registry.gateway_owner IS
  'Owner of the table when the gateway was attached. If the table was renamed, its rows get births only if it still '
  'has this owner.';
COMMENT ON COLUMN birth.collection_registry.rule_version IS
  'Incremented by each change of policy, mode or identity, and when the gateway is attached; v_birth_gateway_fence '
  'shows whether the change holds.';
COMMENT ON COLUMN birth.collection_registry.policy_version IS
  'Incremented by each change of coverage_status or governed, so that one that was changed back is noticed too.';
COMMENT ON COLUMN birth.collection_registry.registered_at IS 'When the collection was registered.';
COMMENT ON COLUMN birth.collection_registry.registered_by IS 'Login that registered the collection.';
COMMENT ON COLUMN birth.collection_registry.classified_at IS 'When the identity was last classified.';
COMMENT ON COLUMN birth.collection_registry.classified_by IS 'Login that last classified the identity.';
COMMENT ON COLUMN birth.collection_registry.gate_closed IS
  'The gateway refuses every row (NB508) until the collection is admitted. Set when the gateway is attached to an '
  'empty table of a schema whose gate enforces.';

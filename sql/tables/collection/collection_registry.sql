-- The governed and known source tables: where each is, its policy, its identity, its gateway mode.
-- A collection names its table by schema and name, never by OID, so that a dump and restore changes nothing.
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
  gateway_mode        text NOT NULL DEFAULT 'observe',
  gateway_owner       name COLLATE "C",
  rule_version        bigint NOT NULL DEFAULT 1,
  registered_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  registered_by       text NOT NULL DEFAULT session_user,
  classified_at       timestamptz,
  classified_by       text,
  -- A collection's name goes into every birth and every trigger: it is not blank and short enough to be cheap.
  CONSTRAINT collection_registry_name CHECK (btrim(collection_name) <> '' AND octet_length(collection_name) <= 63),
  -- One collection covers a table: two would give its rows two births.
  CONSTRAINT collection_registry_table UNIQUE (schema_name, table_name),
  -- No policy but the three kinds; an exemption names its reason.
  CONSTRAINT collection_registry_coverage CHECK (
    coverage_status IN ('BIRTH_REQUIRED', 'BIRTH_DEFERRED_NEEDS_REVIEW')
    OR coverage_status ~ '^BIRTH_EXEMPT_[A-Z0-9_]+$'),
  -- An identity is whole or absent: each strategy has exactly the parts it is made of.
  CONSTRAINT collection_registry_identity CHECK (
    CASE birth_code_strategy
      WHEN 'column' THEN birth_code_column IS NOT NULL AND birth_code_prefix IS NULL AND birth_code_template IS NULL
      WHEN 'synthetic_id' THEN birth_code_column IS NOT NULL AND btrim(birth_code_prefix) <> '' AND birth_code_prefix IS NOT NULL
        AND birth_code_template IS NULL
      WHEN 'legacy' THEN birth_code_template IS NOT NULL AND birth_code_column IS NULL AND birth_code_prefix IS NULL
      ELSE birth_code_strategy IS NULL AND birth_code_column IS NULL AND birth_code_prefix IS NULL
        AND birth_code_template IS NULL AND birth_code_sql IS NULL
    END),
  -- The gateway refuses or it observes; there is no third mode, and none that is a trigger state.
  CONSTRAINT collection_registry_mode CHECK (gateway_mode IN ('observe', 'enforce'))
);

COMMENT ON TABLE birth.collection_registry IS
  'Governed and known source tables: location, policy, identity and gateway mode of each collection. Specification: 4.';
COMMENT ON COLUMN birth.collection_registry.collection_name IS 'The name of the collection; written into each of its births.';
COMMENT ON COLUMN birth.collection_registry.schema_name IS 'Schema of the source table.';
COMMENT ON COLUMN birth.collection_registry.table_name IS 'Name of the source table.';
COMMENT ON COLUMN birth.collection_registry.coverage_status IS 'Policy: BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW or BIRTH_EXEMPT_<reason>.';
COMMENT ON COLUMN birth.collection_registry.governed IS 'Whether the collection is under governance.';
COMMENT ON COLUMN birth.collection_registry.birth_code_strategy IS 'Identity: column, synthetic_id or legacy; NULL while unclassified.';
COMMENT ON COLUMN birth.collection_registry.birth_code_column IS 'Strategies column and synthetic_id: the column the code is made of.';
COMMENT ON COLUMN birth.collection_registry.birth_code_prefix IS 'Strategy synthetic_id: what stands before the key.';
COMMENT ON COLUMN birth.collection_registry.birth_code_template IS 'Strategy legacy: a template such as APR-{id:06}.';
COMMENT ON COLUMN birth.collection_registry.birth_code_sql IS
  'The code as SQL over a row called t, as fn_birth_identity_definition derived it at classification; the gateway evaluates it.';
COMMENT ON COLUMN birth.collection_registry.birth_code_row_sql IS 'The same as a statement over one row $1, for the gateway by row.';
COMMENT ON COLUMN birth.collection_registry.birth_code_columns IS 'The columns birth_code_sql reads.';
COMMENT ON COLUMN birth.collection_registry.birth_code_types IS 'The types they had at classification, int8 for every integer, text for varchar: the gateway evaluates birth_code_sql over no others.';
COMMENT ON COLUMN birth.collection_registry.gateway_mode IS 'observe: never refuse an insert, record what would have been refused. enforce: refuse.';
COMMENT ON COLUMN birth.collection_registry.gateway_owner IS
  'Owner of the table when the gateway was attached: under another name only a table of this owner gives births.';
COMMENT ON COLUMN birth.collection_registry.rule_version IS
  'Rises with each change of policy, mode or identity; v_birth_gateway_fence says whether that change holds.';
COMMENT ON COLUMN birth.collection_registry.registered_at IS 'When the collection was entered.';
COMMENT ON COLUMN birth.collection_registry.registered_by IS 'Login that entered the collection.';
COMMENT ON COLUMN birth.collection_registry.classified_at IS 'When the identity was last decided.';
COMMENT ON COLUMN birth.collection_registry.classified_by IS 'Login that last decided the identity.';

-- The births. The table is narrow: key width and number of indexes are the largest costs of a backfill.
-- entity_code is the only unique key and is never updated. Citus must not distribute the table: specification, 10.
-- Append-only by privilege: only routines of birth_definer write here.
CREATE TABLE birth.birth_registry (
  born_at         timestamptz NOT NULL DEFAULT now(),
  run_id          uuid,
  entity_code     text COLLATE "C" NOT NULL,
  collection_name text COLLATE "C" NOT NULL,
  dot_origin      text COLLATE "C" NOT NULL,
  CONSTRAINT birth_registry_pkey PRIMARY KEY (entity_code),
  -- A code is not blank, and short enough for an index entry in every version of PostgreSQL.
  -- Fast path: all white space sorts before '!', so a code that sorts from '!' on is not blank.
  CONSTRAINT birth_registry_code CHECK (
    octet_length(entity_code) <= 512 AND (entity_code >= '!' OR btrim(entity_code, E' \t\n\r\f\x0b') <> ''))
);

-- Finds the births of a run (counted at its end, deleted by its compensation) and of a collection (counted by a plan).
-- Both lie in adjacent pages, so BRIN finds them and costs the writer next to nothing. A btree over run_id would add a
-- third to the cost of a backfill. The filter is sized for 64 collections in 128 pages: a birth that falls into a
-- summarised range rewrites it, and the default size made each of these twice as dear.
CREATE INDEX birth_registry_run ON birth.birth_registry
  USING brin (run_id, collection_name text_bloom_ops (n_distinct_per_range = 64)) WITH (autosummarize = on);
-- Finds the live births of a time span, for v_birth_spike. A backfill adds no entry; live births are added at the end.
CREATE INDEX birth_registry_live ON birth.birth_registry (born_at) WHERE run_id IS NULL;

COMMENT ON TABLE birth.birth_registry IS
  'Every birth: one row per globally unique entity code. Written only by routines of birth_definer. Specification: 1, '
  '4.';
COMMENT ON COLUMN birth.birth_registry.born_at IS 'Start of the transaction that recorded the birth.';
COMMENT ON COLUMN birth.birth_registry.run_id IS 'The backfill run that wrote the birth; NULL for a live birth.';
COMMENT ON COLUMN birth.birth_registry.entity_code IS
  'Globally unique name of the entity; at most 512 bytes, not blank.';
COMMENT ON COLUMN birth.birth_registry.collection_name IS 'The collection that owns the code.';
COMMENT ON COLUMN birth.birth_registry.dot_origin IS
  'The operation that recorded the birth: QT-002 for the gateway, the DOT for a backfill.';

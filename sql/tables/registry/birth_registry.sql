-- The births. Narrow, because the width of the key and the number of indexes cost more than anything else in a backfill.
-- entity_code alone is unique, and is never updated: it is what the table is distributed by when it outgrows one machine.
-- Append-only by privilege: only birth_definer's routines write here.
CREATE TABLE birth.birth_registry (
  born_at         timestamptz NOT NULL DEFAULT now(),
  run_id          uuid,
  entity_code     text COLLATE "C" NOT NULL,
  collection_name text COLLATE "C" NOT NULL,
  dot_origin      text COLLATE "C" NOT NULL,
  CONSTRAINT birth_registry_pkey PRIMARY KEY (entity_code),
  -- A code names something: it is not blank (no white space sorts after '!', which is the quick answer), and short enough for an index entry of every version.
  CONSTRAINT birth_registry_code CHECK (
    octet_length(entity_code) <= 512 AND (entity_code >= '!' OR btrim(entity_code, E' \t\n\r\f\x0b') <> ''))
);

-- What a run wrote, counted at its end and removed by its compensation, and what a collection owns, counted by a plan: both are written side by side, so
-- a summary per range of pages finds them, at no cost to the writing. A btree over run_id would add a third to what a backfill costs.
CREATE INDEX birth_registry_run ON birth.birth_registry USING brin (run_id, collection_name text_bloom_ops) WITH (autosummarize = on);
-- The live births of a span of time, for v_birth_spike; a backfill adds nothing to it, and live births always go to its end.
CREATE INDEX birth_registry_live ON birth.birth_registry (born_at) WHERE run_id IS NULL;

COMMENT ON TABLE birth.birth_registry IS
  'Every birth: one row under one globally unique entity code. Written only by birth_definer''s routines. Specification: 1, 4.';
COMMENT ON COLUMN birth.birth_registry.born_at IS 'Start of the transaction that recorded the birth.';
COMMENT ON COLUMN birth.birth_registry.run_id IS 'The backfill run that wrote the birth; NULL for a live birth.';
COMMENT ON COLUMN birth.birth_registry.entity_code IS 'The globally unique name of the entity; at most 512 bytes, not blank.';
COMMENT ON COLUMN birth.birth_registry.collection_name IS 'The collection that owns the code.';
COMMENT ON COLUMN birth.birth_registry.dot_origin IS 'The operation that recorded the birth: QT-002 for the gateway, the DOT of a backfill.';

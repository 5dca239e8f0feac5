-- The deaths of births, one row a code: a code is dead while its death has not returned. However often a row comes and
-- goes, its code has one row here, so there are never more deaths than births. birth_registry itself stays append-only.
-- No foreign key to birth_registry: every routine that writes a death reads its birth first, and a key would lock it.
CREATE TABLE birth.birth_death (
  entity_code       text COLLATE "C" PRIMARY KEY,
  collection_name   text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  died_at           timestamptz NOT NULL DEFAULT now(),
  died_xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
  manner            text COLLATE "C" NOT NULL,
  run_id            uuid,
  successor         text COLLATE "C",
  returned_at       timestamptz,
  lives             integer NOT NULL DEFAULT 1,
  return_allowed_by text,
  return_allowed_at timestamptz,
  -- How a life ends: its row was deleted, retired by its status, given another code, or found missing by a run.
  CONSTRAINT birth_death_manner CHECK (manner IN ('DELETE', 'STATUS', 'REKEY', 'FOUND')),
  -- What was found was found by a run; that it returned since, and died again otherwise, is a further life.
  CONSTRAINT birth_death_run CHECK (CASE manner WHEN 'FOUND' THEN run_id IS NOT NULL
                                                ELSE run_id IS NULL OR lives > 1 END),
  -- Nothing succeeds itself.
  CONSTRAINT birth_death_successor CHECK (successor <> entity_code),
  -- A life begins once more with each return.
  CONSTRAINT birth_death_lives CHECK (lives >= 1 AND (returned_at IS NULL OR lives > 1)),
  -- A return is allowed by somebody, of a code that is dead.
  CONSTRAINT birth_death_return CHECK (
    (return_allowed_by IS NULL) = (return_allowed_at IS NULL)
    AND (return_allowed_at IS NULL OR returned_at IS NULL))
);

-- Not only of the open deaths: a partial index would be read as a whole where the planner believes that few are open,
-- and no return would be a HOT update.
CREATE INDEX birth_death_collection ON birth.birth_death (collection_name);
CREATE INDEX birth_death_run ON birth.birth_death (run_id) WHERE run_id IS NOT NULL;

COMMENT ON TABLE birth.birth_death IS
  'The deaths of births, one row a code; a code is dead while returned_at is NULL. Specification: 5.2.';
COMMENT ON COLUMN birth.birth_death.entity_code IS 'The code.';
COMMENT ON COLUMN birth.birth_death.collection_name IS 'The collection of its birth.';
COMMENT ON COLUMN birth.birth_death.died_at IS 'Start of the transaction in which the last life ended.';
COMMENT ON COLUMN birth.birth_death.died_xid IS 'Id of that transaction: what comes back in it never died.';
COMMENT ON COLUMN birth.birth_death.manner IS
  'DELETE: the row was deleted, or its table truncated; STATUS: it was retired by its life column; REKEY: it was given '
  'another code; FOUND: a death run found no living row.';
COMMENT ON COLUMN birth.birth_death.run_id IS
  'The last death run that found it; it stays after a return and a later death.';
COMMENT ON COLUMN birth.birth_death.successor IS 'The code that the row has now, or that a steward said.';
COMMENT ON COLUMN birth.birth_death.returned_at IS
  'Start of the transaction in which a living row had the code again; NULL: it is dead.';
COMMENT ON COLUMN birth.birth_death.lives IS 'How many lives the code has had.';
COMMENT ON COLUMN birth.birth_death.return_allowed_by IS 'The steward who allows one return under enforce.';
COMMENT ON COLUMN birth.birth_death.return_allowed_at IS 'When.';

-- A plan and its run: what was counted, what may be written, what was written, and who holds it.
-- Every column that a proof rests on is NOT NULL: a CHECK passes on NULL.
CREATE TABLE birth.birth_backfill_ledger_v2 (
  run_id              uuid PRIMARY KEY,
  lineage             uuid NOT NULL,
  predecessor         uuid,
  collection_name     text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  purpose             text NOT NULL DEFAULT 'APPLY',
  status              text NOT NULL DEFAULT 'planned',
  stop_reason         text,
  dry_run             boolean NOT NULL DEFAULT true,
  -- the plan
  source_rows         bigint NOT NULL,
  existing_births     bigint NOT NULL,
  orphans             bigint NOT NULL,
  dead                bigint NOT NULL DEFAULT 0,
  unresolvable        bigint NOT NULL,
  duplicates          bigint NOT NULL,
  collisions          bigint NOT NULL,
  planned_rows        bigint NOT NULL,
  planned_fingerprint numeric[] NOT NULL,
  seed_a              bigint NOT NULL,
  seed_b              bigint NOT NULL,
  algorithm           text NOT NULL,
  server_major        integer NOT NULL,
  contract_hash       text NOT NULL,
  identity_hash       text NOT NULL,
  planned_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  planned_by          text NOT NULL,
  wanted              jsonb,
  -- the target, fixed when the run begins
  max_rows            bigint,
  expected_delta      bigint NOT NULL,
  target_upper        text[],
  target_fingerprint  numeric[] NOT NULL DEFAULT '{0,0,0}',
  accepted_orphans    bigint NOT NULL DEFAULT 0,
  alerts_before       bigint,
  dot_origin          text COLLATE "C",
  -- the run
  permit_id           bigint,
  executed_by         text,
  epoch               bigint NOT NULL DEFAULT 0,
  holder_pid          integer,
  contract_token      text,
  batches             bigint NOT NULL DEFAULT 0,
  visited             bigint NOT NULL DEFAULT 0,
  actual_inserted     bigint NOT NULL DEFAULT 0,
  skipped             bigint NOT NULL DEFAULT 0,
  blocked             bigint NOT NULL DEFAULT 0,
  written_fingerprint numeric[] NOT NULL DEFAULT '{0,0,0}',
  resume_marker       text[],
  started_at          timestamptz,
  last_batch_at       timestamptz,
  finished_at         timestamptz,
  -- the way back
  compensating_since  timestamptz,
  compensated_rows    bigint NOT NULL DEFAULT 0,
  -- A run has one of four purposes.
  CONSTRAINT bbl2_purpose CHECK (purpose IN ('APPLY', 'COMPENSATE', 'TRANSITION', 'DEATH')),
  -- A run is in one of six states.
  CONSTRAINT bbl2_status CHECK (status IN ('planned', 'running', 'stopped', 'failed', 'done', 'compensated')),
  -- Counts are counts.
  CONSTRAINT bbl2_counts CHECK (
    least(source_rows, existing_births, orphans, dead, unresolvable, duplicates, collisions, planned_rows,
          expected_delta, accepted_orphans, epoch, batches, visited, actual_inserted, skipped, blocked,
          compensated_rows) >= 0
    AND actual_inserted <= expected_delta AND expected_delta <= planned_rows AND compensated_rows <= actual_inserted),
  -- A fingerprint is a count and two sums, none of them NULL.
  CONSTRAINT bbl2_fingerprints CHECK (
    cardinality(planned_fingerprint) = 3 AND array_position(planned_fingerprint, NULL) IS NULL
    AND cardinality(target_fingerprint) = 3 AND array_position(target_fingerprint, NULL) IS NULL
    AND cardinality(written_fingerprint) = 3 AND array_position(written_fingerprint, NULL) IS NULL),
  -- Written and counted are the same number, in every state.
  CONSTRAINT bbl2_written CHECK (written_fingerprint[1] = actual_inserted),
  -- Nothing is executed that is still called a dry run.
  CONSTRAINT bbl2_executed CHECK (dry_run = (status = 'planned')),
  -- No false done: a run is done only when it wrote, in number and as a set, exactly its target, and the target is not
  -- empty.
  CONSTRAINT bbl2_no_false_done CHECK (
    (status <> 'done'
     OR (expected_delta > 0
         AND actual_inserted = expected_delta
         AND target_fingerprint[1] = expected_delta
         AND written_fingerprint = target_fingerprint
         AND permit_id IS NOT NULL AND executed_by IS NOT NULL AND finished_at IS NOT NULL)) IS TRUE),
  -- No false compensation: all that was written is gone, and something was.
  CONSTRAINT bbl2_no_false_compensation CHECK (
    (status <> 'compensated'
     OR (compensated_rows = actual_inserted AND actual_inserted > 0 AND compensating_since IS NOT NULL)) IS TRUE),
  -- A run that is being compensated is never applied again.
  CONSTRAINT bbl2_one_way CHECK (compensating_since IS NULL OR status
    IN ('running', 'stopped', 'failed', 'compensated')),
  -- What ended early says why.
  CONSTRAINT bbl2_reason CHECK ((status IN ('stopped', 'failed')) = (stop_reason IS NOT NULL))
) WITH (fillfactor = 70);

-- One run at a time per collection.
CREATE UNIQUE INDEX bbl2_one_running ON birth.birth_backfill_ledger_v2 (collection_name) WHERE status = 'running';
CREATE INDEX bbl2_collection ON birth.birth_backfill_ledger_v2 (collection_name, planned_at);

COMMENT ON TABLE birth.birth_backfill_ledger_v2 IS
  'Plans and their runs: what was counted, what may be written, what was written, who holds it. Specification: 2, 6.';
COMMENT ON CONSTRAINT bbl2_no_false_done ON birth.birth_backfill_ledger_v2 IS
  'done means: exactly the target set was written, in number and as a set. Holds whoever writes the row.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.run_id IS 'The run.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.lineage IS 'The first run of the chain of plans.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.predecessor IS 'The unfinished run this plan follows.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.collection_name IS 'The collection.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.purpose IS
  'What the run is for: APPLY writes births, TRANSITION changes a policy. fn_birth_purpose lists them.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.status IS 'planned, running, stopped, failed, done or compensated.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.stop_reason IS
  'Why it stopped or failed: an error of the catalogue or an SQLSTATE.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.dry_run IS 'true until executed.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.source_rows IS 'S: rows of the source table.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.existing_births IS 'B: births of the collection.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.orphans IS
  'Births of the collection without a source row and without a death; of a death run, what it is to end.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.dead IS
  'Births of the collection without a source row and with an open death. With the orphans they make O.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.unresolvable IS 'U: rows without a code.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.duplicates IS 'D: rows whose code another row of the collection has.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.collisions IS 'X: codes that another collection owns.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_rows IS 'M: codes without a birth.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_fingerprint IS
  'Fingerprint of the set of codes without a birth.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.seed_a IS 'Seed of the first sum.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.seed_b IS 'Seed of the second sum.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.algorithm IS 'Algorithm of the fingerprint.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.server_major IS
  'Server major the fingerprint was computed on; another one needs a new plan.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.contract_hash IS 'The contract the plan was computed under.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.identity_hash IS
  'Policy, identity and table the plan was computed under.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_at IS 'When it was planned.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.planned_by IS 'By which login.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.wanted IS
  'Arguments of the plan beside its collection, by their names; NULL: there are none.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.max_rows IS 'The bound of the run; NULL until it begins.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.expected_delta IS
  'Size of the target set: planned_rows, or max_rows where that is less.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.target_upper IS 'Key of the last row of the target set.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.target_fingerprint IS 'Fingerprint of the target set.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.accepted_orphans IS 'What the verdict accepted.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.alerts_before IS 'trigger_guard_alerts when the run first began.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.dot_origin IS 'What its births carry as dot_origin.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.permit_id IS 'The permit last used.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.executed_by IS 'Login that last executed it.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.epoch IS 'Number of the attempt; a batch of an earlier one fails.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.holder_pid IS 'Backend of the attempt.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.contract_token IS 'Catalogue state at the last full contract check.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.batches IS 'Receipts written.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.visited IS 'Source rows visited.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.actual_inserted IS 'Births written.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.skipped IS
  'Visited rows that had a birth of their own collection, or no code.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.blocked IS
  'Visited rows whose code another collection owned; a batch with any is undone.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.written_fingerprint IS 'Fingerprint of the births written.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.resume_marker IS 'Key of the last row visited; NULL before the first.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.started_at IS 'When the run first began.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.last_batch_at IS 'When the last batch was written.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.finished_at IS 'When it was done or compensated.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.compensating_since IS
  'When its compensation began; from then on it is closed to apply.';
COMMENT ON COLUMN birth.birth_backfill_ledger_v2.compensated_rows IS 'Births removed.';

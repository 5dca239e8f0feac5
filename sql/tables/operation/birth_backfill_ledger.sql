-- The first ledger: it can hold a plan, but cannot prove one scoped, resumable apply. stage2_5 closes it;
-- birth_backfill_ledger_v2 takes its place.
CREATE TABLE birth.birth_backfill_ledger (
  run_id          uuid PRIMARY KEY,
  collection_name text COLLATE "C" NOT NULL REFERENCES birth.collection_registry,
  status          text NOT NULL DEFAULT 'planned',
  dry_run         boolean NOT NULL DEFAULT true,
  planned_rows    bigint NOT NULL,
  applied_rows    bigint NOT NULL DEFAULT 0,
  planned_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  planned_by      text NOT NULL DEFAULT session_user,
  -- This ledger only ever plans: what is applied needs birth_backfill_ledger_v2.
  CONSTRAINT birth_backfill_ledger_plans_only CHECK (status = 'planned' AND dry_run AND applied_rows = 0)
);

COMMENT ON TABLE birth.birth_backfill_ledger IS
  'The first ledger: plans only; superseded by birth_backfill_ledger_v2. Specification: 2.';
COMMENT ON COLUMN birth.birth_backfill_ledger.run_id IS 'The plan.';
COMMENT ON COLUMN birth.birth_backfill_ledger.collection_name IS 'The collection planned.';
COMMENT ON COLUMN birth.birth_backfill_ledger.status IS 'planned.';
COMMENT ON COLUMN birth.birth_backfill_ledger.dry_run IS 'true: nothing was executed.';
COMMENT ON COLUMN birth.birth_backfill_ledger.planned_rows IS 'Births the plan would write.';
COMMENT ON COLUMN birth.birth_backfill_ledger.applied_rows IS 'Births written: 0.';
COMMENT ON COLUMN birth.birth_backfill_ledger.planned_at IS 'When.';
COMMENT ON COLUMN birth.birth_backfill_ledger.planned_by IS 'By which login.';

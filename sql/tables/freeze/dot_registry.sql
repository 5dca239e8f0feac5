-- The DOTs: named, governed operations. A freeze is an act, not a column, so that freezing never waits for a run.
CREATE TABLE birth.dot_registry (
  dot_name    text COLLATE "C" PRIMARY KEY,
  dot_code    text COLLATE "C",
  dangerous   boolean NOT NULL DEFAULT false,
  routine     text COLLATE "C",
  description text NOT NULL,
  -- A dangerous operation has a number too: the source documents name it so.
  CONSTRAINT dot_registry_dangerous_code CHECK (NOT dangerous OR dot_code IS NOT NULL)
);

INSERT INTO birth.dot_registry (dot_name, dot_code, dangerous, routine, description) VALUES
  ('dot-birth-backfill', 'DOT-118', true, 'fn_dot_birth_backfill',
   'Inserts into birth_registry directly, without permit, bound and proof.'),
  ('dot-birth-trigger-setup', 'DOT-119', true, 'fn_dot_birth_trigger_setup',
   'Replaces the gateway function by one without the guard for exempt collections.'),
  ('dot-birth-backfill-plan', NULL, false, 'fn_dot_birth_qt001_plan',
   'Counts what a backfill of one collection would do and writes one planned row.'),
  ('dot-birth-backfill-apply', NULL, false, 'sp_dot_birth_qt001_apply',
   'Executes one plan under a permit, in bounded batches.'),
  ('dot-birth-transition-apply', NULL, false, 'sp_dot_birth_qt005_apply',
   'Changes the policy of one collection, as one plan says, under a permit.'),
  ('dot-birth-death-apply', NULL, false, 'sp_dot_birth_qt006_apply',
   'Records that births have no living row any more, as one plan says, under a permit.');

COMMENT ON TABLE birth.dot_registry IS
  'Named, governed database operations. v_birth_dot_status says which are frozen. Specification: 1, 2.';
COMMENT ON COLUMN birth.dot_registry.dot_name IS 'Name of the operation.';
COMMENT ON COLUMN birth.dot_registry.dot_code IS 'Number of the operation, if the source documents give one.';
COMMENT ON COLUMN birth.dot_registry.dangerous IS
  'Whether the operation can break a guarantee of birthdb; such an operation stays frozen from stage 0 on.';
COMMENT ON COLUMN birth.dot_registry.routine IS 'The routine of schema birth that executes the operation.';
COMMENT ON COLUMN birth.dot_registry.description IS 'What the operation does.';

-- Audit events (acts): who did what, when and why. Append-only. Freeze, stop, tune and revoke are acts, so that none of
-- them ever waits for a run.
CREATE TABLE birth.birth_act (
  act_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  act             text NOT NULL,
  actor           text NOT NULL DEFAULT session_user,
  acted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  run_id          uuid,
  lineage         uuid,
  permit_id       bigint,
  collection_name text COLLATE "C",
  dot_name        text COLLATE "C" REFERENCES birth.dot_registry,
  epoch           bigint,
  reason          text,
  detail          jsonb NOT NULL DEFAULT '{}',
  actor_id        text NOT NULL DEFAULT birth.fn_birth_login_id(),
  -- Only known acts: rules look acts up by this name.
  CONSTRAINT birth_act_known CHECK (act IN (
    'register', 'withdraw', 'classify', 'attach', 'detach', 'mode', 'freeze', 'unfreeze',
    'plan', 'rehearse', 'review', 'permit_open', 'permit_confirm', 'permit_revoke',
    'attempt', 'outcome', 'stop', 'tune', 'takeover',
    'evidence_acknowledged', 'home', 'fence', 'finding_acknowledged', 'gate_scope', 'admit', 'census',
    'transition_kept', 'life_attach', 'life_mode', 'life_detach', 'return', 'succeed', 'refound', 'deaths_dropped')),
  -- An act that stops, loosens or overrides something needs a reason.
  CONSTRAINT birth_act_reason CHECK (
    act NOT IN ('withdraw', 'freeze', 'unfreeze', 'stop', 'mode', 'detach', 'permit_open', 'permit_revoke', 'takeover',
                'home', 'finding_acknowledged', 'gate_scope', 'admit', 'life_mode', 'life_detach', 'return', 'succeed')
    OR (reason IS NOT NULL AND reason ~ '\S')),
  -- An act on a run names the run and its chain of plans.
  CONSTRAINT birth_act_run CHECK ((run_id IS NULL) = (lineage IS NULL))
);

CREATE INDEX birth_act_lineage ON birth.birth_act (lineage) WHERE lineage IS NOT NULL;
CREATE INDEX birth_act_dot ON birth.birth_act (dot_name) WHERE dot_name IS NOT NULL;
-- fn_birth_clock reads the newest act: each act is later than every act before it.
CREATE INDEX birth_act_time ON birth.birth_act (acted_at);
-- Every batch reads the last one.
CREATE INDEX birth_act_home ON birth.birth_act (acted_at) WHERE act = 'home';
-- The views ask for the last act of a kind of each collection, and a census of every night makes many.
CREATE INDEX birth_act_collection ON birth.birth_act (collection_name, act, acted_at) WHERE collection_name IS NOT NULL;

COMMENT ON TABLE birth.birth_act IS
  'Audit events (acts): who did what, when and why. Append-only. Freeze, stop, tune, revoke and takeover take effect '
  'by their row here. Specification: 6, 6.1.';
COMMENT ON COLUMN birth.birth_act.act_id IS 'Identity; not an order of time.';
COMMENT ON COLUMN birth.birth_act.act IS 'What was done.';
COMMENT ON COLUMN birth.birth_act.actor IS 'The login (session_user) that did it.';
COMMENT ON COLUMN birth.birth_act.acted_at IS
  'When, by fn_birth_clock: later than every act that was committed before.';
COMMENT ON COLUMN birth.birth_act.run_id IS 'The run.';
COMMENT ON COLUMN birth.birth_act.lineage IS 'The first run of the chain of plans that run_id belongs to.';
COMMENT ON COLUMN birth.birth_act.permit_id IS 'The permit.';
COMMENT ON COLUMN birth.birth_act.collection_name IS 'The collection.';
COMMENT ON COLUMN birth.birth_act.dot_name IS 'The DOT.';
COMMENT ON COLUMN birth.birth_act.epoch IS 'Epoch of the run (fencing token): the attempt to which the act belongs.';
COMMENT ON COLUMN birth.birth_act.reason IS 'Reason, in the words of the actor.';
COMMENT ON COLUMN birth.birth_act.detail IS 'Further facts of the act.';
COMMENT ON COLUMN birth.birth_act.actor_id IS
  'The login as cluster and OID, which ALTER ROLE ... RENAME does not change.';

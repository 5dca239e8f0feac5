-- Who did what, when and why. Append-only. Freeze, stop, tune and revoke are acts, so that none of them ever waits for a run.
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
  -- Only acts that some rule reads or some person asks for.
  CONSTRAINT birth_act_known CHECK (act IN (
    'register', 'classify', 'attach', 'detach', 'mode', 'freeze', 'unfreeze',
    'plan', 'review', 'permit_open', 'permit_confirm', 'permit_revoke',
    'attempt', 'outcome', 'stop', 'tune', 'takeover', 'evidence_acknowledged', 'home', 'fence', 'finding_acknowledged')),
  -- What stops, loosens or overrides something is explained by whoever does it.
  CONSTRAINT birth_act_reason CHECK (
    act NOT IN ('freeze', 'unfreeze', 'stop', 'mode', 'detach', 'permit_open', 'permit_revoke', 'takeover', 'home', 'finding_acknowledged')
    OR (reason IS NOT NULL AND reason ~ '\S')),
  -- An act on a run says which, and to which chain of plans it belongs.
  CONSTRAINT birth_act_run CHECK ((run_id IS NULL) = (lineage IS NULL))
);

CREATE INDEX birth_act_lineage ON birth.birth_act (lineage) WHERE lineage IS NOT NULL;
CREATE INDEX birth_act_dot ON birth.birth_act (dot_name) WHERE dot_name IS NOT NULL;
-- Every act is later than the newest one: fn_birth_clock.
CREATE INDEX birth_act_time ON birth.birth_act (acted_at);
-- Every batch asks for the last one.
CREATE INDEX birth_act_home ON birth.birth_act (acted_at) WHERE act = 'home';

-- Every gateway that holds back a change is looked up here, for each collection.
CREATE INDEX birth_act_fence ON birth.birth_act (collection_name) WHERE act IN ('attach', 'fence');

COMMENT ON TABLE birth.birth_act IS
  'Who did what, when and why: append-only. Freeze, stop, tune, revoke and takeover take effect by being here. Specification: 6, 6.1.';
COMMENT ON COLUMN birth.birth_act.act_id IS 'Identity; gives no order.';
COMMENT ON COLUMN birth.birth_act.act IS 'What was done.';
COMMENT ON COLUMN birth.birth_act.actor IS 'The login (session_user) that did it.';
COMMENT ON COLUMN birth.birth_act.acted_at IS 'When, by fn_birth_clock: later than every act that was on record.';
COMMENT ON COLUMN birth.birth_act.run_id IS 'The run concerned.';
COMMENT ON COLUMN birth.birth_act.lineage IS 'The first run of the chain of plans that run_id belongs to.';
COMMENT ON COLUMN birth.birth_act.permit_id IS 'The permit concerned.';
COMMENT ON COLUMN birth.birth_act.collection_name IS 'The collection concerned.';
COMMENT ON COLUMN birth.birth_act.dot_name IS 'The DOT concerned.';
COMMENT ON COLUMN birth.birth_act.epoch IS 'The run''s epoch: which attempt this belongs to.';
COMMENT ON COLUMN birth.birth_act.reason IS 'Why, in the actor''s words.';
COMMENT ON COLUMN birth.birth_act.detail IS 'Facts that belong to the act.';
COMMENT ON COLUMN birth.birth_act.actor_id IS 'The login by cluster and OID: the same after ALTER ROLE … RENAME.';

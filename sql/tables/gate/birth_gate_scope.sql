-- The schemas under the gate: no table of such a schema takes its first row before it is decided what it is.
CREATE TABLE birth.birth_gate_scope (
  schema_name name COLLATE "C" PRIMARY KEY,
  mode        text NOT NULL,
  since       timestamptz NOT NULL DEFAULT clock_timestamp(),
  set_by      text NOT NULL DEFAULT session_user,
  reason      text NOT NULL,
  -- The gate either observes or enforces. A schema without a row is not under the gate.
  CONSTRAINT birth_gate_scope_mode CHECK (mode IN ('observe', 'enforce'))
);

COMMENT ON TABLE birth.birth_gate_scope IS
  'The schemas under the gate, one row a schema. Specification: 5.1.';
COMMENT ON COLUMN birth.birth_gate_scope.schema_name IS 'The schema.';
COMMENT ON COLUMN birth.birth_gate_scope.mode IS
  'observe: v_birth_gate shows the state of each table; enforce: an empty table is closed when its gateway is '
  'attached, and fn_birth_gate refuses a table that is not governed.';
COMMENT ON COLUMN birth.birth_gate_scope.since IS 'When the mode was set.';
COMMENT ON COLUMN birth.birth_gate_scope.set_by IS 'Login that set the mode.';
COMMENT ON COLUMN birth.birth_gate_scope.reason IS 'Reason, in the words of that login.';

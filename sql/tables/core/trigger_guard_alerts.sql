-- Recorded attempts to change a tracked trigger or routine. A run does not finish as done if alerts were added while it
-- ran. The checks use fn_birth_alerts(), which also returns the alerts of the optional event triggers.
CREATE TABLE birth.trigger_guard_alerts (
  alert_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  raised_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  raised_by  text NOT NULL DEFAULT session_user,
  command    text NOT NULL,
  object     text NOT NULL,
  detail     text
);

COMMENT ON TABLE birth.trigger_guard_alerts IS
  'Recorded attempts to change a tracked trigger or routine; counted at the start and at the end of every run. '
  'Specification: 6.';
COMMENT ON COLUMN birth.trigger_guard_alerts.alert_id IS 'Identity; not an order of time.';
COMMENT ON COLUMN birth.trigger_guard_alerts.raised_at IS 'When it happened.';
COMMENT ON COLUMN birth.trigger_guard_alerts.raised_by IS 'Login that made the attempt.';
COMMENT ON COLUMN birth.trigger_guard_alerts.command IS 'The command, for example ALTER TABLE.';
COMMENT ON COLUMN birth.trigger_guard_alerts.object IS 'The object.';
COMMENT ON COLUMN birth.trigger_guard_alerts.detail IS 'Further facts.';

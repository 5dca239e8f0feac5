-- Recorded attempts against a tracked trigger or routine. A run is not done when these grew while it ran; what counts is
-- what fn_birth_alerts() returns, which adds what the optional event triggers recorded.
CREATE TABLE birth.trigger_guard_alerts (
  alert_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  raised_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  raised_by  text NOT NULL DEFAULT session_user,
  command    text NOT NULL,
  object     text NOT NULL,
  detail     text
);

COMMENT ON TABLE birth.trigger_guard_alerts IS
  'Recorded attempts against a tracked trigger or routine; counted at the start and the end of every run. Specification: 6.';
COMMENT ON COLUMN birth.trigger_guard_alerts.alert_id IS 'Identity; gives no order.';
COMMENT ON COLUMN birth.trigger_guard_alerts.raised_at IS 'When it happened.';
COMMENT ON COLUMN birth.trigger_guard_alerts.raised_by IS 'Login that did it.';
COMMENT ON COLUMN birth.trigger_guard_alerts.command IS 'The command, such as ALTER TABLE.';
COMMENT ON COLUMN birth.trigger_guard_alerts.object IS 'The object concerned.';
COMMENT ON COLUMN birth.trigger_guard_alerts.detail IS 'What else is known.';

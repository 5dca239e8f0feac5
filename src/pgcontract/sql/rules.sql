-- Values recorded when a release was made. The contract keeps here, at stage `contract`, how this database stores the
-- views that were recorded; a project may keep values of its own at other stages.
CREATE TABLE @schema@.@rules@ (
  stage       text COLLATE "C" NOT NULL,
  subject     text COLLATE "C" NOT NULL,
  value       text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (stage, subject)
);

COMMENT ON TABLE @schema@.@rules@ IS
  'Values recorded when a release was made.@see@';
COMMENT ON COLUMN @schema@.@rules@.stage IS 'What the value is of: contract, or a name of the project.';
COMMENT ON COLUMN @schema@.@rules@.subject IS 'What the value is about, such as the name of a view.';
COMMENT ON COLUMN @schema@.@rules@.value IS 'The value.';
COMMENT ON COLUMN @schema@.@rules@.recorded_at IS 'When it was recorded.';

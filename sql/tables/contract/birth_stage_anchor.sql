-- Values recorded when a stage was released. Guard views compare with these values, not with constants in their text.
CREATE TABLE birth.birth_stage_anchor (
  stage       text COLLATE "C" NOT NULL,
  subject     text COLLATE "C" NOT NULL,
  value       text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (stage, subject)
);

COMMENT ON TABLE birth.birth_stage_anchor IS
  'Values recorded when a stage was released (coverage counts, gateway hashes, open permits, alerts). Specification: '
  '3.';
COMMENT ON COLUMN birth.birth_stage_anchor.stage IS 'The stage whose release recorded the value.';
COMMENT ON COLUMN birth.birth_stage_anchor.subject IS 'What was measured.';
COMMENT ON COLUMN birth.birth_stage_anchor.value IS 'The measured value, as text.';
COMMENT ON COLUMN birth.birth_stage_anchor.recorded_at IS 'When the value was recorded.';

-- A trigger without its function would refuse every statement of the application.
DO $life$
DECLARE
  v_attached text;
BEGIN
  SELECT string_agg(DISTINCT coalesce(t.collection_name, t.relation::regclass::text), ', ') INTO v_attached
  FROM birth.v_birth_life_trigger t;
  IF v_attached IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('life_in_use', v_attached);
  END IF;
END
$life$;
DELETE FROM birth.birth_stage_anchor a WHERE a.stage = 'stage5';

-- What the guards compare with from now on.
DO $anchor$
BEGIN
  PERFORM birth.fn_birth_anchor_record('stage4');
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT 'stage4', 'policies',
         coalesce(jsonb_object_agg(c.collection_name, jsonb_build_array(c.coverage_status, c.governed)), '{}')::text
  FROM birth.collection_registry c;
END
$anchor$;

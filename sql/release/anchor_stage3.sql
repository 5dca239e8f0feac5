-- What the guards compare with from now on.
DO $anchor$
BEGIN
  PERFORM birth.fn_birth_anchor_record('stage3');
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT 'stage3', 'gate.grandfathered', coalesce(jsonb_agg(c.collection_name), '[]')::text
  FROM birth.collection_registry c WHERE c.admitted_how = 'GRANDFATHERED';
END
$anchor$;

-- What the guards compare with from now on.
DO $anchor$
BEGIN
  PERFORM birth.fn_birth_anchor_record('stage4');
  INSERT INTO birth.birth_stage_anchor (stage, subject, value)
  SELECT 'stage4', 'policies',
         coalesce(jsonb_object_agg(c.collection_name, jsonb_build_array(c.coverage_status, c.governed)), '{}')::text
  FROM birth.collection_registry c;
  -- What an earlier release of stage4 had on record, and a downgrade kept.
  INSERT INTO birth.birth_transition
  SELECT DISTINCT ON (a.run_id) (jsonb_populate_record(NULL::birth.birth_transition, a.detail)).*
  FROM birth.birth_act a
  WHERE a.act = 'transition_kept'
  ORDER BY a.run_id, a.acted_at DESC;
END
$anchor$;

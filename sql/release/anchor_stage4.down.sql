-- The runs stay in the ledger: the record of each change is kept as an act, and stage4 enters it again.
DO $kept$
BEGIN
  PERFORM birth.fn_birth_act_record('transition_kept', p_run_id := t.run_id, p_lineage := l.lineage,
    p_collection := t.collection_name, p_detail := to_jsonb(t))
  FROM birth.birth_transition t JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = t.run_id;
END
$kept$;
DELETE FROM birth.birth_stage_anchor a WHERE a.stage = 'stage4';

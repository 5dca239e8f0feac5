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
-- The runs stay in the ledger, and with each the fingerprint of the deaths that are dropped: their codes are in the
-- export that a DBA acknowledged, and stage5 knows what became of them.
DO $dropped$
BEGIN
  PERFORM birth.fn_birth_act_record('deaths_dropped', p_run_id := l.run_id, p_lineage := l.lineage,
    p_collection := l.collection_name, p_detail := jsonb_build_object('fingerprint', to_jsonb(d.fingerprint)))
  FROM birth.birth_backfill_ledger_v2 l
  CROSS JOIN LATERAL (
    SELECT ARRAY[count(*), sum(hashtextextended(t.entity_code, l.seed_a)),
                 sum(hashtextextended(t.entity_code, l.seed_b))] AS fingerprint
    FROM birth.birth_death t
    JOIN birth.birth_registry b ON b.entity_code = t.entity_code AND b.collection_name = t.collection_name
    WHERE t.run_id = l.run_id AND t.collection_name = l.collection_name
  ) d
  WHERE l.purpose = 'DEATH' AND d.fingerprint[1] > 0;
END
$dropped$;
DELETE FROM birth.birth_stage_anchor a WHERE a.stage = 'stage5';

-- Why a run stopped with source_changed: of one that writes births, the codes of its collection that came into being
-- otherwise since it was planned, code by code; of every run, how many rows of its target it did not write. A code that
-- was deleted or re-keyed is known by number only: fn_birth_census tells what is there now.
CREATE OR REPLACE VIEW birth.v_birth_run_source_change AS
SELECT l.run_id, l.collection_name, 'born otherwise' AS change, b.entity_code, 1::bigint AS rows, b.born_at
FROM birth.birth_backfill_ledger_v2 l
CROSS JOIN LATERAL birth.fn_birth_births_since(l.collection_name, l.planned_at,
  coalesce(l.last_batch_at, l.planned_at) + interval '1 hour', l.run_id) b
WHERE l.status = 'stopped' AND l.stop_reason = 'source_changed'
  AND l.purpose = 'APPLY'
UNION ALL
SELECT l.run_id, l.collection_name, 'planned and not written', NULL, l.expected_delta - l.actual_inserted, NULL
FROM birth.birth_backfill_ledger_v2 l
WHERE l.status = 'stopped' AND l.stop_reason = 'source_changed';

COMMENT ON VIEW birth.v_birth_run_source_change IS
  'Runs that stopped because the source changed: the codes born otherwise since the plan, and how many planned rows '
  'were not written. Specification: 6.';

-- The latest plan of a backfill of each collection against the source it counted, by the equation
-- B = S - U - D - X - M + O, where O are the orphans and the dead, and what its run wrote since. From the ledger:
-- neither the source nor the registry is read.
CREATE OR REPLACE VIEW birth.v_birth_plan_reconciliation AS
SELECT DISTINCT ON (l.collection_name)
       l.collection_name, l.run_id, l.status, l.planned_at, l.source_rows, l.unresolvable, l.duplicates, l.collisions,
         l.existing_births, l.orphans, l.dead,
       l.planned_rows,
       l.source_rows - l.unresolvable - l.duplicates - l.collisions - l.planned_rows + l.orphans
         + l.dead AS births_accounted,
       l.existing_births
         = l.source_rows - l.unresolvable - l.duplicates - l.collisions - l.planned_rows + l.orphans
           + l.dead AS reconciled,
       l.expected_delta, l.actual_inserted, l.compensated_rows,
       l.planned_rows - l.actual_inserted + l.compensated_rows AS outstanding
FROM birth.birth_backfill_ledger_v2 l
WHERE l.purpose = 'APPLY'
ORDER BY l.collection_name, l.planned_at DESC, l.run_id;

COMMENT ON VIEW birth.v_birth_plan_reconciliation IS
  'The latest plan of a backfill of each collection: its counts, whether they add up, and what is outstanding. '
  'Specification: 2, 6, R10.';

-- The undoing of DEATH: deaths of the run that were touched since they were written: they returned, died again, got a
-- successor, a later run found them, or a downgrade dropped them.
-- Returns: an error of the catalogue that names up to twenty, or NULL.
-- Calls: fn_birth_error
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_fault(p_run birth.birth_backfill_ledger_v2)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_fault$
  SELECT birth.fn_birth_error('births_touched', string_agg(t.what, '; '))
  FROM (
    SELECT d.entity_code || CASE WHEN d.returned_at IS NOT NULL THEN ' returned'
                                 WHEN d.manner <> 'FOUND' THEN ' died again' ELSE ' has a successor' END AS what
    FROM birth.birth_death d
    WHERE d.run_id = p_run.run_id
      AND (d.returned_at IS NOT NULL OR d.manner <> 'FOUND' OR d.successor IS NOT NULL)
    UNION ALL
    SELECT format('%s codes were found again by a later run', jsonb_array_length(a.detail -> 'codes'))
    FROM birth.birth_act a
    WHERE a.act = 'refound' AND a.collection_name = p_run.collection_name
      AND a.detail ->> 'run_id' = p_run.run_id::text
    UNION ALL
    SELECT format('%s went with a downgrade', a.detail #>> '{fingerprint,0}')
    FROM birth.birth_act a
    WHERE a.act = 'deaths_dropped' AND a.lineage = p_run.lineage AND a.run_id = p_run.run_id
    LIMIT 20
  ) t
  HAVING count(*) > 0;
$fn_birth_death_fault$;

COMMENT ON FUNCTION birth.fn_birth_death_fault(birth.birth_backfill_ledger_v2) IS
  'NB313 as jsonb when deaths of a run were touched after it, else NULL. Specification: 5.2.';

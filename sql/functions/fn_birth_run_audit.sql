-- Holds what is on record of a run against what birth_registry holds, from the evidence itself: births, receipts, their chain, the ledger, the permits, the
-- people. What a superuser forged in one of them disagrees with another.
-- SECURITY DEFINER: readers may ask, and need not be able to call what it asks itself.
-- Returns: one row a check and run; every run that was ever executed without p_run_id.
-- Calls: fn_birth_run_births, fn_birth_receipt_seal
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_audit(p_run_id uuid DEFAULT NULL)
  RETURNS TABLE (run_id uuid, check_name text, found text, expected text, pass boolean)
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_audit$
  WITH run AS (
    SELECT l FROM birth.birth_backfill_ledger_v2 l WHERE l.status <> 'planned' AND (p_run_id IS NULL OR l.run_id = p_run_id)
  ), receipt AS (
    SELECT r.run_id, r.batch_no, r.purpose, r.fingerprint,
           row_number() OVER chain AS number,
           birth.fn_birth_receipt_seal(r, lag(r.sha256) OVER chain) = r.sha256 AS sealed
    FROM birth.birth_receipt r WHERE r.run_id IN (SELECT (n.l).run_id FROM run n)
    WINDOW chain AS (PARTITION BY r.run_id ORDER BY r.batch_no)
  ), total AS (
    SELECT r.run_id, count(*) AS batches, bool_and(r.sealed AND r.number = r.batch_no) AS chained,
           ARRAY[coalesce(sum(r.fingerprint[1]) FILTER (WHERE r.purpose = 'APPLY'), 0), coalesce(sum(r.fingerprint[2]) FILTER (WHERE r.purpose = 'APPLY'), 0),
                 coalesce(sum(r.fingerprint[3]) FILTER (WHERE r.purpose = 'APPLY'), 0)] AS written,
           ARRAY[sum(s.sign * r.fingerprint[1]), sum(s.sign * r.fingerprint[2]), sum(s.sign * r.fingerprint[3])] AS remaining
    FROM receipt r CROSS JOIN LATERAL (SELECT CASE r.purpose WHEN 'APPLY' THEN 1 ELSE -1 END) AS s(sign)
    GROUP BY r.run_id
  )
  SELECT (n.l).run_id, c.check_name, c.found, c.expected, (c.found = c.expected) IS TRUE
  FROM run n
  LEFT JOIN total t ON t.run_id = (n.l).run_id
  CROSS JOIN LATERAL (VALUES
    ('birth_registry holds what the receipts leave', birth.fn_birth_run_births(n.l)::text, coalesce(t.remaining, '{0,0,0}')::text),
    ('the ledger counts what the receipts wrote', (n.l).written_fingerprint::text, coalesce(t.written, '{0,0,0}')::text),
    ('the receipts are a chain without a gap', coalesce(t.chained, true)::text, 'true'),
    ('births and receipts carry the origin of the run', (
       SELECT count(*)::text FROM (SELECT b.dot_origin FROM birth.birth_registry b WHERE b.run_id = (n.l).run_id
                                   UNION ALL SELECT r.dot_origin FROM birth.birth_receipt r WHERE r.run_id = (n.l).run_id) AS o
       WHERE o.dot_origin IS DISTINCT FROM (n.l).dot_origin) || ' of another', '0 of another'),
    ('the ledger counts the receipts', (n.l).batches::text, coalesce(t.batches, 0)::text),
    ('the permits were spent on what was written', (SELECT coalesce(sum(p.spent_rows), 0)::text FROM birth.birth_admission_permit_v2 p
       WHERE p.run_id = (n.l).run_id AND p.purpose = 'APPLY'), (n.l).actual_inserted::text),
    ('an attempt stands behind each epoch', (SELECT count(DISTINCT a.epoch)::text FROM birth.birth_act a
       WHERE a.lineage = (n.l).lineage AND a.run_id = (n.l).run_id AND (a.act = 'attempt' OR a.act = 'takeover')), (n.l).epoch::text)
  ) AS c(check_name, found, expected);
$fn_birth_run_audit$;

COMMENT ON FUNCTION birth.fn_birth_run_audit(uuid) IS
  'Checks births, receipts, chain, ledger and permits of a run, or of all, against each other: check, found, expected, pass. Specification: 6, R11.';

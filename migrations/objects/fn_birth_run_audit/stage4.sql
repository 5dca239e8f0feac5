-- Holds what is on record of a run against what birth_registry holds, from the evidence itself: births, receipts, their
-- chain, the ledger, the permits, the people, times. What a superuser forged in one of them disagrees with another, or
-- with a constraint that was off when it was written.
-- SECURITY DEFINER: readers may ask, and need not be able to call what it asks itself.
-- Returns: one row for each check and run. Without p_run_id: every run and plan, also one that only acts or permits
-- name; and a row without a run where rows that belong to none violate a constraint.
-- Calls: fn_birth_run_proof, fn_birth_receipt_seal, fn_birth_constraint_violations, fn_birth_alerts
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_audit(p_run_id uuid DEFAULT NULL)
  RETURNS TABLE (run_id uuid, check_name text, found text, expected text, pass boolean)
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off
  SET jit = off
AS $fn_birth_run_audit$
  WITH run AS (
    SELECT l FROM birth.birth_backfill_ledger_v2 l WHERE p_run_id IS NULL OR l.run_id = p_run_id
  ), violation AS (
    SELECT v.run_id, string_agg(concat_ws(' x ', v.violated, v.violations), '; ' ORDER BY v.violated) AS found
    FROM birth.fn_birth_constraint_violations() v GROUP BY v.run_id
  ), other AS (
    -- Runs that another record names: each is in the ledger.
    SELECT a.run_id FROM birth.birth_act a WHERE a.run_id IS NOT NULL
    UNION SELECT p.run_id FROM birth.birth_admission_permit_v2 p
    UNION SELECT r.run_id FROM birth.birth_receipt r
    UNION SELECT v.run_id FROM birth.birth_review v
    UNION SELECT v.run_id FROM violation v
  ), outcome AS (
    SELECT a.run_id, a.epoch, string_agg(a.detail ->> 'status', ', ') AS told FROM birth.birth_act a
      WHERE a.act = 'outcome' GROUP BY a.run_id, a.epoch
  ), receipt AS (
    SELECT r.run_id, r.batch_no, r.purpose, r.fingerprint,
           row_number() OVER chain AS number,
           birth.fn_birth_receipt_seal(r, lag(r.sha256) OVER chain) = r.sha256 AS sealed
    FROM birth.birth_receipt r WHERE r.run_id IN (SELECT (n.l).run_id FROM run n)
    WINDOW chain AS (PARTITION BY r.run_id ORDER BY r.batch_no)
  ), total AS (
    SELECT r.run_id, count(*) AS batches, bool_and(r.sealed AND r.number = r.batch_no) AS chained,
           ARRAY[coalesce(sum(r.fingerprint[1]) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0),
             coalesce(sum(r.fingerprint[2]) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0),
                 coalesce(sum(r.fingerprint[3]) FILTER (WHERE r.purpose <> 'COMPENSATE'), 0)] AS written,
           ARRAY[sum(s.sign * r.fingerprint[1]), sum(s.sign * r.fingerprint[2]),
             sum(s.sign * r.fingerprint[3])] AS remaining
    FROM receipt r CROSS JOIN LATERAL (SELECT CASE r.purpose WHEN 'COMPENSATE' THEN -1 ELSE 1 END) AS s(sign)
    GROUP BY r.run_id
  )
  SELECT (n.l).run_id, c.check_name, c.found, c.expected, (c.found = c.expected) IS TRUE
  FROM run n
  LEFT JOIN total t ON t.run_id = (n.l).run_id
  LEFT JOIN violation v ON v.run_id = (n.l).run_id
  LEFT JOIN outcome o ON o.run_id = (n.l).run_id AND o.epoch = (n.l).epoch
  CROSS JOIN (SELECT count(*) AS alerts FROM birth.fn_birth_alerts()) s
  CROSS JOIN LATERAL (SELECT (n.l).status IN ('done', 'compensated') AS over) r
  CROSS JOIN LATERAL (VALUES
    ('birth_registry holds what the receipts leave', birth.fn_birth_run_proof(n.l)::text,
     coalesce(t.remaining, '{0,0,0}')::text),
    ('the ledger counts what the receipts wrote', (n.l).written_fingerprint::text,
     coalesce(t.written, '{0,0,0}')::text),
    ('the receipts are a chain without a gap', coalesce(t.chained, true)::text, 'true'),
    ('births and receipts carry the origin of the run', (
       SELECT count(*)::text FROM (SELECT b.dot_origin FROM birth.birth_registry b WHERE b.run_id = (n.l).run_id
                                   UNION ALL SELECT r.dot_origin FROM birth.birth_receipt r
                                     WHERE r.run_id = (n.l).run_id) AS o
       WHERE o.dot_origin IS DISTINCT FROM (n.l).dot_origin) || ' of another', '0 of another'),
    ('the ledger counts the receipts', (n.l).batches::text, coalesce(t.batches, 0)::text),
    ('the permits were spent on what was written',
     (SELECT coalesce(sum(p.spent_rows), 0)::text FROM birth.birth_admission_permit_v2 p
       WHERE p.run_id = (n.l).run_id AND p.purpose = (n.l).purpose), (n.l).actual_inserted::text),
    ('an attempt stands behind each epoch', (SELECT count(DISTINCT a.epoch)::text FROM birth.birth_act a
       WHERE a.lineage = (n.l).lineage AND a.run_id = (n.l).run_id AND (a.act = 'attempt' OR a.act = 'takeover')),
         (n.l).epoch::text),
    -- A run that was interrupted or taken over has none.
    ('an act tells of the outcome', coalesce(o.told, 'none'),
      CASE WHEN (n.l).status IN ('done', 'compensated', 'failed') OR (n.l).status = 'stopped' AND o.told IS NOT NULL
        THEN (n.l).status ELSE 'none' END),
    ('begun, and finished after that', concat_ws(', ', (n.l).started_at, CASE WHEN r.over THEN (n.l).finished_at END),
      concat_ws(', ', CASE WHEN (n.l).started_at IS NULL AND (n.l).status <> 'planned' THEN 'begun'
        ELSE (n.l).started_at::text END,
        CASE WHEN r.over THEN CASE WHEN (n.l).finished_at >= (n.l).started_at THEN (n.l).finished_at::text
          ELSE 'finished later' END END)),
    -- People are told apart over the whole lineage.
    ('it follows the plan that it names', (n.l).lineage::text,
      CASE WHEN (n.l).predecessor IS NULL THEN (n.l).run_id::text
           ELSE coalesce((SELECT l.lineage::text FROM birth.birth_backfill_ledger_v2 l
             WHERE l.run_id = (n.l).predecessor), 'no such plan') END),
    ('the alerts that it and its reviewers saw are there', s.alerts::text, greatest(s.alerts, (n.l).alerts_before,
      (SELECT max(w.alerts_seen) FROM birth.birth_review w WHERE w.run_id = (n.l).run_id))::text),
    ('every row is as its constraints allow', coalesce(v.found, 'all'), 'all')
  ) AS c(check_name, found, expected)
  UNION ALL
  SELECT x.run_id, 'the ledger has the run', 'no', 'yes', false
  FROM other x
  WHERE (p_run_id IS NULL OR x.run_id = p_run_id) AND x.run_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM run n WHERE (n.l).run_id = x.run_id)
  UNION ALL
  SELECT v.run_id, 'every row is as its constraints allow', v.found, 'all', false
  FROM violation v
  WHERE p_run_id IS NULL AND NOT EXISTS (SELECT FROM run n WHERE (n.l).run_id = v.run_id);
$fn_birth_run_audit$;

COMMENT ON FUNCTION birth.fn_birth_run_audit(uuid) IS
  'Checks births, receipts, chain, ledger and permits of a run, or of all, against each other: check, found, '
  'expected, pass. Specification: 6, R11.';

"""What receipts, births, permits and ledger must say of every run, whatever was done: asked of the tables alone.

The model (``tests/model``) is the other judge: it knows what they should say, and computes it without a database.
"""

from typing import LiteralString

#: Each row is a run and what does not hold of it. Fingerprints of births are computed here anew, with the run's seeds.
DISAGREEMENTS: LiteralString = """
WITH receipt AS (
  SELECT r.run_id, count(*) AS batches, max(r.batch_no) AS last_no,
         sum(r.written) FILTER (WHERE r.purpose = 'APPLY') AS written,
         sum(r.written) FILTER (WHERE r.purpose = 'COMPENSATE') AS removed,
         sum(r.fingerprint[2]) FILTER (WHERE r.purpose = 'APPLY') AS written_a,
         sum(r.fingerprint[3]) FILTER (WHERE r.purpose = 'APPLY') AS written_b,
         sum(CASE r.purpose WHEN 'APPLY' THEN r.fingerprint[2] ELSE -r.fingerprint[2] END) AS left_a,
         sum(CASE r.purpose WHEN 'APPLY' THEN r.fingerprint[3] ELSE -r.fingerprint[3] END) AS left_b
  FROM birth.birth_receipt r GROUP BY r.run_id
), birth AS (
  SELECT l.run_id, count(*) AS births, sum(hashtextextended(b.entity_code, l.seed_a)) AS a,
         sum(hashtextextended(b.entity_code, l.seed_b)) AS b
  FROM birth.birth_backfill_ledger_v2 l
  JOIN birth.birth_registry b ON b.run_id = l.run_id AND b.collection_name = l.collection_name
  GROUP BY l.run_id
), permit AS (
  SELECT p.run_id, sum(p.spent_rows) FILTER (WHERE p.purpose = 'APPLY') AS spent,
         sum(p.spent_rows) FILTER (WHERE p.purpose = 'COMPENSATE') AS spent_back,
         bool_and(p.spent_rows <= p.max_rows) AS within,
         bool_and(p.spent_rows = 0 OR p.confirmed_by IS NOT NULL) AS confirmed,
         bool_and(p.spent_rows = coalesce(
           (SELECT sum(r.written) FROM birth.birth_receipt r WHERE r.permit_id = p.permit_id), 0)) AS receipted,
         count(*) FILTER (WHERE p.status = 'CONSUMED') AS consumed
  FROM birth.birth_admission_permit_v2 p GROUP BY p.run_id
), seal AS (
  SELECT r.run_id, bool_and(r.sha256 = birth.fn_birth_receipt_seal(r, r.before)) AS whole
  FROM (SELECT r.run_id, r, r.sha256, lag(r.sha256) OVER (PARTITION BY r.run_id ORDER BY r.batch_no) AS before
        FROM birth.birth_receipt r) AS r(run_id, r, sha256, before)
  GROUP BY r.run_id
)
SELECT l.run_id, l.status, c.what
FROM birth.birth_backfill_ledger_v2 l
LEFT JOIN receipt r USING (run_id) LEFT JOIN birth b USING (run_id) LEFT JOIN permit p USING (run_id)
LEFT JOIN seal s USING (run_id)
CROSS JOIN LATERAL (VALUES
  ('ledger and receipts: batches', l.batches = coalesce(r.batches, 0) AND l.batches = coalesce(r.last_no, 0)),
  ('ledger and receipts: rows', l.actual_inserted = coalesce(r.written, 0)
     AND l.compensated_rows = coalesce(r.removed, 0)),
  ('ledger and receipts: set', l.written_fingerprint
     = ARRAY[coalesce(r.written, 0), coalesce(r.written_a, 0), coalesce(r.written_b, 0)]),
  ('births and ledger: rows', coalesce(b.births, 0) = l.actual_inserted - l.compensated_rows),
  ('births and receipts: set', coalesce(b.a, 0) = coalesce(r.left_a, 0) AND coalesce(b.b, 0) = coalesce(r.left_b, 0)),
  ('chain of receipts', coalesce(s.whole, true)),
  ('permits: within bounds', coalesce(p.within, true)),
  ('permits: confirmed', coalesce(p.confirmed, true)),
  ('permits and receipts: rows', coalesce(p.receipted, true)),
  ('permits and ledger: rows', coalesce(p.spent, 0) = l.actual_inserted
     AND coalesce(p.spent_back, 0) = l.compensated_rows),
  ('permits: consumed', l.status NOT IN ('done', 'compensated') OR coalesce(p.consumed, 0) > 0),
  ('target', l.actual_inserted <= l.expected_delta AND (l.status <> 'done' OR l.actual_inserted = l.expected_delta)),
  ('target: set', l.status <> 'done'
     OR l.target_fingerprint = ARRAY[coalesce(b.births, 0), coalesce(b.a, 0), coalesce(b.b, 0)])
) AS c(what, holds)
WHERE c.holds IS NOT TRUE
"""

#: Each row is a run that went past a verdict, or in which one person took two parts.
OVERSTEPPED: LiteralString = """
SELECT f.run_id, 'a failed check was passed over without a verdict' AS what
FROM birth.birth_act f
JOIN birth.birth_act t ON t.run_id = f.run_id AND t.act = 'attempt' AND t.acted_at > f.acted_at
WHERE f.act = 'outcome' AND f.detail ->> 'status' = 'failed' AND NOT EXISTS (
  SELECT FROM birth.birth_review v
  WHERE v.run_id = f.run_id AND v.verdict = 'SAFE' AND v.reviewed_at BETWEEN f.acted_at AND t.acted_at)
UNION ALL
SELECT a.run_id, 'one person holds two parts'
FROM birth.birth_act a
JOIN birth.birth_act o ON o.lineage = a.lineage AND o.actor = a.actor
WHERE a.act IN ('plan', 'attempt') AND o.act IN ('review', 'permit_open', 'permit_confirm')
   OR a.act = 'permit_open' AND o.act IN ('review', 'permit_confirm')
"""

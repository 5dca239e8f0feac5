"""What receipts, births, permits and ledger must say of every run, whatever was done: asked of the tables alone.

The model (``tests/model``) is the other judge: it knows what they should say, and computes it without a database.
"""

from typing import LiteralString

#: Each row is a run and what does not hold of it. Fingerprints of what a run wrote, births, deaths or a change of
#: policy, are computed here anew, with the run's seeds.
DISAGREEMENTS: LiteralString = """
WITH receipt AS (
  SELECT r.run_id, count(*) AS batches, max(r.batch_no) AS last_no,
         sum(r.written) FILTER (WHERE r.purpose <> 'COMPENSATE') AS written,
         sum(r.written) FILTER (WHERE r.purpose = 'COMPENSATE') AS removed,
         sum(r.fingerprint[2]) FILTER (WHERE r.purpose <> 'COMPENSATE') AS written_a,
         sum(r.fingerprint[3]) FILTER (WHERE r.purpose <> 'COMPENSATE') AS written_b,
         sum(CASE r.purpose WHEN 'COMPENSATE' THEN -r.fingerprint[2] ELSE r.fingerprint[2] END) AS left_a,
         sum(CASE r.purpose WHEN 'COMPENSATE' THEN -r.fingerprint[3] ELSE r.fingerprint[3] END) AS left_b
  FROM birth.birth_receipt r GROUP BY r.run_id
), held AS (
  SELECT b.run_id, b.collection_name, b.entity_code AS code, 'APPLY' AS purpose
  FROM birth.birth_registry b WHERE b.run_id IS NOT NULL
  UNION ALL
  SELECT t.run_id, t.collection_name, jsonb_build_array(t.collection_name, t.from_status, t.from_governed,
           t.from_version, t.to_status, t.to_governed)::text, 'TRANSITION'
  FROM birth.birth_transition t WHERE t.undone_at IS NULL
  UNION ALL
  SELECT d.run_id, d.collection_name, d.entity_code, 'DEATH' FROM birth.birth_death d WHERE d.run_id IS NOT NULL
  UNION ALL
  -- That died again, found by a later run: only an act tells of the earlier death.
  SELECT (a.detail ->> 'run_id')::uuid, a.collection_name, c.code, 'DEATH'
  FROM birth.birth_act a CROSS JOIN LATERAL jsonb_array_elements_text(a.detail -> 'codes') AS c(code)
  WHERE a.act = 'refound'
), birth AS (
  SELECT l.run_id, count(*) AS births, sum(hashtextextended(h.code, l.seed_a)) AS a,
         sum(hashtextextended(h.code, l.seed_b)) AS b
  FROM birth.birth_backfill_ledger_v2 l
  JOIN held h ON h.run_id = l.run_id AND h.collection_name = l.collection_name AND h.purpose = l.purpose
  GROUP BY l.run_id
), permit AS (
  SELECT p.run_id, sum(p.spent_rows) FILTER (WHERE p.purpose <> 'COMPENSATE') AS spent,
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
UNION ALL
SELECT h.run_id, NULL, 'held by a run of another purpose'
FROM held h
WHERE NOT EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l WHERE l.run_id = h.run_id AND l.purpose = h.purpose)
UNION ALL
-- Each change of a policy, and each undoing of one, is one transition: none without a receipt.
SELECT NULL, NULL, format('policy %s of %s', r.policy_version, r.collection_name)
FROM birth.collection_registry r
WHERE r.policy_version <> 1 + (SELECT count(*) + count(t.undone_at) FROM birth.birth_transition t
                               WHERE t.collection_name = r.collection_name)
UNION ALL
SELECT d.run_id, NULL, format('death of %s without a birth of its collection', d.entity_code)
FROM birth.birth_death d
LEFT JOIN birth.birth_registry b ON b.entity_code = d.entity_code AND b.collection_name = d.collection_name
WHERE b.entity_code IS NULL
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

-- Every plan and run: how far, how fast, by whom, whether its session still lives, and what it needs next. The rate is
-- that of the last batches of the attempt, from their receipts; a lock of the session that the ledger names, keyed by
-- run and epoch, tells whether it lives.
CREATE OR REPLACE VIEW birth.v_birth_run_progress AS
SELECT p.run_id, p.collection_name, p.status, p.stop_reason, p.purpose, p.rows_done, p.rows_target,
       CASE WHEN p.rows_target > 0 THEN round(100.0 * p.rows_done::numeric / p.rows_target::numeric, 1) END AS percent,
       round(p.rate, 1) AS rows_per_second,
       CASE WHEN p.status = 'running' AND p.rate > 0
         THEN make_interval(secs => round((p.rows_target - p.rows_done)::numeric / p.rate)::double precision)
       END AS remaining,
       p.executed_by, p.planned_by, p.running_since, p.last_batch_at, p.batches,
       p.status = 'running' AND NOT p.held AS interrupted,
       (SELECT b.sha256 FROM birth.birth_receipt b WHERE b.run_id = p.run_id ORDER BY b.batch_no DESC LIMIT 1) AS head,
       birth.fn_birth_run_next_step(p.run_id) AS next_step
FROM (
  SELECT l.run_id, l.collection_name, l.status, l.stop_reason, l.executed_by, l.planned_by,
    l.started_at AS running_since, l.last_batch_at, l.batches,
         k.purpose,
         CASE k.purpose WHEN 'COMPENSATE' THEN l.compensated_rows ELSE l.actual_inserted END AS rows_done,
         CASE k.purpose WHEN 'COMPENSATE' THEN l.actual_inserted ELSE l.expected_delta END AS rows_target,
         CASE WHEN r.batches > 1 AND r.seconds > 0 THEN r.written::numeric / r.seconds
              WHEN l.last_batch_at > l.started_at
                THEN l.actual_inserted::numeric / extract(epoch FROM l.last_batch_at - l.started_at) END AS rate,
         (k.key, coalesce(l.holder_pid, 0)) IN (
           SELECT (h.classid::bigint << 32) | h.objid::bigint, h.pid
           FROM pg_catalog.pg_locks h
           WHERE h.locktype = 'advisory' AND h.granted AND h.objsubid = 1
             AND h.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())) AS held
  FROM birth.birth_backfill_ledger_v2 l
  CROSS JOIN LATERAL (
    SELECT CASE WHEN l.compensating_since IS NULL THEN l.purpose ELSE 'COMPENSATE' END AS purpose,
           hashtextextended(format('birth.run:%s:%s', l.run_id, l.epoch), 0) AS key
  ) k
  LEFT JOIN LATERAL (
    -- Between the first and the last of these receipts the later ones were written.
    SELECT count(*) AS batches, sum(x.written) FILTER (WHERE x.position > 1) AS written,
      extract(epoch FROM max(x.born_at) - min(x.born_at)) AS seconds
    FROM (
      SELECT y.written, y.born_at, row_number() OVER (ORDER BY y.batch_no) AS position
      FROM (SELECT b.batch_no, b.written, b.born_at FROM birth.birth_receipt b
            WHERE b.run_id = l.run_id AND b.purpose = k.purpose AND b.epoch = l.epoch
            ORDER BY b.batch_no DESC LIMIT 20) y
    ) x
  ) r ON true
) p;

COMMENT ON VIEW birth.v_birth_run_progress IS
  'Every plan and run: rows, percent, rate, remaining time, people, times, interrupted when its session is gone, head '
  '(the seal of its last receipt), and the next step. Specification: 2, 6.';

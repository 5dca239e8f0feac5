-- Births of the last hour and of the last six hours against the norm. The norm is the median of the same hours on each
-- of the seven days before. A spike is more than five times the norm and more than 1000 births.
-- Only live births count; backfilled births are counted separately, from the receipts.
CREATE OR REPLACE VIEW birth.v_birth_spike AS
SELECT w.label AS window_name, l.births AS live_births, l.counted, n.norm,
       (SELECT coalesce(sum(r.written), 0) FROM birth.birth_receipt r
        WHERE r.purpose = 'APPLY' AND r.born_at >= clock_timestamp() - w.span) AS backfilled_births,
       greatest(1000, 5 * n.norm) AS threshold,
       CASE WHEN l.births > greatest(1000, 5 * n.norm) THEN 'SPIKE' ELSE 'OK' END AS state
FROM (VALUES
  ('last_1h', interval '1 hour', 10000::bigint),
  ('last_6h', interval '6 hours', 10000::bigint)
) AS w(label, span, cap)
CROSS JOIN LATERAL birth.fn_birth_live_births(clock_timestamp() - w.span, clock_timestamp(), w.cap) l
CROSS JOIN LATERAL (
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY d.births::double precision)::numeric AS norm
  FROM generate_series(1, 7) AS day(number)
  CROSS JOIN LATERAL birth.fn_birth_live_births(
    clock_timestamp() - day.number * interval '24 hours' - w.span,
    clock_timestamp() - day.number * interval '24 hours',
    1000) d
) n;

COMMENT ON VIEW birth.v_birth_spike IS
  'Live births of the last hour and of the last six hours against the norm of the seven days before; backfilled births '
  'separately. Specification: 2.';

-- Four reasons for which nobody may apply. While one does not pass, the writer refuses too; here a person sees it
-- before.
CREATE OR REPLACE VIEW birth.v_qt001_apply_runtime_no_go_guard AS
SELECT 'dangerous operations frozen, stage 0 enforced' AS check_name,
       count(*) FILTER (WHERE g.pass IS NOT TRUE)::text || ' of ' || count(*)::text || ' checks fail' AS found,
       '0 of ' || count(*)::text || ' checks fail' AS expected,
       count(*) > 0 AND count(*) FILTER (WHERE g.pass IS NOT TRUE) = 0 AS pass
FROM birth.v_birth_stage0_still_enforced_guard g
UNION ALL
SELECT 'contract intact', format('%s of %s objects block', d.blocking, d.objects),
  format('0 of %s objects block', d.objects), coalesce(d.all_ok, false)
FROM birth.v_birth_gateway_contract_integrity_dashboard d
UNION ALL
-- An open permit that the list of checks does not let a batch spend, or whose run lacks a current verdict, is no use:
-- close it. Permits of the first kind have neither bound nor expiry: none may be open at all.
SELECT 'every open permit is confirmed, unexpired, and stands on a verdict for this contract',
       count(*) FILTER (WHERE NOT p.sound)::text, '0', count(*) FILTER (WHERE NOT p.sound) = 0
FROM (
  SELECT o.confirmed_by IS DISTINCT FROM o.opened_by
         AND NOT EXISTS (SELECT FROM birth.v_birth_verdict_standing v
                         WHERE v.run_id = o.run_id AND v.purpose = o.purpose AND v.reviewed_by = o.opened_by)
         AND NOT EXISTS (SELECT FROM unnest(ARRAY['permit', 'spend']) AS s(scope)
                         CROSS JOIN LATERAL birth.fn_birth_checks(s.scope, l, o.purpose,
                           jsonb_populate_record(l, jsonb_build_object('permit_id', o.permit_id))) c
                         WHERE NOT c.pass) AS sound
  FROM birth.birth_admission_permit_v2 o
  LEFT JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = o.run_id
  WHERE o.status = 'OPEN'
  UNION ALL
  SELECT false AS sound FROM birth.birth_admission_permit f WHERE f.status = 'OPEN'
) p
UNION ALL
-- The CHECK holds this too; here it is held against the receipts, which the run wrote batch by batch.
SELECT 'no false done', count(*)::text, '0', count(*) = 0
FROM birth.birth_backfill_ledger_v2 l
LEFT JOIN LATERAL (
  SELECT coalesce(sum(r.written), 0) AS written, coalesce(sum(r.fingerprint[2]), 0) AS sum_a,
    coalesce(sum(r.fingerprint[3]), 0) AS sum_b
  FROM birth.birth_receipt r WHERE r.run_id = l.run_id AND r.purpose <> 'COMPENSATE'
) r ON true
WHERE l.status = 'done'
  AND (l.actual_inserted <> l.expected_delta OR l.expected_delta = 0
       OR ARRAY[r.written, r.sum_a, r.sum_b] <> l.target_fingerprint OR l.written_fingerprint <> l.target_fingerprint);

COMMENT ON VIEW birth.v_qt001_apply_runtime_no_go_guard IS
  'Guard of apply, four checks: stage 0 enforced, contract intact, open permits sound, no false done. Specification: '
  '2, 6.';

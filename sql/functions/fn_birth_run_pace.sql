-- How a run goes on: the batch size, and how long to pause before the next batch. A pause is given out in slices of a tenth of a second, so that the driver
-- commits between them, holds back no vacuum and hears a stop at once.
-- SECURITY DEFINER: operators read acts and ledger through routines and views only.
-- Returns: one row: batch, rows; pause_slice, seconds (0: write now).
-- Calls: fn_birth_batch_size
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_pace(p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision)
  RETURNS TABLE (batch integer, pause_slice double precision)
  LANGUAGE sql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_pace$
  SELECT birth.fn_birth_batch_size(coalesce((t.detail ->> 'batch')::integer, p_batch), (t.detail ->> 'target_ms')::integer, p_last, p_took_ms),
         CASE WHEN s.stopping THEN 0 ELSE
           greatest(0, least(0.1, coalesce(extract(epoch FROM l.last_batch_at - clock_timestamp()) + (t.detail ->> 'pause_ms')::integer / 1000.0, 0)))
         END::double precision
  FROM (SELECT) AS one
  LEFT JOIN birth.birth_backfill_ledger_v2 l ON l.run_id = p_run_id
  LEFT JOIN LATERAL (
    SELECT a.detail FROM birth.birth_act a
    WHERE a.lineage = l.lineage AND a.run_id = l.run_id AND a.act = 'tune' ORDER BY a.acted_at DESC, a.act_id DESC LIMIT 1) t ON true
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM birth.birth_act a WHERE a.lineage = l.lineage AND a.run_id = l.run_id AND a.act = 'stop' AND a.epoch = l.epoch) AS stopping) s;
$fn_birth_run_pace$;

COMMENT ON FUNCTION birth.fn_birth_run_pace(uuid, integer, integer, double precision) IS
  'Batch size in rows and pause in seconds before the next batch of a run, as last tuned. Called by the drivers. Operator. Specification: 6.';

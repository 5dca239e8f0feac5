-- How a run goes on: how many rows its next batch visits, and how long it pauses before. With a target duration a batch
-- shrinks at once, in proportion to the excess, because live traffic waits already; it grows by the square root of what
-- is left, at most twofold, so that one fast batch brings no slow one. Where the time is linear in the rows it nears
-- the target from one side and never swings. A pause is given out in slices of a tenth of a second, so that the driver
-- commits between them, holds back no vacuum and hears a stop at once. The driver says how many rows its last batch was
-- to visit and how long it took, COMMIT included. PL/pgSQL, because a session keeps its plans from batch to batch.
-- Granted to nobody.
-- Returns: one row: batch, rows: what the operator said last, without a target; with one at most that, from a hundred
-- on, and at most a thousand before anything was measured; pause_slice, seconds (0: write now).
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_pace(
    p_run_id uuid, p_batch integer, p_last integer, p_took_ms double precision)
  RETURNS TABLE (batch integer, pause_slice double precision)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_pace$
DECLARE
  r_pace record;
  v_factor double precision;
BEGIN
  SELECT l.lineage, l.epoch, l.last_batch_at, (t.detail ->> 'batch')::integer AS batch,
         (t.detail ->> 'pause_ms')::integer AS pause_ms, (t.detail ->> 'target_ms')::integer AS target_ms
  INTO r_pace
  FROM birth.birth_backfill_ledger_v2 l
  LEFT JOIN LATERAL (
    SELECT a.detail FROM birth.birth_act a
    WHERE a.lineage = l.lineage AND a.run_id = l.run_id AND a.act = 'tune'
    ORDER BY a.acted_at DESC, a.act_id DESC LIMIT 1) t ON true
  WHERE l.run_id = p_run_id;
  batch := coalesce(r_pace.batch, p_batch);
  IF r_pace.target_ms IS NOT NULL THEN
    v_factor := r_pace.target_ms / greatest(p_took_ms, 0.001);
    batch := least(batch, CASE
      WHEN p_last IS NULL OR p_took_ms IS NULL THEN 1000
      ELSE greatest(100, floor(p_last * CASE WHEN v_factor < 1 THEN v_factor ELSE least(2, sqrt(v_factor)) END))
    END);
  END IF;
  pause_slice := 0;
  IF r_pace.pause_ms > 0 AND NOT EXISTS (
       SELECT FROM birth.birth_act a
       WHERE a.lineage = r_pace.lineage AND a.run_id = p_run_id AND a.act = 'stop' AND a.epoch = r_pace.epoch) THEN
    pause_slice := greatest(0, least(0.1, coalesce(
      extract(epoch FROM r_pace.last_batch_at - clock_timestamp()) + r_pace.pause_ms / 1000.0, 0)));
  END IF;
  RETURN NEXT;
END;
$fn_birth_run_pace$;

COMMENT ON FUNCTION birth.fn_birth_run_pace(uuid, integer, integer, double precision) IS
  'Batch size in rows and pause in seconds before the next batch of a run, as last tuned. Granted to nobody. '
  'Specification: 6.';

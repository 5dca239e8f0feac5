-- Misuse of the writer's arguments: refused before anything is looked at.
-- Returns: nothing; NB102, NB103.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_input(
    p_collection text, p_run_id uuid, p_permit_id bigint, p_expected_delta bigint, p_max_rows bigint, p_batch integer, p_dot_origin text)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_input$
DECLARE
  v_fault text := CASE
    WHEN p_collection IS NULL THEN 'p_collection is required'
    WHEN p_run_id IS NULL THEN 'p_run_id is required'
    WHEN p_permit_id IS NULL THEN 'p_permit_id is required'
    WHEN p_expected_delta IS NULL OR p_expected_delta <= 0 THEN format('p_expected_delta is %s', coalesce(p_expected_delta::text, 'NULL'))
    WHEN p_max_rows IS NULL OR p_max_rows <= 0 THEN format('p_max_rows is %s', coalesce(p_max_rows::text, 'NULL'))
    WHEN p_batch IS NULL OR p_batch <= 0 THEN format('the batch size is %s', coalesce(p_batch::text, 'NULL'))
    WHEN p_dot_origin IS NULL OR p_dot_origin !~ '[^[:space:]]' OR octet_length(p_dot_origin) > 63 THEN format('p_dot_origin is %L', p_dot_origin)
    -- Births of the gateway and births of a run are told apart by it; a rehearsal leaves no birth.
    WHEN upper(btrim(p_dot_origin) COLLATE "C") IN ('QT-002', 'REHEARSAL') THEN format('p_dot_origin is %L, which no run may call itself', p_dot_origin)
  END;
BEGIN
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('bad_argument', v_fault);
  END IF;
  IF NOT EXISTS (SELECT FROM birth.collection_registry c WHERE c.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
END;
$fn_birth_run_input$;

COMMENT ON FUNCTION birth.fn_birth_run_input(text, uuid, bigint, bigint, bigint, integer, text) IS
  'Refuses missing or impossible arguments of a run with NB102, an unknown collection with NB103. Specification: 6.';

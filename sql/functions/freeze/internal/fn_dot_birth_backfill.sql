-- DOT-118, frozen: until stage 0 it wrote births directly. Frozen means that it cannot run, not that it is marked:
-- nothing is left of it.
-- Returns: never; NB403.
-- Calls: fn_birth_raise
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_dot_birth_backfill(p_collection text)
  RETURNS bigint
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_dot_birth_backfill$
BEGIN
  PERFORM birth.fn_birth_raise('dot_dangerous',
    format('dot-birth-backfill (DOT-118) wrote births without permit, bound or proof; called for collection %L',
      p_collection),
    format('plan instead: SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L, p_dry_run := true);',
      p_collection));
  RETURN NULL;
END;
$fn_dot_birth_backfill$;

COMMENT ON FUNCTION birth.fn_dot_birth_backfill(text) IS
  'DOT-118, frozen since stage0: refuses with NB403. Specification: 2, 3.';

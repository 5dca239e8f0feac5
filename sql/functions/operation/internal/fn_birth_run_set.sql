-- What is left now of the set that a run is about. p_run is the run, or a plan that is about to be written: its
-- collection, purpose and seeds are enough.
-- Returns: fresh, the row with the counts of now: planned_rows and planned_fingerprint what is left, target_fingerprint
-- what is left up to target_upper. With p_rows: where the first p_rows of it end (target_upper) and their fingerprint
-- (target_fingerprint). Counts are NULL where nothing could be counted, and 0 where the purpose has none.
-- foreign_codes: up to ten collisions.
-- Calls: fn_birth_purpose
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_run_set(
    p_run birth.birth_backfill_ledger_v2, p_rows bigint DEFAULT NULL, OUT fresh birth.birth_backfill_ledger_v2,
      OUT foreign_codes text[])
  RETURNS record
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_run_set$
DECLARE
  r_purpose record;
  r_set record;
  r_fresh birth.birth_backfill_ledger_v2;
BEGIN
  SELECT * INTO r_purpose FROM birth.fn_birth_purpose(p_run.purpose);
  IF r_purpose.whole IS NOT NULL THEN
    EXECUTE format('SELECT * FROM birth.%I($1, $2)', r_purpose.whole) INTO r_set USING p_run, p_rows;
  ELSE
    EXECUTE format(
      'SELECT c.*, s.visited AS missing, s.fingerprint, s.fingerprint AS range_fingerprint, s.last_key AS upper'
      ' FROM birth.%I($1, NULL, $2) s,'
      ' (VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, NULL::text[]))'
      ' AS c(source_rows, existing_births, orphans, dead, unresolvable, duplicates, collisions, foreign_codes)',
      r_purpose.slice) INTO r_set USING p_run, p_rows;
  END IF;
  r_fresh := p_run;
  r_fresh.source_rows := r_set.source_rows;
  r_fresh.existing_births := r_set.existing_births;
  r_fresh.orphans := r_set.orphans;
  r_fresh.dead := r_set.dead;
  r_fresh.unresolvable := r_set.unresolvable;
  r_fresh.duplicates := r_set.duplicates;
  r_fresh.collisions := r_set.collisions;
  r_fresh.planned_rows := r_set.missing;
  r_fresh.planned_fingerprint := r_set.fingerprint;
  r_fresh.target_fingerprint := CASE WHEN p_rows IS NULL THEN r_set.range_fingerprint ELSE r_set.fingerprint END;
  r_fresh.target_upper := r_set.upper;
  fresh := r_fresh;
  foreign_codes := r_set.foreign_codes;
END;
$fn_birth_run_set$;

COMMENT ON FUNCTION birth.fn_birth_run_set(birth.birth_backfill_ledger_v2, bigint) IS
  'Counts what is left of the set of a plan or run, by its purpose, as a row of the ledger. Specification: 6, R10.';

-- The undoing of DEATH: removes the deaths of a slice, unless one of them was touched; what had died before has
-- returned again.
-- Returns: the fingerprint of the deaths removed; NB313.
-- Calls: fn_birth_refuse, fn_birth_death_fault
-- Writes: birth_death
CREATE OR REPLACE FUNCTION birth.fn_birth_death_undo(p_run birth.birth_backfill_ledger_v2, p_codes text[],
    p_fingerprint numeric[])
  RETURNS numeric[]
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_death_undo$
BEGIN
  PERFORM birth.fn_birth_refuse(birth.fn_birth_death_fault(p_run));
  DELETE FROM birth.birth_death d WHERE d.entity_code = ANY (p_codes) AND d.lives = 1;
  UPDATE birth.birth_death d
  SET returned_at = d.died_at, run_id = NULL, manner = 'DELETE', return_allowed_by = NULL, return_allowed_at = NULL
  WHERE d.entity_code = ANY (p_codes);
  RETURN (SELECT ARRAY[count(*), coalesce(sum(hashtextextended(c.code COLLATE "C", p_run.seed_a)), 0),
                       coalesce(sum(hashtextextended(c.code COLLATE "C", p_run.seed_b)), 0)]
          FROM unnest(p_codes) AS c(code));
END;
$fn_birth_death_undo$;

COMMENT ON FUNCTION birth.fn_birth_death_undo(birth.birth_backfill_ledger_v2, text[], numeric[]) IS
  'The undoing of DEATH: removes the deaths of a slice and returns their fingerprint. NB313. Specification: 5.2.';

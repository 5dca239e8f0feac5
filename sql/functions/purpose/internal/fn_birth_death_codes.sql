-- DEATH: the births of a collection that no living row has and that are not dead, in the order of their codes, behind
-- p_after. All is asked in one statement, which fn_birth_census explains.
-- Returns: one row: rows of the source, visited codes, the codes (p_list), their fingerprint, the last of them; none
-- where the source cannot be read by its identity, which the list of checks explains.
-- Calls: fn_birth_identity_definition, fn_birth_source_grants, fn_birth_scan, fn_birth_life_living
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_death_codes(
    p_run birth.birth_backfill_ledger_v2, p_after text[], p_rows bigint, p_list boolean)
  RETURNS TABLE (source_rows bigint, visited bigint, codes text[], fingerprint numeric[], last_key text[])
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET jit = off
AS $fn_birth_death_codes$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
BEGIN
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_run.collection_name);
  IF r_identity.code_sql IS NULL OR birth.fn_birth_source_grants(p_run.collection_name, 'SELECT') <> '' THEN
    RETURN;
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_run.collection_name;
  RETURN QUERY
  SELECT s.* FROM birth.fn_birth_scan(format($death$
    WITH source AS MATERIALIZED (SELECT %1$s AS code, %2$s AS living FROM %3$s t),
    living AS (SELECT DISTINCT s.code FROM source s WHERE s.living AND s.code IS NOT NULL),
    own AS (SELECT b.entity_code FROM birth.birth_registry b
      WHERE b.collection_name = $1 AND ($4 IS NULL OR b.entity_code > ($4)[1])),
    pair AS MATERIALIZED (SELECT o.entity_code, l.code FROM own o FULL JOIN living l ON l.code = o.entity_code)
    SELECT (SELECT count(*) FROM source), count(*), CASE WHEN %4$L THEN coalesce(array_agg(o.entity_code), '{}') END,
           ARRAY[count(*), coalesce(sum(hashtextextended(o.entity_code, $2)), 0),
             coalesce(sum(hashtextextended(o.entity_code, $3)), 0)],
           CASE WHEN count(*) > 0 THEN ARRAY[max(o.entity_code)] END
    FROM (SELECT p.entity_code FROM pair p LEFT JOIN birth.birth_death d ON d.entity_code = p.entity_code
          WHERE p.entity_code IS NOT NULL AND p.code IS NULL AND (d.entity_code IS NULL OR d.returned_at IS NOT NULL)
          ORDER BY p.entity_code LIMIT $6) o
  $death$, r_identity.code_sql, birth.fn_birth_life_living(r_collection), r_identity.source_sql, p_list),
    p_collection := p_run.collection_name, p_seed_a := p_run.seed_a, p_seed_b := p_run.seed_b, p_after := p_after,
    p_rows := p_rows)
  AS s(source_rows bigint, visited bigint, codes text[], fingerprint numeric[], last_key text[]);
END;
$fn_birth_death_codes$;

COMMENT ON FUNCTION birth.fn_birth_death_codes(birth.birth_backfill_ledger_v2, text[], bigint, boolean) IS
  'Purpose DEATH: the next births without a living row and without an open death: rows of the source, visited, codes, '
  'fingerprint, last code. Specification: 5.2.';

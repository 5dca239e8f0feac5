-- Takes back the registration of a collection that never came to be: without births, runs, gateway and findings, with
-- no act since it was registered, and without a table, or with one that is exempt. Else one steward could take a table
-- out of governance, which needs a transition.
-- The row is locked against every routine that would give it a run or a gateway.
-- SECURITY DEFINER: stewards write the registry only through routines.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_collection_births, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_collection_withdraw(p_collection text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_collection_withdraw$
DECLARE
  r_collection birth.collection_registry;
  v_uses text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_collection_withdraw');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  v_uses := concat_ws(', ',
    CASE WHEN birth.fn_birth_collection_births(p_collection) > 0 THEN 'births' END,
    CASE WHEN EXISTS (SELECT FROM birth.birth_backfill_ledger_v2 l WHERE l.collection_name = p_collection)
           OR EXISTS (SELECT FROM birth.birth_backfill_ledger l WHERE l.collection_name = p_collection)
           OR EXISTS (SELECT FROM birth.birth_admission_permit p WHERE p.collection_name = p_collection)
      THEN 'runs' END,
    CASE WHEN EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection)
      THEN 'a gateway' END,
    CASE WHEN EXISTS (SELECT FROM birth.birth_gateway_finding f WHERE f.collection_name = p_collection)
      THEN 'findings' END,
    CASE WHEN (SELECT count(*) FROM birth.birth_act a WHERE a.collection_name = p_collection
                 AND a.act_id > ALL (SELECT w.act_id FROM birth.birth_act w
                                     WHERE w.collection_name = p_collection AND w.act = 'withdraw')) > 1
      THEN 'acts since it was registered' END,
    CASE WHEN (r_collection.governed OR NOT starts_with(r_collection.coverage_status, 'BIRTH_EXEMPT_'))
           AND EXISTS (SELECT FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                       WHERE n.nspname = r_collection.schema_name AND t.relname = r_collection.table_name)
      THEN 'a table that is not exempt' END);
  IF v_uses <> '' THEN
    PERFORM birth.fn_birth_raise('collection_in_use', format('collection %s has %s', p_collection, v_uses));
  END IF;
  DELETE FROM birth.collection_registry c WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('withdraw', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('table', format('%I.%I', r_collection.schema_name, r_collection.table_name),
      'coverage_status', r_collection.coverage_status, 'governed', r_collection.governed));
  RETURN 'SELECT * FROM birth.v_birth_attention;';
END;
$fn_birth_collection_withdraw$;

COMMENT ON FUNCTION birth.fn_birth_collection_withdraw(text, text) IS
  'Takes back the registration of a collection without births, runs and gateway; returns the next step. Steward. '
  'NB102, NB103, NB110 to NB112, NB120, NB121. Specification: 2, 4.1.';

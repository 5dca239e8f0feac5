-- Drops a collection's gateway triggers. Only the owner of a table can drop its triggers: if birth_definer may not, the
-- answer is the statement for the owner. Rows inserted afterwards have no birth until a backfill.
-- SECURITY DEFINER: stewards write the registry only through routines. It waits two seconds at most for the table's
-- lock.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_detach(p_collection text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '2s'
AS $fn_birth_gateway_detach$
DECLARE
  v_own text;
  v_for_owner text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_detach');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  IF NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection) THEN
    PERFORM birth.fn_birth_raise('gateway_absent', format('collection %s', p_collection));
  END IF;
  SELECT string_agg(d.statement, ' ') FILTER (WHERE d.own),
         coalesce(string_agg(d.statement, ' ') FILTER (WHERE NOT d.own), '')
  INTO v_own, v_for_owner
  FROM (SELECT format('DROP TRIGGER %I ON %s;', g.trigger_name, g.relation::regclass) AS statement,
               pg_has_role('birth_definer', g.owner, 'USAGE') AS own
        FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection) d;
  UPDATE birth.collection_registry c
  SET gateway_mode = 'observe', rule_version = c.rule_version + (c.gateway_mode <> 'observe')::integer
  WHERE c.collection_name = p_collection;
  -- The act comes first: with it on record the drop raises no alert (fn_birth_alerts).
  PERFORM birth.fn_birth_act_record('detach', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('for_owner', v_for_owner));
  IF v_own IS NOT NULL THEN
    EXECUTE v_own;
  END IF;
  RETURN CASE v_for_owner WHEN '' THEN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection)
    ELSE v_for_owner || '  -- by the owner of the table' END;
END;
$fn_birth_gateway_detach$;

COMMENT ON FUNCTION birth.fn_birth_gateway_detach(text, text) IS
  'Drops the gateway triggers of a collection, or returns the statement for the owner of the table; mode becomes '
  'observe. Steward. NB102, NB103, NB110, NB111, NB505. Specification: 5, R16.';

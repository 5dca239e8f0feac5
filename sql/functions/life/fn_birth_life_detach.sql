-- Drops a collection's life triggers, or says the statements for the owner of the table. Rows that end afterwards leave
-- no death until a death run.
-- SECURITY DEFINER: stewards write the registry only through routines. It waits two seconds at most for the table's
-- lock.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_life_detach(p_collection text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '2s'
AS $fn_birth_life_detach$
DECLARE
  v_own text;
  v_for_owner text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_life_detach');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  PERFORM FROM birth.collection_registry c WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  END IF;
  SELECT string_agg(d.statement, ' ') FILTER (WHERE d.own),
         coalesce(string_agg(d.statement, ' ') FILTER (WHERE NOT d.own), '')
  INTO v_own, v_for_owner
  FROM (SELECT format('DROP TRIGGER %I ON %s;', t.trigger_name, t.relation::regclass) AS statement,
               pg_has_role('birth_definer', t.owner, 'USAGE') AS own
        FROM birth.v_birth_life_trigger t WHERE t.collection_name = p_collection) d;
  IF v_own IS NULL AND v_for_owner = '' THEN
    PERFORM birth.fn_birth_raise('life_absent', format('collection %s', p_collection));
  END IF;
  UPDATE birth.collection_registry c
  SET life_mode = 'off', life_column = NULL, life_dead = '{}', life_key = '{}'
  WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('life_detach', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('for_owner', v_for_owner));
  IF v_own IS NOT NULL THEN
    EXECUTE v_own;
  END IF;
  RETURN CASE v_for_owner WHEN '' THEN format('SELECT * FROM birth.fn_birth_census(p_collection := %L);', p_collection)
    ELSE v_for_owner || '  -- by the owner of the table' END;
END;
$fn_birth_life_detach$;

COMMENT ON FUNCTION birth.fn_birth_life_detach(text, text) IS
  'Drops the life triggers of a collection, or returns the statements for the owner of the table; life becomes off. '
  'Steward. NB102, NB103, NB110, NB111, NB519. Specification: 5.2.';

-- Admits a collection: from then on its table takes rows. An exempt one needs its policy, a deferred one its gateway
-- too. A required one is read under a lock that no writer passes: it has no row (QT-003), or each row has its birth now
-- (QT-003R).
-- SECURITY DEFINER: only routines of birth_definer write the registry, and only birth_definer may have a source read.
-- It waits two seconds at most for the table's lock.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_login_id, fn_birth_rule_state, fn_birth_gate_read,
--        fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_gate_admit(p_collection text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '2s'
AS $fn_birth_gate_admit$
DECLARE
  v_rule CONSTANT jsonb := birth.fn_birth_rule_state(p_collection);
  r_collection birth.collection_registry;
  r_found record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gate_admit');
  IF p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', 'p_reason is required');
  END IF;
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM birth.fn_birth_raise('unknown_collection', format('collection %L', p_collection));
  ELSIF r_collection.admitted_at IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('admission_refused',
      format('collection %s was admitted as %s by %s at %s', p_collection, r_collection.admitted_how,
        r_collection.admitted_by, r_collection.admitted_at));
  END IF;
  -- The last of each kind of act, by name and by login (R7); the registry's columns for what was loaded without acts.
  IF EXISTS (
    SELECT FROM unnest(ARRAY['register', 'classify']) AS k(act)
    CROSS JOIN LATERAL (SELECT a.actor, a.actor_id FROM birth.birth_act a
                        WHERE a.collection_name = p_collection AND a.act = k.act
                        ORDER BY a.acted_at DESC LIMIT 1) l
    WHERE l.actor = session_user OR l.actor_id = birth.fn_birth_login_id())
    OR session_user IN (r_collection.registered_by, r_collection.classified_by) THEN
    PERFORM birth.fn_birth_raise('separation_of_duties',
      format('%s registered or classified collection %s', session_user, p_collection),
      'ask another steward to admit it');
  END IF;
  SELECT f.how, f.fault, f.next_step INTO r_found FROM birth.fn_birth_gate_read(r_collection) f;
  IF r_found.fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('admission_refused', format('collection %s: %s', p_collection, r_found.fault),
      r_found.next_step);
  END IF;
  UPDATE birth.collection_registry c
  SET gate_closed = false, admitted_at = clock_timestamp(), admitted_by = session_user, admitted_how = r_found.how,
      gate_relation = (SELECT t.oid FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                       WHERE n.nspname = c.schema_name AND t.relname = c.table_name)
  WHERE c.collection_name = p_collection;
  PERFORM birth.fn_birth_act_record('admit', p_collection := p_collection, p_reason := p_reason,
    p_detail := jsonb_build_object('how', r_found.how, 'closed', r_collection.gate_closed)
      || CASE WHEN r_found.how IN ('EMPTY', 'PROVEN') THEN v_rule || '{"unborn": 0}' ELSE '{}' END);
  RETURN coalesce(
    (SELECT string_agg(format('DROP TRIGGER %I ON %I.%I;  -- by the table''s owner: it has done its work',
                              t.tgname, m.nspname, l.relname), E'\n' ORDER BY l.oid)
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = r_collection.schema_name
     CROSS JOIN LATERAL (SELECT c.oid AS relid UNION SELECT p.relid FROM pg_partition_tree(c.oid) p) f
     JOIN pg_trigger t ON t.tgrelid = f.relid AND t.tgfoid = to_regprocedure('birth.fn_birth_gate_insert()')
     JOIN pg_class l ON l.oid = f.relid
     JOIN pg_namespace m ON m.oid = l.relnamespace
     WHERE c.relname = r_collection.table_name),
    format('SELECT * FROM birth.v_birth_gate WHERE collection_name OPERATOR(pg_catalog.=) %L;', p_collection));
END;
$fn_birth_gate_admit$;

COMMENT ON FUNCTION birth.fn_birth_gate_admit(text, text) IS
  'Admits a collection, by another steward than registered or classified it last; returns the next step. NB102, NB103, '
  'NB110, NB111, NB112, NB209, NB510; 55P03 after two seconds. Specification: 5.1.';

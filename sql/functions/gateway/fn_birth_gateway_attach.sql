-- Creates a collection's gateway trigger. A partitioned table, a partition, and a table that receives logical
-- replication get a row trigger, which PostgreSQL clones; every other table gets a statement trigger, which is faster.
-- It never defines a function. On another table than before an admission does not count any more, and in a schema whose
-- gate enforces the collection is closed if the table is empty. On the same table it stays as it was: a table in use is
-- never closed, and a closed one opens by its admission alone, whatever the scope is now, unless it has rows.
-- SECURITY DEFINER: it uses birth_definer's TRIGGER privilege. It waits two seconds at most for the table's lock.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_identity_definition, fn_birth_source_status, fn_birth_source_grants,
--        fn_birth_replicated_tables, fn_birth_scan, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_gateway_attach(p_collection text, p_mode text DEFAULT 'observe')
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '2s'
AS $fn_birth_gateway_attach$
DECLARE
  v_source text;
  v_step text;
  r_identity record;
  r_collection birth.collection_registry;
  v_grants text;
  v_by_row boolean;
  v_replicated boolean;
  v_by_id boolean;
  v_same boolean;
  v_closing boolean;
  v_closed boolean := false;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gateway_attach');
  IF p_mode IS NULL OR p_mode NOT IN ('observe', 'enforce') THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L is neither observe nor enforce', p_mode));
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  v_source := format('%I.%I', r_collection.schema_name, r_collection.table_name);
  IF r_identity.relation IS NULL OR r_identity.status = 'BLOCKED_SOURCE' THEN
    PERFORM birth.fn_birth_raise('source_missing', r_identity.reason, s.next_step)
    FROM birth.fn_birth_source_status(p_collection, r_collection.schema_name, r_collection.table_name) s;
  END IF;
  IF p_mode = 'enforce' AND starts_with(r_identity.status, 'BLOCKED_') THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible',
      format('collection %s: %s, %s: every insert would be refused', p_collection, r_identity.status,
        r_identity.reason));
  END IF;
  SELECT coalesce(g.repair, (SELECT min(p.repair) FROM birth.v_birth_gateway_gap p
                             WHERE p.collection_name = p_collection),
           format('SELECT birth.fn_birth_gateway_mode(p_collection := %L, p_mode := %L, p_reason := ''...'');'
                  '  -- a steward', p_collection, p_mode)) INTO v_step
  FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection AND g.relation = r_identity.relation;
  IF FOUND THEN
    PERFORM birth.fn_birth_raise('gateway_attached', format('collection %s, table %s', p_collection, v_source), v_step);
  END IF;
  -- PostgreSQL clones the trigger to each partition under its name.
  SELECT format('DROP TRIGGER birth_gateway ON %s;  -- its owner', t.tgrelid::regclass) INTO v_step
  FROM pg_trigger t
  WHERE t.tgname = 'birth_gateway' AND t.tgparentid = 0
    AND t.tgrelid IN (SELECT r_identity.relation UNION SELECT p.relid FROM pg_partition_tree(r_identity.relation) p)
  ORDER BY t.tgrelid LIMIT 1;
  IF FOUND THEN
    PERFORM birth.fn_birth_raise('trigger_in_the_way', format('collection %s, table %s', p_collection, v_source),
      v_step);
  END IF;
  -- An exempt collection may have been admitted before its table was there.
  v_same := coalesce(r_collection.gate_relation = r_identity.relation, r_collection.admitted_at IS NOT NULL);
  v_closing := CASE WHEN v_same THEN r_collection.gate_closed
                    ELSE EXISTS (SELECT FROM birth.birth_gate_scope s
                                 WHERE s.schema_name = r_collection.schema_name AND s.mode = 'enforce') END;
  -- Those for the trigger come last: they may end in a comment.
  v_grants := btrim(CASE WHEN v_closing OR r_collection.birth_code_part
                         THEN birth.fn_birth_source_grants(p_collection, 'SELECT') || ' ' ELSE '' END
                    || birth.fn_birth_source_grants(p_collection, 'TRIGGER'));
  IF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege',
      format('collection %s: privileges are missing for a trigger on %s, or to read its rows', p_collection, v_source),
      'let the owner of the table: ' || v_grants);
  END IF;

  SELECT c.relkind = 'p' OR c.relispartition,
         EXISTS (SELECT FROM birth.fn_birth_replicated_tables(c.oid) r WHERE NOT r.born)
  INTO v_by_row, v_replicated
  FROM pg_class c WHERE c.oid = r_identity.relation;
  v_by_id := NOT v_by_row AND NOT v_replicated AND r_identity.status = 'ELIGIBLE_SYNTHETIC_ID'
             AND r_collection.birth_code_column = 'id';
  EXECUTE format('CREATE TRIGGER birth_gateway AFTER INSERT ON %s %s EXECUTE FUNCTION birth.%I(%L)', v_source,
    CASE WHEN v_by_row OR v_replicated THEN 'FOR EACH ROW'
         ELSE 'REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT' END,
    CASE WHEN v_by_id THEN 'fn_birth_registry_auto_id' ELSE 'fn_birth_registry_auto' END, p_collection);
  IF v_closing THEN
    SELECT NOT s.filled INTO v_closed
    FROM birth.fn_birth_scan(format('SELECT EXISTS (SELECT FROM %s)', v_source)) AS s(filled boolean);
  END IF;
  -- A new version where the mode is as before, too: what found every row born says nothing of the time without gateway.
  UPDATE birth.collection_registry c
  SET gateway_mode = p_mode, rule_version = c.rule_version + 1,
      gateway_owner = (SELECT pg_get_userbyid(t.relowner) FROM pg_class t WHERE t.oid = r_identity.relation),
      gate_closed = v_closed, gate_relation = r_identity.relation,
      admitted_at = CASE WHEN v_same THEN c.admitted_at END, admitted_by = CASE WHEN v_same THEN c.admitted_by END,
      admitted_how = CASE WHEN v_same THEN c.admitted_how END
  WHERE c.collection_name = p_collection
  RETURNING c.rule_version INTO r_collection.rule_version;
  -- CREATE TRIGGER waits for every open writer of the table, so mode and rule hold at once: this act is a fence too.
  PERFORM birth.fn_birth_act_record('attach', p_collection := p_collection,
    p_detail := jsonb_build_object('mode', p_mode, 'rule_version', r_collection.rule_version,
      'closed', v_closed));
  RETURN CASE WHEN v_closed
    THEN format('SELECT birth.fn_birth_gate_admit(p_collection := %L, p_reason := ''...'');'
                '  -- another steward than registered or classified it', p_collection)
    WHEN v_replicated
    THEN format('ALTER TABLE %s ENABLE ALWAYS TRIGGER birth_gateway;'
                '  -- by the table''s owner: replicated rows fire no other trigger', v_source)
    ELSE format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L);', p_collection) END;
END;
$fn_birth_gateway_attach$;

COMMENT ON FUNCTION birth.fn_birth_gateway_attach(text, text) IS
  'Creates the gateway trigger of a collection in mode observe or enforce, and closes the collection if the gate says '
  'so; returns the next step. Steward. NB102, NB103, NB105, NB110, NB111, NB114, NB115, NB504, NB523; 55P03 after two '
  'seconds. Specification: 5, 5.1.';

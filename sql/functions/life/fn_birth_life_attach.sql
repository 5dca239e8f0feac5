-- Creates a collection's life triggers: from then on the ends of its rows are recorded. The identity has to be told
-- apart by its key, or looking for a living row by key would be wrong. A partitioned table gets row triggers, which
-- PostgreSQL clones, and a trigger on TRUNCATE for each partition, which it does not. A table that receives logical
-- replication takes observe alone: a refusal would stop the subscription.
-- SECURITY DEFINER: it uses birth_definer's TRIGGER privilege. It waits two seconds at most for the table's lock.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_identity_definition, fn_birth_source_grants,
--        fn_birth_replicated_tables, fn_birth_identity_code, fn_birth_type_text, fn_birth_life_column,
--        fn_birth_life_shape, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_life_attach(
    p_collection text, p_mode text DEFAULT 'observe', p_column text DEFAULT NULL, p_dead text[] DEFAULT '{}')
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  SET lock_timeout = '2s'
AS $fn_birth_life_attach$
DECLARE
  r_identity record;
  r_collection birth.collection_registry;
  r_table record;
  v_column text;
  v_fault text;
  v_grants text;
  v_step text;
  v_changed text;
  v_args text;
  v_leaf oid;
  v_key text[];
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_life_attach');
  IF p_mode IS NULL OR p_mode NOT IN ('observe', 'enforce')
     OR p_dead IS NULL OR array_position(p_dead, NULL) IS NOT NULL OR (p_column IS NULL) <> (p_dead = '{}') THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_column %L, p_dead %L', p_mode, p_column, p_dead),
      'the mode is observe or enforce; p_column and the values in p_dead that mean dead belong together');
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(p_collection);
  SELECT c.* INTO r_collection FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  IF r_identity.relation IS NULL THEN
    PERFORM birth.fn_birth_raise('source_missing', r_identity.reason);
  ELSIF r_identity.code_sql IS NULL OR r_identity.code_sql IS DISTINCT FROM r_collection.birth_code_sql THEN
    PERFORM birth.fn_birth_raise('identity_not_eligible', format('collection %s: %s, %s', p_collection,
      r_identity.status, r_identity.reason));
  ELSIF EXISTS (SELECT FROM birth.v_birth_life_trigger t
                WHERE t.collection_name = p_collection AND t.relation = r_identity.relation) THEN
    PERFORM birth.fn_birth_raise('life_attached', format('collection %s', p_collection));
  END IF;
  SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'p' OR c.relispartition AS by_row,
         EXISTS (SELECT FROM birth.fn_birth_replicated_tables(c.oid)) AS replicated,
         c.relrowsecurity AND NOT (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = 'birth_scanner') AS hidden
  INTO r_table
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = r_identity.relation;
  IF p_column IS NOT NULL THEN
    v_column := birth.fn_birth_life_column(r_identity.relation, p_column, p_dead);
  END IF;
  -- Where the identity is a part of the table's key, it is the key of the code if the code tells it.
  v_key := CASE
    WHEN r_identity.codes_distinct THEN r_identity.key_columns
    WHEN NOT r_identity.key_columns <@ r_identity.columns
         AND r_identity.columns <@ (birth.fn_birth_identity_code(r_collection, r_identity.relation)).told
      THEN r_identity.columns END;
  v_fault := CASE
    WHEN v_key IS NULL
      THEN format('two rows with different keys (%s) can have one code', array_to_string(r_identity.key_columns, ', '))
    WHEN v_column IS NOT NULL THEN v_column
    WHEN r_table.hidden
      THEN format('row level security of %s would hide rows from birth_scanner', r_table.name)
    WHEN r_table.replicated AND p_mode = 'enforce' THEN 'a refusal would stop the subscription: observe alone'
    WHEN NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                     WHERE g.collection_name = p_collection AND g.relation = r_identity.relation AND g.enabled)
      THEN 'the collection has no enabled gateway, which tells when a code comes back' END;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('life_refused', format('collection %s: %s', p_collection, v_fault),
      CASE WHEN r_table.hidden THEN 'ALTER ROLE birth_scanner BYPASSRLS;  -- a superuser' END);
  END IF;
  v_grants := birth.fn_birth_source_grants(p_collection, 'SELECT')
              || birth.fn_birth_source_grants(p_collection, 'TRIGGER');
  IF v_grants <> '' THEN
    PERFORM birth.fn_birth_raise('source_privilege', format('collection %s: %s', p_collection, r_table.name),
      'let the owner of the table: ' || v_grants);
  END IF;
  SELECT format('DROP TRIGGER %I ON %s;  -- its owner', t.tgname, t.tgrelid::regclass) INTO v_step
  FROM pg_trigger t
  WHERE t.tgname IN ('birth_life_delete', 'birth_life_update', 'birth_life_insert', 'birth_life_truncate')
    AND t.tgparentid = 0
    AND t.tgrelid IN (SELECT r_identity.relation UNION SELECT p.relid FROM pg_partition_tree(r_identity.relation) p)
  ORDER BY t.tgrelid, t.tgname LIMIT 1;
  IF FOUND THEN
    PERFORM birth.fn_birth_raise('trigger_in_the_way', format('collection %s, table %s', p_collection, r_table.name),
      v_step);
  END IF;

  UPDATE birth.collection_registry c
  SET life_mode = p_mode, life_column = p_column, life_dead = p_dead, life_key = v_key
  WHERE c.collection_name = p_collection
  RETURNING c.* INTO r_collection;
  v_args := format('%L, %L', p_collection, birth.fn_birth_life_shape(r_collection));
  SELECT string_agg(format('%s COLLATE "C" IS DISTINCT FROM %s COLLATE "C"',
           format(n.text_sql, format('OLD.%I', n.name)), format(n.text_sql, format('NEW.%I', n.name))), ' OR ')
  INTO v_changed
  FROM (SELECT a.attname AS name, y.text_sql
        FROM pg_attribute a CROSS JOIN LATERAL birth.fn_birth_type_text(a.atttypid) y
        WHERE a.attrelid = r_identity.relation AND a.attname = ANY (r_collection.birth_code_columns::name[])
        UNION
        SELECT p_column::name, '%1$s::text' WHERE p_column IS NOT NULL) n;
  EXECUTE format('CREATE TRIGGER birth_life_delete AFTER DELETE ON %s %s EXECUTE FUNCTION birth.fn_birth_life_auto(%s)',
    r_table.name, CASE WHEN r_table.by_row OR r_table.replicated THEN 'FOR EACH ROW'
      ELSE 'REFERENCING OLD TABLE AS birth_old_rows FOR EACH STATEMENT' END, v_args);
  EXECUTE format('CREATE TRIGGER birth_life_update AFTER UPDATE ON %s FOR EACH ROW WHEN (%s)'
    ' EXECUTE FUNCTION birth.fn_birth_life_auto(%s)', r_table.name, v_changed, v_args);
  IF p_column IS NOT NULL THEN
    -- After the gateway's, by its name.
    EXECUTE format('CREATE TRIGGER birth_life_insert AFTER INSERT ON %s %s'
      ' EXECUTE FUNCTION birth.fn_birth_life_auto(%s)',
      r_table.name, CASE WHEN r_table.by_row OR r_table.replicated THEN 'FOR EACH ROW'
        ELSE 'REFERENCING NEW TABLE AS birth_new_rows FOR EACH STATEMENT' END, v_args);
  END IF;
  FOR v_leaf IN SELECT p.relid FROM pg_partition_tree(r_identity.relation) p WHERE p.isleaf
                UNION SELECT r_identity.relation WHERE NOT EXISTS (SELECT FROM pg_partition_tree(r_identity.relation))
  LOOP
    EXECUTE format('CREATE TRIGGER birth_life_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT'
      ' EXECUTE FUNCTION birth.fn_birth_life_auto(%s)', v_leaf::regclass, v_args);
  END LOOP;
  PERFORM birth.fn_birth_act_record('life_attach', p_collection := p_collection,
    p_detail := jsonb_build_object('mode', p_mode, 'column', p_column, 'dead', p_dead));
  RETURN CASE WHEN r_table.replicated
    THEN (SELECT string_agg(format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', t.relation::regclass,
                              t.trigger_name), ' ')
          FROM birth.v_birth_life_trigger t WHERE t.collection_name = p_collection)
         || '  -- by the table''s owner: replicated rows fire no other trigger'
    ELSE format('SELECT * FROM birth.fn_dot_birth_qt006_plan(p_collection := %L);'
                '  -- an operator: what ended before', p_collection) END;
END;
$fn_birth_life_attach$;

COMMENT ON FUNCTION birth.fn_birth_life_attach(text, text, text, text[]) IS
  'Creates the life triggers of a collection in mode observe or enforce, with the column and values by which rows '
  'retire; returns the next step. Steward. NB102, NB103, NB105, NB110, NB111, NB114, NB115, NB518, NB520, '
  'NB523; 55P03 after two seconds. Specification: 5.2.';

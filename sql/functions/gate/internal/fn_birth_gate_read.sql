-- On what a collection could be admitted now. A required one is read while its table is locked against writers. The
-- lock is that of CREATE TRIGGER, which birth_definer may send (LOCK TABLE it may not): SHARE ROW EXCLUSIVE, on every
-- partition too. The trigger is rolled back, and the lock with it. That is soon enough: a row that comes after has its
-- birth by the gateway, which was enabled under the lock, or is refused while the collection is closed.
-- Returns: one row: how; or fault and the next step.
-- Calls: fn_birth_identity_definition, fn_birth_source_grants, fn_birth_scan, fn_birth_measure
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_gate_read(
    p_collection birth.collection_registry, OUT how text, OUT fault text, OUT next_step text)
  LANGUAGE plpgsql
  VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gate_read$
DECLARE
  v_name CONSTANT text := p_collection.collection_name;
  v_source CONSTANT text := format('%I.%I', p_collection.schema_name, p_collection.table_name);
  -- Those for the trigger come last: they may end in a comment.
  v_grants CONSTANT text := btrim(birth.fn_birth_source_grants(v_name, 'SELECT') || ' '
                                  || birth.fn_birth_source_grants(v_name, 'TRIGGER'));
  r_identity record;
  r_count record;
  v_filled boolean;
  v_read boolean := false;
BEGIN
  IF starts_with(p_collection.coverage_status, 'BIRTH_EXEMPT_') THEN
    how := 'EXEMPT';
    RETURN;
  END IF;
  SELECT * INTO r_identity FROM birth.fn_birth_identity_definition(v_name);
  next_step := format('SELECT birth.fn_birth_gateway_attach(p_collection := %L, p_mode := %L);  -- a steward', v_name,
                      CASE p_collection.coverage_status WHEN 'BIRTH_REQUIRED' THEN 'enforce' ELSE 'observe' END);
  fault := CASE
    WHEN NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                     WHERE g.collection_name = v_name AND g.relation = r_identity.relation AND g.enabled)
      THEN format('no enabled gateway on %s', v_source)
    WHEN EXISTS (SELECT FROM birth.v_birth_gateway_gap g WHERE g.collection_name = v_name)
      THEN format('no gateway on partition %s', (SELECT min(g.partition::text) FROM birth.v_birth_gateway_gap g
                                                 WHERE g.collection_name = v_name)) END;
  IF fault IS NOT NULL THEN
    RETURN;
  ELSIF p_collection.coverage_status <> 'BIRTH_REQUIRED' THEN
    how := 'DEFERRED';
    RETURN;
  ELSIF r_identity.code_sql IS NULL THEN
    fault := format('its identity is %s: %s', r_identity.status, r_identity.reason);
    next_step := format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);',
                        p_collection.schema_name, p_collection.table_name);
    RETURN;
  ELSIF v_grants <> '' THEN
    fault := format('privileges are missing to lock and read %s', v_source);
    next_step := 'let the owner of the table: ' || v_grants;
    RETURN;
  END IF;

  BEGIN
    -- By a name that no trigger of the owner's has.
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE INSERT ON %s FOR EACH %s EXECUTE FUNCTION birth.fn_birth_gate_insert()',
      'birth_' || gen_random_uuid(), v_source, (SELECT CASE c.relkind WHEN 'p' THEN 'ROW' ELSE 'STATEMENT' END
                 FROM pg_class c WHERE c.oid = r_identity.relation));
    -- What was disabled while it waited for the lock.
    IF NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g
                   WHERE g.collection_name = v_name AND g.relation = r_identity.relation AND g.enabled)
       OR EXISTS (SELECT FROM birth.v_birth_gateway_gap g WHERE g.collection_name = v_name) THEN
      fault := format('no enabled gateway on %s, or on a partition of it', v_source);
    ELSE
      SELECT s.filled INTO v_filled
      FROM birth.fn_birth_scan(format('SELECT EXISTS (SELECT FROM %s)', r_identity.source_sql)) AS s(filled boolean);
      IF v_filled THEN
        SELECT m.* INTO r_count FROM birth.fn_birth_measure(v_name, 0, 0) m;
      END IF;
    END IF;
    v_read := true;
    RAISE EXCEPTION 'the lock is released';
  EXCEPTION WHEN raise_exception THEN
    IF NOT v_read THEN
      RAISE;
    END IF;
  END;
  IF fault IS NOT NULL THEN
    RETURN;
  ELSIF NOT v_filled THEN
    how := 'EMPTY';
  ELSIF (r_count.missing, r_count.duplicates, r_count.collisions, r_count.unresolvable, r_count.orphans)
        = (0, 0, 0, 0, 0) THEN
    how := 'PROVEN';
  ELSE
    fault := format('of %s rows %s have no birth, %s no code, %s the code of another row, %s the code of another '
      'collection; %s births have no row', r_count.source_rows, r_count.missing, r_count.unresolvable,
      r_count.duplicates, r_count.collisions, r_count.orphans);
    next_step := format('SELECT * FROM birth.fn_dot_birth_qt001_plan(p_collection := %L);'
                        '  -- an operator; when its run is done, admit again', v_name);
  END IF;
END;
$fn_birth_gate_read$;

COMMENT ON FUNCTION birth.fn_birth_gate_read(birth.collection_registry) IS
  'On what a collection could be admitted now: how (EMPTY, PROVEN, EXEMPT, DEFERRED), or fault and next step. '
  'Specification: 5.1.';

-- Enters a collection, or corrects its table. The policy of a known one changes by a governance transition alone; and
-- the table of a required one, or of one with births, only to where its own gateway stands, after a rename or a move.
-- Refused while a run of the collection is open. A table whose rows birthdb cannot read may be registered as exempt.
-- Another table withdraws an admission.
-- SECURITY DEFINER: stewards write the registry only through routines.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_source_status, fn_birth_open_run, fn_birth_act_record
-- Writes: collection_registry
CREATE OR REPLACE FUNCTION birth.fn_birth_collection_register(
    p_collection text, p_schema text, p_table text, p_coverage_status text, p_governed boolean DEFAULT false)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_collection_register$
DECLARE
  v_fault text;
  v_known boolean;
  v_same boolean;
  r_before birth.collection_registry;
  r_source record;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_collection_register');
  IF p_collection IS NULL OR btrim(p_collection) = '' OR octet_length(p_collection) > 63
     OR p_schema IS NULL OR p_table IS NULL
     OR greatest(octet_length(p_schema), octet_length(p_table)) > 63 OR p_governed IS NULL
     OR coalesce(p_coverage_status, '') !~ '^BIRTH_(REQUIRED|DEFERRED_NEEDS_REVIEW|EXEMPT_[A-Z0-9_]+)$' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('collection %L, table %L.%L, coverage status %L, governed %L',
      p_collection, p_schema, p_table, p_coverage_status, p_governed),
      'the names have 1 to 63 bytes; the coverage status is BIRTH_REQUIRED, BIRTH_DEFERRED_NEEDS_REVIEW '
      'or BIRTH_EXEMPT_<REASON>');
  END IF;
  SELECT c.collection_name INTO v_fault FROM birth.collection_registry c
  WHERE c.schema_name = p_schema AND c.table_name = p_table AND c.collection_name <> p_collection;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('source_claimed',
      format('table %I.%I belongs to collection %s', p_schema, p_table, v_fault));
  END IF;
  -- A table that does not exist yet may be registered; one that can never be a source may not.
  SELECT * INTO r_source FROM birth.fn_birth_source_status(p_collection, p_schema::name, p_table::name);
  IF r_source.status = 'BLOCKED_SOURCE'
     AND NOT (r_source.exemptible AND starts_with(p_coverage_status, 'BIRTH_EXEMPT_')) THEN
    PERFORM birth.fn_birth_raise('source_missing', r_source.reason, r_source.next_step);
  END IF;
  SELECT min(g.collection_name) INTO v_fault
  FROM birth.v_birth_gateway_trigger g JOIN birth.collection_registry c ON c.collection_name = g.collection_name
  WHERE g.relation = r_source.relation AND g.collection_name <> p_collection;
  IF v_fault IS NOT NULL THEN
    PERFORM birth.fn_birth_raise('source_claimed',
      format('table %I.%I has the gateway of collection %s', p_schema, p_table, v_fault));
  END IF;
  SELECT c.* INTO r_before FROM birth.collection_registry c
  WHERE c.collection_name = p_collection FOR NO KEY UPDATE;
  v_known := FOUND;
  PERFORM birth.fn_birth_open_run(p_collection);
  IF v_known AND (r_before.coverage_status, r_before.governed) <> (p_coverage_status, p_governed) THEN
    PERFORM birth.fn_birth_raise('transition_required',
      format('collection %s is %s, governed %s', p_collection, r_before.coverage_status, r_before.governed),
      format('SELECT * FROM birth.fn_dot_birth_qt005_plan(p_collection := %L, p_to_status := %L, p_to_governed := %L);'
             '  -- an operator', p_collection, p_coverage_status, p_governed));
  ELSIF v_known AND (r_before.schema_name, r_before.table_name) <> (p_schema::name, p_table::name)
    AND (r_before.coverage_status = 'BIRTH_REQUIRED'
         OR EXISTS (SELECT FROM birth.birth_registry b WHERE b.collection_name = p_collection))
    AND (r_source.relation = (
      -- Of several that have its gateway, the one that got it last; a restored copy has other OIDs.
      SELECT g.relation FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = p_collection
      ORDER BY (g.relation = r_before.gate_relation) IS TRUE DESC, g.relation = r_source.relation DESC
      LIMIT 1)) IS NOT TRUE THEN
    PERFORM birth.fn_birth_raise('transition_required',
      format('collection %s is required or has births, and %I.%I is not the table that got its gateway last',
        p_collection, p_schema, p_table),
      'register where its gateway stands, see birth.v_birth_gateway_trigger; another table is another collection');
  END IF;
  -- The table is the same under its old name, and under the name to which it was renamed.
  v_same := ((r_before.schema_name, r_before.table_name) = (p_schema::name, p_table::name)
             OR r_before.gate_relation = r_source.relation) IS TRUE;

  BEGIN
    -- Not ON CONFLICT DO UPDATE: it locks the row as if its key changed, and a gateway that records a finding would
    -- wait.
    UPDATE birth.collection_registry c
    SET schema_name = p_schema, table_name = p_table,
        admitted_at = CASE WHEN v_same THEN c.admitted_at END, admitted_by = CASE WHEN v_same THEN c.admitted_by END,
        admitted_how = CASE WHEN v_same THEN c.admitted_how END
    WHERE c.collection_name = p_collection;
    IF NOT FOUND THEN
      INSERT INTO birth.collection_registry (collection_name, schema_name, table_name, coverage_status, governed)
      VALUES (p_collection, p_schema, p_table, p_coverage_status, p_governed);
    END IF;
  EXCEPTION WHEN unique_violation THEN
    PERFORM birth.fn_birth_raise('source_claimed',
      format('table %I.%I was registered by another session just now', p_schema, p_table));
  END;
  PERFORM birth.fn_birth_act_record('register', p_collection := p_collection,
    p_detail := jsonb_build_object('table', format('%I.%I', p_schema, p_table), 'coverage_status', p_coverage_status,
      'governed', p_governed));
  RETURN format('SELECT * FROM birth.fn_birth_identity_propose(p_schema := %L, p_table := %L);', p_schema, p_table);
END;
$fn_birth_collection_register$;

COMMENT ON FUNCTION birth.fn_birth_collection_register(text, text, text, text, boolean) IS
  'Enters a collection or corrects its table; returns the next step. Steward. NB102, NB110 to NB112, NB114, NB116, '
  'NB117, NB506. Specification: 2, 4, 4.1.';

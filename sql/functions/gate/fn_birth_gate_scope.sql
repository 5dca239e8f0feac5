-- Brings a schema under the gate, changes how, or takes it out (p_mode NULL). A table that is there already is neither
-- closed nor opened by that. enforce is refused while a table of the schema is unknown.
-- SECURITY DEFINER: only routines of birth_definer write the scope.
-- Returns: the next step.
-- Calls: fn_birth_actor, fn_birth_raise, fn_birth_act_record
-- Writes: birth_gate_scope
CREATE OR REPLACE FUNCTION birth.fn_birth_gate_scope(p_schema text, p_mode text, p_reason text)
  RETURNS text
  LANGUAGE plpgsql
  VOLATILE
  SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_gate_scope$
DECLARE
  v_before text;
  v_unknown text;
BEGIN
  PERFORM birth.fn_birth_actor('birth_steward', 'fn_birth_gate_scope');
  IF p_mode NOT IN ('observe', 'enforce') OR p_reason IS NULL OR p_reason !~ '[^[:space:]]' THEN
    PERFORM birth.fn_birth_raise('bad_argument', format('p_mode %L, p_reason %L', p_mode, p_reason),
      'the mode is observe or enforce, or NULL to take the schema out; and a reason is required');
  END IF;
  SELECT s.mode INTO v_before FROM birth.birth_gate_scope s WHERE s.schema_name = p_schema;
  IF p_mode IS NULL THEN
    DELETE FROM birth.birth_gate_scope s WHERE s.schema_name = p_schema;
    IF NOT FOUND THEN
      PERFORM birth.fn_birth_raise('bad_argument', format('schema %L is not under the gate', p_schema),
        'SELECT * FROM birth.birth_gate_scope;');
    END IF;
  ELSE
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = p_schema AND n.nspname !~ '^pg_'
                   AND n.nspname NOT IN ('information_schema', 'birth', 'birth_guard')) THEN
      PERFORM birth.fn_birth_raise('bad_argument',
        format('schema %L does not exist, or is no schema of the application', p_schema),
        'name a schema that holds tables of the application');
    END IF;
    INSERT INTO birth.birth_gate_scope AS s (schema_name, mode, reason) VALUES (p_schema, p_mode, p_reason)
    ON CONFLICT (schema_name) DO UPDATE
    SET mode = excluded.mode, since = excluded.since, set_by = excluded.set_by, reason = excluded.reason;
    IF p_mode = 'enforce' THEN
      SELECT string_agg(format('%I.%I: %s', g.schema_name, g.table_name, g.next_step), E'\n' ORDER BY g.table_name)
      INTO v_unknown FROM birth.v_birth_gate g WHERE g.schema_name = p_schema AND g.state = 'UNKNOWN';
      IF v_unknown IS NOT NULL THEN
        PERFORM birth.fn_birth_raise('table_ungated', v_unknown,
          'register each table in the detail, then send this statement again');
      END IF;
    END IF;
  END IF;
  PERFORM birth.fn_birth_act_record('gate_scope', p_reason := p_reason,
    p_detail := jsonb_build_object('schema', p_schema, 'mode', p_mode, 'before', v_before));
  RETURN CASE WHEN p_mode IS NULL THEN 'SELECT * FROM birth.birth_gate_scope;'
    ELSE format('SELECT * FROM birth.v_birth_gate WHERE schema_name OPERATOR(pg_catalog.=) %L;', p_schema) END;
END;
$fn_birth_gate_scope$;

COMMENT ON FUNCTION birth.fn_birth_gate_scope(text, text, text) IS
  'Brings a schema under the gate in mode observe or enforce, or takes it out (NULL); returns the next step. Steward. '
  'NB102, NB110, NB111, NB112; NB509 names the tables that nobody registered. Specification: 5.1.';

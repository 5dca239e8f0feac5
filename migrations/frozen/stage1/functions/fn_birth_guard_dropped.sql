-- What the command that is ending dropped of the contract, and which gateway trigger, for the event trigger on sql_drop. Dropping what the contract
-- does not know repairs; so does dropping an overload, after which the routine is still there. A gateway that a steward detached first may go.
-- Returns: one row a finding: whether it is stopped, the object, what is known.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_guard_dropped()
  RETURNS TABLE (stopped boolean, object text, detail text)
  LANGUAGE plpgsql
  VOLATILE
  ROWS 1
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_guard_dropped$
DECLARE
  r_dropped record;
BEGIN
  FOR r_dropped IN
    SELECT d.object_type AS type, d.object_identity AS identity, d.address_names AS names
    FROM pg_event_trigger_dropped_objects() d
    WHERE NOT d.is_temporary AND (d.address_names[1] = 'birth' OR d.object_type = 'trigger')
  LOOP
    IF r_dropped.names[1] = 'birth' THEN
      RETURN QUERY
      SELECT true, format('%s %s', r.kind, r.object), format('%s %s dropped', r_dropped.type, r_dropped.identity)
      FROM birth.v_birth_contract_recorded r
      WHERE CASE
        WHEN r.kind IN ('gateway', 'function', 'procedure')
          THEN r_dropped.type IN ('function', 'procedure') AND split_part(r.object, '(', 1) = r_dropped.names[2] AND to_regprocedure('birth.' || r.object) IS NULL
        WHEN r.kind IN ('table', 'view', 'index') THEN r_dropped.type = r.kind AND r.object = quote_ident(r_dropped.names[2])
        WHEN r.kind = 'constraint' THEN r_dropped.type = 'table constraint' AND r.object = format('%I.%I', r_dropped.names[2], r_dropped.names[3])
        ELSE r_dropped.type = r.kind AND r.object = format('%I.%I', r_dropped.names[2], r_dropped.names[3])
      END;
    ELSE
      RETURN QUERY
      SELECT false, r_dropped.identity, format('trigger %s of collection %s dropped, without a gateway now', r_dropped.names[3], c.collection_name)
      FROM birth.collection_registry c
      LEFT JOIN LATERAL (
        SELECT a.act FROM birth.birth_act a
        WHERE a.collection_name = c.collection_name AND a.act IN ('attach', 'detach') ORDER BY a.acted_at DESC LIMIT 1
      ) l ON true
      WHERE c.schema_name = r_dropped.names[1] AND c.table_name = r_dropped.names[2]
        AND (l.act = 'attach' OR l.act IS NULL AND r_dropped.names[3] = 'birth_gateway')
        AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.collection_name = c.collection_name AND g.enabled);
    END IF;
  END LOOP;
END;
$fn_birth_guard_dropped$;

COMMENT ON FUNCTION birth.fn_birth_guard_dropped() IS
  'Inside an event trigger on sql_drop: what was dropped of the contract (stopped), and gateway triggers (recorded). Specification: 7.';

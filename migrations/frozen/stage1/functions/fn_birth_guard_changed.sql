-- What the command that has just ended did to objects of the contract and to the gateway's triggers, for the event trigger on ddl_command_end.
-- Stopped is what redefines an object of the contract, or puts something on one of its tables that acts or forbids. Recorded is everything else
-- that is made or altered in schema birth, and a gateway trigger that no longer fires: its table is its owner's. Comments, labels and REINDEX
-- change nothing. What belongs to birth_definer outside the schema can only have come out of it.
-- Returns: one row a finding: whether it is stopped, the object, what is known.
-- Calls: fn_birth_guard_privileges, fn_birth_guard_source, fn_birth_guard_tracked
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_guard_changed()
  RETURNS TABLE (stopped boolean, object text, detail text)
  LANGUAGE plpgsql
  VOLATILE
  ROWS 1
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
AS $fn_birth_guard_changed$
DECLARE
  v_schema CONSTANT oid := to_regnamespace('birth');
  v_definer CONSTANT oid := to_regrole('birth_definer');
  r_command record;
  v_tracked text;
BEGIN
  -- One statement for what is not ours, because every DDL of the database comes by here.
  FOR r_command IN
    SELECT c.classid, c.objid, c.command_tag AS tag, c.object_type AS type, c.object_identity AS identity, c.schema_name AS schema,
           coalesce(i.inhparent, t.relation) AS relation,
           c.schema_name IS NOT DISTINCT FROM 'birth' OR c.classid = 'pg_namespace'::regclass AND c.objid = v_schema
             OR i.inhparent IS NOT NULL OR r.relnamespace = v_schema OR r.relowner = v_definer
             OR c.classid = 'pg_proc'::regclass AND (SELECT p.proowner FROM pg_proc p WHERE p.oid = c.objid) = v_definer AS ours
    FROM pg_event_trigger_ddl_commands() c
    CROSS JOIN LATERAL (
      -- The table that an index, a trigger, a rule, a constraint or a policy is on, else the relation itself.
      SELECT CASE c.classid
        WHEN 'pg_class'::regclass THEN coalesce((SELECT x.indrelid FROM pg_index x WHERE x.indexrelid = c.objid), c.objid)
        WHEN 'pg_trigger'::regclass THEN (SELECT g.tgrelid FROM pg_trigger g WHERE g.oid = c.objid)
        WHEN 'pg_rewrite'::regclass THEN (SELECT w.ev_class FROM pg_rewrite w WHERE w.oid = c.objid)
        WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = c.objid)
        WHEN 'pg_policy'::regclass THEN (SELECT l.polrelid FROM pg_policy l WHERE l.oid = c.objid)
      END AS relation
    ) t
    LEFT JOIN pg_class r ON r.oid = t.relation
    -- A child of one of our tables becomes part of it; a parent is a way into it.
    LEFT JOIN LATERAL (
      SELECT h.inhparent FROM pg_inherits h JOIN pg_class m ON m.oid = h.inhparent WHERE h.inhrelid = t.relation AND m.relnamespace = v_schema
      UNION ALL
      SELECT h.inhrelid FROM pg_inherits h JOIN pg_class m ON m.oid = h.inhrelid WHERE h.inhparent = t.relation AND m.relnamespace = v_schema
      LIMIT 1
    ) i ON true
    WHERE c.command_tag NOT IN ('COMMENT', 'SECURITY LABEL', 'REINDEX')
  LOOP
    IF r_command.classid IS NULL THEN
      RETURN QUERY SELECT p.stopped, p.object, p.detail FROM birth.fn_birth_guard_privileges() p;
      CONTINUE;
    ELSIF NOT coalesce(r_command.ours, false) THEN
      IF r_command.tag IN ('ALTER TABLE', 'CREATE TRIGGER', 'ALTER TRIGGER') THEN
        RETURN QUERY SELECT false, r_command.identity, s.detail FROM birth.fn_birth_guard_source(r_command.relation) AS s(detail) WHERE s.detail IS NOT NULL;
      END IF;
      CONTINUE;
    END IF;
    -- A new index over columns only makes reading faster, and redefines nothing.
    IF r_command.tag = 'CREATE INDEX' AND NOT (SELECT x.indisunique OR x.indexprs IS NOT NULL OR x.indpred IS NOT NULL FROM pg_index x WHERE x.indexrelid = r_command.objid) THEN
      r_command.relation := NULL;
    END IF;
    v_tracked := birth.fn_birth_guard_tracked(r_command.classid, r_command.objid, r_command.relation, r_command.tag LIKE 'ALTER %');
    RETURN QUERY SELECT v_tracked IS NOT NULL, coalesce(v_tracked, r_command.identity), format('%s %s', r_command.type, r_command.identity)
    WHERE v_tracked IS NOT NULL OR r_command.schema = 'birth';
  END LOOP;
END;
$fn_birth_guard_changed$;

COMMENT ON FUNCTION birth.fn_birth_guard_changed() IS
  'Inside an event trigger on ddl_command_end: what the command changed of the contract (stopped) or beside it (recorded). Specification: 7.';

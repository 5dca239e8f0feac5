-- Every alert: the rows of trigger_guard_alerts and of birth_guard.alert, which the optional event triggers fill
-- (sql/optional). Those triggers belong to a superuser and read no table of ours. So this routine decides what only our
-- records know: a dropped gateway is an alert unless a steward had detached it; a dropped partition is none.
-- birth_guard.alert is read only if the table and its schema belong to a superuser: another owner could put code on it.
-- Returns: one row per alert: when, by which login, the command, the object, further facts.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_alerts()
  RETURNS TABLE (raised_at timestamptz, raised_by text, command text, object text, detail text)
  LANGUAGE plpgsql
  VOLATILE
  ROWS 10
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_alerts$
BEGIN
  RETURN QUERY SELECT t.raised_at, t.raised_by, t.command, t.object, t.detail FROM birth.trigger_guard_alerts t;
  IF NOT EXISTS (
    SELECT FROM pg_namespace n
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'alert'
    JOIN pg_roles s ON s.oid = n.nspowner AND s.rolsuper
    JOIN pg_roles t ON t.oid = c.relowner AND t.rolsuper
    WHERE n.nspname = 'birth_guard') THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE $alerts$
    SELECT a.raised_at, a.raised_by, a.command, a.object, a.detail
    FROM birth_guard.alert a
    WHERE a.source_table IS NULL OR EXISTS (
      SELECT FROM birth.collection_registry c
      WHERE c.schema_name = a.source_schema AND c.table_name = a.source_table
        AND (SELECT h.act FROM birth.birth_act h
             WHERE h.collection_name = c.collection_name AND h.act IN ('attach', 'detach') AND h.acted_at <= a.raised_at
             ORDER BY h.acted_at DESC LIMIT 1) IS DISTINCT FROM 'detach')
  $alerts$;
END;
$fn_birth_alerts$;

COMMENT ON FUNCTION birth.fn_birth_alerts() IS
  'Every alert: trigger_guard_alerts and what the optional event triggers recorded. Specification: 6.';

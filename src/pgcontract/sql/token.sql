-- The row versions of all catalogue rows that make up schema @schema@. Equal tokens prove that nothing has changed
-- since the last full check. Different tokens prove nothing: a full check has to follow.
-- It is cheap enough to be asked often: it finds the objects by the index of pg_depend, and computes no statistics and
-- no text. One sum over all catalogues, because setting up fifteen costs more than adding. PL/pgSQL keeps the generic
-- plans for the session.
-- Returns: a text that can only be compared for equality, within one database.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@token()
  RETURNS text
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off
AS $@prefix@token$
DECLARE
  v_schema CONSTANT oid := to_regnamespace('@schema@');
  v_definer CONSTANT oid := to_regrole('@owner@');
  v_members numeric;
  v_routines oid[];
  v_relations oid[];
BEGIN
  SELECT array_agg(d.objid) FILTER (WHERE d.classid = 'pg_proc'::regclass),
    array_agg(d.objid) FILTER (WHERE d.classid = 'pg_class'::regclass),
    sum(hash_record_extended(ROW(d.classid, d.objid), 15))
  INTO v_routines, v_relations, v_members
  FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = v_schema AND d.refobjsubid = 0;
  RETURN (
    SELECT count(*) || ' ' || sum(v.version) + v_members FROM (
      SELECT hash_record_extended(ROW(n.xmin, n.ctid), 0) AS version FROM pg_namespace n WHERE n.oid = v_schema
      UNION ALL SELECT hash_record_extended(ROW(p.xmin, p.ctid), 1) FROM pg_proc p WHERE p.oid = ANY (v_routines)
      UNION ALL SELECT hash_record_extended(ROW(c.xmin, c.ctid), 2) FROM pg_class c WHERE c.oid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(a.xmin, a.ctid), 3) FROM pg_attribute a
        WHERE a.attrelid = ANY (v_relations) AND a.attnum > 0
      UNION ALL SELECT hash_record_extended(ROW(f.xmin, f.ctid), 4) FROM pg_attrdef f
        WHERE f.adrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(k.xmin, k.ctid), 5) FROM pg_constraint k
        WHERE k.conrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(x.xmin, x.ctid, i.xmin, i.ctid), 6) FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid
      WHERE x.indrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(t.xmin, t.ctid), 7) FROM pg_trigger t
        WHERE t.tgrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(w.xmin, w.ctid), 8) FROM pg_rewrite w
        WHERE w.ev_class = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(l.xmin, l.ctid), 9) FROM pg_policy l
        WHERE l.polrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(h.xmin, h.ctid), 10) FROM pg_inherits h
        WHERE h.inhparent = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(e.xmin, e.ctid), 11) FROM pg_default_acl e
      WHERE e.defaclnamespace = v_schema OR e.defaclnamespace = 0 AND e.defaclrole = v_definer
      UNION ALL SELECT hash_record_extended(ROW(q.xmin, q.ctid), 12) FROM pg_sequence q
        WHERE q.seqrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(s.xmin, s.ctid), 13) FROM pg_statistic_ext s
        WHERE s.stxrelid = ANY (v_relations)
      UNION ALL SELECT hash_record_extended(ROW(h.xmin, h.ctid), 14) FROM pg_inherits h
        WHERE h.inhrelid = ANY (v_relations)
    ) v);
END;
$@prefix@token$;

COMMENT ON FUNCTION @schema@.@prefix@token() IS
  'Row versions of the catalogue rows of schema @schema@: equal means that nothing changed since a full check.@see@';

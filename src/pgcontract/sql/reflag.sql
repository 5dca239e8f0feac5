-- Repairs flags of a relation in pg_class and pg_attribute that contradict the rows which they sum up, after an UPDATE
-- of the catalogue. Disabled indexes are rebuilt, because rows may have been added meanwhile.
-- Returns: statements for a superuser.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION @schema@.@prefix@reflag(p_name text)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $@prefix@reflag$
  SELECT format($reflag$UPDATE pg_catalog.pg_class c SET
    relchecks = (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
    relhasindex = EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid),
    relhastriggers = EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid),
    relhasrules = EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)
WHERE c.oid = %1$L::pg_catalog.regclass;
UPDATE pg_catalog.pg_attribute a SET
    atthasdef = EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)
WHERE a.attrelid = %1$L::pg_catalog.regclass AND a.attnum > 0;
INSERT INTO pg_catalog.pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0,
       'pg_catalog.pg_namespace'::pg_catalog.regclass, c.relnamespace, 0, 'n'
FROM pg_catalog.pg_class c
WHERE c.oid = %1$L::pg_catalog.regclass AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjsubid = 0)$reflag$, p_name)
    || coalesce((SELECT format('; REINDEX TABLE %s', p_name) FROM pg_class c
                 WHERE c.oid = to_regclass(p_name) AND NOT c.relhasindex
                   AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid)), '');
$@prefix@reflag$;

COMMENT ON FUNCTION @schema@.@prefix@reflag(text) IS
  'The statements with which a superuser corrects what the catalogue says of a relation.@see@';

-- The one place that says which types an identity column may have, and what the text of a value is. The text depends on
-- the value alone: on no setting, and on no cast that an owner of a type may have created. A domain is the type that it
-- is made of: PostgreSQL looks for casts of that one, and runs no constraint of the domain. An enum is written by its
-- output function, as concat calls it. char(n) is its text without the blanks at its end, which its equality ignores.
-- Dates and times are written as JSON has them, whatever DateStyle is; timestamptz in UTC, by an interval, because a
-- TimeZone can call any time UTC. citext is refused: its equality ignores case, so one key would have a code for each
-- spelling. So is a domain over an enum: PostgreSQL has no operator that compares it, and a run could not page by it.
-- p_type: a type, or such a name of one.
-- Returns: type, one name for all types of the same text (int8 for integers, text for varchar, anyenum for enums, of a
-- domain that of its type), NULL if the type is refused; base, the type itself or that of the domain, with its
-- modifier; text_sql, the text of a value %1$s as SQL, or of a refused type what a generated column could be, or NULL;
-- fault.
-- Calls: nothing
-- Writes: nothing
CREATE OR REPLACE FUNCTION birth.fn_birth_type_text(
    p_type oid,
    OUT type regtype, OUT base text, OUT text_sql text, OUT fault text)
  RETURNS record
  LANGUAGE plpgsql
  STABLE
  SET search_path = pg_catalog, pg_temp
AS $fn_birth_type_text$
DECLARE
  r_type record;
  v_typmod integer := -1;
BEGIN
  SELECT y.oid, y.typname, y.typtype, y.typbasetype, y.typtypmod INTO r_type FROM pg_type y WHERE y.oid = p_type;
  WHILE r_type.typtype = 'd' LOOP
    v_typmod := r_type.typtypmod;
    SELECT y.oid, y.typname, y.typtype, y.typbasetype, y.typtypmod INTO r_type
    FROM pg_type y WHERE y.oid = r_type.typbasetype;
  END LOOP;
  base := format_type(r_type.oid, v_typmod);
  type := CASE
    WHEN r_type.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'int8'::regtype
    WHEN r_type.oid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'::regtype
    WHEN r_type.oid IN ('bpchar'::regtype, 'uuid'::regtype, 'numeric'::regtype, 'bool'::regtype, 'date'::regtype,
                        'timestamp'::regtype, 'timestamptz'::regtype) THEN r_type.oid
    WHEN r_type.oid = 'anyenum'::regtype OR r_type.oid = p_type AND r_type.typtype = 'e' THEN 'anyenum'::regtype END;
  text_sql := CASE
    WHEN type IN ('date'::regtype, 'timestamp'::regtype) THEN '(to_jsonb(%1$s) #>> ''{}'')'
    WHEN type = 'timestamptz'::regtype THEN '(to_jsonb(%1$s AT TIME ZONE INTERVAL ''0'') #>> ''{}'')'
    WHEN type = 'anyenum'::regtype THEN '(CASE WHEN %1$s IS NOT NULL THEN concat(%1$s) END)'
    WHEN type IS NOT NULL THEN '%1$s::text'
    WHEN r_type.typname = 'citext' THEN 'pg_catalog.lower(%1$s::pg_catalog.text)'
    WHEN r_type.oid = 'bytea'::regtype THEN 'pg_catalog.encode(%1$s, ''hex'')'
    WHEN r_type.oid IN ('name'::regtype, 'inet'::regtype, 'cidr'::regtype, 'macaddr'::regtype, 'time'::regtype)
      THEN '%1$s::pg_catalog.text' END;
  fault := CASE WHEN type IS NOT NULL THEN NULL
    WHEN r_type.typname = 'citext' THEN 'is equal in any case, so one key would have a code for each spelling'
    WHEN r_type.typtype = 'e' THEN 'cannot be compared: it is a domain over an enum'
    ELSE 'has a text that depends on settings or code, or that equal values do not share' END;
END;
$fn_birth_type_text$;

COMMENT ON FUNCTION birth.fn_birth_type_text(oid) IS
  'Whether a column of the type can be part of an identity, and the text of its values as SQL; or why not. '
  'Specification: 4.';

"""The way out: every statement and command that removes birthdb from a database, in order (docs/guide/uninstall.md).

Nothing is sent. The list is read from the catalogue and the evidence, and holds until somebody changes them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import LiteralString

from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier, Literal

from birthdb import paths, target
from birthdb.api import Connection
from birthdb.audit import evidence
from birthdb.release import attest
from pgcontract.project import Project

#: Where a step has to be sent by one.
SUPERUSER = "a superuser"


@dataclass(frozen=True)
class Step:
    """One statement for psql, or one command of a shell; a remark is neither and says what is left."""

    by: str
    kind: str
    text: str

    def __post_init__(self) -> None:
        """Keep a statement on one line, so that it can be read and copied."""
        object.__setattr__(self, "text", " ".join(self.text.split("\n")))


@dataclass(frozen=True)
class Part:
    """Steps that one login sends, one after the other."""

    by: str
    kind: str
    steps: Sequence[Step]


#: What stands outside schema birth and calls or reads it: each with its owner, who has to take it away.
_OUTSIDE: LiteralString = """
SELECT pg_get_userbyid(c.relowner)::text AS by, 'psql' AS kind,
       format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass) AS text
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
WHERE p.pronamespace = 'birth'::regnamespace AND c.relnamespace <> p.pronamespace
  AND t.tgparentid = 0 AND NOT t.tgisinternal
UNION ALL
SELECT pg_get_userbyid(c.relowner)::text, 'psql',
       format('ALTER TABLE %s DROP CONSTRAINT %I;', c.oid::regclass, k.conname)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
WHERE f.relnamespace = 'birth'::regnamespace AND c.relnamespace <> f.relnamespace AND k.conparentid = 0
ORDER BY 1, 3
"""

#: Views of others that read schema birth, also by another view, which goes first.
_VIEWS: LiteralString = """
WITH RECURSIVE reads(reader, read) AS (
  SELECT DISTINCT w.ev_class, d.refobjid
  FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
  WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass) AND d.refobjid <> w.ev_class
), found(relation, depth) AS (
  SELECT r.reader, 1 FROM reads r
  WHERE r.read IN (SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace
                   UNION ALL SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace)
  UNION
  SELECT r.reader, f.depth + 1 FROM reads r JOIN found f ON r.read = f.relation WHERE f.depth < 100
)
SELECT pg_get_userbyid(c.relowner)::text AS by, 'psql' AS kind,
       format('DROP %s %s;', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, c.oid::regclass) AS text
FROM found f JOIN pg_class c ON c.oid = f.relation
WHERE c.relkind IN ('v', 'm') AND c.relnamespace <> 'birth'::regnamespace
GROUP BY c.oid, c.relowner, c.relkind, c.relname
ORDER BY max(f.depth) DESC, 1, 3
"""

#: What the roles of birthdb were granted on objects of others; who granted it takes it back.
_GRANTED: LiteralString = """
SELECT pg_get_userbyid(a.grantor)::text AS by, 'psql' AS kind,
       format('REVOKE ALL ON %%s %%s FROM %%s;', g.kind, g.object,
              string_agg(DISTINCT quote_ident(pg_get_userbyid(a.grantee)), ', ')) AS text
FROM (
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS object,
         c.relacl AS acl
  FROM pg_class c WHERE c.relnamespace <> 'birth'::regnamespace
  UNION ALL
  SELECT 'TABLE', a.attrelid::regclass::text, a.attacl
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace <> 'birth'::regnamespace
  UNION ALL
  SELECT 'SCHEMA', quote_ident(n.nspname), n.nspacl FROM pg_namespace n WHERE n.nspname <> 'birth'
  UNION ALL
  SELECT 'ROUTINE', p.oid::regprocedure::text, p.proacl
  FROM pg_proc p WHERE p.pronamespace <> 'birth'::regnamespace
  UNION ALL
  SELECT 'LANGUAGE', quote_ident(l.lanname), l.lanacl FROM pg_language l
  UNION ALL
  SELECT 'TYPE', t.oid::regtype::text, t.typacl FROM pg_type t WHERE t.typnamespace <> 'birth'::regnamespace
  UNION ALL
  SELECT 'DATABASE', quote_ident(b.datname), b.datacl FROM pg_database b WHERE b.datname = current_database()
) AS g CROSS JOIN LATERAL aclexplode(g.acl) AS a
WHERE a.grantee IN (SELECT r.oid FROM pg_roles r WHERE r.rolname = ANY (%(roles)s))
  AND g.object NOT LIKE 'birth\\_guard.%%' AND (g.kind, g.object) <> ('SCHEMA', 'birth_guard')
GROUP BY 1, g.kind, g.object
ORDER BY 1, 3
"""

#: Of each role: the other databases that use it, and what it still has here when the steps above are done.
_ROLES: LiteralString = """
SELECT r.rolname::text AS role,
       (SELECT string_agg(DISTINCT b.datname, ', ') FROM pg_shdepend s JOIN pg_database b ON b.oid = s.dbid
        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND b.datname <> current_database())
         AS elsewhere,
       (SELECT string_agg(DISTINCT pg_describe_object(s.classid, s.objid, s.objsubid), ', ') FROM pg_shdepend s
        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
          AND (s.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
               AND (s.deptype = 'o' OR s.classid NOT IN ('pg_class'::regclass, 'pg_namespace'::regclass,
                 'pg_proc'::regclass, 'pg_language'::regclass, 'pg_type'::regclass))
               AND coalesce((pg_identify_object(s.classid, s.objid, s.objsubid)).schema, '') <> 'birth'
               AND (s.classid, s.objid) IS DISTINCT FROM ('pg_namespace'::regclass, to_regnamespace('birth'))
            OR s.dbid = 0 AND (s.classid, s.objid) <> ('pg_database'::regclass,
                 (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
               AND s.classid <> 'pg_auth_members'::regclass)) AS left_here
FROM pg_roles r WHERE r.rolname = ANY (%(roles)s) ORDER BY array_position(%(roles)s, r.rolname::text)
"""

#: What is in schema birth and is none of birthdb's: a downgrade leaves it, and the schema with it.
_STRANGERS: LiteralString = """
SELECT pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend d
CROSS JOIN LATERAL (
  SELECT c.relowner FROM pg_class c WHERE (d.classid, d.objid) = ('pg_class'::regclass, c.oid)
  UNION ALL SELECT p.proowner FROM pg_proc p WHERE (d.classid, d.objid) = ('pg_proc'::regclass, p.oid)
  UNION ALL SELECT t.typowner FROM pg_type t WHERE (d.classid, d.objid) = ('pg_type'::regclass, t.oid)
) AS o(owner)
WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'birth'::regnamespace
  AND o.owner NOT IN (SELECT r.oid FROM pg_roles r WHERE r.rolname = ANY (%(owners)s))
ORDER BY 1
"""


def plan(conn: Connection) -> list[Part]:
    """Return the parts, in the order in which they have to be sent, as the login of the connection would remove it.

    Needs the privileges of birth_reader. Raises NotReleased for a schema whose objects have no version.
    """
    with conn.transaction():
        conn.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        steps = list(_steps(conn, Project.read(paths.ROOT)))
    return [Part(by, kind, list(group)) for (by, kind), group in groupby(steps, lambda step: (step.by, step.kind))]


def lines(parts: Sequence[Part], login: str) -> Iterator[str]:
    """Yield the list as text: SQL for psql, with the commands of a shell and the remarks as comments between it."""
    number = 0
    for part in parts:
        if part.kind != "remark":
            number += 1
            where = "in a shell" if part.kind == "shell" else "with psql"
            yield f"-- {number}. {part.by}, {where}:"
        yield from (f"-- {step.text}" if part.kind == "remark" else step.text for step in part.steps)
    if not parts:
        yield f"-- nothing of birthdb is left; the login {login} and what it was granted are yours"


def _steps(conn: Connection, project: Project) -> Iterator[Step]:
    login = conn.info.user
    if _one(conn, "SELECT to_regnamespace('birth_guard') IS NOT NULL"):
        yield from _guard(conn)
    there = _one(conn, "SELECT to_regnamespace('birth') IS NOT NULL")
    if there:
        yield from _released(conn, project, login)
    # The list makes the login a member of the owner, to drop the schema.
    yield from _roles(conn, project, login, lent=there)


def _guard(conn: Connection) -> Iterator[Step]:
    """The optional event triggers go first: they would stop what follows outside of a release."""
    yield Step("", "remark", "the optional event triggers, with the alerts in birth_guard.alert:")
    for name in conn.execute(
        "SELECT e.evtname FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid"
        " WHERE p.pronamespace = 'birth_guard'::regnamespace ORDER BY 1"
    ).fetchall():
        yield Step(SUPERUSER, "psql", SQL("DROP EVENT TRIGGER {};").format(Identifier(*name)).as_string(conn))
    yield Step(SUPERUSER, "psql", "DROP SCHEMA birth_guard CASCADE;")


def _released(conn: Connection, project: Project, login: str) -> Iterator[Step]:
    parameters = {"roles": list(project.roles)}
    found = _read(conn, _OUTSIDE, {})
    yield from found
    yield from _read(conn, _VIEWS, {})
    # Only now: as long as a trigger is there, it needs them.
    yield from _read(conn, _GRANTED, parameters)
    if target.release(conn) is not None or _one(
        conn,
        "SELECT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'birth'::regnamespace"
        " AND c.relkind = 'r' AND c.relname <> 'alembic_version')",
    ):
        # Raises where the version is lost, or of a release that is not known here.
        attest.current(conn)
        yield from _evidence(conn, login, attached=any("DROP TRIGGER" in step.text for step in found))
        yield Step(login, "shell", "birthdb alembic downgrade base")
    owners = {"owners": [project.owner, *project.lent]}
    strangers = [name for (name,) in conn.execute(_STRANGERS, owners).fetchall()]
    if strangers:
        yield Step("", "remark", f"schema birth has what no release made; move or drop it: {', '.join(strangers)}")
    if not _one(conn, "SELECT pg_has_role(session_user, 'birth_definer', 'USAGE')"):
        options = " WITH INHERIT TRUE" if conn.info.server_version >= 160000 else ""
        yield Step(login, "psql", f"GRANT birth_definer TO {Identifier(login).as_string(conn)}{options};")
    yield Step(login, "psql", "DROP TABLE IF EXISTS birth.alembic_version;")
    yield Step(login, "psql", "DROP SCHEMA birth;")


def _evidence(conn: Connection, login: str, *, attached: bool) -> Iterator[Step]:
    """Export, and an acknowledgement of each digest that the downgrade asks for (NB409)."""
    there = target.objects(conn)
    held = [
        row
        for table in evidence.TABLES
        if table in there and table != "birth_act"
        for row in conn.execute("SELECT * FROM birth.fn_birth_evidence(%s)", (table,)).fetchall()
        if row[1]
    ]
    if held:
        yield Step(login, "shell", "birthdb evidence all --births -o birthdb-evidence.json")
    if held and attached:
        yield Step("", "remark", "the digests are of now: after the triggers are gone, print this list again")
    for table, rows, digest in held:
        acknowledged = SQL("SELECT birth.fn_birth_evidence_acknowledge({}, {});  -- {} rows").format(
            Literal(table), Literal(digest), Literal(rows)
        )
        yield Step(login, "psql", acknowledged.as_string(conn))


#: Whether the login is a member by a grant of its own: from 16 on another's stays where it revokes.
_OWN_GRANT: LiteralString = """
SELECT EXISTS (SELECT FROM pg_auth_members m
               WHERE m.roleid = to_regrole(%s) AND m.member = to_regrole(quote_ident(session_user))
                 AND (m.grantor = m.member OR current_setting('server_version_num')::integer < 160000))
"""


def _roles(conn: Connection, project: Project, login: str, *, lent: bool) -> Iterator[Step]:
    """The roles go, but for those that another database of the cluster uses, or that have something left.

    ``lent``: the list has made the login a member of the owner before.
    """
    stay = []
    for role, elsewhere, left in conn.execute(_ROLES, {"roles": list(project.roles)}).fetchall():
        if elsewhere or left:
            reasons = [f"used in {elsewhere}"] if elsewhere else []
            reasons += [f"it has {left}"] if left else []
            stay.append(role)
            yield Step("", "remark", f"role {role} stays, with its members: {'; '.join(reasons)}")
            continue
        yield Step(_dropper(conn, role, login), "psql", f"DROP ROLE {role};")
    if project.owner in stay and (lent or _one(conn, _OWN_GRANT, project.owner)):
        yield Step(login, "psql", f"REVOKE {project.owner} FROM {Identifier(login).as_string(conn)};")


def _dropper(conn: Connection, role: str, login: str) -> str:
    """Return who may drop a role: with CREATEROLE and, from PostgreSQL 16 on, ADMIN of it."""
    admin = "pg_has_role(session_user, %(role)s, 'MEMBER WITH ADMIN OPTION')"
    may = (
        "SELECT r.rolsuper OR r.rolcreaterole AND (current_setting('server_version_num')::integer < 160000 OR "
        f"{admin}) FROM pg_roles r WHERE r.rolname = session_user"
    )
    return login if conn.execute(may.encode(), {"role": role}).fetchone() == (True,) else SUPERUSER


def _read(conn: Connection, query: LiteralString, parameters: dict[str, list[str]]) -> list[Step]:
    with conn.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(query, parameters or None).fetchall()


def _one(conn: Connection, query: LiteralString, *parameters: str) -> bool:
    row = conn.execute(query, parameters or None).fetchone()
    return bool(row and row[0])

"""Every role tried against every object, by a login of its own: what sql/grants.sql says, and nothing else.

Nothing here asks the server what it would allow: each statement is sent, and how it ended is what counts.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Composable, Identifier, Literal
from support import PEOPLE, Cluster, Database, worker
from world import World

from birthdb import paths

pytestmark = pytest.mark.majors

GRANT = re.compile(r"\('(SCHEMA|TABLE|ROUTINE)',\s*(?:NULL|'(\w+)'),\s*'(\w+)',\s*'(\w+)'\)")
GRANTS = {
    (role, kind, name or "birth", privilege)
    for kind, name, role, privilege in GRANT.findall((paths.ROOT / "sql" / "grants.sql").read_text(encoding="utf-8"))
}
USAGE = ("SCHEMA", "birth", "USAGE")
#: None is a login that is a member of nothing, and so has what PUBLIC has.
ROLES = [*sorted({holder for holder, *_ in GRANTS}), None]
DONE = "00000"
DENIED = "42501"
#: What PostgreSQL says of a view before it asks for a privilege: it cannot be written through.
NOT_UPDATABLE = "55000"

READING = {
    "SELECT": "SELECT FROM birth.{} LIMIT 0",
    "LOCK ACCESS SHARE": "LOCK TABLE birth.{} IN ACCESS SHARE MODE",
    "LIKE": "CREATE TABLE mine.made (LIKE birth.{})",
}
#: On every relation; ``{1}`` is its first column.
WRITING = {
    "INSERT": "INSERT INTO birth.{} DEFAULT VALUES",
    "UPDATE": "UPDATE birth.{0} SET {1} = DEFAULT WHERE false",
    "DELETE": "DELETE FROM birth.{} WHERE false",
}
CHANGING = {
    "TRIGGER": "CREATE TRIGGER mine {moment} INSERT ON birth.{} FOR EACH ROW EXECUTE FUNCTION mine.ambush()",
    "RULE": "CREATE RULE mine AS ON INSERT TO birth.{} DO ALSO NOTHING",
    "LOCK ROW EXCLUSIVE": "LOCK TABLE birth.{} IN ROW EXCLUSIVE MODE",
    "LOCK SHARE": "LOCK TABLE birth.{} IN SHARE MODE",
    "LOCK ACCESS EXCLUSIVE": "LOCK TABLE birth.{} IN ACCESS EXCLUSIVE MODE",
    "COMMENT": "COMMENT ON {kind} birth.{} IS 'mine'",
    "OWNER": "ALTER {kind} birth.{} OWNER TO CURRENT_USER",
    "RENAME": "ALTER {kind} birth.{} RENAME TO mine",
    "SCHEMA": "ALTER {kind} birth.{} SET SCHEMA mine",
    "DROP": "DROP {kind} birth.{}",
}
CHANGING_TABLES = {
    "TRUNCATE": "TRUNCATE birth.{}",
    "REFERENCES": "CREATE TABLE mine.made (x text REFERENCES birth.{})",
    "INHERITS": "CREATE TABLE mine.made () INHERITS (birth.{})",
    "FOR UPDATE": "SELECT FROM birth.{} FOR UPDATE",
    "FOR SHARE": "SELECT FROM birth.{} FOR SHARE",
    "FOR KEY SHARE": "SELECT FROM birth.{} FOR KEY SHARE",
    "INDEX": "CREATE INDEX ON birth.{0} ({1})",
    "STATISTICS": "CREATE STATISTICS mine.made (mcv) ON (ctid::text), ({1}::text) FROM birth.{0}",
    "POLICY": "CREATE POLICY mine ON birth.{} USING (true)",
    "CLUSTER": "CLUSTER birth.{} USING mine",
    "REINDEX": "REINDEX TABLE birth.{}",
    "DISABLE TRIGGER": "ALTER TABLE birth.{} DISABLE TRIGGER ALL",
    "ADD COLUMN": "ALTER TABLE birth.{} ADD COLUMN mine text",
    "ROW SECURITY": "ALTER TABLE birth.{} ENABLE ROW LEVEL SECURITY",
    "REPLICA IDENTITY": "ALTER TABLE birth.{} REPLICA IDENTITY FULL",
    "ATTACH": "ALTER TABLE birth.{} INHERIT mine.parent",
}
ON_A_ROUTINE = {
    "OWNER": "ALTER ROUTINE {} OWNER TO CURRENT_USER",
    "RENAME": "ALTER ROUTINE {} RENAME TO mine",
    "RESET": "ALTER ROUTINE {} RESET ALL",
    "DROP": "DROP ROUTINE {}",
}
ON_A_SEQUENCE = {
    "USAGE": "SELECT nextval({})",
    "UPDATE": "SELECT setval({}, 1)",
    "SELECT": "SELECT pg_sequence_last_value({}::regclass), last_value FROM {name}",
    "RESTART": "ALTER SEQUENCE {name} RESTART",
}
ON_THE_SCHEMA = [
    "CREATE TABLE birth.mine ()",
    "CREATE TABLE birth.mine AS SELECT 1",
    "CREATE VIEW birth.mine AS SELECT 1",
    "CREATE SEQUENCE birth.mine",
    "CREATE TYPE birth.mine AS ENUM ('a')",
    "CREATE DOMAIN birth.mine AS text",
    "CREATE FUNCTION birth.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE PROCEDURE birth.mine() LANGUAGE sql AS 'SELECT 1'",
    "CREATE OPERATOR birth.<<>> (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
    'CREATE COLLATION birth.mine FROM "C"',
    "ALTER FUNCTION mine.ambush() SET SCHEMA birth",
    "ALTER TABLE mine.parent SET SCHEMA birth",
    "ALTER SCHEMA birth RENAME TO mine_too",
    "ALTER SCHEMA birth OWNER TO CURRENT_USER",
    "COMMENT ON SCHEMA birth IS 'mine'",
    "DROP SCHEMA birth CASCADE",
    "SET ROLE birth_definer",
    "GRANT birth_definer TO CURRENT_USER",
    "ALTER ROLE birth_definer LOGIN",
    "ALTER DEFAULT PRIVILEGES FOR ROLE birth_definer GRANT ALL ON TABLES TO PUBLIC",
    "REASSIGN OWNED BY birth_definer TO CURRENT_USER",
    "DROP OWNED BY birth_definer",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION mine.ambush()",
    "SET session_replication_role = replica",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' OR usename = 'birth_definer'",
]

# Each statement in a subtransaction that is undone, within the session of whoever tries: thousands in a moment.
TRYING = """
CREATE FUNCTION pg_temp.tried(statements text[]) RETURNS text[] LANGUAGE plpgsql AS $tried$
DECLARE
  ended text[] := '{}';
  statement text;
BEGIN
  FOREACH statement IN ARRAY statements LOOP
    BEGIN
      EXECUTE statement;
      RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN OTHERS THEN
      ended := ended || replace(SQLSTATE, 'ZZ000', '00000');
    END;
  END LOOP;
  RETURN ended;
END
$tried$
"""


def granted(role: str | None) -> set[tuple[str, str, str]]:
    """Return what the page gives to the role: kind, object, privilege. Who may use the schema reads, but for owners."""
    own = {role, "birth_reader"} if (role, *USAGE) in GRANTS and role != "birth_source_owner" else {role}
    return {(kind, name, privilege) for holder, kind, name, privilege in GRANTS if holder in own}


class Trial:
    """The session of a login that is a member of one role alone, and owns a schema to attack from."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self.session = session
        self.count = 0
        session.execute(TRYING.encode())
        session.execute(
            "CREATE TABLE mine.parent ();"
            " CREATE FUNCTION mine.ambush() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )

    def ends(self, statements: Sequence[Composable]) -> list[str]:
        """Return how each statement ends; what it did is undone."""
        texts = [statement.as_string(self.session) for statement in statements]
        row = self.session.execute("SELECT pg_temp.tried(%s)", (texts,)).fetchone()
        assert row is not None
        assert len(row[0]) == len(texts)
        self.count += len(texts)
        return list(row[0])


@contextmanager
def acting(world: World, role: str | None) -> Iterator[Trial]:
    """Yield what a new login can try that is a member of the role alone."""
    name = f"tried_{worker()}"
    login = Identifier(name)
    world.db.cluster.login(name)
    try:
        if role:
            world.admin.execute(SQL("GRANT {} TO {}").format(Identifier(role), login))
        world.admin.execute(SQL("CREATE SCHEMA mine AUTHORIZATION {}").format(login))
        session = world.db.connect(name)
        yield Trial(session)
        session.close()
    finally:
        world.admin.execute(SQL("DROP OWNED BY {} CASCADE; DROP ROLE {}").format(login, login))


@pytest.fixture(scope="module")
def released(server: Cluster, template: Database) -> Iterator[World]:
    """A released database that nothing changes: whatever is tried is refused or undone."""
    made = server.create(template.name)
    yield World(made)
    made.drop()


def relations(world: World) -> list[tuple[str, bool, str]]:
    """Return every table and view of ours: its name, whether it is a view, its first column."""
    found = world.admin.execute(
        "SELECT c.relname, c.relkind = 'v', a.attname"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1"
        " WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND c.relname <> 'alembic_version' ORDER BY 1"
    ).fetchall()
    assert len(found) > 35
    return found


def test_the_grants_page_is_parsed_completely() -> None:
    assert len(GRANTS) > 50
    assert {kind for _, kind, _, _ in GRANTS} == {"SCHEMA", "TABLE", "ROUTINE"}
    assert set(filter(None, PEOPLE.values())) <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_exactly_the_select_privileges_of_the_grants_page(released: World, role: str | None) -> None:
    expected = granted(role)
    tries: list[tuple[str, str, set[str], Composable]] = []
    for relation, is_view, column in relations(released):
        may_read = ("TABLE", relation, "SELECT") in expected
        words = {"moment": SQL("INSTEAD OF" if is_view else "AFTER"), "kind": SQL("VIEW" if is_view else "TABLE")}
        for ways, ends in (
            (READING, {DONE if may_read else DENIED}),
            (WRITING, {DENIED, NOT_UPDATABLE} if is_view else {DENIED}),
            (CHANGING, {DENIED}),
            ({} if is_view else CHANGING_TABLES, {DENIED}),
        ):
            for way, template in ways.items():
                statement = SQL(template).format(Identifier(relation), Identifier(column), **words)
                tries.append((relation, way, ends, statement))
    with acting(released, role) as trial:
        ended = trial.ends([statement for *_, statement in tries])
        wrong = [
            (relation, way, end) for (relation, way, ends, _), end in zip(tries, ended, strict=True) if end not in ends
        ]
        assert wrong == []
        assert trial.count > 700


@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_write_a_column(released: World, role: str | None) -> None:
    columns = released.admin.execute(
        "SELECT c.relname, c.relkind = 'v', a.attname, a.attidentity = 'a' OR a.attgenerated <> ''"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'alembic_version'"
    ).fetchall()
    tries = [
        (relation, column, SQL(way).format(Identifier(relation), Identifier(column)))
        for relation, is_view, column, _ in columns
        if not is_view
        for way in ("UPDATE birth.{0} SET {1} = DEFAULT WHERE false", "INSERT INTO birth.{0} ({1}) VALUES (DEFAULT)")
    ]
    with acting(released, role) as trial:
        ended = trial.ends([statement for *_, statement in tries])
        assert [(one[0], one[1], end) for one, end in zip(tries, ended, strict=True) if end != DENIED] == []
        assert trial.count > 200


@pytest.mark.parametrize("role", ROLES)
def test_a_role_can_copy_out_what_it_reads_and_copy_nothing_in(released: World, role: str | None) -> None:
    expected = granted(role)
    wrong = []
    with acting(released, role) as trial:
        for relation, is_view, _ in relations(released):
            ways = {
                "out": SQL("COPY (SELECT * FROM birth.{} LIMIT 0) TO STDOUT"),
                "in": SQL("COPY birth.{} FROM STDIN"),
            }
            for way, statement in ways.items():
                may = way == "out" and ("TABLE", relation, "SELECT") in expected
                try:
                    with trial.session.cursor().copy(statement.format(Identifier(relation))) as copy:
                        if way == "out":
                            list(copy)
                    ended = DONE
                except psycopg.Error as refusal:
                    ended = refusal.sqlstate or ""
                # COPY into a view is refused for being one.
                if ended not in ({DONE} if may else {DENIED, "42809"} if is_view else {DENIED}):
                    wrong.append((relation, way, ended))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_maintain_a_table(released: World, role: str | None) -> None:
    skipped: list[str] = []
    with acting(released, role) as trial:
        # Whom PostgreSQL does not let maintain a table, it warns and goes on.
        trial.session.add_notice_handler(lambda notice: skipped.append(notice.severity_nonlocalized or ""))
        tables = [relation for relation, is_view, _ in relations(released) if not is_view]
        for command in ("VACUUM", "ANALYZE", "VACUUM FULL"):
            for table in tables:
                # Whoever may not use the schema is refused instead.
                try:
                    trial.session.execute(SQL(command + " birth.{}").format(Identifier(table)))
                except psycopg.errors.InsufficientPrivilege:
                    skipped.append("WARNING")
    assert skipped == ["WARNING"] * 3 * len(tables)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_grant_its_privileges_on(released: World, role: str | None) -> None:
    privileges = (
        "SELECT array_agg((x.oid, x.acl)::text ORDER BY x.oid, x.acl::text) FROM ("
        "SELECT oid, relacl AS acl FROM pg_class WHERE relnamespace = 'birth'::regnamespace UNION ALL"
        " SELECT oid, proacl FROM pg_proc WHERE pronamespace = 'birth'::regnamespace UNION ALL"
        " SELECT oid, nspacl FROM pg_namespace WHERE nspname = 'birth' UNION ALL"
        " SELECT attrelid, attacl FROM pg_attribute WHERE attacl IS NOT NULL) x"
    )
    before = released.value(privileges)
    with acting(released, role) as trial:
        for objects in ("ALL TABLES IN SCHEMA", "ALL ROUTINES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "SCHEMA"):
            for to in ("PUBLIC", "CURRENT_USER"):
                try:
                    trial.session.execute(f"GRANT ALL ON {objects} birth TO {to}".encode())
                except psycopg.errors.InsufficientPrivilege:
                    continue
        assert released.value(privileges) == before


@pytest.mark.parametrize("role", ROLES)
def test_a_role_can_call_exactly_the_routines_of_the_grants_page(released: World, role: str | None) -> None:
    expected = granted(role)
    routines = released.admin.execute(
        "SELECT p.oid::regprocedure::text, p.proname, p.prokind = 'p', p.provariadic <> 0,"
        " ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) t)"
        " FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace"
    ).fetchall()
    assert len(routines) > 100
    calls: list[Composable] = []
    for _, name, is_procedure, is_variadic, types in routines:
        # A constant NULL would be folded away, and with it the call of a STRICT function; CALL takes no subquery.
        value = "NULL::{}" if is_procedure else "(SELECT NULL::{})"
        values = [value.format(kind) for kind in types]
        if is_variadic:
            values[-1] = f"VARIADIC {values[-1]}"
        arguments = SQL(", ").join(map(SQL, values))
        call = SQL("CALL " if is_procedure else "SELECT ") + SQL("birth.{}({})").format(Identifier(name), arguments)
        calls.append(call)
    with acting(released, role) as trial:
        called = trial.ends(calls)
        wrong = [
            (name, end)
            for (_, name, *_), end in zip(routines, called, strict=True)
            if (end != DENIED) != (("ROUTINE", name, "EXECUTE") in expected and USAGE in expected)
        ]
        assert wrong == []
        # Without USAGE of the schema nothing can be named; what is granted all the same is held against the page too.
        held = trial.session.execute(
            "SELECT array_agg(p.proname::text ORDER BY p.proname) FROM pg_proc p"
            " WHERE p.pronamespace = %s AND has_function_privilege(p.oid, 'EXECUTE')",
            (released.value("SELECT 'birth'::regnamespace::oid"),),
        ).fetchone()
        assert held is not None
        assert (held[0] or []) == sorted(name for kind, name, _ in expected if kind == "ROUTINE")
        tries = [SQL(way).format(SQL(routine)) for routine, *_ in routines for way in ON_A_ROUTINE.values()]
        assert set(trial.ends(tries)) == {DENIED}
        assert trial.count > 500


@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_create_objects_or_use_sequences(released: World, role: str | None) -> None:
    sequences = released.admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'S'"
    ).fetchall()
    assert sequences
    tries: list[Composable] = [SQL(statement) for statement in ON_THE_SCHEMA]
    for (name,) in sequences:
        tries += [
            SQL(way).format(Literal(f"birth.{name}"), name=Identifier("birth", name)) for way in ON_A_SEQUENCE.values()
        ]
    with acting(released, role) as trial:
        ended = trial.ends(tries)
        wrong = [(statement.as_string(), end) for statement, end in zip(tries, ended, strict=True) if end != DENIED]
        assert wrong == []


def test_a_login_without_a_role_cannot_use_the_schema(released: World) -> None:
    with acting(released, None) as trial:
        assert trial.session.execute("SELECT has_schema_privilege('birth', 'USAGE')").fetchone() == (False,)


def test_an_application_inserts_without_any_birthdb_role(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    world.insert(["a"])
    assert world.births() == ["a"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.owner.execute("SELECT * FROM birth.birth_registry")

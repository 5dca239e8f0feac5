"""Every role tried against every object: what sql/grants.sql says, and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from gateway.world import World
from psycopg.sql import SQL, Identifier
from support import PEOPLE, worker

from birthdb import paths

GRANT = re.compile(r"\('(SCHEMA|TABLE|ROUTINE)',\s*(?:NULL|'(\w+)'),\s*'(\w+)',\s*'(\w+)'\)")
GRANTS = {
    (role, kind, name or "birth", privilege)
    for kind, name, role, privilege in GRANT.findall((paths.ROOT / "sql" / "grants.sql").read_text(encoding="utf-8"))
}
USAGE = ("SCHEMA", "birth", "USAGE")
ROLES = [*sorted({holder for holder, *_ in GRANTS}), None]
WRITES = {
    "INSERT": "INSERT INTO birth.{} DEFAULT VALUES",
    "UPDATE": "UPDATE birth.{} SET {} = DEFAULT WHERE false",
    "DELETE": "DELETE FROM birth.{} WHERE false",
    "TRUNCATE": "TRUNCATE birth.{}",
}
DENIED = "42501"
NOT_UPDATABLE = "55000"


def granted(role: str | None) -> set[tuple[str, str, str]]:
    """Return what the page gives to the role: kind, object, privilege. Whoever may use the schema also reads."""
    own = {role, "birth_reader"} if (role, *USAGE) in GRANTS else {role}
    return {(kind, name, privilege) for holder, kind, name, privilege in GRANTS if holder in own}


@contextmanager
def acting(world: World, role: str | None) -> Iterator[psycopg.Connection[Any]]:
    """Yield a session of a login that is a member of the role alone."""
    login = Identifier(f"tried_{worker()}")
    world.admin.execute(SQL("CREATE ROLE {} LOGIN").format(login))
    try:
        if role:
            world.admin.execute(SQL("GRANT {} TO {}").format(Identifier(role), login))
        session = world.db.connect()
        session.execute(SQL("SET SESSION AUTHORIZATION {}").format(login))
        yield session
        session.close()
    finally:
        world.admin.execute(SQL("DROP OWNED BY {}; DROP ROLE {}").format(login, login))


def sqlstate(session: psycopg.Connection[Any], statement: Any) -> str:
    """Return how the statement ends; what it did is undone."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(statement)
    except psycopg.Error as refusal:
        return refusal.sqlstate or ""
    return "00000"


def test_the_page_is_read_whole() -> None:
    assert len(GRANTS) > 50
    assert {kind for _, kind, _, _ in GRANTS} == {"SCHEMA", "TABLE", "ROUTINE"}
    assert set(filter(None, PEOPLE.values())) <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_the_page_says_and_writes_no_table(world: World, role: str | None) -> None:
    expected = granted(role)
    relations = world.admin.execute(
        "SELECT c.relname, c.relkind = 'v', a.attname"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1"
        " WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND c.relname <> 'alembic_version'"
    ).fetchall()
    assert len(relations) > 25
    wrong = []
    with acting(world, role) as session:
        for relation, is_view, column in relations:
            may_read = sqlstate(session, SQL("SELECT FROM birth.{} LIMIT 0").format(Identifier(relation))) == "00000"
            if may_read != (("TABLE", relation, "SELECT") in expected):
                wrong.append((relation, "SELECT"))
            for privilege, statement in WRITES.items():
                names = [Identifier(relation), Identifier(column)][: statement.count("{}")]
                ended = sqlstate(session, SQL(statement).format(*names))
                # A view that PostgreSQL cannot write through is refused for that, before privileges are asked.
                if ended != DENIED and not (is_view and ended in {NOT_UPDATABLE, "42809"}):
                    wrong.append((relation, privilege))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_calls_what_the_page_says_and_nothing_else(world: World, role: str | None) -> None:
    expected = granted(role)
    routines = world.admin.execute(
        "SELECT p.oid, p.proname, p.prokind = 'p', p.provariadic <> 0,"
        " ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) t)"
        " FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace"
    ).fetchall()
    assert len(routines) > 80
    wrong = []
    with acting(world, role) as session:
        for oid, name, is_procedure, is_variadic, types in routines:
            may = ("ROUTINE", name, "EXECUTE") in expected
            holds = session.execute("SELECT has_function_privilege(%s::oid, 'EXECUTE')", (oid,)).fetchone()
            # A constant NULL would be folded away, and with it the call of a STRICT function; CALL takes no subquery.
            value = "NULL::{}" if is_procedure else "(SELECT NULL::{})"
            values = [value.format(kind) for kind in types]
            if is_variadic:
                values[-1] = f"VARIADIC {values[-1]}"
            arguments = SQL(", ").join(map(SQL, values))
            call = SQL("CALL " if is_procedure else "SELECT ") + SQL("birth.{}({})").format(Identifier(name), arguments)
            denied = sqlstate(session, call) == DENIED
            if holds != (may,) or denied == (may and USAGE in expected):
                wrong.append((name, holds, denied))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_creates_nothing_and_takes_no_sequence(world: World, role: str | None) -> None:
    sequences = world.admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'birth'::regnamespace AND relkind = 'S'"
    ).fetchall()
    assert sequences
    with acting(world, role) as session:
        tries = [
            SQL("CREATE TABLE birth.mine ()"),
            SQL("CREATE FUNCTION birth.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
            SQL("ALTER TABLE birth.birth_registry DISABLE TRIGGER ALL"),
            SQL("CREATE TRIGGER a AFTER INSERT ON birth.birth_act EXECUTE FUNCTION birth.fn_birth_registry_auto()"),
            SQL("SET ROLE birth_definer"),
            *(SQL("SELECT nextval({})").format(f"birth.{name}") for (name,) in sequences),
        ]
        assert {sqlstate(session, statement) for statement in tries} == {DENIED}


def test_a_login_without_a_role_does_not_even_see_the_schema(world: World) -> None:
    with acting(world, None) as session:
        assert session.execute("SELECT has_schema_privilege('birth', 'USAGE')").fetchone() == (False,)


def test_the_tables_own_application_needs_no_role_to_insert(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", mode="enforce")
    world.insert(["a"])
    assert world.births() == ["a"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.owner.execute("SELECT * FROM birth.birth_registry")

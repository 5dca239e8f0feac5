"""The plugin for the tests of applications: projects of users, run by pytest on the server of these tests."""

import os
import re
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict
from support import RELEASER, Cluster

from birthdb import paths

#: A file on the page: a block whose first line is a comment with the file's name.
_FILE = re.compile(r"```(?:python|sql)\n(?:#|--) (\S+\.(?:py|sql))\n(.*?)```", re.DOTALL)

_LEFT = """
SELECT datname::text FROM pg_database WHERE datname LIKE ANY (%(names)s)
UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname LIKE ANY (%(names)s)
"""

#: A session whose end takes the server a while.
_SLOW = "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TEMP TABLE t%s (c text)', i); END LOOP; END $$"

_SLOW_TEST = f"""
def test_a_session_whose_end_takes_long(births):
    births.session("operator").execute({_SLOW!r})
"""

#: The same of the session that governs the template's tables, in the workers.
_SLOW_STEWARD = f"""
from birthdb import api

attach = api.gateway_attach


def slow(conn, *given):
    conn.execute({_SLOW!r})
    return attach(conn, *given)


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        api.gateway_attach = slow
"""

#: A server fixture that the project has already, tables of every kind, all that a collection can say.
_CONFTEST = """
from pytest_postgresql import factories

from birthdb.pytest_plugin import Collection, template
from loads import rows

pytest_plugins = ["birthdb.pytest_plugin"]
own_server = factories.postgresql_noproc(dbname="own", load=["loads:tables"])
births_template = template(
    Collection("coded", "shop.coded", "{code}"),
    Collection("numbered", "shop.numbered", "N-{id}", mode="observe"),
    Collection("parted", "shop.Parted", "{region}/{no:03}"),
    Collection("journal", "shop.journal", mode=None, policy="BIRTH_EXEMPT_JOURNAL"),
    load=["more.sql", rows],
    depends_on="own_server",
    dbname="kinds",
)
"""

_LOADS = '''
import psycopg

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.coded (code text PRIMARY KEY);
CREATE TABLE shop.numbered (id integer PRIMARY KEY);
CREATE TABLE shop."Parted" (region text, no integer, PRIMARY KEY (region, no)) PARTITION BY LIST (region);
CREATE TABLE shop."Parted north" PARTITION OF shop."Parted" FOR VALUES IN ('north');
"""


def tables(*, autocommit, **dsn):
    with psycopg.connect(**dsn) as conn:
        conn.execute(TABLES)


def rows(*, autocommit, **dsn):
    with psycopg.connect(**dsn) as conn:
        conn.execute("INSERT INTO shop.numbered VALUES (7)")
'''

_TESTS = """
import psycopg
import pytest
from sqlalchemy import create_engine

from birthdb import errors

REGISTERED = [
    ("coded", "column", "enforce", "BIRTH_REQUIRED"),
    ("journal", None, "observe", "BIRTH_EXEMPT_JOURNAL"),
    ("numbered", "synthetic_id", "observe", "BIRTH_REQUIRED"),
    ("parted", "legacy", "enforce", "BIRTH_REQUIRED"),
]


def test_collections_are_as_declared(births):
    found = births.session("steward").execute(
        "SELECT collection_name, birth_code_strategy, gateway_mode, coverage_status"
        " FROM birth.collection_registry ORDER BY collection_name"
    )
    assert found.fetchall() == REGISTERED
    attached = births.owner.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'birth_gateway' AND tgparentid = 0")
    assert attached.fetchall() == [(3,)]


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_a_test_sees_nothing_of_another(births, attempt):
    births.owner.execute("INSERT INTO shop.coded VALUES ('A')")
    births.owner.execute('''INSERT INTO shop."Parted" VALUES ('north', 4)''')
    assert (births.codes("coded"), births.codes("parted")) == ({"A"}, {"north/004"})
    assert births.backfill("numbered")["rows_done"] == 1
    with pytest.raises(errors.NothingToDo):
        births.backfill("numbered")


def test_each_part_has_its_login(births):
    for part in ("steward", "operator", "reviewer", "permit_owner", "dba"):
        (login,) = births.session(part).execute("SELECT session_user").fetchone()
        with psycopg.connect(births.url(part)) as conn:
            assert conn.execute("SELECT session_user").fetchone() == (login,)
            query = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole"
            assert conn.execute(query, (login,)).fetchall() == [("birth_" + part,)]


def test_an_application_connects_by_the_url(births):
    engine = create_engine(births.url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT current_database()").scalar() == births.server.dbname
    engine.dispose()
"""


@pytest.fixture
def as_superuser(server: Cluster) -> tuple[str, ...]:
    """The options that name the server, with all rights."""
    return _options(server.url("postgres"))


@pytest.fixture
def as_creator(server: Cluster) -> Iterator[tuple[str, ...]]:
    """The options that name the server, for the login that made the roles: it may make roles and databases only.

    pytest-postgresql ends whoever is in a database that it drops, and that login may not end a worker of autovacuum.
    """
    server.execute(f"ALTER ROLE {RELEASER} CREATEDB".encode())
    server.execute("ALTER SYSTEM SET autovacuum = off")
    server.execute("SELECT pg_reload_conf()")
    yield _options(server.url("postgres", RELEASER))
    server.execute("ALTER SYSTEM RESET autovacuum")
    server.execute("SELECT pg_reload_conf()")
    server.execute(f"ALTER ROLE {RELEASER} NOCREATEDB".encode())


def _options(url: str) -> tuple[str, ...]:
    known = {"password": ""} | conninfo_to_dict(url)
    return ("-W", "error", *(f"--postgresql-{part}={known[part]}" for part in ("host", "port", "user", "password")))


def _left(server: Cluster, *names: str) -> list[str]:
    return [name for (name,) in server.execute(_LEFT, {"names": [f"{name}%" for name in names]})]


@pytest.mark.long
@pytest.mark.majors
def test_the_example_of_the_developer_page_passes(
    pytester: pytest.Pytester, server: Cluster, as_creator: tuple[str, ...]
) -> None:
    """On two workers, as a login without superuser; nothing is left on the server but the roles."""
    files = dict(_FILE.findall((paths.ROOT / "docs/guide/developers.md").read_text(encoding="utf-8")))
    assert files.keys() == {"conftest.py", "schema.sql", "test_shop.py", "test_steps.py"}
    for name, text in files.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    pytester.makepyfile(test_slow=_SLOW_TEST)
    with (pytester.path / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(_SLOW_STEWARD)
    pytester.runpytest_inprocess("-n2", *as_creator).assert_outcomes(passed=5)
    assert _left(server, "birthsgw") == []


def test_the_plugin_works_with_a_server_fixture_and_every_kind_of_collection(
    pytester: pytest.Pytester, server: Cluster, as_superuser: tuple[str, ...]
) -> None:
    pytester.makeconftest(_CONFTEST)
    pytester.makepyfile(loads=_LOADS, test_kinds=_TESTS)
    pytester.makefile(".sql", more="CREATE TABLE shop.journal (entry text);")
    # A run that was killed left it.
    server.login(f"kinds{os.environ.get('PYTEST_XDIST_WORKER', '')}_steward")
    pytester.runpytest_inprocess(*as_superuser).assert_outcomes(passed=5)
    assert _left(server, "kinds", "own") == []


def test_nothing_else_of_the_package_needs_pytest() -> None:
    imports = re.compile(r"^\s*(?:from|import)\s.*pytest", re.MULTILINE)
    sources = (paths.ROOT / "src" / "birthdb").rglob("*.py")
    assert [path.name for path in sources if imports.search(path.read_text("utf-8"))] == ["pytest_plugin.py"]

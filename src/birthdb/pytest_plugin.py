"""Fixtures for the tests of an application whose tables are governed: a released database, a copy of it for each test.

Built on pytest-postgresql: install ``birthdb[pytest]`` and name this module in ``pytest_plugins``; nothing loads it by
itself. docs/guide/developers.md has a complete example. PYTEST_DONT_REWRITE: a conftest.py imports from it.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast, get_args

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Constant
from sqlalchemy import URL

from birthdb import api, paths
from birthdb.answers import Progress

try:
    import pytest
    from pytest_postgresql import factories
    from pytest_postgresql.executors import NoopExecutor
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "this plugin needs its extra: pip install 'birthdb[pytest]'", name=missing.name
    ) from missing

#: Whose part a test can play: each is a login of its own, a member of ``birth_`` and this name.
Part = Literal["steward", "operator", "reviewer", "permit_owner", "dba"]

#: What pytest-postgresql loads: a file of SQL, ``module:function`` or a function that takes connection arguments.
Load = Path | str | Callable[..., object]

_PARTS: tuple[Part, ...] = get_args(Part)
_PASSWORD = secrets.token_urlsafe()  # of the logins, which end with this process
_ADVISORY_LOCK = 0x62697274
_PATIENCE = 30  # seconds
_ALIVE = "SELECT FROM pg_stat_activity WHERE pid = ANY(%s)"

_OWNER_GRANTS = """
SELECT concat_ws('; ', 'GRANT USAGE ON SCHEMA ' || c.relnamespace::regnamespace || ' TO birth_definer, birth_scanner',
  'GRANT SELECT ON ' || c.oid::regclass || ' TO birth_scanner',
  'GRANT TRIGGER ON ' || array_to_string(ARRAY(SELECT c.oid::regclass UNION SELECT relid FROM pg_partition_tree(c.oid)),
    ', ') || ' TO birth_definer',
  CASE c.relkind WHEN 'p' THEN 'GRANT birth_source_owner TO ' || c.relowner::regrole END)
FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(quote_ident(%s)) AND c.relname = %s
"""


@dataclass(frozen=True)
class Collection:
    """A governed table, as a steward would enter it: registered, classified and attached.

    ``table`` is ``schema.table`` as the catalogue spells it. ``code`` makes the entity code of a row: ``{code}`` is the
    column ``code``, ``CU-{id}`` a prefix and a column; all else is a template such as ``{tenant}/{no:06}``. None leaves
    the identity open. ``mode`` None attaches no gateway. ``policy`` is the coverage status.
    """

    name: str
    table: str
    code: str | None = None
    mode: api.Mode | None = "enforce"
    policy: str = "BIRTH_REQUIRED"


def template(
    *collections: Collection, load: Sequence[Load] = (), **noproc: Any
) -> Callable[[pytest.FixtureRequest], Iterator[NoopExecutor]]:
    """Return a fixture to be called ``births_template``: birthdb released to head, then ``load``, then the collections.

    ``load`` makes the tables, as the server's user, who owns them. A string that ends in ``.sql`` is a file. Rows that
    it inserts have no birth yet. The setting ``postgresql_load`` is not read. Other arguments are those of
    ``pytest_postgresql.factories.postgresql_noproc``: ``depends_on="postgresql_proc"`` takes that fixture's server. The
    user is a superuser or has CREATEDB and CREATEROLE. The fixture raises what the database does: BirthError,
    psycopg.Error.
    """
    maintenance = noproc.get("maintenance_dbname") or "postgres"
    steps: list[Load] = [
        partial(_release, maintenance),
        *(Path(one) if isinstance(one, str) and one.endswith(".sql") else one for one in load),
        partial(_govern, maintenance, collections),
    ]
    return factories.postgresql_noproc(**({"dbname": "births"} | noproc), load=steps)


@dataclass(frozen=True)
class Births:
    """The database of one test, and a session for each part in it. All sessions are in autocommit mode."""

    #: The server as pytest-postgresql knows it: host, port, user, dbname.
    server: NoopExecutor
    #: The session of the server's user, who owns the database and its tables.
    owner: api.Connection
    _sessions: dict[Part, api.Connection] = field(default_factory=dict, init=False, repr=False)

    def url(self, part: Part | None = None) -> str:
        """Return a URI with its password, for the server's user or for a part: libpq and SQLAlchemy take it."""
        login = (_login(self.server.dbname, part), _PASSWORD) if part else (self.server.user, self.server.password)
        place = {"host": self.server.host, "port": str(self.server.port)}
        return URL.create("postgresql", *login, database=self.server.dbname, query=place).render_as_string(False)

    def session(self, part: Part) -> api.Connection:
        """Return the session of a part, always the same one; the functions of ``birthdb.api`` take it."""
        if part not in self._sessions:
            self._sessions[part] = psycopg.connect(self.url(part), autocommit=True, options=self.server.options)
        return self._sessions[part]

    def codes(self, collection: str) -> set[str]:
        """Return the entity codes that are born in a collection."""
        found = self.session("operator").execute(
            "SELECT entity_code FROM birth.birth_registry WHERE collection_name = %s", (collection,)
        )
        return {code for (code,) in found}

    def backfill(self, collection: str) -> Progress:
        """Plan, review, permit and run a backfill of all rows that lack their birth, each step by its part.

        Returns the run's row of ``v_birth_run_progress``. Raises BirthError where the database refuses; it refuses a
        run for which there is nothing to do.
        """
        operator, reviewer = self.session("operator"), self.session("reviewer")
        planned = api.plan(operator, collection, dry_run=False)
        run_id, rows = planned["run_id"], planned["expected_delta"]
        api.review_record(reviewer, run_id, "SAFE", "a test")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        permit = api.permit_open(self.session("permit_owner"), collection, run_id, rows, tomorrow, "a test")
        api.permit_confirm(reviewer, permit["permit_id"])
        api.apply(operator, collection, run_id, permit["permit_id"], rows, rows, execute=True)
        return cast(Progress, api.progress(operator, run_id))

    def close(self) -> None:
        """Close every session, and wait until the server has ended it."""
        left = [session for session in (*self._sessions.values(), self.owner) if not session.closed]
        pids = [session.info.backend_pid for session in left]
        for session in left:
            session.close()
        with _maintenance(self.server) as conn:
            _wait_for_end(conn, pids)


_births_connection = factories.postgresql("births_template")


@pytest.fixture(scope="session")
def _births_logins(births_template: NoopExecutor) -> Iterator[None]:
    """The logins of the parts, which ``births_template`` made, are dropped when the tests are over."""
    yield
    with _maintenance(births_template) as conn:
        for part in _PARTS:
            with suppress(psycopg.errors.DependentObjectsStillExist):
                conn.execute(SQL("DROP ROLE {}").format(Identifier(_login(births_template.dbname, part))))


@pytest.fixture
def births(births_template: NoopExecutor, _births_logins: None, _births_connection: api.Connection) -> Iterator[Births]:
    """A database of this test alone: a copy of ``births_template``, in which permits may be spent."""
    _births_connection.autocommit = True
    made = Births(births_template, _births_connection)
    try:
        # A copy knows that it is one, and runs no backfill until a DBA has said that it may.
        made.session("dba").execute("SELECT birth.fn_birth_home_confirm(p_reason := 'a copy for a test')")
        yield made
    finally:
        made.close()


def _release(maintenance: str, *, autocommit: bool, **dsn: Any) -> None:
    with _alone(maintenance, dsn) as conn:
        config = Config(str(paths.ALEMBIC_INI))
        config.attributes.update(url=make_conninfo(**dsn), configure_logger=False)
        command.upgrade(config, "head")
        for part in _PARTS:
            login = _login(dsn["dbname"], part)
            # A run that was killed leaves its logins, with a password that is lost.
            missing = conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (login,)).fetchone() is None
            statement = SQL(("CREATE" if missing else "ALTER") + " ROLE {0} LOGIN PASSWORD {1}; GRANT {2} TO {0}")
            conn.execute(statement.format(Identifier(login), Constant(_PASSWORD), Identifier(f"birth_{part}")))


def _govern(maintenance: str, collections: Sequence[Collection], *, autocommit: bool, **dsn: Any) -> None:
    steward = dsn | {"user": _login(dsn["dbname"], "steward"), "password": _PASSWORD}
    with _alone(maintenance, dsn) as watch:
        with _connect(dsn) as owner, _connect(steward) as conn:
            for one in collections:
                _enter(owner, conn, one)
            pid = conn.info.backend_pid
        _wait_for_end(watch, [pid])


def _enter(owner: api.Connection, steward: api.Connection, one: Collection) -> None:
    schema, _, table = one.table.rpartition(".")
    for (grants,) in owner.execute(_OWNER_GRANTS, (schema, table)).fetchall():
        owner.execute(grants)
    api.collection_register(steward, one.name, schema, table, one.policy, governed=True)
    if one.code is not None:
        _classify(steward, one.name, one.code)
    if one.mode is not None:
        api.gateway_attach(steward, one.name, one.mode)


def _classify(conn: api.Connection, collection: str, code: str) -> None:
    if (simple := re.fullmatch(r"([^{}]*)\{(\w+)\}", code)) is None:
        api.identity_classify(conn, collection, "legacy", template=code)
    else:
        strategy: Literal["synthetic_id", "column"] = "synthetic_id" if simple[1] else "column"
        api.identity_classify(conn, collection, strategy, column=simple[2], prefix=simple[1] or None)


def _login(dbname: str, part: Part) -> str:
    # Of this database alone: another worker, or another run, has a database of another name.
    return f"{dbname.removesuffix('_tmpl')}_{part}"


@contextmanager
def _alone(maintenance: str, dsn: dict[str, Any]) -> Iterator[api.Connection]:
    """Hold a lock of the cluster, to which roles belong: two workers cannot grant the same one at once."""
    with _connect(dsn | {"dbname": maintenance}) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
        yield conn


def _wait_for_end(conn: api.Connection, pids: Sequence[int]) -> None:
    """Wait until the server has ended these sessions.

    pytest-postgresql ends those that are left, before it copies or drops a database, and only a superuser may end
    another login.
    """
    deadline = time.monotonic() + _PATIENCE
    while conn.execute(_ALIVE, (list(pids),)).fetchone() is not None and time.monotonic() < deadline:
        time.sleep(0.001)


def _maintenance(server: NoopExecutor) -> api.Connection:
    known = {name: getattr(server, name) for name in ("host", "port", "user", "password", "options")}
    return _connect(known | {"dbname": server.maintenance_dbname})


def _connect(dsn: dict[str, Any]) -> api.Connection:
    return psycopg.connect(make_conninfo(**dsn), autocommit=True)

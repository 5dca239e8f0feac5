"""What the fixtures hand out: a cluster with its people, databases of one test, and the releases between them."""

import os
import time
from collections.abc import Mapping
from itertools import count
from typing import Any, TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from birthdb import paths, target
from pgcontract.project import Project

#: The login that releases: not a superuser, may create roles, owns the databases.
RELEASER = "release_dba"

#: The login that confirms a copy.
DBA = "dora_dba"

#: Login: the role it is a member of; None: of no role at all.
PEOPLE: Mapping[str, str | None] = {
    "alice_steward": "birth_steward",
    "stella_steward": "birth_steward",
    "olga_operator": "birth_operator",
    "rita_reviewer": "birth_reviewer",
    "paul_owner": "birth_permit_owner",
    DBA: "birth_dba",
    "nora_nobody": None,
}

#: The environment variable that names a database to copy where one would be released: it lacks a guard, say.
TEMPLATE = "BIRTHDB_TEMPLATE"

#: Seconds between two looks: whoever looks without a pause takes the core from what is waited for.
POLL = 0.002

_PASSWORD = "of-a-test"  # for a server that asks; the embedded one does not
_ADVISORY_LOCK = 0x62697274

_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


def worker() -> str:
    """Return a name that no other process of this test run, or of another one, uses."""
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"


Kind = TypeVar("Kind", bound=psycopg.Connection[Any])


def session(url: str, kind: type[Kind], **options: Any) -> Kind:
    """Return a session as an application has one: with the settings of database and role, its search path too."""
    return kind.connect(url, **({"client_encoding": "UTF8", "prepare_threshold": None} | options))


class Database:
    """One database; what a test opens through it is closed when it is dropped."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster = cluster
        self.name = name
        self._open: list[psycopg.Connection[Any]] = []

    def url(self, user: str | None = None) -> str:
        """Return a connection string, as the superuser unless ``user`` is named."""
        return self.cluster.url(self.name, user)

    def connect(self, user: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """Return a connection in autocommit mode, as the superuser unless ``user`` is named."""
        conn = session(self.url(user), psycopg.Connection[Any], **({"autocommit": True} | options))
        self._open.append(conn)
        return conn

    def leave(self) -> None:
        """Close what was opened, so that the database can be copied."""
        for conn in self._open:
            conn.close()
        self._open.clear()

    def drop(self) -> None:
        """Close what was opened, and drop the database whoever else is connected."""
        self.leave()
        # DROP looks a second time only after a tenth of a second, and most backends are gone after a few milliseconds.
        deadline = time.monotonic() + 1
        while self.cluster.execute(_END, (self.name,)).fetchall() and time.monotonic() < deadline:
            time.sleep(0.001)
        self.cluster.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(self.name)))


class Cluster:
    """A server on which the superuser's connection string gives full power.

    Databases are made by hand, because pytest-postgresql's janitor can name neither an owner, which a copy does not
    inherit, nor a strategy: copying files takes 15 ms in shared memory, the default 35 to 80.
    """

    def __init__(self, superuser: str, *, local: bool = False) -> None:
        self._superuser = superuser
        #: Whether its processes are those of this machine, and this test run's own.
        self.local = local
        self._admin = target.connect(superuser, autocommit=True)
        self._numbers = count(1)
        self.major = self._admin.info.server_version // 10000
        with self._exclusively():
            self.login(RELEASER, SQL("CREATEROLE"))
            for person in PEOPLE:
                self.login(person)

    def reconnect(self) -> None:
        """Connect anew after the server crashed; raises OperationalError as long as it does not take connections."""
        self._admin.close()
        self._admin = target.connect(self._superuser, autocommit=True)

    def close(self) -> None:
        """Close the connection; the logins stay, because other databases may know them."""
        self._admin.close()

    def reopen(self) -> None:
        """Connect again, to a server that was started again."""
        self._admin = target.connect(self._superuser, autocommit=True)

    def url(self, dbname: str, user: str | None = None) -> str:
        """Return a connection string for ``dbname``, as the superuser unless ``user`` is named."""
        if user is None:
            return make_conninfo(self._superuser, dbname=dbname)
        return make_conninfo(self._superuser, dbname=dbname, user=user, password=_PASSWORD)

    def execute(self, query: Any, parameters: Any = None) -> psycopg.Cursor[Any]:
        """Execute a statement as the superuser, in the maintenance database."""
        return self._admin.execute(query, parameters)

    def create(
        self,
        template: str = "template0",
        *,
        confirmed: bool = True,
        encoding: str | None = None,
        icu: str | None = None,
    ) -> Database:
        """Return a new database, owned by the releaser; a copy of ``template``, or of an encoding, or a locale of ICU.

        A copy knows that it is one and spends no permit; unless ``confirmed`` is false, a DBA says that it may.
        """
        name = f"birthdb_{worker()}_{next(self._numbers)}"
        statement = SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*map(Identifier, (name, template, RELEASER)))
        if encoding:
            statement += SQL(" LOCALE 'C' ENCODING {}").format(Literal(encoding))
        if icu:
            statement += SQL(" LOCALE 'C' ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE {}").format(Literal(icu))
        if self.major >= 15:
            statement += SQL(" STRATEGY file_copy")
        self.execute(statement)
        if confirmed and template != "template0":
            with target.connect(self.url(name, DBA), autocommit=True) as conn:
                conn.execute("SELECT birth.fn_birth_home_confirm(p_reason := 'a copy for a test')")
        return Database(self, name)

    def create_released(self, revision: str = "head") -> Database:
        """Return a new database, released up to ``revision`` by the releaser, in which people have their roles."""
        made = self.create()
        try:
            with self._exclusively():
                upgrade(made.url(RELEASER), revision)
                self.enrol()
        except BaseException:
            made.drop()
            raise
        return made

    def enrol(self) -> None:
        """Make people members of their roles, as far as a release has created these."""
        for person, role in PEOPLE.items():
            if role and self.execute("SELECT to_regrole(%s)::oid", (role,)).fetchone() != (None,):
                self.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(person)))

    def login(self, name: str, attributes: SQL | None = None) -> None:
        """Make a login that can connect, unless it is there."""
        if self.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
            statement = SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
            self.execute(statement.format(Identifier(name), attributes or SQL(""), Literal(_PASSWORD)))

    def _exclusively(self) -> "_Lock":
        # Roles belong to the cluster, and another worker may be creating the same ones.
        return _Lock(self)


class _Lock:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __enter__(self) -> None:
        self._cluster.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))

    def __exit__(self, *_: object) -> None:
        self._cluster.execute("SELECT pg_advisory_unlock(%s)", (_ADVISORY_LOCK,))


#: What the contract knows of schema birth.
PROJECT = Project.read(paths.ROOT)


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration as installed, for the database of ``url``."""
    config = Config(str(paths.ALEMBIC_INI))
    config.attributes.update(url=url, configure_logger=False)
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Release up to ``revision``."""
    command.upgrade(alembic_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Release back to ``revision``; ``base`` is nothing."""
    command.downgrade(alembic_config(url), revision)

"""Where the story plays: a throw-away server or database, a DBA who is no superuser, and people with one part each."""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Literal

from birthdb import paths, target
from birthdb.api import Connection
from birthdb.server import EmbeddedServer
from birthdb.server import _TerminationExits as TerminationExits

STEWARD = "alice_steward"
SECOND_STEWARD = "stella_steward"
OPERATOR = "olga_operator"
REVIEWER = "rita_reviewer"
OWNER = "paul_owner"
READER = "vera_reader"
DBA = "dora_dba"
#: Owns the source tables and has no role of birthdb.
TABLES_OWNER = "tom_tables"
SUPERUSER = "postgres"

#: Login: the role it is a member of. Nobody has two.
PEOPLE: Mapping[str, str] = {
    STEWARD: "birth_steward",
    SECOND_STEWARD: "birth_steward",
    OPERATOR: "birth_operator",
    REVIEWER: "birth_reviewer",
    OWNER: "birth_permit_owner",
    READER: "birth_reader",
}

#: Called with who sends a statement and its text, before it is sent.
Listener = Callable[[str, str], None]


#: The roles that a release creates in the cluster; those that were not there before are dropped again.
_ROLES = (
    "birth_definer",
    "birth_scanner",
    "birth_reader",
    "birth_steward",
    "birth_operator",
    "birth_reviewer",
    "birth_permit_owner",
    "birth_dba",
    "birth_source_owner",
)


class Scene:
    """A context manager: a database with its people on entry; on exit every connection closed and everything gone.

    The server is that of ``BIRTHDB_URL`` where it is set: a throw-away database and logins with names of their own,
    dropped on exit, also after a failure. Otherwise it is a server of the scene's own, to which ``settings`` go.
    ``listener`` hears every statement that goes over the connections of ``connect``. Entering raises ServerError, or
    TargetError where the login of ``BIRTHDB_URL`` may not do what it takes; ``superuser`` says that it takes a
    superuser.
    """

    def __init__(
        self,
        name: str,
        listener: Listener | None = None,
        settings: Mapping[str, str] | None = None,
        *,
        superuser: bool = False,
    ) -> None:
        """Remember what to set up; ``name`` is the database's, as far as it can be."""
        given = os.environ.get(target.VARIABLE)
        self._given = target.resolve(given) if given else None
        self._suffix = f"_{secrets.token_hex(4)}" if given else ""
        self.name = f"birthdb_{name}{self._suffix}" if given else name
        #: What is true once the scene is over.
        self.gone = "the database and its logins are dropped" if given else "the server is gone"
        self._needs_superuser = superuser
        self._listener = listener
        self._settings = settings
        self._password = secrets.token_urlsafe(18)
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> Self:
        """Create the logins and the database, which belongs to the DBA."""
        with ExitStack() as stack:
            if self._given is None:
                self._server = stack.enter_context(EmbeddedServer(settings=self._settings)).url()
            else:
                # A terminated demo cleans up after itself too.
                stack.enter_context(TerminationExits())
                self._server = self._given
            admin = stack.enter_context(target.connect(self._server, autocommit=True))
            self.version = f"PostgreSQL {admin.info.parameter_status('server_version')}"
            self._admit(admin)
            before = _roles(admin)
            if self._given is not None:
                stack.callback(self._clear, admin, before)
            stack.callback(self._close)
            self._set_up(admin, before)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections, and leave nothing behind."""
        self._stack.close()

    def login(self, person: str) -> str:
        """Return what a person is called on this server."""
        return person + self._suffix

    @contextmanager
    def mightiest(self) -> Iterator[Connection]:
        """Yield the connection of who can do most by hand: a superuser, else a login that has become birth_definer."""
        conn = self.connect(SUPERUSER)
        if self.superuser:
            yield conn
            return
        me, dba = Identifier(conn.info.user), self.connect(DBA)
        dba.execute(SQL("GRANT birth_definer TO {}").format(me))
        conn.execute("SET ROLE birth_definer")
        try:
            yield conn
        finally:
            conn.execute("RESET ROLE")
            dba.execute(SQL("REVOKE birth_definer FROM {}").format(me))

    def connect(self, login: str) -> Connection:
        """Return the connection of ``login``, in autocommit mode; the same one every time."""
        if login not in self._connections:
            conn = target.connect(self._url(login), autocommit=True)
            if self._listener is not None:
                conn.cursor_factory = _listening(login, self._listener)
            self._connections[login] = conn
        return self._connections[login]

    def release(self, revision: str) -> None:
        """Release up to ``revision`` as the DBA, and give people their roles as soon as there are any."""
        config = Config(str(paths.ALEMBIC_INI))
        config.attributes.update(url=self._url(DBA), configure_logger=False)
        command.upgrade(config, revision)
        with target.connect(self._url(DBA), autocommit=True) as conn:
            for person, role in PEOPLE.items():
                conn.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(self.login(person))))

    def _url(self, login: str) -> str:
        """Return the scene's database for a login; the superuser is whoever the server was named for."""
        if login == SUPERUSER:
            return make_conninfo(self._server, dbname=self.name)
        return make_conninfo(self._server, dbname=self.name, user=self.login(login), password=self._password)

    def _admit(self, admin: Connection) -> None:
        may = admin.execute(
            "SELECT r.rolsuper, r.rolsuper OR r.rolcreatedb AND r.rolcreaterole"
            " FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user"
        ).fetchone()
        self.superuser, both = bool(may and may[0]), bool(may and may[1])
        if self._needs_superuser and not self.superuser:
            raise target.Unsuitable(
                f"{admin.info.user} is no superuser, and this needs one",
                f"set {target.VARIABLE} to a superuser's URI, or unset it: a server of its own is started then",
            )
        if not both:
            raise target.Unsuitable(
                f"{admin.info.user} may not create databases and roles",
                f"set {target.VARIABLE} to a login that may, or unset it: a server of its own is started then",
            )

    def _set_up(self, admin: Connection, before: list[str]) -> None:
        password = Literal(self._password)
        for person in (DBA, *PEOPLE, TABLES_OWNER):
            attributes = SQL("CREATEROLE" if person == DBA else "NOCREATEROLE")
            statement = SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
            admin.execute(statement.format(Identifier(self.login(person)), attributes, password))
        dba = Identifier(self.login(DBA))
        if not self.superuser:
            owner = Identifier(self.login(TABLES_OWNER))
            admin.execute(SQL("GRANT {}, {} TO CURRENT_USER").format(dba, owner))
        # From 16 on CREATEROLE alone does not hand on a role that somebody else made.
        options = SQL("ADMIN TRUE, INHERIT FALSE, SET FALSE" if admin.info.server_version >= 160000 else "ADMIN OPTION")
        for role in before:
            admin.execute(SQL("GRANT {} TO {} WITH {}").format(Identifier(role), dba, options))
        admin.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(self.name), dba))

    def _clear(self, admin: Connection, before: list[str]) -> None:
        """Drop the database, the logins, and the roles that came with it unless something depends on them."""
        force = SQL(" WITH (FORCE)" if self.superuser else "")
        left = self._dropped(admin, SQL("DROP DATABASE IF EXISTS {}").format(Identifier(self.name)) + force)
        for person in (*PEOPLE, TABLES_OWNER):
            left += self._dropped(admin, SQL("DROP ROLE IF EXISTS {}").format(Identifier(self.login(person))))
        made = [role for role in _roles(admin) if role not in before]
        if made:
            # Whoever made them may drop them. Another database may use them by now: then they stay.
            url = make_conninfo(self._server, user=self.login(DBA), password=self._password)
            with suppress(psycopg.Error), target.connect(url, autocommit=True) as dba:
                dba.execute(SQL("DROP ROLE {}").format(SQL(", ").join(map(Identifier, made))))
        left += self._dropped(admin, SQL("DROP ROLE IF EXISTS {}").format(Identifier(self.login(DBA))))
        if left:
            self.gone = "left behind: " + "; ".join(left)
            print(self.gone, file=sys.stderr)

    def _dropped(self, admin: Connection, statement: Composed) -> list[str]:
        try:
            admin.execute(statement)
        except psycopg.Error as exc:
            return [f"{statement.as_string(admin)}: {exc.diag.message_primary or exc}"]
        return []

    def _close(self) -> None:
        for conn in self._connections.values():
            conn.close()


def _roles(conn: Connection) -> list[str]:
    """Return which of birthdb's roles the cluster has."""
    found = conn.execute("SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.rolname = ANY (%s)", (list(_ROLES),))
    return [str(row[0]) for row in found]


def _listening(login: str, listener: Listener) -> type[psycopg.Cursor[Any]]:
    class Listening(psycopg.ClientCursor[Any]):
        """Binds on this side, so that what is heard is, to the letter, what is sent."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            listener(login, self.mogrify(query, params))
            return super().execute(query, params, **options)

    return Listening

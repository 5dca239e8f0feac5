"""Where the story plays: a throw-away server, a database, a DBA who is no superuser, and people with one part each."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.sql import SQL, Identifier

from birthdb import paths, target
from birthdb.api import Connection
from birthdb.server import EmbeddedServer

STEWARD = "alice_steward"
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
    OPERATOR: "birth_operator",
    REVIEWER: "birth_reviewer",
    OWNER: "birth_permit_owner",
    READER: "birth_reader",
}

#: Called with who sends a statement and its text, before it is sent.
Listener = Callable[[str, str], None]


class Scene:
    """A context manager: the server with its database on entry; on exit every connection closed and the server gone.

    ``listener`` hears every statement that goes over the connections of ``connect``. ``settings`` go to the server.
    Entering raises ServerError.
    """

    def __init__(self, name: str, listener: Listener | None = None, settings: Mapping[str, str] | None = None) -> None:
        """Remember what to set up; ``name`` is the database's."""
        self.name = name
        self._listener = listener
        self._server = EmbeddedServer(settings=settings)
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> Self:
        """Start the server, create the logins and the database, which belongs to the DBA."""
        with ExitStack() as stack:
            stack.enter_context(self._server)
            stack.callback(self._close)
            with target.connect(self._server.url(), autocommit=True) as conn:
                conn.execute(SQL("CREATE ROLE {} LOGIN CREATEROLE").format(Identifier(DBA)))
                for login in (*PEOPLE, TABLES_OWNER):
                    conn.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(login)))
                conn.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(self.name), Identifier(DBA)))
                self.version = f"PostgreSQL {conn.info.parameter_status('server_version')}"
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections and stop the server."""
        self._stack.close()

    def connect(self, login: str) -> Connection:
        """Return the connection of ``login``, in autocommit mode; the same one every time."""
        if login not in self._connections:
            conn = target.connect(self._server.url(self.name, login), autocommit=True)
            if self._listener is not None:
                conn.cursor_factory = _listening(login, self._listener)
            self._connections[login] = conn
        return self._connections[login]

    def release(self, revision: str) -> None:
        """Release up to ``revision`` as the DBA, and give people their roles as soon as there are any."""
        config = Config(str(paths.ALEMBIC_INI))
        config.attributes.update(url=self._server.url(self.name, DBA), configure_logger=False)
        command.upgrade(config, revision)
        with target.connect(self._server.url(self.name, DBA), autocommit=True) as conn:
            for login, role in PEOPLE.items():
                conn.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(login)))

    def _close(self) -> None:
        for conn in self._connections.values():
            conn.close()


def _listening(login: str, listener: Listener) -> type[psycopg.Cursor[Any]]:
    class Listening(psycopg.ClientCursor[Any]):
        """Binds on this side, so that what is heard is, to the letter, what is sent."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            listener(login, self.mogrify(query, params))
            return super().execute(query, params, **options)

    return Listening

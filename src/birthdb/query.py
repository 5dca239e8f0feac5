"""A statement described once, and sent over either kind of psycopg's connections.

``routine`` turns a function that describes a ``Query`` into one that takes a connection first. Over a Connection it
returns the answer; over an AsyncConnection it returns a coroutine, which is awaited for the answer.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, LiteralString, ParamSpec, Protocol, TypeVar, overload
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.adapt import Loader
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Placeholder
from psycopg.types.json import JsonbLoader
from psycopg.types.numeric import NumericLoader

from birthdb.errors import BirthError

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C", psycopg.Cursor[dict[str, Any]], psycopg.AsyncCursor[dict[str, Any]])

Connection = psycopg.Connection[Any]
AsyncConnection = psycopg.AsyncConnection[Any]
Row = dict[str, Any]
Notice = Callable[[str], None]

#: What applications load otherwise, for all of a connection, and ``birthdb.answers`` promises: Django reads jsonb as
#: text, and a recipe of psycopg numeric as float.
_LOADERS: dict[str, type[Loader]] = {"jsonb": JsonbLoader, "numeric": NumericLoader}

#: Each call that is sent, at level DEBUG, as a person would type it.
_log = logging.getLogger("birthdb.api")


@dataclass(frozen=True)
class Query(Generic[T]):
    """A statement with its parameters, and what becomes of its rows."""

    statement: SQL | Composed
    parameters: Mapping[LiteralString, Any]
    answer: Callable[[list[Row]], T]
    #: Of a call the beginning, ``SELECT * FROM birth.fn_…``: what it sends is logged.
    head: LiteralString | None = None
    #: Is called with each message of the server.
    notice: Notice | None = None


class Routine(Protocol[P, T_co]):
    """What ``routine`` makes: a function of both kinds of connections."""

    __name__: str

    @overload
    def __call__(self, conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T_co: ...
    @overload
    def __call__(self, conn: AsyncConnection, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T_co]: ...


def routine(describe: Callable[P, Query[T]]) -> Routine[P, T]:
    """Return the function that sends what ``describe`` returns; ``__wrapped__`` is ``describe`` itself."""

    @functools.wraps(describe)
    def send(conn: Connection | AsyncConnection, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        query = describe(*args, **kwargs)
        if isinstance(conn, psycopg.AsyncConnection):
            return _awaited(conn, query)
        if isinstance(conn, psycopg.Connection):
            return _sent(conn, query)
        raise TypeError(f"a connection of psycopg 3 is needed, not {type(conn).__module__}.{type(conn).__qualname__}")

    own = inspect.signature(describe)
    first = inspect.Parameter("conn", inspect.Parameter.POSITIONAL_ONLY, annotation=Connection | AsyncConnection)
    (answer,) = own.return_annotation.__args__
    send.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[first, *own.parameters.values()], return_annotation=answer
    )
    return send


@contextmanager
def refusals() -> Iterator[None]:
    """Convert a psycopg error with an SQLSTATE of the catalogue into its BirthError."""
    try:
        yield
    except psycopg.Error as exc:
        refusal = BirthError.from_psycopg(exc)
        if refusal is None:
            raise
        raise refusal from exc


def call(head: LiteralString, answer: Callable[[list[Row]], T], /, **arguments: Any) -> Query[T]:
    """Return the call of a routine, by its named arguments."""
    return Query(_statement(head, arguments), arguments, answer, head)


def written(conn: Connection | AsyncConnection, head: LiteralString, arguments: Mapping[LiteralString, Any]) -> str:
    """Return a call as a person types it."""
    return str(_Written(conn, head, arguments))


def _sent(conn: Connection, query: Query[T]) -> T:
    with _heard(conn, query), _cursor(conn) as cursor:
        # The end of an inner pipeline waits for what was sent in it.
        with conn.pipeline() if conn.pgconn.pipeline_status else nullcontext():
            cursor.execute(query.statement, query.parameters, prepare=False)
        return query.answer(cursor.fetchall() if cursor.description else [])


async def _awaited(conn: AsyncConnection, query: Query[T]) -> T:
    with _heard(conn, query):
        async with _async_cursor(conn) as cursor:
            async with conn.pipeline() if conn.pgconn.pipeline_status else nullcontext():
                await cursor.execute(query.statement, query.parameters, prepare=False)
            return query.answer(await cursor.fetchall() if cursor.description else [])


def _cursor(conn: Connection) -> psycopg.Cursor[Row]:
    """Return a cursor of the connection's own kind, which may be one that traces, unless its parameters are others."""
    raw = issubclass(conn.cursor_factory, psycopg.RawCursor)
    return _typed(psycopg.Cursor(conn, row_factory=dict_row) if raw else conn.cursor(row_factory=dict_row))


def _async_cursor(conn: AsyncConnection) -> psycopg.AsyncCursor[Row]:
    raw = issubclass(conn.cursor_factory, psycopg.AsyncRawCursor)
    return _typed(psycopg.AsyncCursor(conn, row_factory=dict_row) if raw else conn.cursor(row_factory=dict_row))


def _typed(cursor: C) -> C:
    for name, loader in _LOADERS.items():
        cursor.adapters.register_loader(name, loader)
    return cursor


@contextmanager
def _heard(conn: Connection | AsyncConnection, query: Query[Any]) -> Iterator[None]:
    """What surrounds a query of either kind: it is logged, its messages are heard, its refusal is a BirthError."""

    def told(diagnostic: psycopg.errors.Diagnostic) -> None:
        if query.notice is not None:
            query.notice(diagnostic.message_primary or "")

    if query.head is not None and not conn.closed:
        _log.debug("%s", _Written(conn, query.head, query.parameters))
    conn.add_notice_handler(told)
    try:
        with refusals():
            yield
    finally:
        conn.remove_notice_handler(told)


def _statement(head: LiteralString, arguments: Mapping[LiteralString, Any]) -> Composed:
    # The routine is written as it is named: the database looks for its name in the statement that was sent.
    bound = [SQL("{} => {}").format(Identifier(name), Placeholder(name)) for name in arguments]
    return SQL(head + "({})").format(SQL(", ").join(bound))


class _Written:
    """A call as a person types it, written out only when it is asked for."""

    def __init__(
        self, conn: Connection | AsyncConnection, head: LiteralString, arguments: Mapping[LiteralString, Any]
    ) -> None:
        self._conn, self._head, self._arguments = conn, head, arguments

    def __str__(self) -> str:
        # The names are those of our own parameters: a person quotes none.
        given = [
            SQL(name) + SQL(" := ") + sql.Literal(str(value) if isinstance(value, UUID) else value)
            for name, value in self._arguments.items()
        ]
        return SQL(self._head + "({});").format(SQL(", ").join(given)).as_string(self._conn)

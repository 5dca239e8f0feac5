"""The target database: how it is named, shown without its password, and connected to by every command.

The order (specification, "The database is named"): ``alembic -x url=…``, the environment variable ``BIRTHDB_URL``,
``sqlalchemy.url`` in ``alembic.ini``. A target is a libpq URI or connection string; a SQLAlchemy URL is understood too.
"""

import configparser
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from alembic.config import Config
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Engine, NullPool, create_engine, make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import ArgumentError

from birthdb import paths
from birthdb.query import Connection, refusals
from pgcontract.release import SESSION

#: The environment variable that names the database.
VARIABLE = "BIRTHDB_URL"

_EXAMPLE = "postgresql://user@host/database"

#: What a session starts with: a database, a role and its owner may set what they like. The path decides whose operators
#: and functions a statement calls, from the driver's own first one on; the others change what the server writes down.
_PINNED = {
    "search_path": "pg_catalog,pg_temp",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
}

#: A URI whose host, port and database cannot hold a part of a password.
_PLAIN = re.compile(r"postgres(?:ql)?://(?:[^@/]*@)?[^@/?]*(?:/[^@/?]*)?(?:\?[^@]*)?", re.DOTALL)

#: Parameters of other drivers' URLs, with what to do. No other name is repeated: it may be a part of a password.
_FOREIGN = {
    "ssl": "take it out of the URL; libpq says sslmode=require, or verify-full with sslrootcert=system",
    **dict.fromkeys(
        ("schema", "currentSchema", "search_path"),
        "take it out of the URL; birthdb names the schema of whatever it sends",
    ),
    **dict.fromkeys(
        (
            *("ApplicationName", "async_fallback", "charset", "command_timeout", "connection_limit", "pgbouncer"),
            *("pool_timeout", "prepareThreshold", "prepared_statement_cache_size", "prepared_statement_name_func"),
            *("reWriteBatchedInserts", "server_settings", "statement_cache_size", "stringtype", "timeout"),
        ),
        "take it out of the URL; it means something to another driver only",
    ),
}

#: How pgbouncer says that it passes no options on.
_NO_OPTIONS = "unsupported startup parameter"


class TargetError(Exception):
    """The target cannot be used; ``hint`` says what to set. The command line exits 2."""

    hint: str = f"set {VARIABLE} to a libpq URI such as {_EXAMPLE}"


class NoTarget(TargetError):
    """No database was named."""

    def __init__(self) -> None:
        """Say so in the words of the command line."""
        super().__init__("no database is named")


class BadTarget(TargetError):
    """The target is no libpq URI or connection string, or is ambiguous. The message never quotes it."""

    hint = (
        f"{TargetError.hint}; in it, @ / : and % of a name or password are %40 %2F %3A and %25,"
        " and in alembic.ini each % twice"
    )

    def __init__(self) -> None:
        """Say so without repeating what may hold a password."""
        super().__init__("the database is not named by a libpq URI")


class ForeignParameter(TargetError):
    """The target has a parameter of another driver, which libpq does not know."""

    def __init__(self, name: str, hint: str) -> None:
        """Name the parameter, which is one of ``_FOREIGN``; the value is not shown."""
        super().__init__(f"libpq has no parameter {name}")
        self.hint = hint


class MisplacedTarget(TargetError):
    """Another argument looks like a connection string. The message never quotes it."""

    hint = f"name the database by --url, by -x url= before a command of Alembic, or by {VARIABLE}"

    def __init__(self) -> None:
        """Say so without repeating what may hold a password."""
        super().__init__("a connection string stands where another argument belongs")


class Unsuitable(TargetError):
    """The target does not allow the command; ``hint`` says what is needed."""

    def __init__(self, message: str, hint: str) -> None:
        """Say what is missing."""
        super().__init__(message)
        self.hint = hint


def resolve(explicit: str | None = None, config: Config | None = None) -> str:
    """Return the connection string of the first source that names one.

    ``explicit`` is ``-x url=…`` or ``--url``; ``sqlalchemy.url`` of ``config`` is used if the environment names
    none. Raises NoTarget, or BadTarget where the first source found cannot be parsed.
    """
    found = explicit or os.environ.get(VARIABLE) or _configured(config)
    if not found:
        raise NoTarget
    url = _libpq(re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", found.strip()))
    _parse(url)
    return url


def from_alembic(config: Config, x_argument: Mapping[str, str]) -> str:
    """Return the connection string for ``env.py``; ``x_argument`` is ``context.get_x_argument(as_dictionary=True)``.

    A caller of Alembic's functions names the database by ``config.attributes["url"]``, which stands for ``-x url=…``.
    Raises NoTarget or BadTarget.
    """
    return resolve(x_argument.get("url") or config.attributes.get("url"), config)


def refuse_misplaced(arguments: Sequence[str]) -> None:
    """Raise MisplacedTarget when an argument other than that of --url and -x looks like a connection string.

    The command would print it in a message, or send it to a database as a name.
    """
    before = ""
    for argument in arguments:
        names_it = before in ("--url", "-x") or argument.startswith(("--url=", "-x"))
        if not names_it and re.search(r"://.*@|password\s*=", argument, re.DOTALL):
            raise MisplacedTarget
        before = argument


def describe(url: str) -> str:
    """Return host, database and user of ``url`` with libpq's defaults, without password. Raises BadTarget."""
    given = _parse(url)
    known = _completed(given)
    if "service" in given:
        return f"service {given['service']}"
    user = known.get("user", "the current user")
    host = known.get("host") or known.get("hostaddr") or "the local socket"
    return f"database {known.get('dbname', user)} on {host} as {user}"


def connect(url: str, **options: Any) -> psycopg.Connection[Any]:
    """Return an open connection; ``options`` go to ``psycopg.connect``. Raises psycopg.OperationalError, BadTarget.

    Its search path is the catalogue alone from the start, and so is whatever else changes an answer, but behind a pool
    that passes no options on: each statement that a command sends there names the schema of all that it calls. Options
    of libpq that the target, its service or PGOPTIONS gives are kept.
    """
    given = _parse(url)
    # What is sent has characters that not every encoding has; a role or PGCLIENTENCODING may ask for another one.
    # Nothing is prepared: through a pool of transactions the next statement may meet another session.
    asked: dict[str, Any] = {
        "fallback_application_name": "birthdb",
        "client_encoding": "UTF8",
        "prepare_threshold": None,
    } | options
    theirs = asked.get("options") or _completed(given).get("options", "")
    pinned = " ".join([theirs, *(f"-c {name}={value}" for name, value in _PINNED.items())]).strip()
    try:
        connection = psycopg.connect(url, **(asked | {"options": pinned}))
    except psycopg.OperationalError as exc:
        if _NO_OPTIONS not in str(exc):
            raise
        connection = psycopg.connect(url, **asked)
    _make_readable(connection)
    return connection


def engine(url: str) -> Engine:
    """Return a SQLAlchemy engine for releases: connections of ``connect``, in whose session ``SESSION`` stands.

    Each is opened and closed per use.
    """
    given = _completed(_parse(url)).get("options", "")
    session = [rf"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in SESSION.items()]
    options = " ".join([given, *session]).strip()
    return create_engine("postgresql+psycopg://", creator=lambda: connect(url, options=options), poolclass=NullPool)


def _make_readable(connection: psycopg.Connection[Any]) -> None:
    """Set DateStyle and IntervalStyle that psycopg parses; both are reported, so a pool restores them per client."""
    for name, style in (("DateStyle", "ISO"), ("IntervalStyle", "postgres")):
        if not (connection.info.parameter_status(name) or style).startswith(style):
            connection.pgconn.exec_(f"SET {name} = '{style}'".encode())


def _configured(config: Config | None) -> str | None:
    try:
        return config.get_main_option("sqlalchemy.url") if config is not None else None
    except configparser.Error:
        # It quotes what follows the % that it did not understand.
        raise BadTarget from None


def _libpq(url: str) -> str:
    """Return a URI of SQLAlchemy as libpq understands it, any other string as it is.

    SQLAlchemy repeats host, each with its port. Raises ForeignParameter or BadTarget.
    """
    if not _PLAIN.fullmatch(url):
        return url
    query = parse_qsl(url.partition("?")[2], keep_blank_values=True)
    for name, value in query:
        # JDBC's ssl=true is libpq's too.
        if name in _FOREIGN and (name, value) != ("ssl", "true"):
            raise ForeignParameter(name, _FOREIGN[name])
    if [name for name, _ in query].count("host") < 2:
        return url
    try:
        _, parameters = PGDialect_psycopg().create_connect_args(make_url(url))  # type: ignore[no-untyped-call]
        return make_conninfo(**parameters)
    except (ArgumentError, psycopg.ProgrammingError, ValueError):
        raise BadTarget from None


def _completed(given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters as libpq completes them: from the service, the environment and its own defaults.

    libpq looks for a service where a connection names it only while it connects; for its defaults it asks PGSERVICE.
    """
    with _service(given.get("service")):
        completed = {option.keyword.decode(): option.val for option in pq.Conninfo.get_defaults()}
    # An option without a value is absent.
    return {name: value.decode() for name, value in completed.items() if value is not None} | dict(given)


@contextmanager
def _service(name: str | None) -> Iterator[None]:
    before = os.environ.get("PGSERVICE")
    if name is not None:
        os.environ["PGSERVICE"] = name
    try:
        yield
    finally:
        if name is not None:
            os.environ.pop("PGSERVICE")
            if before is not None:
                os.environ["PGSERVICE"] = before


def _parse(url: str) -> dict[str, str]:
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except (psycopg.ProgrammingError, UnicodeError):
        # libpq quotes the part it did not understand, and that part may be the password.
        raise BadTarget from None
    if _misread(url, given):
        raise BadTarget
    return given


def _misread(url: str, given: Mapping[str, str]) -> bool:
    """Whether a part of a password may have become a host, a port or a database, which everything shows.

    libpq ends the user and password of a URI at the first @, and takes there to be none after a /: what is left must
    have none of either where they can be written otherwise.
    """
    if re.match("postgres(?:ql)?://", url) and not _PLAIN.fullmatch(url):
        return True
    if not re.fullmatch("[0-9,]*", given.get("port", "")):
        return True
    return any("://" in given.get(name, "") for name in ("dbname", "host", "user", "service"))


def release(conn: Connection) -> str | None:
    """Return the current release of the database, as Alembic names it; None if nothing is released.

    Raises as ``may_read_release``.
    """
    if "alembic_version" not in objects(conn):
        return None
    may_read_release(conn)
    with refusals():
        row = conn.execute(
            "SELECT pg_catalog.string_agg(v.version_num, ', ') FROM birth.alembic_version AS v"
        ).fetchone()
    return row[0] if row else None


def may_read_release(conn: Connection) -> None:
    """Check Alembic's version table before it is read: reading it runs the code attached to it.

    Raises NB404 for a table that is not as a release makes it.
    """
    with refusals():
        conn.execute((paths.SQL / "release" / "version_table.sql").read_bytes(), prepare=False)


def objects(conn: Connection) -> set[str]:
    """Return the names of the relations and routines of schema ``birth``; needs no privilege."""
    found = conn.execute(
        "SELECT o.name FROM pg_catalog.pg_namespace AS n CROSS JOIN LATERAL ("
        " SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid UNION"
        " SELECT p.proname FROM pg_catalog.pg_proc AS p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid) AS o(name)"
        " WHERE n.nspname OPERATOR(pg_catalog.=) 'birth'"
    )
    return {str(row[0]) for row in found}

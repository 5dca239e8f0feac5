"""Which database: named once, found in one order, shown without its password.

The order (specification, "The database is named"): ``alembic -x url=…``, the environment variable ``BIRTHDB_URL``,
``sqlalchemy.url`` in ``alembic.ini``. A target is a libpq URI or connection string; a SQLAlchemy URL is understood too.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

import psycopg
from alembic.config import Config
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, NullPool, create_engine

#: The environment variable that names the database.
VARIABLE = "BIRTHDB_URL"

_EXAMPLE = "postgresql://user@host/database"


class TargetError(Exception):
    """The target cannot be used; ``hint`` says what to set. The command line exits 2."""

    hint: str = f"set {VARIABLE} to a libpq URI such as {_EXAMPLE}"


class NoTarget(TargetError):
    """No database was named."""

    def __init__(self) -> None:
        """Say so in the words of the command line."""
        super().__init__("no database is named")


class BadTarget(TargetError):
    """What names the database is neither a libpq URI nor a connection string; never quotes it."""

    def __init__(self) -> None:
        """Say so without repeating what may hold a password."""
        super().__init__("the database is not named by a libpq URI")


class Unsuitable(TargetError):
    """The database that was named does not allow what was asked for; ``hint`` says what it would take."""

    def __init__(self, message: str, hint: str) -> None:
        """Say what is missing."""
        super().__init__(message)
        self.hint = hint


def resolve(explicit: str | None = None, config: Config | None = None) -> str:
    """Return the connection string of the first source that names one.

    ``explicit`` is ``-x url=…`` or ``--url``; ``config`` contributes ``sqlalchemy.url`` where the environment is
    silent. Raises NoTarget, or BadTarget where the first source found cannot be parsed.
    """
    configured = config.get_main_option("sqlalchemy.url") if config is not None else None
    found = explicit or os.environ.get(VARIABLE) or configured
    if not found:
        raise NoTarget
    url = re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", found.strip())
    _parse(url)
    return url


def from_alembic(config: Config, x_argument: Mapping[str, str]) -> str:
    """Return the connection string for ``env.py``; ``x_argument`` is ``context.get_x_argument(as_dictionary=True)``.

    A caller of Alembic's functions names the database by ``config.attributes["url"]``, which stands for ``-x url=…``.
    Raises NoTarget or BadTarget.
    """
    return resolve(x_argument.get("url") or config.attributes.get("url"), config)


def describe(url: str) -> str:
    """Return host, database and user of ``url`` as libpq will complete them, never a password. Raises BadTarget."""
    given = _parse(url)
    # Values only: an option of libpq without a value is absent from both.
    defaults = {
        option.keyword.decode(): option.val.decode() for option in pq.Conninfo.get_defaults() if option.val is not None
    }
    known = defaults | given
    if "service" in given:
        return f"service {given['service']}"
    user = known.get("user", "the current user")
    host = known.get("host") or known.get("hostaddr") or "the local socket"
    return f"database {known.get('dbname', user)} on {host} as {user}"


def connect(url: str, **options: Any) -> psycopg.Connection[Any]:
    """Return an open connection; ``options`` go to ``psycopg.connect``. Raises psycopg.OperationalError, BadTarget."""
    _parse(url)
    # What is sent has characters that not every encoding has; a role or PGCLIENTENCODING may ask for another one.
    # Nothing is prepared: through a pool of transactions the next statement may meet another session.
    given = {"fallback_application_name": "birthdb", "client_encoding": "UTF8", "prepare_threshold": None} | options
    connection = psycopg.connect(url, **given)
    _make_readable(connection)
    return connection


def engine(url: str) -> Engine:
    """Return a SQLAlchemy engine whose connections are those of ``connect``, opened and closed per use.

    Their search path is the catalogue alone: what SQLAlchemy and Alembic ask is not written to withstand operators that
    somebody put into a schema of the database's own path, and who releases may be a superuser. They read what was
    committed before each statement: a release looks at what it has just locked.
    """
    given = _parse(url).get("options") or os.environ.get("PGOPTIONS", "")
    pinned = r"-c search_path=pg_catalog,pg_temp -c default_transaction_isolation=read\ committed"
    options = f"{given} {pinned}".strip()
    return create_engine("postgresql+psycopg://", creator=lambda: connect(url, options=options), poolclass=NullPool)


def _make_readable(connection: psycopg.Connection[Any]) -> None:
    """Have times come in the styles that psycopg reads; the server reports these two, so a pool keeps them apart."""
    for name, style in (("DateStyle", "ISO"), ("IntervalStyle", "postgres")):
        if not (connection.info.parameter_status(name) or style).startswith(style):
            connection.pgconn.exec_(f"SET {name} = '{style}'".encode())


def _parse(url: str) -> dict[str, str]:
    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        # libpq quotes the part it did not understand, and that part may be the password.
        raise BadTarget from None

"""What a project's ``env.py`` runs: releases on a connection, or as a script for psql.

The whole of an ``env.py`` that names the database by ``-x url=…``::

    from alembic import context
    from pgcontract import environment
    environment.run(context)
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from pgcontract import ahead
from pgcontract.project import Project
from pgcontract.release import open_script, prepare


def run(context: ModuleType) -> None:
    """Do what Alembic's command asks for, on ``config.attributes["connection"]`` or the database of ``-x url=…``."""
    with refusals(context):
        _run(context)


def _run(context: ModuleType) -> None:
    config = context.config
    url = context.get_x_argument(as_dictionary=True).get("url") or config.attributes.get("url")
    if ahead.asks(context):
        ahead.answer(context)
    elif context.is_offline_mode():
        write_script(context)
    elif (ready := config.attributes.get("connection")) is not None:
        migrate(context, ready)
    elif url is None:
        sys.exit("no database is named: alembic -x url=postgresql://user@host/database …")
    else:
        # Read committed: a release looks at what it has just locked.
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(url, client_encoding="UTF8"),
            poolclass=NullPool,
            isolation_level="READ COMMITTED",
        )
        with engine.connect() as connection:
            migrate(context, connection)


@contextmanager
def refusals(context: ModuleType, *refused: type[Exception]) -> Iterator[None]:
    """Have Alembic's command line print what the database refuses, and ``refused``, in place of a traceback.

    A caller of Alembic's functions gets the error itself. So does ``--raiseerr``, as the cause.
    """
    expected: tuple[type[Exception], ...] = (DBAPIError, psycopg.Error, *refused)
    try:
        yield
    except expected as exc:
        if context.config.cmd_opts is None:
            raise
        said = str(exc.orig or exc) if isinstance(exc, DBAPIError) else str(exc)
        hint = getattr(exc, "hint", None)
        raise CommandError("\n".join([said.strip(), *([f"HINT:  {hint}"] if hint else ())])) from exc


def write_script(context: ModuleType) -> None:
    """Write the releases as a script for psql."""
    # The script says \\encoding UTF8, wherever it is written.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    context.configure(dialect_name="postgresql", literal_binds=True, **_options(context))
    with context.begin_transaction():
        open_script(context.get_context())
        context.run_migrations()


def migrate(context: ModuleType, connection: Connection) -> None:
    """Run the releases on a connection of SQLAlchemy through psycopg 3."""
    context.configure(connection=connection, **_options(context))
    prepare(context.get_context())
    with context.begin_transaction():
        context.run_migrations()


def _options(context: ModuleType) -> dict[str, Any]:
    project = Project.read(Path(ScriptDirectory.from_config(context.config).dir).parent)
    # One transaction a release: what fails leaves the release before it, whole.
    return {
        "version_table": project.version_table,
        "version_table_schema": project.schema,
        "transaction_per_migration": True,
    }

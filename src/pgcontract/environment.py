"""What a project's ``env.py`` runs: releases on a connection, or as a script for psql.

The whole of an ``env.py`` that names the database by ``-x url=…``::

    from alembic import context
    from pgcontract import environment
    environment.run(context)
"""

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from pgcontract import ahead
from pgcontract.attest import NotReleased, installed
from pgcontract.project import Project
from pgcontract.release import SESSION, open_script, prepare, stamped
from pgcontract.surroundings import explain
from pgcontract.texts import Texts

_USABLE = (TransactionStatus.IDLE, TransactionStatus.INTRANS)


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
        migrate_ready(context, ready)
    elif url is None:
        sys.exit("no database is named: alembic -x url=postgresql://user@host/database …")
    else:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(url, client_encoding="UTF8"),
            poolclass=NullPool,
        )
        with engine.connect() as connection:
            migrate_ready(context, connection)


@contextmanager
def refusals(context: ModuleType, *refused: type[Exception]) -> Iterator[None]:
    """Have Alembic's command line print what the database refuses, and ``refused``, in place of a traceback.

    A caller of Alembic's functions gets the error itself. So does ``--raiseerr``, as the cause.
    """
    expected: tuple[type[Exception], ...] = (DBAPIError, psycopg.Error, NotReleased, *refused)
    try:
        yield
    except expected as exc:
        if context.config.cmd_opts is None:
            raise
        raw = exc.orig or exc if isinstance(exc, DBAPIError) else exc
        said, hint, notes = str(raw), getattr(exc, "hint", None), getattr(raw, "__notes__", ())
        raise CommandError("\n".join([said.strip(), *([f"HINT:  {hint}"] if hint else ()), *notes])) from exc


def write_script(context: ModuleType) -> None:
    """Write the releases as a script for psql."""
    # The script says \\encoding UTF8, wherever it is written.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    context.configure(dialect_name="postgresql", literal_binds=True, **_options(context))
    with context.begin_transaction():
        open_script(context.get_context())
        context.run_migrations()


def migrate_ready(context: ModuleType, connection: Connection) -> None:
    """Run the releases on a connection that is the caller's; its session has its own settings again at the end."""
    with session(connection):
        migrate(context, connection)


@contextmanager
def session(connection: Connection) -> Iterator[None]:
    """Have ``SESSION`` stand in the session of a connection, and what stood there before again at the end."""
    outer = connection.in_transaction()

    def put(values: Mapping[str, str]) -> None:
        for name, value in values.items():
            connection.exec_driver_sql("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
        if not outer:
            connection.commit()

    before = {
        name: connection.exec_driver_sql("SELECT pg_catalog.current_setting(%s)", (name,)).scalar_one()
        for name in SESSION
    }
    put(SESSION)
    try:
        yield
    finally:
        if not outer:
            connection.rollback()
        raw = connection.connection.driver_connection
        # A transaction of the caller's that failed takes the settings back with it.
        if isinstance(raw, psycopg.Connection) and raw.info.transaction_status in _USABLE:
            put(before)


def migrate(context: ModuleType, connection: Connection) -> None:
    """Run the releases on a connection of SQLAlchemy through psycopg 3, in whose session ``SESSION`` stands."""
    outer = connection.in_transaction()
    options = _options(context)
    context.configure(connection=connection, **options)
    if context.get_context().purge:
        # Otherwise Alembic commits what it purged before the version that follows may be refused.
        context.configure(connection=connection, **{**options, "transaction_per_migration": False})
    try:
        prepare(context.get_context())
        _hold_known(context.get_context(), connection)
        with context.begin_transaction():
            context.run_migrations()
    except (psycopg.Error, DBAPIError) as exc:
        raw, session_ = getattr(exc, "orig", exc), connection.connection.driver_connection
        # In a transaction of the caller's, which failed, nothing more can be asked.
        if not outer and isinstance(raw, psycopg.Error) and isinstance(session_, psycopg.Connection):
            connection.rollback()
            if isinstance(raw, psycopg.errors.LockNotAvailable):
                for holder in _holders(connection, options["version_table_schema"]):
                    raw.add_note(holder)
            explain(session_, _project(context), raw)
            if raw is not exc:
                for note in getattr(raw, "__notes__", ()):
                    exc.add_note(note)
        raise


def _hold_known(context: MigrationContext, connection: Connection) -> None:
    """Refuse a database at a release that is not installed, before Alembic looks for it among its files.

    ``stamp --purge`` writes another version in its place, and asks the objects itself.
    """
    if context.purge:
        return
    outer = connection.in_transaction()
    heads = context.get_current_heads()
    if not outer:
        connection.rollback()
    if context.script is not None:
        for head in heads:
            installed(Texts(Path(context.script.dir).parent), head)


def _holders(connection: Connection, schema: str) -> list[str]:
    """Return who holds a lock of what the schema has, which a release may have waited for in vain."""
    connection.rollback()
    held = connection.exec_driver_sql(
        "SELECT pg_catalog.format('process %%s of %%s holds %%s on %%s since %%s',"
        " k.pid, a.usename, k.mode, c.relname, a.xact_start)"
        " FROM pg_catalog.pg_locks k"
        " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.relation"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " JOIN pg_catalog.pg_stat_activity a"
        " ON a.pid OPERATOR(pg_catalog.=) k.pid AND a.datid OPERATOR(pg_catalog.=) k.database"
        " WHERE k.granted AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
        " AND n.nspname OPERATOR(pg_catalog.=) %s AND c.relkind OPERATOR(pg_catalog.=) 'r'"
        " AND k.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() ORDER BY 1",
        (schema,),
    )
    found = [str(row[0]) for row in held]
    connection.rollback()
    return found


def _options(context: ModuleType) -> dict[str, Any]:
    project = _project(context)
    # One transaction a release: what fails leaves the release before it, whole.
    return {
        "version_table": project.version_table,
        "version_table_schema": project.schema,
        "transaction_per_migration": True,
        "on_version_apply": stamped,
    }


def _project(context: ModuleType) -> Project:
    return Project.read(Path(ScriptDirectory.from_config(context.config).dir).parent)

"""Runs the releases of schema ``birth``: beside any other Alembic environment, online or as a script for psql.

The database is named as ``birthdb.target`` says; a caller of Alembic's functions may hand over an open SQLAlchemy
connection as ``config.attributes["connection"]``, which stays open.
"""

import io
import sys
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection

from birthdb import release, target
from birthdb.release import ahead, texts

config = context.config
if config.config_file_name is not None and config.attributes.get("configure_logger", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# One transaction a release: what fails leaves the release before it, whole.
OPTIONS = {
    "version_table": texts.VERSION_TABLE,
    "version_table_schema": texts.SCHEMA,
    "transaction_per_migration": True,
}


def write_script() -> None:
    # The script says \encoding UTF8, wherever it is written.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    context.configure(dialect_name="postgresql", literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        release.open_script(context.get_context())
        context.run_migrations()


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    release.prepare(context.get_context())
    with context.begin_transaction():
        context.run_migrations()


if ahead.asks(context):
    ahead.answer(context)
elif context.is_offline_mode():
    write_script()
elif (ready := config.attributes.get("connection")) is not None:
    with target.pinned(ready):
        migrate(ready)
else:
    url = target.from_alembic(config, context.get_x_argument(as_dictionary=True))
    with target.engine(url).connect() as connection:
        migrate(connection)

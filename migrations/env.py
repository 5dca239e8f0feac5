"""Runs the releases of schema ``birth``: beside any other Alembic environment, online or as a script for psql.

The database is named as ``birthdb.target`` says; a caller of Alembic's functions may hand over an open SQLAlchemy
connection as ``config.attributes["connection"]``, which stays open.
"""

from logging.config import fileConfig

from alembic import context

from birthdb import target
from pgcontract import ahead, environment

config = context.config
logs = config.config_file_name is not None and config.file_config.has_section("loggers")
if logs and config.attributes.get("configure_logger", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)

with environment.refusals(context, target.TargetError):
    if ahead.asks(context):
        ahead.answer(context)
    elif context.is_offline_mode():
        environment.write_script(context)
    elif (ready := config.attributes.get("connection")) is not None:
        environment.migrate_ready(context, ready)
    else:
        url = target.from_alembic(config, context.get_x_argument(as_dictionary=True))
        with target.engine(url).connect() as connection:
            environment.migrate(context, connection)

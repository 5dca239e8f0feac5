"""The login that migrates, and the statements by which its migrations govern a table."""

import os
from collections.abc import Callable

from alembic.config import Config

#: Of this worker, as logins belong to the whole server.
DEPLOYER = f"deployer_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

TABLE = "CREATE TABLE app.{0} (code text PRIMARY KEY)"
GOVERN = (
    "GRANT SELECT ON app.{0} TO birth_scanner",
    "GRANT TRIGGER ON app.{0} TO birth_definer",
    "SELECT birth.fn_birth_collection_register('{0}', 'app', '{0}', 'BIRTH_REQUIRED')",
    "SELECT birth.fn_birth_identity_classify('{0}', 'column', p_column => 'code')",
    "SELECT birth.fn_birth_gateway_attach('{0}', 'enforce')",
)

#: Writes an Alembic environment with a revision for each pair of statements up and down.
Project = Callable[..., Config]


def governed(table: str) -> list[str]:
    """Return what creates a table and governs it."""
    return [statement.format(table) for statement in (TABLE, *GOVERN)]

"""The login that migrates, and databases whose schema app is under the gate."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from integration.gate.deployer import DEPLOYER, Project
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL
from support import Cluster, Database
from world import World

from birthdb import api

ENV = """
from alembic import context
from sqlalchemy import NullPool, create_engine
from birthdb.alembic import gate

configured = dict(on_version_apply=gate({schemas}), transaction_per_migration={each})
url = context.config.attributes["url"]
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", dialect_opts={{"paramstyle": "named"}}, **configured)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        context.configure(connection=connection, **configured)
        with context.begin_transaction():
            context.run_migrations()
"""

REVISION = """
from alembic import op

revision, down_revision = {revision!r}, {before!r}


def upgrade():
    for statement in {up!r}:
        op.execute(statement)


def downgrade():
    for statement in {down!r}:
        op.execute(statement)
"""


@pytest.fixture
def deployer(server: Cluster, template: Database) -> Iterator[Callable[..., None]]:
    """The login that migrates; return what gives it roles, which belong to the whole server."""
    server.login(DEPLOYER)

    def grant(*roles: str) -> None:
        for role in roles:
            server.execute(f"GRANT {role} TO {DEPLOYER}".encode())

    yield grant
    server.execute(f"DROP ROLE {DEPLOYER}".encode())


@pytest.fixture
def ungranted(deployer: object, world: World) -> World:
    """A database whose schema app is under the gate, and the login that makes tables in it has no role of ours."""
    world.admin.execute(f"GRANT CREATE, USAGE ON SCHEMA app TO {DEPLOYER}; GRANT CREATE ON SCHEMA public TO {DEPLOYER}")
    api.gate_scope(world.steward, "app", "enforce", "a test")
    return world


@pytest.fixture
def gated(deployer: Callable[..., None], ungranted: World) -> World:
    """The same, and it may ask the gate."""
    deployer("birth_source_owner")
    return ungranted


@pytest.fixture
def steward(deployer: Callable[..., None], gated: World) -> World:
    """The same, and it is a steward."""
    deployer("birth_steward")
    return gated


@pytest.fixture
def project(world: World, tmp_path: Path) -> Project:
    """Write an environment with a revision for each pair of statements up and down; return its configuration."""

    def write(
        *steps: tuple[list[str], list[str]], schemas: str = "", each: bool = False, user: str = DEPLOYER
    ) -> Config:
        versions = tmp_path / "versions"
        versions.mkdir(exist_ok=True)
        (tmp_path / "env.py").write_text(ENV.format(schemas=schemas, each=each), encoding="utf-8")
        before = None
        for number, (up, down) in enumerate(steps, 1):
            revision = f"r{number}"
            text = REVISION.format(revision=revision, before=before, up=up, down=down)
            (versions / f"{revision}.py").write_text(text, encoding="utf-8")
            before = revision
        config = Config()
        config.set_main_option("script_location", str(tmp_path))
        config.set_main_option("path_separator", "os")
        known = conninfo_to_dict(world.db.url(user))
        query = {"host": str(known["host"]), "port": str(known.get("port", 5432))}
        password = str(known.get("password", ""))
        config.attributes["url"] = URL.create("postgresql+psycopg", user, password, database=world.db.name, query=query)
        return config

    return write

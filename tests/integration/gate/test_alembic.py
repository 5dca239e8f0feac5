"""An application's own Alembic, whose env.py asks the gate at the end of each migration."""

import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL
from support import Cluster, Database
from world import World

from birthdb import api
from birthdb.server import client

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

#: The login that migrates; of this worker, as logins belong to the whole server.
DEPLOYER = f"deployer_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

TABLE = "CREATE TABLE app.{} (code text PRIMARY KEY)"
DROP = "DROP TABLE app.{}"
GOVERNED = (
    "GRANT SELECT ON app.{0} TO birth_scanner",
    "GRANT TRIGGER ON app.{0} TO birth_definer",
    "SELECT birth.fn_birth_collection_register('{0}', 'app', '{0}', 'BIRTH_REQUIRED')",
    "SELECT birth.fn_birth_identity_classify('{0}', 'column', p_column => 'code')",
    "SELECT birth.fn_birth_gateway_attach('{0}', 'enforce')",
)

Project = Callable[..., Config]


def governed(table: str) -> list[str]:
    return [statement.format(table) for statement in (TABLE, *GOVERNED)]


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


def tables(world: World) -> list[str]:
    return [
        name for (name,) in world.admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'app' ORDER BY 1")
    ]


def versions(world: World) -> list[str]:
    there = world.value("SELECT to_regclass('public.alembic_version') IS NOT NULL")
    return [v for (v,) in world.admin.execute("SELECT version_num FROM public.alembic_version")] if there else []


@pytest.mark.parametrize("each", [False, True])
def test_a_migration_that_forgets_to_govern_a_table_does_not_commit(gated: World, project: Project, each: bool) -> None:
    config = project(([TABLE.format("thing")], [DROP.format("thing")]), each=each)
    with pytest.raises(CommandError) as refusal:
        command.upgrade(config, "head")
    said = str(refusal.value)
    assert said.startswith("r1: a table of a gated schema is not governed")
    assert "app.thing is UNKNOWN: SELECT birth.fn_birth_collection_register(" in said
    assert (tables(gated), versions(gated)) == ([], [])


@pytest.mark.parametrize("each", [False, True])
def test_a_migration_that_governs_its_table_commits_and_the_table_is_closed(
    steward: World, project: Project, each: bool
) -> None:
    config = project((governed("thing"), [DROP.format("thing")]), each=each)
    command.upgrade(config, "head")
    assert (tables(steward), versions(steward)) == (["thing"], ["r1"])
    assert steward.value("SELECT state FROM birth.v_birth_gate") == "CLOSED"
    command.downgrade(config, "base")
    assert (tables(steward), versions(steward)) == ([], [])


def test_with_a_transaction_for_each_migration_those_before_stay(steward: World, project: Project) -> None:
    config = project((governed("thing"), []), ([TABLE.format("other")], []), each=True)
    with pytest.raises(CommandError, match=r"r2: .*"):
        command.upgrade(config, "head")
    assert (tables(steward), versions(steward)) == (["thing"], ["r1"])


def test_a_downgrade_that_makes_an_undecided_table_does_not_commit(gated: World, project: Project) -> None:
    config = project(([], [TABLE.format("thing")]))
    command.upgrade(config, "head")
    with pytest.raises(CommandError, match=r"app\.thing is UNKNOWN"):
        command.downgrade(config, "base")
    assert (tables(gated), versions(gated)) == ([], ["r1"])


def test_a_stamp_asks_nothing(gated: World, project: Project) -> None:
    gated.table("(code text)")
    config = project(([], []))
    command.stamp(config, "r1")
    assert versions(gated) == ["r1"]


def test_a_schema_that_is_named_is_asked_alone(gated: World, project: Project) -> None:
    gated.admin.execute("CREATE SCHEMA team")
    api.gate_scope(gated.steward, "team", "enforce", "a test")
    gated.admin.execute("CREATE TABLE team.loose (id integer)")
    with pytest.raises(CommandError, match=r"team\.loose is UNKNOWN"):
        command.upgrade(project(([], [])), "head")
    command.upgrade(project(([], []), schemas="'app'"), "head")
    assert versions(gated) == ["r1"]


def test_a_schema_that_does_not_exist_is_refused_going_up_and_may_be_gone_going_down(
    gated: World, project: Project
) -> None:
    odd = "it's 100%:x"
    gated.admin.execute(f"GRANT CREATE ON DATABASE {gated.db.name} TO {DEPLOYER}")
    up, down = f'CREATE SCHEMA "{odd}"'.replace(":", r"\:"), f'DROP SCHEMA "{odd}"'.replace(":", r"\:")
    with pytest.raises(CommandError, match="schema 'ap' does not exist"):
        command.upgrade(project(([], []), schemas="'ap'"), "head")
    config = project(([up], [down]), schemas=repr(odd))
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert versions(gated) == []


def test_a_script_holds_the_statement_in_the_transaction_of_each_migration(gated: World, project: Project) -> None:
    config = project(([TABLE.format("thing")], []), ([], []), schemas="'app', \"it's 100%:x\"", each=True)
    config.output_buffer = written = io.StringIO()
    command.upgrade(config, "head", sql=True)
    script = written.getvalue()
    transactions = re.findall(r"^BEGIN;(.*?)^COMMIT;", script, re.DOTALL | re.MULTILINE)
    ends = [re.findall(r"^SELECT birth\.fn_birth_gate.*", each, re.MULTILINE) for each in transactions]
    one = [
        "SELECT birth.fn_birth_gate('app');",
        "SELECT birth.fn_birth_gate('it''s 100%:x');",
    ]
    assert ends == [one, one]
    sent = subprocess.run(
        [client("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-d", gated.db.url(DEPLOYER)],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "app.thing is UNKNOWN" in sent.stderr
    assert (sent.returncode, tables(gated)) == (3, [])


def test_where_the_gate_cannot_be_asked_the_migration_is_refused_with_the_next_step(
    ungranted: World, deployer: Callable[..., None], project: Project
) -> None:
    config = project(([TABLE.format("thing")], []))
    with pytest.raises(CommandError, match="GRANT birth_source_owner TO"):
        command.upgrade(config, "head")
    deployer("birth_source_owner")
    ungranted.admin.execute("DROP FUNCTION birth.fn_birth_gate(text)")
    with pytest.raises(CommandError, match="birthdb alembic upgrade head"):
        command.upgrade(config, "head")
    ungranted.admin.execute("DROP SCHEMA birth CASCADE")
    with pytest.raises(CommandError, match="leave on_version_apply out"):
        command.upgrade(config, "head")
    assert (tables(ungranted), versions(ungranted)) == ([], [])

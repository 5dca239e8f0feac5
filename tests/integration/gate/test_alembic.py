"""An application's own Alembic, whose env.py asks the gate at the end of each migration."""

import io
import re
import subprocess
from collections.abc import Callable

import pytest
from alembic import command
from alembic.util import CommandError
from integration.gate.deployer import DEPLOYER, TABLE, Project, governed
from world import World

from birthdb import api
from birthdb.server import client

DROP = "DROP TABLE app.{}"


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
    with pytest.raises(CommandError, match="leave out on_version_apply"):
        command.upgrade(config, "head")
    assert (tables(ungranted), versions(ungranted)) == ([], [])

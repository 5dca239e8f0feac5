"""What the guides say of the gate, statement by statement, by the logins that they name."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError
from guides import blocks, section, send, statements
from integration.gate.deployer import DEPLOYER, Project
from sqlalchemy.exc import DBAPIError
from world import APPLICATION, World

from birthdb import api
from birthdb.server import client


def state(world: World, table: str) -> object:
    return world.value("SELECT state FROM birth.v_birth_gate WHERE table_name = %s", table)


@pytest.fixture
def shop(world: World) -> World:
    """A schema with a table that is full, and a log."""
    world.admin.execute(f"CREATE SCHEMA shop AUTHORIZATION {APPLICATION}")
    world.owner.execute(
        "GRANT USAGE ON SCHEMA shop TO birth_definer, birth_scanner; CREATE TABLE shop.log (entry text);"
        " CREATE TABLE shop.customer (id integer PRIMARY KEY); INSERT INTO shop.customer VALUES (1), (2);"
        " GRANT SELECT ON shop.customer TO birth_scanner; GRANT TRIGGER ON shop.customer TO birth_definer"
    )
    return world


def test_a_schema_comes_under_the_gate_as_the_adopting_guide_says(shop: World) -> None:
    guide = section("adopting.md", "## A whole schema: the first-row gate")
    observe, decide, enforce = blocks(section("adopting.md", "### Observe, decide, enforce"))
    create, admit = blocks(section("adopting.md", "### The life of a new table"))
    (breached,) = blocks(section("adopting.md", "### A breached table"))
    assert len(blocks(guide)) == 6

    send(shop, observe)
    assert (state(shop, "log"), state(shop, "customer")) == ("UNKNOWN", "UNKNOWN")
    send(shop, decide)
    assert state(shop, "log") == "EXEMPT"
    with pytest.raises(psycopg.Error, match="customer") as refusal:
        send(shop, enforce)
    assert refusal.value.sqlstate == "NB509"
    api.collection_register(shop.steward, "customer", "shop", "customer", "BIRTH_REQUIRED")
    shop.classify("synthetic_id", "customer", column="id", prefix="customer-")
    send(shop, enforce)
    shop.attach("customer")

    send(shop, create)
    assert state(shop, "parcel") == "CLOSED"
    assert api.gate(shop.owner) == 3
    with pytest.raises(psycopg.Error) as refusal:
        shop.owner.execute("INSERT INTO shop.parcel VALUES (1)")
    assert refusal.value.sqlstate == "NB508"
    # As the page for those who admit says, which sends the same.
    look, policy, *_ = statements(blocks(section("reviewer.md", "## Admission (`birth_steward`)"))[0])
    stella = shop.person("stella_steward")
    assert stella.execute(look.encode()).fetchall() == [("CLOSED", "parcel", "BIRTH_REQUIRED", ["gateway"])]
    assert stella.execute(policy.encode()).fetchall() == [
        ("synthetic_id", ["id"], "parcel-", "alice_steward", "alice_steward")
    ]
    send(shop, admit)
    assert shop.births("parcel") == ["parcel-1"]

    assert state(shop, "customer") == "BREACHED"
    with pytest.raises(psycopg.Error) as refusal:
        send(shop, breached)
    assert refusal.value.sqlstate == "NB510"
    shop.backfill("customer")
    send(shop, breached)
    assert state(shop, "customer") == "ADMITTED"


@pytest.fixture
def deployed(deployer: Callable[..., None], shop: World) -> World:
    """The same, enforced; the login that migrates has what the developers' page says, and owns the schema."""
    once, defaults = blocks(section("developers.md", "## New tables under the gate"))[:2]
    deployer(*re.findall(r"birth_\w+", once))
    shop.admin.execute(
        f"DROP TABLE shop.log, shop.customer; ALTER SCHEMA shop OWNER TO {DEPLOYER};"
        f" GRANT CREATE ON SCHEMA public TO {DEPLOYER}"
    )
    session = shop.person(DEPLOYER)
    for statement in statements(defaults):
        session.execute(statement.encode())
    api.gate_scope(shop.steward, "shop", "enforce", "a test")
    return shop


def test_the_script_of_the_developers_page_commits_and_not_without_a_statement_of_it(
    deployed: World, tmp_path: Path
) -> None:
    (script,) = blocks(section("developers.md", "### Plain SQL"))
    (call,) = blocks(section("developers.md", "### Plain SQL"), "sh")
    create, register, classify, attach, gate = statements(script)
    file = tmp_path / call.split()[-1]

    def ran(*sent: str) -> "subprocess.CompletedProcess[str]":
        file.write_text("\n".join(sent), encoding="utf-8")
        words: list[str] = [str(client("psql")), *call.split()[1:], "-d", deployed.db.url(DEPLOYER)]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    for sent in ([create], [create, register], [create, register, classify]):
        refused = ran(*sent, gate)
        assert (refused.returncode, "shop.parcel is " in refused.stderr) == (3, True)
        assert deployed.value("SELECT to_regclass('shop.parcel') IS NULL")
    done = ran(create, register, classify, attach, gate)
    assert done.returncode == 0, done.stderr
    assert state(deployed, "parcel") == "CLOSED"


def test_the_migration_of_the_developers_page_commits_and_not_without_a_line_of_it(
    deployed: World, project: Project, tmp_path: Path
) -> None:
    lines, migration = blocks(section("developers.md", "### Alembic"), "python")
    for line in ("from birthdb.alembic import gate", "on_version_apply=gate()"):
        assert line in lines
    config = project()
    revision = tmp_path / "versions" / "parcel.py"
    heads = "from alembic import op\nfrom sqlalchemy import BigInteger, Column, Text\n\n"
    revision.write_text(heads + re.sub(r".*register.*\n", "", migration), encoding="utf-8")
    with pytest.raises(DBAPIError, match="not registered"):
        command.upgrade(config, "head")
    revision.write_text(heads + re.sub(r".*_attach.*\n", "", migration), encoding="utf-8")
    with pytest.raises(CommandError, match=r"shop\.parcel is READY"):
        command.upgrade(config, "head")
    revision.write_text(heads + migration, encoding="utf-8")
    command.upgrade(config, "head")
    assert state(deployed, "parcel") == "CLOSED"


def test_a_steward_governs_a_table_of_a_login_that_is_none_as_the_developers_page_says(deployed: World) -> None:
    api.gate_scope(deployed.steward, "shop", "observe", "a migration")
    deployed.person(DEPLOYER).execute("CREATE TABLE shop.parcel (id bigint PRIMARY KEY); SELECT birth.fn_birth_gate()")
    api.collection_register(deployed.steward, "parcel", "shop", "parcel", "BIRTH_REQUIRED")
    api.gate_scope(deployed.steward, "shop", "enforce", "migrated")
    deployed.classify("synthetic_id", "parcel", column="id", prefix="P-")
    deployed.attach("parcel")
    assert state(deployed, "parcel") == "CLOSED"


def test_a_steward_s_statement_inside_a_block_is_refused(deployed: World) -> None:
    session = deployed.person(DEPLOYER)
    session.execute("CREATE TABLE shop.parcel (id bigint PRIMARY KEY)")
    with pytest.raises(psycopg.Error) as refusal:
        session.execute(
            "DO $$ DECLARE f text := 'fn_birth_' || 'collection_register'; BEGIN EXECUTE"
            " format('SELECT birth.%I(''parcel'', ''shop'', ''parcel'', ''BIRTH_EXEMPT_X'')', f); END $$"
        )
    assert refusal.value.sqlstate == "NB111"


def test_the_django_lines_of_the_developers_page_are_those_that_the_tests_use() -> None:
    page = section("developers.md", "### Django")
    tested = Path(__file__).with_name("test_django.py").read_text(encoding="utf-8")
    for line in ("SELECT birth.fn_birth_gate()", "migrations.RunSQL.noop", "birthdb.django.gate_after_migrate(self"):
        assert line in page
        assert line in tested

"""Whoever owns an object of the schema may run it: repair gives all of it back first, or says whose each is."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from guides import blocks, section, statements
from helpers import DBA, STEWARD, Scene
from sample import some
from support import RELEASER, Cluster, Database, upgrade

from birthdb import errors
from birthdb.audit import verify
from birthdb.release import attest
from birthdb.server import EmbeddedServer, client

#: What only a superuser puts right.
TAKEN: list[LiteralString] = [
    "REASSIGN OWNED BY birth_definer TO postgres",
    "REASSIGN OWNED BY birth_definer, birth_scanner TO nora_nobody",
    "ALTER SCHEMA birth OWNER TO postgres",
    "ALTER TABLE birth.birth_receipt OWNER TO nora_nobody",
    "ALTER TABLE birth.alembic_version OWNER TO nora_nobody",
    "REASSIGN OWNED BY birth_definer TO postgres; ALTER TABLE birth.alembic_version ENABLE ROW LEVEL SECURITY;"
    " DROP VIEW birth.v_birth_metrics; REVOKE ALL ON ALL TABLES IN SCHEMA birth FROM birth_reader",
]

#: What who releases owns, as after a restore of its own.
OWNED: list[LiteralString] = [
    "REASSIGN OWNED BY birth_definer, birth_scanner TO release_dba",
    "ALTER SCHEMA birth OWNER TO release_dba",
]


@some("taken", TAKEN, most=3)
def test_who_may_not_is_told_whose_it_is_and_a_superuser_repairs(db: Database, taken: LiteralString) -> None:
    admin = db.connect()
    admin.execute(taken)
    owners = {"postgres", "nora_nobody"}
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(db.connect(RELEASER))
    assert refused.value.sqlstate == "NB410"
    said = "\n".join(refused.value.__notes__)
    assert any(f"of {owner}, not of birth_definer: " in said for owner in owners)
    assert "GRANT" not in said + (refused.value.diag.message_hint or "")
    assert attest.repair(admin)
    assert verify.verify(admin).fine
    upgrade(db.url(RELEASER))


@pytest.mark.parametrize("taken", OWNED)
def test_who_releases_gives_back_what_is_its_own(db: Database, taken: LiteralString) -> None:
    db.connect().execute(taken)
    with pytest.raises(psycopg.Error) as refused:
        upgrade(db.url(RELEASER))
    assert "birthdb repair --execute" in (refused.value.diag.message_hint or "")
    assert attest.repair(db.connect(RELEASER))
    assert verify.verify(db.connect()).fine


@pytest.mark.long
def test_the_statements_that_are_printed_give_everything_back(db: Database) -> None:
    admin = db.connect()
    admin.execute("REASSIGN OWNED BY birth_definer TO postgres")
    with pytest.raises(psycopg.Error) as refused:
        attest.repair(db.connect(RELEASER))
    notes = refused.value.__notes__
    for statement in notes[notes.index("SET search_path = pg_catalog, pg_temp;") :]:
        admin.execute(statement.encode())
    attest.repair(db.connect(RELEASER))
    assert verify.verify(admin).fine


def test_an_object_of_somebodys_stays_its_own(db: Database) -> None:
    admin = db.connect()
    admin.execute("CREATE VIEW birth.v_mine AS SELECT 1 AS one; ALTER VIEW birth.v_mine OWNER TO nora_nobody")
    admin.execute("ALTER SCHEMA birth OWNER TO postgres")
    assert [text for _, text in attest.repair(admin)] == ["ALTER SCHEMA birth OWNER TO birth_definer"]
    owner = admin.execute("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'v_mine'").fetchone()
    assert owner == ("nora_nobody",)


GUIDE = section("../howto/restore.md", "## Backup and restore")


@pytest.fixture
def clusters() -> Iterator[tuple[Cluster, Cluster]]:
    """Two servers, neither of which has our roles."""
    with ExitStack() as stack:
        old, new = (
            stack.enter_context(closing(Cluster(stack.enter_context(EmbeddedServer()).url()))) for _ in range(2)
        )
        yield old, new


def run(program: str, *options: str | Path) -> None:
    command: list[str | Path] = [client(program), *options]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.long
@pytest.mark.parametrize("login", [None, RELEASER])
def test_a_dump_without_owners_is_restored_where_no_role_is_known(
    clusters: tuple[Cluster, Cluster], tmp_path: Path, login: str | None
) -> None:
    old, new = clusters
    source = old.create_released()
    with closing(Scene(source)) as scene:
        scene.collection()
        scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
        scene.insert("item", 101, 103)
    for statement in statements(blocks(GUIDE)[0]):
        source.connect().execute(statement.encode())
    run("pg_dump", "-Fc", "-f", tmp_path / "dump", source.url("backup"))

    restored = new.create()
    script = tmp_path / "script"
    run("pg_restore", "--no-owner", "--no-privileges", "-f", script, tmp_path / "dump")
    # A newer pg_restore sets what an older server does not know.
    script.write_text(
        script.read_text(encoding="utf-8").replace("SET transaction_timeout = 0;\n", ""), encoding="utf-8"
    )
    run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", script, restored.url(login))
    with pytest.raises(errors.ContractDrift) as refused:
        verify.verify(restored.connect())
    assert (refused.value.hint or "").endswith("birthdb repair --execute")
    assert attest.repair(restored.connect(login))
    assert verify.verify(restored.connect(login)).fine
    new.enrol()
    with closing(Scene(restored)) as scene:
        scene.ask(DBA, "fn_birth_home_confirm", p_reason="restored")
        for statement in statements(blocks(GUIDE)[1]):
            scene.execute(statement.replace("app.thing", "public.item").replace("SCHEMA app", "SCHEMA public").encode())
        before = scene.births()
        scene.insert("item", 201, 205)
        assert scene.births() == before + 5
        assert scene.disagreements() == []
    restored.drop()
    source.drop()

"""``birthdb demo`` on a server that is running already: nothing of it stays there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from support import Cluster

from birthdb import target
from birthdb.demo.scene import READER, Scene
from birthdb.server import EmbeddedServer

LIMITED = "limited"


@pytest.fixture(scope="module")
def foreign() -> Iterator[EmbeddedServer]:
    """A server that birthdb was never on, with a login that may create databases and roles and no more."""
    with EmbeddedServer() as running:
        with target.connect(running.url(), autocommit=True) as conn:
            conn.execute("CREATE ROLE limited LOGIN CREATEDB CREATEROLE")
            conn.execute("CREATE ROLE poor LOGIN")
        yield running


def everything(url: str) -> tuple[set[str], set[str]]:
    with target.connect(url, autocommit=True) as conn:
        return (
            {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")},
            {row[0] for row in conn.execute("SELECT datname FROM pg_database")},
        )


@pytest.mark.long
def test_the_demo_needs_only_createdb_and_createrole(foreign: EmbeddedServer) -> None:
    before = everything(foreign.url())
    environment = os.environ | {target.VARIABLE: foreign.url(user=LIMITED)}
    command = [sys.executable, "-m", "birthdb", "demo", "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (finished.returncode, finished.stderr) == (0, "")
    shown = json.loads(finished.stdout)
    assert shown["census_pass"] is True
    assert "mark the run done by hand, as birth_definer" in [refusal["attempt"] for refusal in shown["refusals"]]
    assert everything(foreign.url()) == before


def test_the_demo_removes_everything_after_a_failure(foreign: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(foreign.url())
    monkeypatch.setenv(target.VARIABLE, foreign.url(user=LIMITED))
    scene = Scene("broken")

    def fail() -> None:
        with scene:
            scene.release("baseline")
            scene.connect(READER).execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        fail()
    assert everything(foreign.url()) == before
    assert "dropped" in scene.gone


def test_a_login_without_createdb_gets_a_clear_error(foreign: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.VARIABLE, foreign.url(user="poor"))
    with pytest.raises(target.Unsuitable, match="may not create"):
        Scene("poor").__enter__()


@pytest.mark.usefixtures("template")
def test_existing_roles_are_kept(server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(server.url("postgres"))
    assert "birth_reader" in before[0]
    monkeypatch.setenv(target.VARIABLE, server.url("postgres"))
    with Scene("beside") as scene:
        scene.release("head")
        row = scene.connect(READER).execute("SELECT count(*) FROM birth.birth_registry").fetchone()
        assert row == (0,)
    assert everything(server.url("postgres")) == before

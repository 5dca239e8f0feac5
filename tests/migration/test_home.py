"""Dumped and restored, a database knows that it is another one; promoted in its place, it is the same."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import DBA, STEWARD, Run, Scene, refused
from support import Cluster, Database

from birthdb import errors, target
from birthdb.server import EmbeddedServer, ServerError, client


@dataclass(frozen=True)
class Origin:
    """A server of this module's own, with a run that was stopped after a batch, and a collection with a gateway."""

    server: EmbeddedServer
    cluster: Cluster
    database: Database
    run: Run


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with EmbeddedServer() as server, closing(Cluster(server.url())) as cluster:
        database = cluster.create_released()
        with closing(Scene(database)) as scene:
            scene.collection()
            scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
            run = scene.permitted()
            scene.stopped_after_a_batch(run)
        yield Origin(server, cluster, database, run)


def dump(url: str, program: str, *options: str) -> bytes:
    try:
        command: list[str | Path] = [client(program), *options, url]
    except ServerError as exc:
        pytest.skip(str(exc))
    return subprocess.run(command, check=True, capture_output=True).stdout


def restore(url: str, text: bytes) -> None:
    command: list[str | Path] = [client("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", url]
    sent = subprocess.run(command, input=text, check=False, capture_output=True)
    assert (sent.returncode, sent.stderr) == (0, b"")


def pauses_until_it_is_confirmed(database: Database, run: Run) -> None:
    with closing(Scene(database)) as scene:
        with refused(errors.HomeUnconfirmed):
            scene.apply(run)
        scene.insert("item", 101, 103)
        assert scene.births() == 8
        scene.ask(DBA, "fn_birth_home_confirm", p_reason="the old one is read only")
        scene.apply(run)
        assert scene.status(run) == ("done", None)
        assert scene.births() == 23
        assert scene.disagreements() == []


def test_a_dump_restored_beside_its_database_pauses(origin: Origin) -> None:
    restored = origin.cluster.create()
    restore(restored.url(), dump(origin.database.url(), "pg_dump"))
    pauses_until_it_is_confirmed(restored, origin.run)
    restored.drop()


def test_a_dump_restored_over_its_own_database_pauses(origin: Origin) -> None:
    again = origin.cluster.create(origin.database.name)
    restore(again.url(), dump(again.url(), "pg_dump", "--clean"))
    pauses_until_it_is_confirmed(again, origin.run)
    again.drop()


@pytest.mark.long
def test_a_dump_restored_into_another_cluster_pauses(origin: Origin) -> None:
    data = dump(origin.database.url(), "pg_dump")
    with EmbeddedServer() as other, closing(Cluster(other.url())) as cluster:
        # Its roles are made by its own release.
        cluster.create_released().drop()
        restored = cluster.create()
        restore(restored.url(), data)
        pauses_until_it_is_confirmed(restored, origin.run)


@pytest.mark.long
def test_a_promoted_standby_keeps_its_home_and_reports_the_new_timeline(origin: Origin) -> None:
    origin.cluster.close()
    origin.server.stop()
    with EmbeddedServer() as standby:
        standby.stop()
        as_standby(origin.server, standby)
        origin.server.start()
        origin.cluster.reopen()
        standby.start()
        with target.connect(standby.url(), autocommit=True) as conn:
            conn.execute("SELECT pg_promote()")
            conn.execute("CHECKPOINT")
        with (
            closing(Cluster(standby.url())) as cluster,
            closing(Scene(Database(cluster, origin.database.name))) as scene,
        ):
            (said,) = [row for row in scene.rows("SELECT * FROM birth.v_birth_attention") if "timeline" in row["what"]]
            assert said["severity"] == "notice"
            scene.apply(origin.run)
            assert scene.status(origin.run) == ("done", None)


def as_standby(primary: EmbeddedServer, standby: EmbeddedServer) -> None:
    """Make a stopped server a standby of another stopped one: a copy of its files, and the signal."""
    data = standby.directory / "data"
    account = pwd.getpwuid(data.stat().st_uid)
    shutil.rmtree(data)
    shutil.copytree(primary.directory / "data", data)
    (data / "standby.signal").touch()
    for path in (data, *data.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, account.pw_uid, account.pw_gid)
    data.chmod(0o700)

"""Copies of a database made with PostgreSQL's own programs, and what a copy shall have of its original."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from helpers import acting
from support import Cluster, Database
from world import World

from birthdb.server import client

Into = Callable[[Database | None], Database]


def need_the_same_major(server: Cluster) -> None:
    """Skip where pg_dump is newer: what it writes is for its own major."""
    version = run("pg_dump", "--version").stdout.decode().split()[-1]
    if int(version.partition(".")[0]) != server.major:
        pytest.skip(f"there is no pg_dump of PostgreSQL {server.major}, only {version}")


@contextmanager
def targets(server: Cluster) -> Iterator[Into]:
    """Databases to restore into: empty, or copies of another."""
    made: list[Database] = []

    def create(source: Database | None) -> Database:
        made.append(server.create(source.name) if source else server.create())
        return made[-1]

    yield create
    for database in made:
        database.drop()


def run(program: str, *options: str | Path, text: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([client(program), *options], input=text, capture_output=True, check=False)


def dump(world: World, *options: str | Path) -> bytes:
    """Return what pg_dump writes, or nothing where an option says to which file."""
    world.close()
    dumped = run("pg_dump", *options, "-d", world.db.url())
    assert dumped.returncode == 0, dumped.stderr
    return dumped.stdout


def send(database: Database, text: bytes) -> subprocess.CompletedProcess[bytes]:
    """Send a dump to psql, which stops at the first error and says its SQLSTATE."""
    options = ("-qX", "-v", "ON_ERROR_STOP=on", "-v", "VERBOSITY=verbose", "-d", database.url())
    return run("psql", *options, text=text)


def restored(database: Database, text: bytes) -> World:
    sent = send(database, text)
    assert (sent.returncode, sent.stderr) == (0, b"")
    return World(database, made=True)


def state(world: World) -> dict[str, Any]:
    """Return what a copy shall have of an original: the records to the byte, the contract, the census, the audit."""
    with acting(world.db) as scene:
        return {
            "records": scene.digest(),
            "contract": scene.value("SELECT birth.fn_birth_contract_hash()"),
            "drift": scene.rows("SELECT * FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass"),
            "census": scene.rows(
                "SELECT c.collection_name, r.* FROM birth.collection_registry c,"
                " birth.fn_birth_census(c.collection_name) r ORDER BY 1, 2"
            ),
            "audit": scene.rows("SELECT * FROM birth.fn_birth_run_audit() ORDER BY run_id, check_name"),
            "disagreements": scene.disagreements(),
        }


def as_text(original: World, database: Database, folder: Path) -> None:
    restored(database, dump(original))


def as_one_file(original: World, database: Database, folder: Path) -> None:
    dump(original, "-Fc", "-f", folder / "dump")
    assert run("pg_restore", "--exit-on-error", "-1", "-d", database.url(), folder / "dump").stderr == b""


def in_parallel(original: World, database: Database, folder: Path) -> None:
    dump(original, "-Fd", "-j", "2", "-f", folder / "dump")
    assert run("pg_restore", "--exit-on-error", "-j", "2", "-d", database.url(), folder / "dump").stderr == b""


def data_after_the_schema(original: World, database: Database, folder: Path) -> None:
    schema = dump(original, "--schema-only")
    restored(database, schema)
    restored(database, dump(original, "--data-only", "--disable-triggers"))

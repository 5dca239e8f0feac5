"""Dump and restore with PostgreSQL's own programs: a copy has what the original has, or the census says what not."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from doors import catalogue
from gateway.world import World
from helpers import Scene
from support import Cluster, Database

from birthdb.server import client


@pytest.fixture(autouse=True)
def _same_major(server: Cluster) -> None:
    """What a newer pg_dump writes is for its own major; tests/migration goes from each major to the newest."""
    version = run("pg_dump", "--version").stdout.decode().split()[-1]
    if int(version.partition(".")[0]) != server.major:
        pytest.skip(f"there is no pg_dump of PostgreSQL {server.major}, only {version}")


@pytest.fixture
def original(world: World) -> World:
    """A table of whose rows two were born by the gateway and three by a run."""
    world.insert(["a", "b"], "thing (code)")
    world.admin.execute("SET session_replication_role = replica; INSERT INTO app.thing VALUES ('c'), ('d'), ('e')")
    world.admin.execute("RESET session_replication_role")
    world.backfill(batch=2)
    assert world.failed_checks() == {}
    return world


@pytest.fixture
def into(server: Cluster) -> Iterator[Callable[[Database | None], Database]]:
    """Databases to restore into: empty, or copies of another."""
    made: list[Database] = []

    def create(source: Database | None) -> Database:
        made.append(server.create(source.name) if source else server.create())
        return made[-1]

    yield create
    for database in made:
        database.drop()


Into = Callable[[Database | None], Database]


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
    with closing(Scene(world.db)) as scene:
        return {
            "records": scene.digest(),
            "contract": scene.value("SELECT birth.fn_birth_contract_hash()"),
            "drift": scene.rows("SELECT * FROM birth.v_birth_gateway_release_drift_guard WHERE NOT pass"),
            "census": scene.rows("SELECT * FROM birth.fn_birth_census('thing')"),
            "audit": scene.rows("SELECT * FROM birth.fn_birth_run_audit()"),
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


@pytest.mark.parametrize("way", [as_text, as_one_file, in_parallel, data_after_the_schema])
def test_a_restored_copy_has_the_same_contract_births_ledger_and_census(
    original: World, into: Into, tmp_path: Path, way: Callable[[World, Database, Path], None]
) -> None:
    before = state(original)
    assert [row for row in before["audit"] if not row["pass"]] == before["drift"] == before["disagreements"] == []
    database = into(None)
    way(original, database, tmp_path)
    copy = World(database, made=True)
    assert state(copy) == before
    copy.insert(["z"], "thing (code)")
    assert copy.births() == ["a", "b", "c", "d", "e", "z"]
    assert copy.failed_checks() == {}


def test_rows_restored_before_the_registries_are_refused(original: World, into: Into) -> None:
    door = catalogue.titled("all data into an empty copy of the schema, triggers on")
    schema, data = dump(original, "--schema-only"), dump(original, "--data-only")
    copy = restored(into(None), schema)
    sent = send(copy.db, data)
    assert f"ERROR:  {door.refused}:".encode() in sent.stderr
    assert copy.births() == door.born


def test_the_records_of_another_database_are_refused_where_a_release_has_its_own(
    original: World, into: Into, template: Database
) -> None:
    door = catalogue.titled("the data of schema `birth` into a released database")
    copy = World(into(template), made=True)
    sent = send(copy.db, dump(original, "--data-only", "-n", "birth"))
    assert f"ERROR:  {door.refused}:".encode() in sent.stderr
    assert copy.births() == door.born


@pytest.mark.parametrize(
    ("title", "options"),
    [
        ("the rows alone, triggers on", []),
        ("the rows alone, `--disable-triggers`", ["--disable-triggers"]),
    ],
)
def test_rows_restored_into_a_governed_table_are_inserted_by_copy(
    original: World, into: Into, scenes: dict[str, Database], title: str, options: list[str]
) -> None:
    door = catalogue.titled(title)
    copy = restored(into(scenes["plain"]), dump(original, "--data-only", "-n", "app", *options))
    assert copy.births() == door.born
    assert copy.failed_checks() == door.census

"""Dump and restore with PostgreSQL's own programs: a copy has what the original has, or the census says what not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doors import catalogue
from doors.dumps import (
    Into,
    as_one_file,
    as_text,
    data_after_the_schema,
    dump,
    in_parallel,
    need_the_same_major,
    restored,
    send,
    state,
    targets,
)
from helpers import raised
from support import Cluster, Database
from world import World

from birthdb import api


@pytest.fixture(autouse=True)
def _same_major(server: Cluster) -> None:
    """What a newer pg_dump writes is for its own major; tests/migration goes from each major to the newest."""
    need_the_same_major(server)


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
def ended(original: World) -> World:
    """The same, of which two died: one was deleted, and one was found by a death run."""
    world = original
    api.life_attach(world.steward, "thing")
    world.owner.execute("DELETE FROM app.thing WHERE code = 'd'")
    world.admin.execute("SET session_replication_role = replica; DELETE FROM app.thing WHERE code = 'e'")
    world.admin.execute("RESET session_replication_role")
    run = api.death_plan(world.operator, "thing", dry_run=False)["run_id"]
    permit = world.judged(run, accept=1)
    api.death_apply(world.operator, run, permit, execute=True)
    assert world.failed_checks() == {}
    return world


@pytest.fixture
def into(server: Cluster) -> Iterator[Into]:
    """Databases to restore into."""
    with targets(server) as create:
        yield create


@pytest.mark.parametrize("way", [as_text, as_one_file, in_parallel, data_after_the_schema])
def test_a_restored_copy_has_the_same_contract_births_deaths_ledger_and_census(
    ended: World, into: Into, tmp_path: Path, way: Callable[[World, Database, Path], None]
) -> None:
    before = state(ended)
    assert [row for row in before["audit"] if not row["pass"]] == before["drift"] == before["disagreements"] == []
    database = into(None)
    way(ended, database, tmp_path)
    copy = World(database, made=True)
    assert state(copy) == before
    copy.insert(["z"], "thing (code)")
    assert copy.births() == ["a", "b", "c", "d", "e", "z"]
    copy.insert(["e"], "thing (code)")
    copy.owner.execute("DELETE FROM app.thing WHERE code = 'a'")
    assert copy.admin.execute(
        "SELECT entity_code, manner, lives, returned_at IS NULL FROM birth.birth_death ORDER BY 1"
    ).fetchall() == [("a", "DELETE", 1, True), ("d", "DELETE", 1, True), ("e", "FOUND", 2, False)]
    assert copy.failed_checks() == {}
    assert [row for row in state(copy)["audit"] if not row["pass"]] == state(copy)["disagreements"] == []


@pytest.mark.parametrize("way", [as_text, as_one_file, in_parallel, data_after_the_schema])
def test_a_restored_copy_closes_no_table_and_opens_none(
    original: World, into: Into, tmp_path: Path, way: Callable[[World, Database, Path], None]
) -> None:
    api.gate_scope(original.steward, "app", "enforce", "a test")
    original.governed("(code text PRIMARY KEY)", "closed", mode="enforce")
    original.governed("(code text PRIMARY KEY)", "admitted", mode="enforce")
    api.gate_admit(original.person("stella_steward"), "admitted", "a test")
    states = "SELECT jsonb_object_agg(table_name, state) FROM birth.v_birth_gate"
    before = {"thing": "BREACHED", "closed": "CLOSED", "admitted": "ADMITTED"}
    assert original.value(states) == before
    database = into(None)
    way(original, database, tmp_path)
    copy = World(database, made=True)
    assert copy.value(states) == before
    assert api.gate(copy.owner) == 3
    copy.insert(["x"], "thing (code)")
    copy.insert(["y"], "admitted")
    with raised("NB508"):
        copy.insert(["z"], "closed")
    # Nor does what stewards do there afterwards, with a table that is in use.
    for mode in ("observe", "enforce"):
        api.gate_scope(copy.steward, "app", mode, "a test")
        copy.owner.execute(api.gateway_detach(copy.steward, "thing", "a test").encode())
        copy.attach(mode="enforce")
        copy.insert([mode], "thing (code)")
    with raised("NB508"):
        copy.insert(["z"], "closed")


def test_rows_restored_before_the_registries_are_refused(original: World, into: Into) -> None:
    door = catalogue.titled("all data into an empty copy of the schema, triggers enabled")
    schema, data = dump(original, "--schema-only"), dump(original, "--data-only")
    copy = restored(into(None), schema)
    sent = send(copy.db, data)
    assert f"ERROR:  {door.refused}:".encode() in sent.stderr
    assert copy.births() == door.born


def test_restoring_records_into_a_released_database_is_refused(original: World, into: Into, template: Database) -> None:
    door = catalogue.titled("the data of schema `birth` into a released database")
    copy = World(into(template), made=True)
    sent = send(copy.db, dump(original, "--data-only", "-n", "birth"))
    assert f"ERROR:  {door.refused}:".encode() in sent.stderr
    assert copy.births() == door.born


@pytest.mark.parametrize(
    ("title", "options"),
    [
        ("only the rows, triggers enabled", []),
        ("only the rows, `--disable-triggers`", ["--disable-triggers"]),
    ],
)
def test_rows_restored_into_a_governed_table_are_inserted_by_copy(
    original: World, into: Into, scenes: dict[str, Database], title: str, options: list[str]
) -> None:
    door = catalogue.titled(title)
    copy = restored(into(scenes["plain"]), dump(original, "--data-only", "-n", "app", *options))
    assert copy.births() == door.born
    assert copy.failed_checks() == door.census

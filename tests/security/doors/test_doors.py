"""Every side door of doors.toml is opened: it is closed, or the census finds what came in by it and says by which."""

from pathlib import Path

import psycopg
import pytest
from doors import catalogue
from doors.catalogue import Door
from psycopg.conninfo import conninfo_to_dict
from support import Cluster, Database
from world import APPLICATION, World

from birthdb import errors

DOORS = catalogue.load()
_TESTS = Path(__file__).parents[2]


def test_the_side_door_page_is_up_to_date() -> None:
    assert catalogue.PAGE.read_text(encoding="utf-8") == catalogue.page(), catalogue.COMMAND


def test_each_side_door_is_listed_once_and_has_statements_or_a_test() -> None:
    assert len({door.title for door in DOORS}) == len(DOORS)
    assert [door.title for door in DOORS if bool(door.open) == bool(door.test)] == []
    for door in DOORS:
        if door.test:
            file, _, name = door.test.partition("::")
            assert not name or f"def {name}(" in (_TESTS / file).read_text(encoding="utf-8"), door.title


@pytest.mark.parametrize("door", [door for door in DOORS if door.open], ids=lambda door: door.title)
def test_a_side_door_is_closed_or_detected(world: World, door: Door) -> None:
    skip_without(world, door.needs)
    if door.prepare:
        world.admin.execute(door.prepare.encode())
    if door.before:
        world.insert(door.before, "thing (code)")
    assert world.births() == door.before

    sender = {"owner": world.owner, "steward": world.steward, "superuser": world.admin}[door.by]
    *statements, last = [filled(world, statement) for statement in door.open]
    for statement in statements:
        sender.execute(statement)
    if door.refused:
        with pytest.raises(psycopg.Error) as refusal:
            sender.execute(last)
        assert refusal.value.sqlstate == door.refused, refusal.value
    else:
        sender.execute(last)
    if door.by == "superuser":
        world.admin.execute("RESET session_replication_role")

    assert world.births() == (door.born or (door.before if door.refused else []))
    assert dead(world) == door.dead
    if door.census_refused:
        with pytest.raises((psycopg.Error, errors.BirthError)) as refused:
            world.failed_checks()
        assert getattr(refused.value, "sqlstate", None) == door.census_refused, refused.value
    elif door.scene != "bare":
        assert world.failed_checks() == door.census
    said = noticed(world)
    assert any(door.attention in line for line in said) if door.attention else said == [], said
    assert (drifted(world) if door.drift else []) == door.drift


def test_a_truncate_under_an_old_snapshot_ends_rows_that_it_does_not_see(
    server: Cluster, scenes: dict[str, Database]
) -> None:
    door = catalogue.titled("`TRUNCATE` under a snapshot older than a row")
    made = server.create(scenes[door.scene].name)
    world = World(made, made=True)
    world.insert(["a"], "thing (code)")
    late = made.connect(APPLICATION)
    late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    late.autocommit = False
    late.execute("SELECT FROM app.thing")
    world.insert(["b"], "thing (code)")
    late.execute("TRUNCATE app.thing")
    late.commit()
    assert (world.births(), dead(world), world.failed_checks()) == (door.born, door.dead, door.census)
    assert any(str(door.attention) in line for line in noticed(world))
    late.close()
    world.close()
    made.drop()


def dead(world: World) -> list[str]:
    """Return the codes whose end is on record."""
    found = world.admin.execute(
        "SELECT entity_code FROM birth.birth_death WHERE returned_at IS NULL ORDER BY entity_code"
    )
    return [row[0] for row in found]


def filled(world: World, statement: str) -> bytes:
    """Return a statement that knows where this server and this database are."""
    known = conninfo_to_dict(world.db.url())
    for name in ("host", "port", "dbname", "user"):
        statement = statement.replace(f"{{{name}}}", str(known.get(name) or "5432"))
    return statement.encode()


def skip_without(world: World, needed: str | None) -> None:
    """Skip the test where the server lacks an extension, or has nothing of a setting."""
    if needed is None:
        return
    there = world.value("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = %s)", needed)
    if not (there or world.value("SELECT coalesce(current_setting(%s, true), '0') <> '0'", needed)):
        pytest.skip(f"this server has no {needed}")


def drifted(world: World) -> list[str]:
    """Return what differs from the contract and can let something past it: its kind and its name."""
    found = world.admin.execute(
        "SELECT format('%s %s', kind, object) FROM birth.v_birth_gateway_release_drift_guard"
        " WHERE NOT pass AND blocks ORDER BY 1"
    )
    return [row[0] for row in found]


def noticed(world: World) -> list[str]:
    """Return what needs a person, or the SQLSTATE of the refusal to say so."""
    try:
        found = world.admin.execute("SELECT what FROM birth.v_birth_attention").fetchall()
    except psycopg.Error as refusal:
        return [str(refusal.sqlstate)]
    return [row[0] for row in found]

"""What v_birth_life says: whether the life triggers of a collection are complete, and its last count on record."""

from typing import Any

import pytest
from world import World

from birthdb import api, errors

TABLE = "(code text PRIMARY KEY, status text)"


@pytest.fixture
def thing(world: World) -> World:
    """A table whose things retire by status, its life observed."""
    world.governed(TABLE)
    api.life_attach(world.steward, "thing", column="status", dead=["closed"])
    return world


def life(world: World) -> dict[str, Any]:
    (found,) = api.view(world.person("rita_reviewer"), "v_birth_life")
    return found


def attention(world: World) -> list[tuple[str, str]]:
    found = world.admin.execute("SELECT severity, what FROM birth.v_birth_attention WHERE what LIKE 'life triggers%'")
    return found.fetchall()


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DROP TRIGGER birth_life_delete ON app.thing", "some are missing"),
        ("DROP TRIGGER birth_life_update ON app.thing", "some are missing"),
        ("DROP TRIGGER birth_life_insert ON app.thing", "some are missing"),
        ("DROP TRIGGER birth_life_truncate ON app.thing", "some are missing"),
        (
            "ALTER TABLE app.thing DISABLE TRIGGER birth_life_update",
            "some are disabled, or do not fire for replicated rows",
        ),
        ("DROP TABLE app.thing", "none is there"),
    ],
)
def test_an_incomplete_life_is_named_and_not_enforced(thing: World, statement: str, fault: str) -> None:
    assert (life(thing)["fault"], attention(thing)) == (None, [])
    thing.owner.execute(statement.encode())
    assert life(thing)["fault"] == fault
    assert attention(thing) == [("warning", f"life triggers of thing: {fault}")]
    with pytest.raises(errors.LifeRefused):
        api.life_mode(thing.steward, "thing", "enforce", "a test")
    api.life_mode(thing.steward, "thing", "off", "a test")
    assert life(thing)["life_mode"] == "off"


def test_life_triggers_of_another_identity_are_named(thing: World) -> None:
    thing.admin.execute("UPDATE birth.collection_registry SET life_dead = '{closed,merged}'")
    assert life(thing)["fault"] == "its identity changed since they were attached"


def test_a_partition_without_a_truncate_trigger_is_named(world: World) -> None:
    world.table("(code text PRIMARY KEY) PARTITION BY LIST (code)")
    world.register()
    world.classify("column", column="code")
    world.attach()
    api.life_attach(world.steward, "thing", "enforce")
    assert life(world)["fault"] is None
    world.owner.execute("CREATE TABLE app.low PARTITION OF app.thing FOR VALUES IN ('a')")
    assert attention(world) == [("critical", "life triggers of thing: partition app.low has none on TRUNCATE")]


def test_a_life_that_is_off_has_no_fault(world: World) -> None:
    world.governed(TABLE)
    assert {life(world)[name] for name in ("fault", "living", "dead", "unexplained", "counted_at")} == {None}


def test_living_dead_and_unexplained_are_those_of_the_last_census_on_record(thing: World) -> None:
    thing.insert(["a", "b", "c", "d"], "thing (code)")
    thing.owner.execute(
        "DELETE FROM app.thing WHERE code = 'a'; UPDATE app.thing SET status = 'closed' WHERE code = 'b'"
    )
    thing.owner.execute(
        "ALTER TABLE app.thing DISABLE TRIGGER birth_life_delete; DELETE FROM app.thing WHERE code = 'c'"
    )
    api.census_record(thing.operator, "thing")
    thing.owner.execute("INSERT INTO app.thing VALUES ('e')")
    found = life(thing)
    assert [found[name] for name in ("living", "dead", "unexplained")] == [1, 2, 1]
    metrics = thing.admin.execute(
        "SELECT name, value FROM birth.v_birth_metrics"
        " WHERE name LIKE 'birth_census%' AND labels = '{\"collection\": \"thing\"}'"
    )
    assert dict(metrics.fetchall()) == {
        "birth_census_living": 1,
        "birth_census_dead": 2,
        "birth_census_unexplained": 1,
        "birth_census_births": 4,
        "birth_census_missing": 0,
        "birth_census_checks_failed": 1,
        "birth_census_timestamp_seconds": round(found["counted_at"].timestamp()),
    }


def test_the_declared_dependents_of_births_are_listed(world: World) -> None:
    world.admin.execute(
        "CREATE TABLE app.note (about text REFERENCES birth.birth_registry, other integer);"
        "ALTER TABLE app.note ADD CONSTRAINT twice FOREIGN KEY (about) REFERENCES birth.birth_registry NOT VALID"
    )
    found = [tuple(row.values()) for row in api.view(world.person("rita_reviewer"), "v_birth_dependent")]
    assert sorted(found) == [
        ("app", "note", "about", "note_about_fkey", True),
        ("app", "note", "about", "twice", False),
    ]

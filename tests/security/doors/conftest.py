"""Databases in which a door can be opened: prepared once, copied for each."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from doors.catalogue import Door
from spares import Spares
from support import Cluster, Database
from world import World

from birthdb import api


def plain(world: World) -> None:
    """Make a required, enforced table with its gateway."""
    world.governed("(code text UNIQUE, n int)", mode="enforce")


def parted(world: World) -> None:
    """Make the same of two partitions."""
    world.table("(code text PRIMARY KEY) PARTITION BY LIST (code)")
    for codes, name in (("'a', 'b'", "low"), ("'y', 'z'", "high")):
        world.table(f"PARTITION OF app.thing FOR VALUES IN ({codes})", name)
    world.register()
    world.classify("column", column="code")
    world.attach(mode="enforce")


def bare(world: World) -> None:
    """Make nothing."""


def observed(world: World) -> None:
    """Make a plain one whose life is observed."""
    plain(world)
    api.life_attach(world.steward, "thing")


def enforced(world: World) -> None:
    """Make a plain one whose life is enforced."""
    plain(world)
    api.life_attach(world.steward, "thing", "enforce")


def leaves(world: World) -> None:
    """Make one of two partitions whose life is observed."""
    parted(world)
    api.life_attach(world.steward, "thing")


SCENES = {
    "plain": plain,
    "parted": parted,
    "bare": bare,
    "observed": observed,
    "enforced": enforced,
    "leaves": leaves,
}


@pytest.fixture(scope="session")
def scenes(server: Cluster, template: Database) -> Iterator[dict[str, Database]]:
    """A database for each scene, for tests to copy."""
    made = {name: server.create(template.name) for name in SCENES}
    for name, prepare in SCENES.items():
        with closing(World(made[name])) as world:
            prepare(world)
    yield made
    for database in made.values():
        database.drop()


@pytest.fixture
def world(request: pytest.FixtureRequest, spares: Spares, scenes: dict[str, Database]) -> Iterator[World]:
    """A copy of the scene that the test's door asks for, else of the plain one."""
    door: Door | None = request.getfixturevalue("door") if "door" in request.fixturenames else None
    with spares.one(scenes[door.scene if door else "plain"]) as made:
        yield World(made, made=True)

"""The database of a test, with its people and an application."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from gateway.world import World
from helpers import Scene
from support import Database


@pytest.fixture
def world(db: Database) -> World:
    """A released database of this test alone."""
    return World(db)


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    """The same, for those who act in it; receipts, births, permits and ledger agree when the test is over."""
    with closing(Scene(db)) as made:
        yield made
        assert made.disagreements() == []

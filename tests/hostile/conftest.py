"""The database of a test, with its people and an application."""

import pytest
from gateway.world import World
from support import Database


@pytest.fixture
def world(db: Database) -> World:
    """A released database of this test alone."""
    return World(db)

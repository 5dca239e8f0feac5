"""An attack meets either the scene of a run or the world of a gateway; both are on the database of the test."""

import pytest
from gateway.world import World
from run.conftest import colleagues, condemned, db, item, item_template, run, run_template, scene
from support import Database

__all__ = ["colleagues", "condemned", "db", "item", "item_template", "run", "run_template", "scene"]


@pytest.fixture
def world(db: Database) -> World:
    """A released database of this test alone, with an application in it."""
    return World(db)

"""Whoever acts, on the database of the test."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from helpers import Scene
from support import Database


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    """A database released to head, and its people."""
    with closing(Scene(db)) as made:
        yield made

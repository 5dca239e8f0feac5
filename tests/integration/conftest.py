"""Whoever acts, on the database of the test."""

from collections.abc import Iterator

import pytest
from helpers import Scene, acting
from support import Database


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    """A database released to head, and its people."""
    with acting(db) as made:
        yield made

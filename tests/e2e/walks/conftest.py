"""A stage for random walks, on a database of its own."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from fixtures import colleagues
from model.stage import Stage
from support import Database

__all__ = ["colleagues"]


@pytest.fixture
def stage(db: Database, colleagues: None) -> Iterator[Stage]:
    """A released database with two collections and everybody in it."""
    with closing(Stage(db)) as made:
        yield made

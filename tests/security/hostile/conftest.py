"""Whoever acts, on the database of the test; at the end the records are held against each other."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from helpers import Scene
from support import Database


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    """A released database with its people; receipts, births, permits and ledger agree when the test is over."""
    with closing(Scene(db)) as made:
        yield made
        assert made.disagreements() == []

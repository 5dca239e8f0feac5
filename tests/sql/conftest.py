"""A scene for the tests of guards, contract and dashboards, and the ways to break a thing."""

from collections.abc import Iterator

import pytest
from helpers import Scene
from support import Database


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    """A database released to head, and its people."""
    made = Scene(db)
    try:
        yield made
    finally:
        made.close()

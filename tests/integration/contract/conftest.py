"""A database that many tests share."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from helpers import Scene
from support import Cluster, Database


@pytest.fixture(scope="session")
def _shared(server: Cluster, template: Database) -> Iterator[Scene]:
    """A database of many tests, none of which commits."""
    made = server.create(template.name)
    with closing(Scene(made)) as scene:
        yield scene
    made.drop()


@pytest.fixture
def undone(_shared: Scene) -> Iterator[Scene]:
    """The scene of a test that needs no other session: all of it is one transaction, which is rolled back."""
    with _shared.admin.transaction(force_rollback=True):
        yield _shared

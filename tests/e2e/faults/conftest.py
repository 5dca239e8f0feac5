"""One server with altered routines for the whole folder; each story is prepared once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from faults import matrix
from faults.__main__ import DURABLE, SETTINGS
from faults.boundaries import Boundary
from faults.matrix import Stage
from faults.stories import STORIES
from faults.strikes import Ground
from support import Database

from birthdb.server import EmbeddedServer


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    """A server of these tests' own, whatever the others use: it is killed and recovers, so its COMMITs are durable."""
    with EmbeddedServer(settings=SETTINGS | DURABLE) as server, closing(Ground(server)) as made:
        yield made


@pytest.fixture(scope="session")
def source(ground: Ground) -> Iterator[tuple[Database, list[Boundary]]]:
    """A released database with a boundary between all statements."""
    with matrix.instrumented(ground) as made:
        yield made


@pytest.fixture(scope="session")
def stage(ground: Ground, source: tuple[Database, list[Boundary]]) -> Iterator[Callable[[str], Stage]]:
    """Return a story by its name, prepared when it is asked for the first time."""
    stages: dict[str, Stage] = {}
    with ExitStack() as stack:

        def staged(name: str) -> Stage:
            if name not in stages:
                stages[name] = stack.enter_context(matrix.staged(ground, *source, STORIES[name]))
            return stages[name]

        yield staged

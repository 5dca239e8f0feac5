"""A server per worker, a released template per server, a copy of it per test.

The server is the one of ``BIRTHDB_URL`` (a superuser's), else one started from ``BIRTHDB_PG_BIN``, else from the wheel.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from guards import listing
from spares import Spares
from support import TEMPLATE, Cluster, Database
from world import World

from birthdb import target
from birthdb.release import prove
from birthdb.server import EmbeddedServer

# Started in the background, this process ignores SIGINT, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("birthdb", deadline=None)
hypothesis.settings.load_profile("birthdb")

#: The tier of a folder's tests; a marker in the file, or on a test, takes its place. See ``make test-fast``.
TIERS = {
    "unit": "fast",
    "integration": "fast",
    "integration/contract": "ordinary",
    "concurrency": "ordinary",
    "security": "ordinary",
    "library": "ordinary",
    "migration": "ordinary",
    "tooling": "ordinary",
    "e2e": "ordinary",
}

#: Where majors of PostgreSQL differ most: what a release makes, what its contract says, when triggers fire. The other
#: tests of migration start servers of their own majors, whichever the suite runs on.
MAJORS = {
    *("integration/catalog", "integration/contract", "integration/gateway", "integration/monitoring"),
    *("migration/semantic", "migration/test_home.py", "migration/test_locales.py", "migration/test_majors.py"),
    "migration/test_release.py",
}

#: What takes longest begins first: at the end one core would wait for it.
FIRST = ("e2e/test_reference.py", "e2e/walks", "e2e/test_tutorial.py", "migration/test_start.py")

_HERE = Path(__file__).parent

_SETTINGS = {
    "max_connections": "100",
    # For the side doors that only such a server has.
    "wal_level": "logical",
    "max_prepared_transactions": "4",
    # It would come between two tests of a database.
    "autovacuum": "off",
    # Tests read few rows.
    "jit": "off",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test one tier, that of its marker, else that of its folder; put those of FIRST in front."""
    proofs = {proof.test for proof in listing.read().values()}
    for item in items:
        path = item.path.relative_to(_HERE)
        folders = [folder.as_posix() for folder in path.parents]
        tiers = {mark.name for mark in item.iter_markers() if mark.name in TIERS.values()}
        if not tiers and (folder := next((folder for folder in folders if folder in TIERS), None)):
            item.add_marker(TIERS[folder])
        elif len(tiers) != 1:
            raise pytest.UsageError(f"{item.nodeid} is not in exactly one tier: TIERS in tests/conftest.py")
        if item.get_closest_marker("long") and item.nodeid in proofs:
            raise pytest.UsageError(f"{item.nodeid} is the proof of a guard, which make test takes")
        if not MAJORS.isdisjoint([path.as_posix(), *folders]):
            item.add_marker("majors")
    items.sort(key=lambda item: not item.path.relative_to(_HERE).as_posix().startswith(FIRST))


@pytest.fixture(autouse=True)
def _no_ambient_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the database of ``BIRTHDB_URL`` but through ``server``."""
    monkeypatch.delenv(target.VARIABLE, raising=False)


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """The cluster, its people without roles until something is released."""
    given = os.environ.get(target.VARIABLE)
    if given is not None:
        cluster = Cluster(given)
        yield cluster
        cluster.close()
        return
    with EmbeddedServer(settings=_SETTINGS) as embedded:
        cluster = Cluster(embedded.url(), local=True)
        yield cluster
        cluster.close()


@pytest.fixture(scope="session")
def template(server: Cluster) -> Iterator[Database]:
    """A database released to head by the releaser; nobody connects to it. A guard that is being proven is taken out."""
    if given := os.environ.get(TEMPLATE):
        yield Database(server, given)
        return
    made = server.create_released()
    if claim := os.environ.get(prove.TAKE_OUT):
        with target.connect(made.url()) as conn:
            prove.take_out(conn, claim)
    yield made
    made.drop()


@pytest.fixture(scope="session")
def spares(server: Cluster) -> Iterator[Spares]:
    """Copies that go from test to test."""
    with closing(Spares(server)) as made:
        yield made


@pytest.fixture
def db(spares: Spares, template: Database) -> Iterator[Database]:
    """A database of this test alone, released to head."""
    with spares.one(template) as made:
        yield made


@pytest.fixture
def empty_db(server: Cluster) -> Iterator[Database]:
    """A database of this test alone, with nothing in it."""
    made = server.create()
    yield made
    made.drop()


@pytest.fixture
def world(db: Database) -> World:
    """The same, for those who register collections and write rows."""
    return World(db)


@pytest.fixture
def admin(db: Database) -> psycopg.Connection[Any]:
    """The superuser's connection to ``db``, in autocommit mode."""
    return db.connect()

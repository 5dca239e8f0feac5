"""The shop: a project of five objects that knows nothing of this one, rendered and measured for a test."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from checkouts import commit
from psycopg.conninfo import make_conninfo
from sample import sampled
from support import Cluster, worker

from birthdb import server
from birthdb.server import EmbeddedServer, ServerError, binaries, client
from pgcontract.databases import database, upgrade
from pgcontract.measure import Servers, measure
from pgcontract.project import Project
from pgcontract.render import render
from pgcontract.sources import Sources

SHOP = Path(__file__).parent / "shop"

#: A superuser's statements that make the login which releases.
RELEASER = "shop_releaser"
_LOGIN = f"CREATE ROLE {RELEASER} LOGIN CREATEROLE"


class Shop:
    """A checkout of the shop and an empty database on one server."""

    def __init__(self, root: Path, cluster: str, url: str, major: int) -> None:
        """Read the checkout; ``cluster`` and ``url`` are a superuser's."""
        self.root = root
        self.cluster = cluster
        self.url = url
        self.major = major
        #: The login that releases, which is no superuser.
        self.releaser = make_conninfo(url, user=RELEASER)
        self.servers = Servers([major], lambda _: nullcontext(cluster), major, lambda: client("pg_dump"))

    @property
    def sources(self) -> Sources:
        """The checkout as it is now."""
        return Sources(self.root)

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """Send a statement as the superuser; return its rows, and the value of rows of one column."""
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query.encode(), parameters)
            found = cursor.fetchall() if cursor.description else []
        return [row[0] if len(row) == 1 else row for row in found]


@contextmanager
def opened(root: Path, cluster: str, major: int, name: str) -> Iterator[Shop]:
    """Copy the shop, render it, measure it on a server, and make a database for it there."""
    shutil.copytree(SHOP, root, dirs_exist_ok=True)
    render(Project.read(root))
    with psycopg.connect(cluster) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('shop'))")
        if connection.execute("SELECT to_regrole(%s)", (RELEASER,)).fetchone() == (None,):
            connection.execute(_LOGIN)
    with database(cluster, name) as url:
        shop = Shop(root, cluster, url, major)
        with psycopg.connect(cluster, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} OWNER TO {RELEASER}".encode())
        measure(shop.sources, shop.servers)
        if major >= 16:
            # The roles are there already, made by the superuser who measured.
            shop.rows(f"GRANT shop_owner, shop_dba TO {RELEASER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        yield shop


_OLDEST, *_BETWEEN, _NEWEST = sorted(server.MAJORS)


@pytest.fixture(scope="module", params=sampled([_OLDEST, _NEWEST, *_BETWEEN], 2))
def cluster(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """A server of each major; skipped where it is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(server.VARIABLE, raising=False)
        try:
            binaries(request.param)
        except ServerError as missing:
            pytest.skip(str(missing))
        with EmbeddedServer(major=request.param) as running:
            yield request.param, running.url()


@pytest.fixture
def shop(tmp_path: Path, cluster: tuple[int, str]) -> Iterator[Shop]:
    """The shop on a server of one major."""
    major, url = cluster
    with opened(tmp_path, url, major, "shop") as made:
        yield made


@pytest.fixture(scope="session")
def measured(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop on the server of the other tests; not to be changed. Its database is released."""
    url, root = server.url("postgres"), tmp_path_factory.mktemp("measured")
    with psycopg.connect(url) as connection:
        # Other workers may be making the roles on the same server.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('shop'))")
        connection.execute((SHOP / "sql" / "roles" / "roles.sql").read_bytes())
    with opened(root, url, server.major, f"shop_{worker()}") as shop:
        yield shop


@pytest.fixture
def started(measured: Shop, tmp_path: Path) -> Iterator[Shop]:
    """A checkout of the shop that a test may edit, committed, and a database with its newest release."""
    shutil.copytree(measured.root, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    commit(tmp_path)
    with database(measured.cluster, f"shop_{worker()}_started") as url:
        upgrade(measured.sources, url, "head")
        yield Shop(tmp_path, measured.cluster, url, measured.major)

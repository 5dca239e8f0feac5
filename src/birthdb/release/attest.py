"""The contract's answers about a database, by the releases that are installed with this package."""

from typing import Any

import psycopg

from birthdb import __version__, api, paths
from birthdb.errors import ReleaseUnfit
from pgcontract import attest as contract
from pgcontract.attest import PINS, Difference, NotReleased, UnknownRelease, objects_of
from pgcontract.texts import Texts

__all__ = [
    "PINS",
    "Difference",
    "NotReleased",
    "UnknownRelease",
    "attest",
    "current",
    "differences",
    "fit",
    "known",
    "not_released",
    "objects_of",
    "repair",
    "unfit",
]

Connection = psycopg.Connection[Any]

_UNFIT = "this birthdb does not fit the release of the database"


def current(connection: Connection) -> str:
    """Return the release that the database says it has. Raises NotReleased, and what ``api.release`` raises."""
    release = api.release(connection)
    if release is None:
        raise not_released(connection)
    return release


def known(connection: Connection) -> str:
    """Return the release of the database. Raises UnknownRelease for one that this birthdb does not have."""
    release = current(connection)
    contract.known(Texts(paths.ROOT), release)
    return release


def fit(connection: Connection, file: str) -> None:
    """Raise ReleaseUnfit where the database is at a release before the one that brings a file of ``sql/``.

    A release that this birthdb does not know has what an earlier one has.
    """
    releases = Texts(paths.ROOT).releases
    release, names = current(connection), list(releases)
    first = next(name for name, steps in releases.items() if any(step.path == file for step in steps))
    if release in names and names.index(release) < names.index(first):
        raise ReleaseUnfit(
            _UNFIT,
            f"the database is at {release}; what the command calls comes with {first}",
            f"birthdb alembic upgrade {first}",
        )


def unfit(unknown: UnknownRelease) -> ReleaseUnfit:
    """Return what the catalogue of errors has for a release that this birthdb does not know."""
    return ReleaseUnfit(_UNFIT, str(unknown), f"{unknown.hint}; this is {__version__}")


def not_released(connection: Connection) -> NotReleased:
    """Return what there is to say of a database without a version; as ``pgcontract.attest.not_released``."""
    return contract.not_released(connection, Texts(paths.ROOT))


def differences(connection: Connection, release: str) -> list[Difference]:
    """Return what is not as the release made it; as ``pgcontract.attest.differences``."""
    return contract.differences(connection, Texts(paths.ROOT), release)


def attest(connection: Connection) -> int:
    """Record the contract of the present release for this server; as ``pgcontract.attest.attest``."""
    return contract.attest(connection, Texts(paths.ROOT), current(connection))


def repair(
    connection: Connection, *, harmless: bool = False, drop_data: bool = False, dry_run: bool = False
) -> list[tuple[Difference, str]]:
    """Put back what differs from the present release; as ``pgcontract.attest.repair``."""
    texts, release = Texts(paths.ROOT), current(connection)
    return contract.repair(connection, texts, release, harmless=harmless, drop_data=drop_data, dry_run=dry_run)

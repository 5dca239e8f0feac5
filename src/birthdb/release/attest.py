"""The contract's answers about a database, by the releases that are installed with this package."""

from typing import Any

import psycopg

from birthdb import __version__, paths, target
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
    "objects_of",
    "repair",
    "unfit",
]

Connection = psycopg.Connection[Any]

_UNFIT = "this birthdb does not fit the release of the database"


def current(connection: Connection) -> str:
    """Return the release that the database says it has. Raises what ``api.release`` raises, and NotReleased.

    For a release that this birthdb does not have that is an UnknownRelease.
    """
    release = target.release(connection)
    return contract.known(connection, Texts(paths.ROOT), release.split(", ") if release else [])


def fit(connection: Connection, file: str) -> None:
    """Raise ReleaseUnfit where the database is at a release before the one that brings a file of ``sql/``."""
    releases = Texts(paths.ROOT).releases
    release, names = current(connection), list(releases)
    first = next(name for name, steps in releases.items() if any(step.path == file for step in steps))
    if names.index(release) < names.index(first):
        raise ReleaseUnfit(
            _UNFIT,
            f"the database is at {release}; what the command calls comes with {first}",
            f"birthdb alembic upgrade {first}",
        )


def unfit(unknown: UnknownRelease) -> ReleaseUnfit:
    """Return what the catalogue of errors has for a release that this birthdb does not know."""
    return ReleaseUnfit(_UNFIT, str(unknown), f"{unknown.hint}; this is {__version__}")


def differences(connection: Connection, release: str) -> list[Difference]:
    """Return what is not as the release made it; as ``pgcontract.attest.differences``."""
    return contract.differences(connection, Texts(paths.ROOT), release)


def attest(connection: Connection) -> int:
    """Record the contract of the present release for this server; as ``pgcontract.attest.attest``."""
    return contract.attest(connection, Texts(paths.ROOT), current(connection))


def repair(
    connection: Connection,
    *,
    harmless: bool = False,
    drop_data: bool = False,
    dry_run: bool = False,
    left: dict[str, str] | None = None,
) -> list[tuple[Difference, str]]:
    """Put back what differs from the present release; as ``pgcontract.attest.repair``."""
    return contract.repair(
        connection, Texts(paths.ROOT), harmless=harmless, drop_data=drop_data, dry_run=dry_run, left=left
    )

"""The contract's answers about a database, by the releases that are installed with this package."""

from typing import Any

import psycopg

from birthdb import api, paths
from pgcontract import attest as contract
from pgcontract.attest import PINS, Difference, NotReleased, objects_of
from pgcontract.texts import Texts

__all__ = ["PINS", "Difference", "NotReleased", "attest", "current", "differences", "objects_of", "repair"]

Connection = psycopg.Connection[Any]


def current(connection: Connection) -> str:
    """Return the release that the database says it has. Raises NotReleased, and what ``api.release`` raises."""
    release = api.release(connection)
    if release is None:
        raise contract.not_released(connection, Texts(paths.ROOT))
    return release


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

"""The cases of drifts.toml, in groups that one database can have at once."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True)
class Drift:
    """A case of drifts.toml."""

    statement: str
    object: str
    drift: str
    blocks: bool
    #: Whether a statement can repair it: not where rows or values are gone, or a person has to choose.
    repairs: bool = True
    #: Whether only a superuser can.
    superuser: bool = False
    #: Whether the token of the schema shows it: not what is outside the schema.
    token: bool = True
    #: The first major of PostgreSQL that has the statement.
    major: int = 14

    @property
    def name(self) -> str:
        """The object's own name, without kind, table and arguments."""
        return str(re.findall(r"\w+", self.object.partition("(")[0])[-1])

    def __str__(self) -> str:
        return f"{self.drift}: {self.statement[:60]}"


Group = tuple[Drift, ...]

DRIFTS = [
    Drift(**case)
    for case in tomllib.loads(Path(__file__).with_name("drifts.toml").read_text(encoding="utf-8"))["drift"]
]


def grouped(drifts: Iterable[Drift]) -> list[Group]:
    """Return the drifts in groups: each of another name, all blocking or none."""
    groups: list[list[Drift]] = []
    for drift in drifts:
        for group in groups:
            if group[0].blocks == drift.blocks and drift.name not in {other.name for other in group}:
                group.append(drift)
                break
        else:
            groups.append([drift])
    return [tuple(group) for group in groups]


def known(connection: psycopg.Connection[Any], drifts: Iterable[Drift]) -> list[Drift]:
    """Return those whose statement the server has."""
    return [drift for drift in drifts if drift.major <= connection.info.server_version // 10000]


def label(group: Group) -> str:
    """Return a name for a group."""
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return f"{group[0]}{more}"

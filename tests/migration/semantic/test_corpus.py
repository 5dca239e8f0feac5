"""Every pair of the corpus, loaded into a server: what is the same hashes the same, what is different does not."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import PROJECT, Cluster

from birthdb import target
from pgcontract import semantic

CORPUS = Path(__file__).parent / "corpus"


def cases(verdict: str) -> list[Any]:
    """Return before and after of every case, as they are sent."""
    found = []
    for path in sorted(CORPUS.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        for case in content[verdict]:
            pair = [content["template"].replace("@", case[side]) for side in ("before", "after")]
            found.append(pytest.param(*pair, case.get("since", 14), id=f"{path.stem}: {case['why']}"))
    return found


@pytest.fixture(scope="module")
def connection(server: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """A connection to an empty database, in which nothing is ever committed."""
    made = server.create()
    with target.connect(made.url()) as conn:
        yield conn
    made.drop()


def needs(connection: psycopg.Connection[Any], since: int) -> None:
    """Skip what only a later server understands."""
    if connection.info.server_version < since * 10000:
        pytest.skip(f"PostgreSQL {since}")


def hashes(connection: psycopg.Connection[Any], statements: str) -> dict[str, str]:
    """Return the hash of everything that a script makes in schema ``corpus``, which is then gone."""
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE SCHEMA corpus")
        connection.execute(statements.encode(), prepare=False)
        made = semantic.hashes(connection, PROJECT, schema="corpus")
    assert made
    return made


@pytest.mark.parametrize(("before", "after", "since"), cases("same"))
def test_formatting_and_comments_do_not_change_the_hash(
    connection: psycopg.Connection[Any], before: str, after: str, since: int
) -> None:
    needs(connection, since)
    assert before != after
    assert hashes(connection, before) == hashes(connection, after)


@pytest.mark.parametrize(("before", "after", "since"), cases("different"))
def test_everything_else_changes_the_hash(
    connection: psycopg.Connection[Any], before: str, after: str, since: int
) -> None:
    needs(connection, since)
    first, second = hashes(connection, before), hashes(connection, after)
    moved = {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}
    assert moved


def test_the_corpus_has_enough_cases() -> None:
    assert len(cases("same")) >= 60
    assert len(cases("different")) >= 120

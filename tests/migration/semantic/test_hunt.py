"""A sample of the hunt finds nothing; and a hash that is blind on purpose is found out."""

import re
from collections.abc import Callable, Iterator
from random import SystemRandom
from typing import Any

import psycopg
import pytest
from hunts import SPECIMENS
from sample import some
from support import PROJECT, Database

from birthdb import target
from pgcontract import semantic
from pgcontract.hunt import Report, hunt, targets

Tokens = Callable[[str], Iterator[tuple[str, str]]]
sighted: Tokens = semantic.tokens


@pytest.fixture
def connection(db: Database) -> Iterator[psycopg.Connection[Any]]:
    with target.connect(db.url()) as conn:
        yield conn


def found(connection: psycopg.Connection[Any], seed: int, *, part: int, parts: int, mutations: int = 200) -> Report:
    """Hunt among a part of all targets, for about as many mutations."""
    return hunt(
        connection,
        PROJECT,
        SPECIMENS,
        mutations=mutations * parts,
        reformattings=mutations // 10 * parts,
        seed=seed,
        part=part,
        parts=parts,
    )


def test_a_sample_of_the_hunt_finds_nothing(connection: psycopg.Connection[Any]) -> None:
    seed = SystemRandom().randrange(2**32)
    report = found(connection, seed, part=seed % 16, parts=16)
    findings = [*report.missed, *report.false, *report.refused]
    assert findings == [], f"part {seed % 16} of 16\n{report}"
    assert report.accepted >= 30
    assert report.rejected >= 50
    assert report.reformattings >= 20


@pytest.mark.long
@pytest.mark.parametrize("part", range(16))
def test_the_hunt_finds_nothing(connection: psycopg.Connection[Any], part: int) -> None:
    seed = SystemRandom().randrange(2**32)
    report = hunt(connection, PROJECT, SPECIMENS, mutations=20_000, reformattings=2_000, seed=seed, part=part, parts=16)
    assert [*report.missed, *report.false, *report.refused] == [], f"seed {seed}, part {part} of 16\n{report}"


def test_every_routine_and_every_part_of_a_table_is_a_target(connection: psycopg.Connection[Any]) -> None:
    every = targets(connection, PROJECT, SPECIMENS)
    kept = ("gateway", "function", "procedure", "view", "constraint", "index")
    live = [key for key in semantic.hashes(connection, PROJECT) if key.startswith(kept)]
    defaults = [one for one in every if one.kind == "relation" and not one.statement.startswith("CREATE VIEW ")]
    made = [one for one in every if one not in (*SPECIMENS, *defaults)]
    assert len(made) == len(live)
    assert defaults
    assert {one.kind for one in every} == {"routine", "relation", "constraint", "index", "trigger"}


def misses_something(connection: psycopg.Connection[Any]) -> bool:
    """Hunt until something is missed."""
    return any(found(connection, 1, part=part, parts=120, mutations=40).missed for part in range(120))


def without_strings(text: str) -> Iterator[tuple[str, str]]:
    return ((kind, "" if kind == "string" else value) for kind, value in sighted(text))


def with_white_space_collapsed(text: str) -> Iterator[tuple[str, str]]:
    return sighted(re.sub(r"\s+", " ", text))


def without_the_end(text: str) -> Iterator[tuple[str, str]]:
    return iter(list(sighted(text))[:-5])


def without_case(text: str) -> Iterator[tuple[str, str]]:
    return ((kind, value.lower()) for kind, value in sighted(text))


def without_kinds(text: str) -> Iterator[tuple[str, str]]:
    return (("", value) for _, value in sighted(text))


def without_order(text: str) -> Iterator[tuple[str, str]]:
    return iter(sorted(sighted(text)))


def without_numbers(text: str) -> Iterator[tuple[str, str]]:
    return ((kind, "0" if value[0:1].isdigit() else value) for kind, value in sighted(text))


@some(
    "blind",
    [
        without_strings,
        with_white_space_collapsed,
        without_kinds,
        without_the_end,
        without_case,
        without_order,
        without_numbers,
    ],
    most=1,
)
def test_a_deliberately_blind_hash_is_detected(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, blind: Tokens
) -> None:
    monkeypatch.setattr(semantic, "tokens", blind)
    assert misses_something(connection)


@pytest.mark.long
def test_a_hash_that_ignores_the_header_is_detected(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = semantic.digest
    monkeypatch.setattr(semantic, "digest", lambda _, text, **how: digest({}, text, **how))
    assert misses_something(connection)


@pytest.mark.parametrize(
    "overanxious",
    [
        lambda text: iter([("", text)]),
        lambda text: iter([("", word) for word in text.split()]),
        lambda text: iter([("", text[token.start : token.end + 1]) for token in _scan(text)]),
    ],
    ids=["white space counts", "comments count", "case counts"],
)
def test_a_hash_that_depends_on_formatting_is_detected(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, overanxious: Tokens
) -> None:
    monkeypatch.setattr(semantic, "tokens", overanxious)
    assert found(connection, 1, part=0, parts=40, mutations=20).false


def test_a_seed_reproduces_a_hunt(connection: psycopg.Connection[Any]) -> None:
    first, second = (found(connection, 7, part=0, parts=60, mutations=40) for _ in range(2))
    second.seconds = first.seconds
    assert first == second


@pytest.mark.long
def test_a_hunt_leaves_the_database_unchanged(connection: psycopg.Connection[Any]) -> None:
    before = semantic.hashes(connection, PROJECT)
    found(connection, 3, part=0, parts=60, mutations=40)
    assert semantic.hashes(connection, PROJECT) == before
    assert connection.execute("SELECT to_regnamespace('hunt')").fetchone() == (None,)


def _scan(text: str) -> Any:
    from pglast.parser import scan

    return scan(text)

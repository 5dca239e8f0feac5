"""Dump and restore of hostile names and values: a copy has every birth and every word, and goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doors.dumps import as_one_file, as_text, need_the_same_major, state, targets
from helpers import DBA
from psycopg.sql import SQL, Literal
from security.hostile.text import BLANK, VALUES
from support import Cluster, Database
from world import World, sql

from birthdb import api
from birthdb.audit import evidence, verify

#: Schema, table, key, another column, collection, and how a code is made: by a column, a prefix, a template.
NAMES: list[tuple[str, str, str, str, str, dict[str, str]]] = [
    ("a\"b.'c", "'; --", "*/ SELECT", "\\", "$$", {"column": "*/ SELECT"}),
    ("%I %s", "line\nbreak", "e\u0301", "\x1b[31m", "\r\n'", {"column": "e\u0301", "prefix": "'; DROP TABLE x; --\\"}),
    ("日本語", "\u202eesrever", "$1", "select", "\\'%1$s", {"template": "{{\n{$1}%%{select:04}}}\u0301"}),
]
STRATEGY: dict[frozenset[str], str] = {
    frozenset({"column"}): "column",
    frozenset({"column", "prefix"}): "synthetic_id",
    frozenset({"template"}): "legacy",
}
#: The rows that a backfill registers, and after them those of the gateway.
ROWS = [value for value in VALUES if value.strip(BLANK)]
BEFORE = 10


@pytest.fixture(autouse=True)
def _same_major(server: Cluster) -> None:
    need_the_same_major(server)


@pytest.fixture
def into(server: Cluster) -> Iterator[Database]:
    """An empty database."""
    with targets(server) as create:
        yield create(None)


def insert(world: World, number: int, first: int, last: int | None) -> None:
    """Insert some of the rows into one of the tables."""
    schema, table, *_ = NAMES[number]
    # Nothing is bound: a name may hold what the driver would take for a parameter.
    world.admin.execute(
        sql("INSERT INTO {schema}.{table} SELECT v, i FROM unnest(", schema=schema, table=table)
        + Literal(ROWS[first:last])
        + SQL("::text[]) WITH ORDINALITY AS r(v, i)")
    )


@pytest.fixture
def original(world: World) -> World:
    """Three collections with rows that a run registered and rows of the gateway."""
    for number, (schema, table, key, other, collection, parts) in enumerate(NAMES):
        names = {"schema": schema, "table": table, "key": key, "other": other}
        world.admin.execute(sql("CREATE SCHEMA {schema}", **names))
        # The template's codes are of two columns, of which the key is one.
        world.admin.execute(sql("CREATE TABLE {schema}.{table} ({key} text PRIMARY KEY, {other} integer)", **names))
        world.admin.execute(sql("GRANT USAGE ON SCHEMA {schema} TO birth_definer, birth_scanner", **names))
        world.admin.execute(
            sql(
                "GRANT SELECT ON {schema}.{table} TO birth_scanner; GRANT TRIGGER ON {schema}.{table} TO birth_definer",
                **names,
            )
        )
        insert(world, number, 0, BEFORE)
        world.register(collection, table, schema=schema)
        world.classify(STRATEGY[frozenset(parts)], collection, **parts)  # type: ignore[arg-type]
        world.attach(collection, "enforce")
        insert(world, number, BEFORE, -1)
        world.backfill(collection)
    return world


@pytest.mark.parametrize("way", [as_text, as_one_file])
def test_a_restored_copy_keeps_all_names_and_values_and_works(
    original: World, into: Database, tmp_path: Path, way: Callable[[World, Database, Path], None]
) -> None:
    runs = {row[0] for row in original.admin.execute("SELECT run_id FROM birth.birth_backfill_ledger_v2")}
    births = [original.births(names[4]) for names in NAMES]
    assert [len(codes) for codes in births] == [len(ROWS) - 1] * 3
    before = state(original)
    assert [row for row in before["audit"] if not row["pass"]] == before["drift"] == before["disagreements"] == []
    way(original, into, tmp_path)

    copy = World(into, made=True)
    assert state(copy) == before
    assert [copy.births(names[4]) for names in NAMES] == births
    assert verify.verify(copy.operator).fine
    api.rows(copy.person(DBA), "fn_birth_home_confirm", p_reason="\u202e\x1b[2J'; --")
    for run in runs:
        assert [found for found in evidence.check(evidence.export(copy.operator, run)) if not found["ok"]] == []
    for number, names in enumerate(NAMES):
        insert(copy, number, -1, None)
        assert len(copy.births(names[4])) == len(ROWS)
        assert copy.failed_checks(names[4]) == {}
        copy.admin.execute(
            "DELETE FROM birth.birth_registry WHERE collection_name = %s AND run_id IS NULL", (names[4],)
        )
        copy.backfill(names[4], batch=7)
        assert copy.failed_checks(names[4]) == {}

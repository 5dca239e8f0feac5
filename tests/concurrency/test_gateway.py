"""The gateway beside other sessions: codes of two collections that meet, and what SERIALIZABLE makes of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel
from world import APPLICATION, World, wait_until_blocked

SERIALIZABLE = IsolationLevel.SERIALIZABLE
#: By statement, and by row.
TABLES = ["(id int PRIMARY KEY)", "(id int PRIMARY KEY) PARTITION BY RANGE (id)"]


@contextmanager
def two(world: World, level: IsolationLevel | None = None) -> Iterator[tuple[Any, Any]]:
    """Two sessions of the application, each in a transaction."""
    with (
        world.db.connect(APPLICATION, autocommit=False) as first,
        world.db.connect(APPLICATION, autocommit=False) as second,
    ):
        first.isolation_level = second.isolation_level = level
        yield first, second


def make(world: World, table: str, *names: str, prefix: bool = False) -> None:
    """Create collections in mode observe whose codes are their numbers, or these with the name before."""
    for name in names:
        world.table(table, name)
        if "PARTITION" in table:
            world.table(f"PARTITION OF app.{name} DEFAULT", f"{name}_rest")
        world.register(name)
        if prefix:
            world.classify("synthetic_id", name, column="id", prefix=f"{name}-")
        else:
            world.classify("legacy", name, template="{id}")
        world.attach(name)


# --- what mode observe cannot promise, and the way out


@pytest.mark.parametrize("table", TABLES)
def test_of_two_transactions_whose_codes_cross_one_is_sent_again_and_no_birth_is_lost(world: World, table: str) -> None:
    make(world, table, "a", "b")
    crossed = "INSERT INTO app.a VALUES (2)", "INSERT INTO app.b VALUES (1)"
    with two(world) as (first, second), ThreadPoolExecutor(1) as pool:
        first.execute("INSERT INTO app.a VALUES (1)")
        second.execute(crossed[0])
        late = pool.submit(first.execute, "INSERT INTO app.b VALUES (2)")
        wait_until_blocked(world.admin, first)
        try:
            second.execute(crossed[1])
        except psycopg.errors.DeadlockDetected:
            second.rollback()
            late.result()
            first.commit()
            for statement in crossed:
                second.execute(statement)
        else:
            with pytest.raises(psycopg.errors.DeadlockDetected):
                late.result()
            first.rollback()
            second.commit()
            first.execute("INSERT INTO app.a VALUES (1)")
            first.execute("INSERT INTO app.b VALUES (2)")
        first.commit()
        second.commit()
    born = world.births("a") + world.births("b")
    assert sorted(born) == ["1", "2"]
    assert sum(rows for name in "ab" for _, rows in world.findings(name)) == 2


def test_collections_with_a_prefix_each_do_not_wait_for_each_other(world: World) -> None:
    make(world, TABLES[0], "a", "b", prefix=True)
    with two(world) as (first, second):
        first.execute("INSERT INTO app.a VALUES (1)")
        second.execute("INSERT INTO app.a VALUES (2)")
        first.execute("INSERT INTO app.b VALUES (2)")
        second.execute("INSERT INTO app.b VALUES (1)")
        first.commit()
        second.commit()
    assert (world.births("a"), world.births("b")) == (["a-1", "a-2"], ["b-1", "b-2"])


def test_a_lock_timeout_ends_the_wait_for_a_code_and_the_row_is_sent_again(world: World) -> None:
    make(world, TABLES[0], "a", "b")
    with two(world) as (first, second):
        first.execute("INSERT INTO app.a VALUES (1)")
        second.execute("SET LOCAL lock_timeout = '10ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute("INSERT INTO app.b VALUES (1)")
        second.rollback()
        first.rollback()
        second.execute("INSERT INTO app.b VALUES (1)")
        second.commit()
    assert (world.births("a"), world.births("b")) == ([], ["1"])


def test_a_statement_beyond_temp_file_limit_goes_in_parts(world: World) -> None:
    world.governed("(code text PRIMARY KEY, title text)")
    load = "INSERT INTO app.thing SELECT g, repeat('x', 1000) FROM generate_series(%s::int, %s) g"
    world.admin.execute("SET temp_file_limit = '1MB'; SET work_mem = '64kB'")
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
        world.admin.execute(load, (1, 3000))
    for start in range(1, 3000, 500):
        world.admin.execute(load, (start, start + 499))
    assert len(world.births()) == 3000


# --- SERIALIZABLE


def again(world: World, rows: int) -> None:
    """Give the collection births whose rows are gone."""
    world.owner.execute(f"INSERT INTO app.thing SELECT generate_series(1, {rows})".encode())
    world.owner.execute("DELETE FROM app.thing")
    world.admin.execute("ANALYZE birth.birth_registry")


@pytest.mark.parametrize("table", TABLES)
def test_serializable_rows_that_come_again_do_not_fail_each_other(world: World, table: str) -> None:
    make(world, table, "thing")
    again(world, 3)
    with two(world, SERIALIZABLE) as (first, second):
        first.execute("INSERT INTO app.thing VALUES (1)")
        second.execute("INSERT INTO app.thing VALUES (2)")
        first.execute("INSERT INTO app.thing VALUES (3)")
        first.commit()
        second.commit()
    assert world.findings("thing") == []
    assert world.failed_checks() == {}


def test_serializable_rows_that_come_again_lock_their_pages_and_no_whole_relation(world: World) -> None:
    make(world, TABLES[0], "thing")
    again(world, 2000)
    with two(world, SERIALIZABLE) as (first, second):
        for session, code, new in ((first, 100, 10001), (second, 1900, 80001)):
            session.execute("INSERT INTO app.thing VALUES (%s)", (code,))
            session.execute("INSERT INTO app.thing VALUES (%s)", (new,))
        locked = world.admin.execute(
            "SELECT DISTINCT l.relation::regclass::text FROM pg_locks l WHERE l.mode = 'SIReadLock'"
            " AND l.locktype = 'relation' AND starts_with(l.relation::regclass::text, 'birth.birth_')"
        ).fetchall()
        assert locked == []
        first.commit()
        second.commit()


def test_serializable_new_rows_read_no_birth(world: World) -> None:
    make(world, TABLES[0], "thing")
    with two(world, SERIALIZABLE) as (first, second):
        for session, start in ((first, 1), (second, 101)):
            session.execute("INSERT INTO app.thing VALUES (%s)", (start,))
            session.execute("INSERT INTO app.thing SELECT generate_series(%s::int, %s)", (start + 1, start + 9))
        read = world.value(
            "SELECT count(*) FROM pg_locks l WHERE l.mode = 'SIReadLock'"
            " AND starts_with(l.relation::regclass::text, 'birth.birth_')"
        )
        assert read == 0
        first.commit()
        second.commit()
    assert len(world.births()) == 20

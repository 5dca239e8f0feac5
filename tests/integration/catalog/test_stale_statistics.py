"""Reads of a whole collection have a plan that does not depend on statistics being fresh.

Right after the backfill of a further collection PostgreSQL's statistics say that it has no births, and a nested loop
over what has no index seems free: 50,000 rows take over a minute then.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from world import World

from birthdb import api, errors

ROWS = 3000

#: What is cheap to ask again for every row.
BY_INDEX = re.compile(r"\{(INDEXSCAN|INDEXONLYSCAN|BITMAPINDEXSCAN|RESULT|FUNCTIONSCAN) ")
SCAN = re.compile(r"\{([A-Z]*SCAN|RESULT) ")


def node(plan: str, start: int) -> str:
    """Return the text from the opening brace at ``start`` to its partner."""
    depth = 0
    for brace in re.compile(r"\\.|[{}]", re.DOTALL).finditer(plan, start):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return plan[start : brace.end()]
    raise ValueError("a plan without an end")


def loops(plan: str) -> list[str]:
    """Return the inner sides of nested loops that read something in full for every row."""
    found = []
    for loop in re.finditer(r"\{NESTLOOP ", plan):
        whole = node(plan, loop.start())
        inner = node(whole, whole.index(":righttree ", _end_of_left(whole)) + len(":righttree "))
        kinds = [scan.group(1) for scan in SCAN.finditer(inner)]
        if not BY_INDEX.search(inner):
            found.append(" over ".join(kinds))
    return found


def _end_of_left(loop: str) -> int:
    left = loop.index(":lefttree ") + len(":lefttree ")
    return left + len(node(loop, left))


@contextmanager
def watched(world: World, person: str = "olga_operator") -> Iterator[list[str]]:
    """Give the nested loops, without an index inside, of what the person sends about births, deaths and sources."""
    conn = world.person(person)
    watched_tables = [
        world.value("SELECT %s::regclass::oid", table) for table in ("birth.birth_registry", "birth.birth_death")
    ]
    found: list[str] = []

    def look(diagnostic: object) -> None:
        detail = getattr(diagnostic, "message_detail", None) or ""
        if any(f":relid {oid} " in detail for oid in watched_tables):
            found.extend(loops(detail))

    conn.add_notice_handler(look)
    conn.execute("SET debug_print_plan = on; SET debug_pretty_print = off; SET client_min_messages = log")
    yield found
    conn.execute("RESET debug_print_plan; RESET client_min_messages")
    conn.remove_notice_handler(look)


@pytest.fixture
def stale(world: World) -> World:
    """Two backfilled collections with some rows that ended; statistics are those of the first one alone."""
    for name in ("first", "second"):
        world.governed("(code text PRIMARY KEY, state text)", name)
        api.life_attach(world.steward, name, "observe")
        world.owner.execute(
            f"ALTER TABLE app.{name} SET (autovacuum_enabled = off);"
            f" INSERT INTO app.{name} SELECT '{name}-' || n, 'here' FROM generate_series(1, {ROWS}) n;"
            f" DELETE FROM app.{name} WHERE code LIKE '%0'".encode()
        )
        if name == "first":
            world.admin.execute("ANALYZE birth.birth_registry, birth.birth_death")
    return world


def test_the_census(stale: World) -> None:
    with watched(stale) as found:
        assert stale.failed_checks("second") == {}
    assert found == []


def test_a_plan(stale: World) -> None:
    with watched(stale) as found:
        assert stale.planned("second")["orphans"] == 0
    assert found == []


def test_a_plan_that_meets_births_of_another_collection(stale: World) -> None:
    stale.admin.execute("UPDATE birth.birth_registry SET collection_name = 'second' WHERE collection_name = 'first'")
    with watched(stale) as found:
        assert stale.planned("first")["collisions"] > 0
    assert found == []


def test_a_plan_of_deaths_and_its_run(stale: World) -> None:
    stale.admin.execute("UPDATE app.second SET state = 'gone'")
    api.life_detach(stale.steward, "second", "a test")
    stale.owner.execute("DELETE FROM app.second WHERE code LIKE '%5'")
    with watched(stale) as found:
        run = api.death_plan(stale.operator, "second", dry_run=False)
        permit = stale.judged(run["run_id"], "second", rows=ROWS // 10, accept=ROWS // 10)
        api.death_apply(stale.operator, run["run_id"], permit, execute=True)
    assert found == []


def test_a_change_of_identity(stale: World) -> None:
    with watched(stale, "alice_steward") as found:
        stale.classify("legacy", "second", template="{code}")
    assert found == []


def test_an_undoing(world: World) -> None:
    world.governed("(code text PRIMARY KEY)", "first", mode=None)
    world.admin.execute("ANALYZE birth.birth_registry")
    world.owner.execute(f"INSERT INTO app.first SELECT 'first-' || n FROM generate_series(1, {ROWS}) n".encode())
    run = world.backfill("first", batch=1000)
    world.admin.execute(
        "CREATE TABLE app.second (code text REFERENCES birth.birth_registry);"
        " GRANT SELECT ON app.second TO birth_scanner"
    )
    world.admin.execute(f"INSERT INTO app.second SELECT 'first-' || n FROM generate_series(1, {ROWS // 2}) n".encode())
    permit = world.judged(run, "first", purpose="COMPENSATE", rows=ROWS)
    with watched(world) as found, pytest.raises(errors.BirthsTouched):
        api.compensate(world.operator, run, permit, execute=True)
    assert found == []


def test_a_run_over_rows_that_came_after_the_last_analyze(world: World) -> None:
    world.governed("(number integer PRIMARY KEY, state text)", "first", column="number")
    api.life_attach(world.steward, "first", "observe")
    world.owner.execute(
        f"ALTER TABLE app.first DISABLE TRIGGER USER; INSERT INTO app.first SELECT generate_series(1, {ROWS});"
        f" ANALYZE app.first; INSERT INTO app.first SELECT generate_series({ROWS} + 1, 2 * {ROWS});"
        " ALTER TABLE app.first ENABLE TRIGGER USER".encode()
    )
    with watched(world) as found:
        world.backfill("first", batch=ROWS)
    assert found == []

"""How fast a run goes: the size of its batches, by a target duration too, what live traffic waits for."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import ceil, log
from typing import Any

import psycopg
import pytest
from helpers import OPERATOR, STEWARD, Driver, Run, Scene, refused, statement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL

from birthdb import errors

HOUR = 3_600_000
MOST = 2_147_483_647

properties = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
rows = st.integers(1, MOST)
targets = st.integers(1, HOUR)
times = st.floats(0.001, 1e9) | st.sampled_from([0.0, -5.0, 1e308, float("inf")])


def tune(scene: Scene, run: Run, **pace: Any) -> None:
    scene.ask(OPERATOR, "fn_birth_run_tune", p_run_id=run.run_id, **pace)


def pace(scene: Scene, run: Run, *arguments: float | None) -> int:
    """Return the next batch size as the driver hears it: its own, rows of the last batch, milliseconds that it took."""
    query = "SELECT batch FROM birth.fn_birth_run_pace(%s, %s::integer, %s::integer, %s::float8)"
    found: int = scene.value(query, (run.run_id, *arguments))
    return found


def size(scene: Scene, run: Run, most: int, target: int | None, last: float | None, took: float | None) -> int:
    """Return the rows of the next batch, with that target if there is one."""
    if target is not None:
        tune(scene, run, p_target_ms=target)
    return pace(scene, run, most, last, took)


# --- the size of a batch


@properties
@given(most=rows, target=targets, last=rows, took=times)
def test_a_batch_size_is_between_100_and_the_operators_maximum(
    scene: Scene, run: Run, most: int, target: int, last: int, took: float
) -> None:
    assert min(100, most) <= size(scene, run, most, target, last, took) <= most


@properties
@given(most=rows, target=targets, last=rows, took=times)
def test_a_batch_size_at_most_doubles_and_shrinks_at_once(
    scene: Scene, run: Run, most: int, target: int, last: int, took: float
) -> None:
    found = size(scene, run, most, target, last, took)
    if found > min(100, most):
        assert found <= 2 * last
        if took > target:
            assert found <= last * target / took


@properties
@given(most=rows, target=targets, last=rows, took=st.tuples(times, times))
def test_a_slow_batch_is_not_followed_by_a_larger_one(
    scene: Scene, run: Run, most: int, target: int, last: int, took: tuple[float, float]
) -> None:
    assert size(scene, run, most, target, last, min(took)) >= size(scene, run, most, target, last, max(took))


@properties
@given(most=st.tuples(rows, rows), target=st.tuples(targets, targets), last=st.tuples(rows, rows), took=times)
def test_the_batch_size_is_monotonic_in_its_inputs(
    scene: Scene, run: Run, most: tuple[int, int], target: tuple[int, int], last: tuple[int, int], took: float
) -> None:
    least = size(scene, run, min(most), min(target), min(last), took)
    assert least <= size(scene, run, max(most), max(target), max(last), took)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=st.integers(20, 10_000),
    overhead=st.floats(0, 0.5),
    row=st.floats(0.001, 0.1),
    first=st.integers(100, 100_000),
)
def test_the_batch_size_converges_to_the_target_without_overshoot(
    scene: Scene, run: Run, target: int, overhead: float, row: float, first: int
) -> None:
    """A batch costs a part of the target whatever its size, and so many milliseconds a row."""
    most = 1_000_000
    best = max(100.0, min(most, target * (1 - overhead) / row))
    # Where half of the target is overhead, a batch is at most twice too fast, and the next one larger by its root.
    sizes = [first]
    tune(scene, run, p_target_ms=target)
    for _ in range(12 + max(0, ceil(log(best / first, 2**0.5)))):
        sizes.append(pace(scene, run, most, sizes[-1], target * overhead + row * sizes[-1]))
    # No step leads past the best size, but for rounding.
    for one, following in pairwise(sizes):
        assert min(one, best) - 1 <= following <= max(one, best) + 1e-6
    assert sizes[-1] == pytest.approx(best, rel=0.05, abs=2)


def test_the_batch_size_recovers_after_one_slow_batch(scene: Scene, run: Run) -> None:
    sizes = [size(scene, run, 10_000, 50, 5000, 5000.0)]
    while sizes[-1] < 4800:
        sizes.append(pace(scene, run, 10_000, sizes[-1], sizes[-1] / 100))
    assert sizes == [100, 200, 400, 800, 1600, 2828, 3760, 4335, 4655, 4824]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((10_000, None, None, None), 10_000),
        ((10_000, None, 500, 9.0), 10_000),
        ((10_000, 200, None, None), 1000),
        ((10_000, 200, None, 9.0), 1000),
        ((10_000, 200, 500, None), 1000),
        ((700, 200, None, None), 700),
        ((10_000, 200, 4000, 800.0), 1000),
        ((10_000, 200, 4000, 200.0), 4000),
        ((10_000, 200, 4000, 50.0), 8000),
        ((10_000, 200, 4000, 1.0), 8000),
        ((5000, 200, 4000, 1.0), 5000),
        ((10_000, 200, 4000, 1e9), 100),
        ((3, 200, 3, 1e9), 3),
    ],
)
def test_a_batch_size_is_computed_from_the_last_batch(
    scene: Scene, run: Run, arguments: tuple[Any, ...], expected: int
) -> None:
    assert size(scene, run, *arguments) == expected


# --- a run with a target


def many(scene: Scene, count: int) -> Run:
    """Return a permitted run of so many rows."""
    scene.collection("many", count)
    return scene.permitted("many")


def test_a_target_set_before_the_start_applies_to_the_first_batch(scene: Scene) -> None:
    run = many(scene, 7500)
    tune(scene, run, p_target_ms=HOUR)
    scene.apply(run, batch=3500)
    assert [receipt["visited"] for receipt in scene.receipts(run)] == [1000, 2000, 3500, 1000]


def test_a_target_set_during_the_run_applies_from_the_next_batch(scene: Scene) -> None:
    run = many(scene, 400)
    driver = scene.start(run, batch=10)
    tune(scene, run, p_batch=1000, p_target_ms=HOUR)
    driver.end()
    # From ten rows it is a hundred at once, the least; then twice as many.
    assert [receipt["visited"] for receipt in scene.receipts(run)] == [10, 100, 200, 90]


def test_a_run_continues_from_its_last_batch_after_a_pause(scene: Scene) -> None:
    run = many(scene, 400)
    tune(scene, run, p_batch=100, p_pause_ms=HOUR, p_target_ms=HOUR)
    driver = scene.start_unpaced(run)
    driver.next_batch()
    tune(scene, run, p_batch=1000, p_target_ms=HOUR)
    driver.end()
    assert [receipt["visited"] for receipt in scene.receipts(run)] == [100, 200, 100]


def test_a_compensation_uses_a_target(scene: Scene) -> None:
    run = many(scene, 3500)
    scene.apply(run, batch=3500)
    undo = scene.compensable(run)
    tune(scene, run, p_target_ms=HOUR)
    scene.compensate(undo, batch=3500)
    assert [receipt["visited"] for receipt in scene.receipts(run)] == [3500, 1000, 2000, 500]
    assert scene.status(run) == ("compensated", None)


def test_a_new_pace_replaces_the_old_one_completely(scene: Scene, run: Run) -> None:
    assert pace(scene, run, 10_000, 4000, 800.0) == 10_000
    tune(scene, run, p_target_ms=200)
    assert pace(scene, run, 10_000, 4000, 800.0) == 1000
    assert pace(scene, run, 700, 4000, 800.0) == 700
    tune(scene, run, p_batch=300, p_pause_ms=5, p_target_ms=200)
    assert pace(scene, run, 10_000, 4000, 800.0) == 300
    tune(scene, run, p_batch=300)
    assert pace(scene, run, 10_000, 200, 800.0) == 300
    assert scene.value("SELECT detail FROM birth.birth_act WHERE act = 'tune' ORDER BY acted_at DESC LIMIT 1") == {
        "batch": 300,
        "pause_ms": 0,
        "target_ms": None,
    }


def test_a_target_never_takes_a_batch_past_the_permit(scene: Scene, item: str) -> None:
    run = scene.permitted(item, max_rows=7)
    tune(scene, run, p_batch=MOST, p_target_ms=HOUR)
    scene.apply(run)
    assert (len(scene.codes(run)), scene.permit_row(run.permit_id)["spent_rows"]) == (7, 7)
    assert scene.status(run) == ("done", None)


@pytest.mark.parametrize(
    "given", [{}, {"p_batch": None}, {"p_target_ms": 0}, {"p_target_ms": -1}, {"p_batch": 1, "p_target_ms": HOUR + 1}]
)
def test_an_empty_pace_or_an_invalid_target_is_refused(scene: Scene, run: Run, given: dict[str, int | None]) -> None:
    with scene.unchanged(), refused(errors.BadArgument):
        tune(scene, run, **given)


# --- what live traffic waits for


#: Table locks that an INSERT, UPDATE, DELETE or SELECT never waits for.
HARMLESS = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}


def attached(scene: Scene, item: str) -> None:
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=item, p_mode="enforce")


def impatient(scene: Scene) -> psycopg.Connection[Any]:
    """Return a session that gives up, and so fails its test, where it would have to wait for a lock."""
    session = scene.db.connect()
    session.execute("SET lock_timeout = 1")
    return session


@contextmanager
def inside_a_batch(scene: Scene, run: Run, code: str) -> Iterator[Driver]:
    """The run inside a batch of five that waits for this code, which another transaction has until the end."""
    holder = scene.db.connect(autocommit=False)
    holder.execute(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES (%s, 'item', 'by hand')",
        (code,),
    )
    driver = scene.start_unpaced(run, batch=5)
    while not waits_for(scene, driver.conn, holder):
        assert not driver.ended, "the CALL ended instead of waiting inside its batch"
    try:
        yield driver
        assert waits_for(scene, driver.conn, holder)
    finally:
        holder.rollback()


def waits_for(scene: Scene, one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> bool:
    """Return whether the first session waits for the second and for nobody else."""
    blocking = scene.value("SELECT pg_blocking_pids(%s)", (one.info.backend_pid,))
    return bool(blocking == [other.info.backend_pid])


def test_a_whole_run_in_one_transaction_holds_no_lock_that_live_traffic_waits_for(scene: Scene, item: str) -> None:
    attached(scene, item)
    run = scene.permitted(item)
    operator = scene.db.connect(OPERATOR, autocommit=False)
    arguments = run.arguments(p_batch_size=1000, p_dry_run=False, p_execute=True)
    operator.execute(statement("SELECT * FROM", "fn_dot_birth_qt001_apply", arguments), arguments)
    held = scene.rows(
        "SELECT DISTINCT l.mode, l.relation::regclass::text AS name FROM pg_locks l"
        " WHERE l.pid = %s AND l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database"
        " WHERE datname = current_database())",
        (operator.info.backend_pid,),
    )
    assert {"item", "birth.birth_registry", "birth.collection_registry"} <= {lock["name"] for lock in held}
    assert {lock["mode"] for lock in held} <= HARMLESS
    # And the rows: another code is born, and the rows of the batch are read, changed and deleted, at once.
    live = impatient(scene)
    live.execute("INSERT INTO public.item VALUES (21, 'live')")
    live.execute("UPDATE public.item SET note = 'live' WHERE id = 1")
    live.execute("DELETE FROM public.item WHERE id = 2")
    operator.rollback()
    operator.close()


def test_live_inserts_get_births_during_an_open_batch(scene: Scene, item: str) -> None:
    attached(scene, item)
    run = scene.permitted(item)
    with inside_a_batch(scene, run, "item-3") as driver:
        live = impatient(scene)
        live.execute("INSERT INTO public.item VALUES (21, 'live')")
        live.execute("UPDATE public.item SET note = 'live'")
        assert scene.value("SELECT dot_origin FROM birth.birth_registry WHERE entity_code = 'item-21'") == "QT-002"
    driver.end()
    assert scene.status(run) == ("done", None)


def test_a_live_insert_with_a_code_of_the_open_batch_waits_only_for_that_batch(scene: Scene, item: str) -> None:
    """The one thing that an INSERT can wait for: its own code, written by a transaction that is still open."""
    attached(scene, item)
    run = scene.permitted(item)
    tune(scene, run, p_batch=5, p_pause_ms=HOUR)
    live = scene.db.connect()
    with inside_a_batch(scene, run, "item-5") as driver:
        # item-1 is written and not committed; its row is deleted and comes again.
        live.execute("DELETE FROM public.item WHERE id = 1")
        again = scene.send(live, SQL("INSERT INTO public.item VALUES (1, 'again')").format())
        while not waits_for(scene, live, driver.conn):
            assert not again.ended, "the INSERT did not wait for the batch"
        lock = "SELECT locktype FROM pg_locks WHERE pid = %s AND NOT granted"
        assert scene.value(lock, (live.info.backend_pid,)) == "transactionid"
    again.end()
    # The next batch is an hour away.
    assert not driver.ended
    assert (scene.status(run), len(scene.codes(run))) == (("running", None), 5)

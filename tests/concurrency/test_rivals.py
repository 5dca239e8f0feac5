"""Rivals: sessions that want the same run, permit, rows or codes at the same moment, and what each of them gets.

They meet at locks, so that a test knows where each of them stands. The live load is random and says its seed;
``BIRTHDB_LOAD`` is the number of transactions of each of its clients, ``BIRTHDB_SEED`` repeats one.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from helpers import (
    BIRTH,
    DBA,
    OPERATOR,
    RIVALS,
    SECOND_OPERATOR,
    STEWARD,
    Driver,
    Run,
    Scene,
    raised,
    refused,
    statement,
)
from psycopg import IsolationLevel

from birthdb import errors
from birthdb.errors import BirthError

_HOUR = 3_600_000  # milliseconds
_PATIENCE = 60  # seconds


@contextmanager
def held(scene: Scene, lock: str, *parameters: object) -> Iterator[int]:
    """Hold a lock in a session of its own, and yield its process id."""
    session = scene.db.connect(autocommit=False)
    session.execute(lock.encode(), parameters)
    yield session.info.backend_pid
    session.rollback()


def at_once(scene: Scene, starts: list[Callable[[], Driver]]) -> list[Driver]:
    """Let several go at the same moment: all stand before the ledger when it is opened."""
    with held(scene, "LOCK TABLE birth.birth_backfill_ledger_v2 IN ACCESS EXCLUSIVE MODE") as pid:
        drivers = [start() for start in starts]
        for driver in drivers:
            scene.wait_for(driver, pid)
    return drivers


def refusals(drivers: list[Driver]) -> dict[Driver, psycopg.Error]:
    """Wait for the CALLs that end with an error, and return their errors; the others have committed a batch."""
    found = {}
    for driver in drivers:
        try:
            driver.next_batch()
        except psycopg.Error as error:
            found[driver] = error
    return found


# --- who runs


def test_of_eight_concurrent_operators_one_runs_and_the_others_get_run_held(scene: Scene, run: Run) -> None:
    scene.tune(run, 5, _HOUR)
    drivers = at_once(scene, [lambda by=by: scene.start_unpaced(run, batch=5, by=by) for by in RIVALS])  # type: ignore[misc]
    told = refusals(drivers)
    (runs,) = [number for number, driver in enumerate(drivers) if driver not in told]
    assert len(told) == len(RIVALS) - 1
    for error in told.values():
        assert error.sqlstate == errors.RunHeld.sqlstate, error
        assert RIVALS[runs] in str(error.diag.message_detail)
        assert str(drivers[runs].pid) in str(error.diag.message_detail)
    assert scene.ledger(run)["executed_by"] == RIVALS[runs]
    scene.go_on(run)
    drivers[runs].end()
    assert scene.status(run) == ("done", None)
    assert scene.value("SELECT count(*) FROM birth.birth_act WHERE act = 'attempt'") == 1


def test_of_eight_concurrent_runs_of_a_collection_one_executes(scene: Scene, item: str) -> None:
    runs = [scene.permitted(item) for _ in RIVALS]
    # Whichever begins waits inside its first batch, when the data are still as all of them planned.
    with held(scene, BIRTH, "item-1", item) as pid:
        drivers = at_once(
            scene,
            [lambda run=run, by=by: scene.start_unpaced(run, by=by) for run, by in zip(runs, RIVALS, strict=True)],  # type: ignore[misc]
        )
        while sum(driver.ended for driver in drivers) < len(drivers) - 1:
            assert not all(driver.ended for driver in drivers)
        (on,) = [number for number, driver in enumerate(drivers) if not driver.ended]
        scene.wait_for(drivers[on], pid)
        for number, driver in enumerate(drivers):
            if number != on:
                with refused(errors.RunHeld) as told:
                    driver.end()
                assert RIVALS[on] in str(told.value.diag.message_detail)
                assert str(drivers[on].pid) in str(told.value.diag.message_detail)
    drivers[on].end()
    assert [scene.status(run)[0] for run in runs] == [
        "done" if number == on else "planned" for number in range(len(runs))
    ]
    assert sum(scene.permit_row(run.permit_id)["spent_rows"] for run in runs) == 20


def test_a_refused_concurrent_call_does_not_end_the_holders_run(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    lock = "SELECT FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s FOR NO KEY UPDATE"
    with held(scene, lock, run.run_id) as pid:
        scene.go_on(run)
        scene.wait_for(driver, pid)
    driver.end()
    assert scene.status(run) == ("done", None)


# --- one permit


def driven(scene: Scene, run: Run, by: str) -> Driver:
    return scene.start_unpaced(run, batch=3, by=by)


def written(scene: Scene, run: Run, by: str) -> Driver:
    """The writer itself, for the whole run in one transaction."""
    arguments = run.arguments(p_batch_size=1000, p_dry_run=False, p_execute=True)
    return scene.send(
        scene.db.connect(by), statement("SELECT * FROM", "fn_dot_birth_qt001_apply", arguments), arguments
    )


@pytest.mark.parametrize("first", [driven, written])
@pytest.mark.parametrize("second", [driven, written])
def test_two_concurrent_runs_never_overspend_one_permit(
    scene: Scene, item: str, first: Callable[..., Driver], second: Callable[..., Driver]
) -> None:
    run = scene.permitted(item, max_rows=7)
    drivers = at_once(scene, [lambda: first(scene, run, OPERATOR), lambda: second(scene, run, SECOND_OPERATOR)])
    sqlstates = []
    for driver in drivers:
        try:
            driver.end()
        except psycopg.Error as error:
            sqlstates.append(error.sqlstate)
    assert len(sqlstates) == 1
    assert set(sqlstates) <= {
        refusal.sqlstate for refusal in (errors.RunHeld, errors.RunStatus, errors.DriverRequired, errors.PermitNotOpen)
    }
    permit = scene.permit_row(run.permit_id)
    assert (permit["spent_rows"], permit["max_rows"], permit["status"]) == (7, 7, "CONSUMED")
    assert scene.births() == 7
    assert scene.status(run) == ("done", None)


# --- a session that is suspended


@contextmanager
def suspended(scene: Scene, driver: Driver) -> Iterator[None]:
    """Stop the process of a session, and let it go on."""
    if not scene.db.cluster.local:
        pytest.skip("the server's processes are not ours to stop")
    os.kill(driver.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(driver.pid, signal.SIGCONT)


def take_over(scene: Scene, run: Run) -> None:
    scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="the session hangs")


def test_a_session_suspended_during_a_takeover_commits_no_further_row(scene: Scene, run: Run) -> None:
    sleeper = scene.start(run)
    with suspended(scene, sleeper):
        take_over(scene, run)
        scene.go_on(run, batch=5)
        follower = scene.start_again(run, by=SECOND_OPERATOR)
        follower.end()
        ended = scene.digest()
    with refused(errors.RunStatus):
        sleeper.end()
    assert scene.digest() == ended
    assert (scene.status(run), scene.ledger(run)["executed_by"]) == (("done", None), SECOND_OPERATOR)
    assert [receipt["epoch"] for receipt in scene.receipts(run)] == [1, 3, 3, 3]
    assert scene.permit_row(run.permit_id)["spent_rows"] == 20


def test_a_session_resumed_during_the_next_holders_batch_writes_nothing(scene: Scene, run: Run) -> None:
    sleeper = scene.start(run)
    with suspended(scene, sleeper):
        take_over(scene, run)
        follower = scene.start_again(run, by=SECOND_OPERATOR)
        with held(scene, BIRTH, "item-12", "item") as pid:
            scene.go_on(run, batch=5)
            scene.wait_for(follower, pid)
            os.kill(sleeper.pid, signal.SIGCONT)
            with refused(errors.RunHeld) as told:
                sleeper.end()
            assert not follower.ended
    follower.end()
    assert SECOND_OPERATOR in str(told.value.diag.message_detail)
    assert len(scene.codes(run)) == scene.permit_row(run.permit_id)["spent_rows"] == 20
    assert [receipt["epoch"] for receipt in scene.receipts(run)] == [1, 3, 3, 3]


@pytest.mark.parametrize(
    ("lock", "parameters"),
    [(BIRTH, ("item-8", "item")), ("LOCK TABLE birth.birth_receipt IN SHARE MODE", ())],
    ids=["before its births", "before its receipt"],
)
def test_a_session_suspended_in_a_batch_holds_the_run_until_terminated(
    scene: Scene, run: Run, lock: str, parameters: tuple[str, ...]
) -> None:
    sleeper = scene.start(run)
    with held(scene, lock, *parameters) as pid:
        scene.tune(run, 5, 0)
        scene.wait_for(sleeper, pid)
        with suspended(scene, sleeper):
            with scene.unchanged(), refused(errors.RunHeld) as told:
                scene.apply(run, by=SECOND_OPERATOR)
            assert str(sleeper.pid) in str(told.value.diag.message_detail)
            with scene.unchanged(), refused(errors.RunHeld) as told:
                take_over(scene, run)
            assert f"{OPERATOR}, backend {sleeper.pid}" in str(told.value.diag.message_detail)
            assert f"SELECT pg_catalog.pg_terminate_backend({sleeper.pid});" in str(told.value.diag.message_hint)
            scene.execute("SELECT pg_terminate_backend(%s)", (sleeper.pid,))
    with pytest.raises(psycopg.OperationalError):
        sleeper.end()
    assert len(scene.codes(run)) == scene.permit_row(run.permit_id)["spent_rows"] == 5
    assert scene.disagreements() == []
    scene.apply(run, by=SECOND_OPERATOR)
    assert scene.status(run) == ("done", None)


def test_a_takeover_names_the_session_that_still_blocks_the_run(scene: Scene, run: Run) -> None:
    scene.start(run)
    query = "SELECT FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s FOR UPDATE"
    with held(scene, query, run.run_id) as pid, scene.unchanged(), refused(errors.RunHeld) as told:
        take_over(scene, run)
    assert f"backend {pid}" in str(told.value.diag.message_detail)
    assert f"pg_terminate_backend({pid})" in str(told.value.diag.message_hint)
    take_over(scene, run)


# --- live traffic

_TRANSACTIONS = int(os.environ.get("BIRTHDB_LOAD", "60"))
#: The rows that were there before the gateway; the applications work on ids from the last tenth of them on.
_ROWS = 1000
_LEVELS = (IsolationLevel.READ_COMMITTED, IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE)

#: What an application does with some ids; where rows are inserted, it is told which.
_STATEMENTS = (
    b"INSERT INTO public.item SELECT unnest(%s), 'live' RETURNING id",
    b"INSERT INTO public.item SELECT unnest(%s), 'live' ON CONFLICT DO NOTHING RETURNING id",
    b"WITH i AS (INSERT INTO public.item SELECT unnest(%s), 'live' ON CONFLICT (id) DO UPDATE SET note = 'again'"
    b" RETURNING id, xmax) SELECT id FROM i WHERE xmax = 0",
    b"UPDATE public.item SET note = 'live' WHERE id = ANY (%s)",
    b"DELETE FROM public.item WHERE id = ANY (%s)",
)

#: What PostgreSQL may answer to a client whose transaction met another's: the client tries again, or gives way.
_CONTENTION = {"40001", "40P01", "23505"}
_REFUSALS = {refusal.sqlstate for refusal in BirthError.__subclasses__()}


class Client:
    """An application at work on the table: random transactions, and what of them was committed."""

    def __init__(self, scene: Scene, level: IsolationLevel, seed: str) -> None:
        self._conn = scene.db.connect()
        self._conn.isolation_level = level
        self._random = random.Random(seed)
        self.inserted: set[int] = set()
        self.errors: Counter[str | None] = Counter()

    def work(self) -> None:
        for _ in range(_TRANSACTIONS):
            inserted: set[int] = set()
            try:
                with self._conn.transaction(force_rollback=self._random.random() < 0.1) as transaction:
                    for _ in range(self._random.randint(1, 4)):
                        inserted |= self._step()
                if not transaction.force_rollback:
                    self.inserted |= inserted
            except psycopg.Error as error:
                self.errors[error.sqlstate] += 1
        self._conn.close()

    def _step(self) -> set[int]:
        """Send a statement and return the ids that it inserted."""
        ids = self._random.sample(range(_ROWS * 9 // 10, _ROWS * 3 // 2), self._random.randint(1, 4))
        query = self._random.choice(_STATEMENTS)
        done = self._conn.execute(query, (ids,))
        return {row[0] for row in done} if done.description else set()


def backfill(scene: Scene, over: Callable[[], bool]) -> Counter[str | None]:
    """Plan and apply until nothing is missing and the load is over; return the errors that operators got."""
    got: Counter[str | None] = Counter()
    while True:
        last = over()
        if scene.examine("item")["planned_rows"] == 0:
            if last:
                return got
            continue
        try:
            run = scene.permitted("item", accept_orphans=scene.examine("item")["orphans"])
            scene.apply(run, batch=25)
        except psycopg.Error as error:
            got[error.sqlstate] += 1


def deadlocks(scene: Scene, expected: int) -> int:
    """Return how many deadlocks the server has ended; those of sessions that are gone, it learns a moment later."""
    deadline = time.monotonic() + _PATIENCE
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    while (found := scene.value(query)) < expected and time.monotonic() < deadline:
        pass
    return int(found)


def test_live_traffic_of_every_isolation_level_loses_or_duplicates_no_birth(scene: Scene) -> None:
    seed = os.environ.get("BIRTHDB_SEED", str(random.randrange(10**9)))
    print(f"BIRTHDB_SEED={seed}")
    scene.collection("item", _ROWS)
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    clients = [Client(scene, level, f"{seed}-{number}") for number, level in enumerate(_LEVELS * 2)]
    with ThreadPoolExecutor(len(clients)) as pool:
        working = [pool.submit(client.work) for client in clients]
        operators = backfill(scene, lambda: all(client.done() for client in working))
        for client in working:
            client.result()

    applications: Counter[str | None] = sum((client.errors for client in clients), Counter())
    print(f"applications got {dict(applications)}, operators {dict(operators)}")
    assert set(applications) <= _CONTENTION
    assert set(operators) <= _REFUSALS | _CONTENTION
    reported = applications["40P01"] + operators["40P01"]
    assert deadlocks(scene, reported) == reported

    rows = {row["id"] for row in scene.rows("SELECT id FROM public.item")}
    born = [int(row["entity_code"].removeprefix("item-")) for row in scene.rows("SELECT * FROM birth.birth_registry")]
    lived = set().union(*(client.inserted for client in clients))
    assert len(born) == len(set(born))
    assert rows | lived <= set(born) <= lived | set(range(1, _ROWS + 1))
    checks = scene.ask(OPERATOR, "fn_birth_census", p_collection="item")
    assert {check["check"] for check in checks if not check["pass"]} <= {"births without a row or a death"}
    assert scene.value("SELECT sum(actual_inserted) FROM birth.birth_backfill_ledger_v2") >= _ROWS * 9 // 10 - 1


def test_a_deadlock_stops_the_run_and_the_same_call_resumes(scene: Scene, run: Run) -> None:
    # Whoever looks first is the victim: the run, as the application looks only in a minute.
    scene.execute(f"ALTER DATABASE {scene.db.name} SET deadlock_timeout = '2s'".encode())
    application = scene.db.connect(autocommit=False)
    application.execute("SET deadlock_timeout = '1min'")
    application.execute(BIRTH, ("item-9", "item"))
    sleeper = scene.start_unpaced(run)
    scene.wait_for(sleeper, application.info.backend_pid)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(application.execute, BIRTH, ("item-3", "item"))
        with raised("40P01"):
            sleeper.end()
        waiting.result()
    application.rollback()
    assert scene.status(run) == ("stopped", "40P01")
    scene.apply(run)
    assert scene.status(run) == ("done", None)

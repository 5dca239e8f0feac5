"""What was answered is there after a crash, whatever the session has set for its own COMMITs."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from faults.__main__ import DURABLE, SETTINGS
from faults.strikes import KILL_SERVER, Ground
from helpers import OPERATOR, OWNER, REVIEWER, Run, Scene, begin, step
from support import Database

from birthdb.server import EmbeddedServer

#: Nothing but a COMMIT that waits for it writes WAL to the disk: the WAL writer comes every ten seconds.
_LAZY = {"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}


@pytest.fixture(scope="module")
def lazy() -> Iterator[Ground]:
    """A server that loses what was committed without waiting when it is killed."""
    with EmbeddedServer(settings=SETTINGS | DURABLE | _LAZY) as server, closing(Ground(server)) as made:
        yield made


@pytest.fixture(scope="module")
def released(lazy: Ground) -> Iterator[Database]:
    """A released database, for copies."""
    made = lazy.cluster.create_released()
    yield made
    made.drop()


@pytest.fixture
def scene(lazy: Ground, released: Database) -> Iterator[Scene]:
    """A collection of twenty rows, and people whose sessions do not wait for the disk."""
    with closing(Scene(lazy.cluster.create(released.name))) as made:
        made.collection()
        yield made


def crash(lazy: Ground, scene: Scene) -> None:
    """Kill the server and every session at once, and come back."""
    assert KILL_SERVER.crash is not None
    sessions = scene.rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    KILL_SERVER.crash(lazy, [row["pid"] for row in sessions])
    scene.close()
    scene.reopen()


def hasty(scene: Scene) -> None:
    for person in (OPERATOR, REVIEWER, OWNER):
        scene.session(person).execute("SET synchronous_commit = off")


def planned(scene: Scene, run: Run) -> object:
    return scene.plan("item")["run_id"]


def driven(scene: Scene, run: Run) -> object:
    scene.apply(run, batch=7)
    return "done", 20


def written_alone(scene: Scene, run: Run) -> object:
    scene.write(run)
    return "done", 20


def one_batch(scene: Scene, run: Run) -> object:
    begin(scene.session(OPERATOR), run)
    step(scene.session(OPERATOR), run, 7)
    return "running", 7


def begun(scene: Scene, run: Run) -> object:
    begin(scene.session(OPERATOR), run)
    return "running", 0


def condemned(scene: Scene, run: Run) -> object:
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    return "NOT_SAFE_NEEDS_FIX"


def revoked(scene: Scene, run: Run) -> object:
    scene.revoke(run.permit_id)
    return "REVOKED"


def the_plan(scene: Scene, run: Run) -> object:
    return scene.value("SELECT run_id FROM birth.birth_backfill_ledger_v2 WHERE run_id <> %s", (run.run_id,))


def the_run(scene: Scene, run: Run) -> object:
    return scene.status(run)[0], len(scene.codes(run))


def the_verdict(scene: Scene, run: Run) -> object:
    return scene.value("SELECT verdict FROM birth.birth_review ORDER BY review_id DESC LIMIT 1")


def the_permit(scene: Scene, run: Run) -> object:
    return scene.permit_row(run.permit_id)["status"]


@pytest.mark.parametrize(
    ("act", "kept"),
    [
        (planned, the_plan),
        (begun, the_run),
        (one_batch, the_run),
        (driven, the_run),
        (written_alone, the_run),
        (condemned, the_verdict),
        (revoked, the_permit),
    ],
    ids=lambda value: value.__name__,
)
def test_acknowledged_acts_survive_a_crash_despite_synchronous_commit_off(
    lazy: Ground, scene: Scene, act: Callable[[Scene, Run], object], kept: Callable[[Scene, Run], object]
) -> None:
    run = scene.permitted()
    hasty(scene)
    answered = act(scene, run)
    crash(lazy, scene)
    assert kept(scene, run) == answered
    assert scene.disagreements() == []


def test_an_acknowledged_compensation_survives_a_crash(lazy: Ground, scene: Scene) -> None:
    run = scene.permitted()
    scene.apply(run)
    undo = scene.compensable(run)
    hasty(scene)
    scene.compensate(undo, batch=7)
    crash(lazy, scene)
    assert (scene.status(run), scene.births()) == (("compensated", None), 0)


@pytest.mark.parametrize(
    ("session", "server", "pinned"),
    [
        ("off", "on", "on"),
        ("local", "on", "on"),
        ("remote_write", "on", "on"),
        ("on", "on", "on"),
        ("remote_apply", "on", "remote_apply"),
        ("off", "remote_apply", "remote_apply"),
    ],
)
def test_driver_transactions_keep_the_servers_synchronous_commit_or_on(
    scene: Scene, session: str, server: str, pinned: str
) -> None:
    run = scene.permitted()
    scene.execute(f"ALTER DATABASE {scene.db.name} SET synchronous_commit = {server}".encode())
    # Sessions have it from their beginning.
    scene.session(OPERATOR).close()
    conn = scene.session(OPERATOR)
    conn.execute(f"SET synchronous_commit = {session}".encode())
    begin(conn, run)
    with conn.transaction():
        step(conn, run, 7)
        assert conn.execute("SHOW synchronous_commit").fetchone() == (pinned,)
    assert conn.execute("SHOW synchronous_commit").fetchone() == (session,)

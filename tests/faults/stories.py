"""What is disturbed: a plan, an apply, a resume, an apply that is being stopped, a compensation, and its resume.

Each is one statement of the operator's, on a collection of seven rows in batches of three: a first, a middle and a last
batch, and the proof. Beside these a change of the collection's policy, which is one batch, and its undoing; and a death
run, whose births have lost their rows, and its undoing. After a fault the operator does what the guide says: the same
statement again, after a new verdict where the run has failed.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from helpers import OPERATOR, STEWARD, Run, Scene
from psycopg.sql import SQL, Identifier

ROWS = 7
BATCH = 3
COLLECTION = "item"
DEFERRED = "BIRTH_DEFERRED_NEEDS_REVIEW"

#: The codes of every source row.
CODES = {f"{COLLECTION}-{number}" for number in range(1, ROWS + 1)}


@dataclass(frozen=True)
class Story:
    """A statement of the operator's, and the database that it meets."""

    name: str
    title: str
    #: Leaves the database as the statement meets it; returns the run, which a plan has yet to make.
    prepare: Callable[[Scene], Run | None]
    #: Sends the statement, in the operator's session.
    send: Callable[[Scene, Run | None], object]
    #: The status of the run when all is over.
    end: str
    #: What each stretch between two COMMITs is called.
    stretches: tuple[str, ...]
    #: Whether the statement breaks off by itself in its second batch: then it is its end that is disturbed.
    breaks: bool = False
    #: Whether the statement is a function, for which a statement_timeout may be set.
    timed: bool = False

    #: Whether another story passes the same boundaries.
    again: bool = False

    def status(self, scene: Scene) -> str | None:
        """Return the status of the run; none when there is no run yet."""
        found = scene.rows("SELECT status FROM birth.birth_backfill_ledger_v2")
        assert len(found) <= 1, "one story, one run"
        return found[0]["status"] if found else None


def _collect(scene: Scene) -> None:
    scene.collection(COLLECTION, ROWS)


def _permitted(scene: Scene) -> Run:
    _collect(scene)
    return scene.permitted(COLLECTION)


def _interrupted(scene: Scene) -> Run:
    run = _permitted(scene)
    with _rival(
        scene, "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES (%s, %s, '')"
    ):
        _killed_in_the_second_batch(scene, lambda: scene.apply(run, batch=BATCH))
    return run


def _compensable(scene: Scene) -> Run:
    run = _permitted(scene)
    scene.apply(run, batch=BATCH)
    return scene.compensable(run)


def _half_compensated(scene: Scene) -> Run:
    run = _compensable(scene)
    with _rival(scene, "SELECT FROM birth.birth_registry WHERE (entity_code, collection_name) = (%s, %s) FOR UPDATE"):
        _killed_in_the_second_batch(scene, lambda: scene.compensate(run, batch=BATCH))
    return run


def _to_be_required(scene: Scene) -> Run:
    """Leave a deferred collection with its gateway, and a permit to require births of it."""
    scene.collection(COLLECTION, ROWS, policy=DEFERRED)
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=COLLECTION, p_mode="observe")
    return scene.permitted_change(COLLECTION, "BIRTH_REQUIRED")


def _required(scene: Scene) -> Run:
    run = _to_be_required(scene)
    scene.change(run)
    return scene.compensable(run)


def _ended(scene: Scene) -> Run:
    """Leave births whose rows are gone, and a permit to end them."""
    scene.collection(COLLECTION, 0)
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection=COLLECTION, p_mode="observe")
    scene.insert(COLLECTION, 1, ROWS)
    scene.execute(SQL("DELETE FROM public.{}").format(Identifier(COLLECTION)))
    return scene.permitted_deaths(COLLECTION)


def _dead(scene: Scene) -> Run:
    run = _ended(scene)
    scene.end(run, batch=BATCH)
    return scene.compensable(run)


@contextmanager
def _rival(scene: Scene, statement: LiteralString) -> Iterator[None]:
    """Hold the first code of the second batch, which then cannot be over before its session is killed."""
    with closing(scene.db.connect(autocommit=False)) as rival:
        rival.execute(statement, (f"{COLLECTION}-{BATCH + 1}", COLLECTION))
        yield


def _killed_in_the_second_batch(scene: Scene, send: Callable[[], object]) -> None:
    conn = scene.session(OPERATOR)
    pid = conn.info.backend_pid
    # The first notice says that the first batch is committed.
    conn.add_notice_handler(lambda _: scene.execute("SELECT pg_terminate_backend(%s)", (pid,)))
    with suppress(psycopg.OperationalError):
        send()
    while scene.value("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", (pid,)):
        pass


def _plan(scene: Scene, run: Run | None) -> object:
    return scene.plan(COLLECTION)


def _write(scene: Scene, run: Run | None) -> object:
    assert run is not None
    return scene.write(run)


def _apply(scene: Scene, run: Run | None) -> object:
    assert run is not None
    return scene.apply(run, batch=BATCH)


def _compensate(scene: Scene, run: Run | None) -> object:
    assert run is not None
    return scene.compensate(run, batch=BATCH)


def _end(scene: Scene, run: Run | None) -> object:
    assert run is not None
    return scene.end(run, batch=BATCH)


def _change(scene: Scene, run: Run | None) -> object:
    assert run is not None
    return scene.change(run)


_BEGIN = ("entry", "begin")
_FIRST, _REST = ("first batch",), ("middle batch", "last batch")
_PROOF = ("proof", "exit")

STORIES = {
    story.name: story
    for story in (
        Story("plan", "A plan", _collect, _plan, "planned", ("plan",), timed=True),
        Story("apply", "A run", _permitted, _apply, "done", (*_BEGIN, *_FIRST, *_REST, *_PROOF)),
        Story("resume", "A run that is resumed", _interrupted, _apply, "done", (*_BEGIN, *_REST, *_PROOF)),
        Story(
            "break",
            "A run that breaks off, while that is being recorded",
            _permitted,
            _apply,
            "done",
            (*_BEGIN, *_FIRST, "broken batch", "exit"),
            breaks=True,
        ),
        Story(
            "write",
            "The writer alone, in one transaction",
            _permitted,
            _write,
            "done",
            ("whole run",),
            timed=True,
            again=True,
        ),
        Story(
            "compensate", "An undoing", _compensable, _compensate, "compensated", (*_BEGIN, *_FIRST, *_REST, *_PROOF)
        ),
        Story(
            "undo",
            "An undoing that is resumed",
            _half_compensated,
            _compensate,
            "compensated",
            (*_BEGIN, *_REST, *_PROOF),
            again=True,
        ),
        Story(
            "transition",
            "A change of policy",
            _to_be_required,
            _change,
            "done",
            ("whole run",),
            timed=True,
        ),
        Story(
            "transition-undo",
            "The undoing of a change of policy",
            _required,
            _compensate,
            "compensated",
            (*_BEGIN, "the change", *_PROOF),
        ),
        Story("death", "A death run", _ended, _end, "done", (*_BEGIN, *_FIRST, *_REST, *_PROOF)),
        Story(
            "death-undo",
            "The undoing of a death run",
            _dead,
            _compensate,
            "compensated",
            (*_BEGIN, *_FIRST, *_REST, *_PROOF),
        ),
    )
}

"""Each story, disturbed at each boundary by each fault, brought to its end, and held against its twin."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg
from faults import boundaries, comparison
from faults.boundaries import Boundary
from faults.comparison import Rows
from faults.stories import STORIES, Story
from faults.strikes import CHEAP, CRASHES, Crash, Fault, Ground, until
from helpers import DBA, OPERATOR, Run, Scene, prepared
from psycopg.sql import SQL
from support import Database


@dataclass(frozen=True)
class Passing:
    """One time that a boundary is passed in an undisturbed run."""

    number: int  # in its statement, from 1
    boundary: Boundary
    stretch: str  # between which COMMITs


@dataclass(frozen=True)
class Stage:
    """A story with its database, and what becomes of it undisturbed."""

    story: Story
    database: Database
    run: Run | None
    since: datetime
    passings: tuple[Passing, ...]
    #: The digests of its tables.
    before: Mapping[str, str]
    twin: Rows
    #: The passing at which the story breaks off by itself.
    breaks_at: int | None


@dataclass(frozen=True)
class Outcome:
    """What the client saw, how the run stood, and what the operator had to do; then all was as undisturbed."""

    seen: str
    status: str
    remedy: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.seen}, {self.status}; {', '.join(self.remedy) or 'nothing to do'}"


@contextmanager
def instrumented(ground: Ground) -> Iterator[tuple[Database, list[Boundary]]]:
    """Make a released database whose routines have boundaries."""
    made = ground.cluster.create_released()
    try:
        with made.connect() as conn:
            known = boundaries.install(conn)
        yield made, known
    finally:
        made.drop()


@contextmanager
def staged(ground: Ground, source: Database, known: list[Boundary], story: Story) -> Iterator[Stage]:
    """Prepare a story, and have it undisturbed once for its passings and once for its twin."""

    def copy() -> Scene:
        return Scene(ground.cluster.create(made.database.name))

    with prepared(ground.cluster, source, story.prepare) as made:
        since: datetime = ground.cluster.execute("SELECT clock_timestamp()").fetchone()[0]  # type: ignore[index]
        breaks_at = None
        if story.breaks:
            with closing(copy()) as scene:
                whole = replace(story, stretches=STORIES["apply"].stretches)
                breaks_at = _middle(_recorded(scene, whole, made.run, known, {}))
            scene.db.drop()
        with closing(copy()) as scene:
            settings = {boundaries.BREAK: str(breaks_at)} if breaks_at else {}
            passings = _recorded(scene, story, made.run, known, settings)
            passings = passings[breaks_at or 0 :]
        scene.db.drop()
        with closing(copy()) as scene:
            before = scene.digest()
            story.send(scene, made.run)
            assert story.status(scene) == story.end
            assert comparison.unsound(scene) == []
            twin = comparison.snapshot(scene, since, before)
        scene.db.drop()
        yield Stage(story, made.database, made.run, since, tuple(passings), before, twin, breaks_at)


def _recorded(
    scene: Scene, story: Story, run: Run | None, known: list[Boundary], settings: dict[str, str]
) -> list[Passing]:
    conn = scene.session(OPERATOR)
    told: list[tuple[int, Boundary]] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        words = (diagnostic.message_primary or "").split()
        if words[0] == boundaries.PASSING:
            told.append((int(words[1]), known[int(words[2]) - 1]))

    conn.add_notice_handler(note)
    boundaries.watch(conn, "record", **settings)
    try:
        story.send(scene, run)
    except psycopg.errors.QueryCanceled:
        assert settings
    return list(_stretched(story, told))


def _stretched(story: Story, told: list[tuple[int, Boundary]]) -> Iterator[Passing]:
    stretch = 0
    for place, (number, boundary) in enumerate(told):
        if place and told[place - 1][1].commits:
            stretch += 1
        yield Passing(number, boundary, story.stretches[stretch])
    assert stretch == len(story.stretches) - 1, f"{story.name} has {stretch} COMMITs"


def _middle(passings: list[Passing]) -> int:
    """Return where the second batch has written its births and not yet its receipt."""
    (found,) = (
        p.number
        for p in passings
        if p.stretch == "middle batch" and p.boundary.statement.startswith("UPDATE birth.birth_admission_permit_v2")
    )
    return found


#: Where a fault strikes; several places where one crash serves them all.
Strikes = Iterable[tuple[Sequence[Passing], Fault]]


def everywhere(story: Story, passings: Sequence[Passing], turns: int | None = None) -> Strikes:
    """Return each boundary with each fault that leaves the server alone, in its stretches by turns, and each COMMIT.

    So each stretch sees each of its boundaries, and each boundary each fault, without the product of the three; before
    and after each COMMIT it is the product. In one turn each boundary sees one fault; there is no other where another
    story passes the same boundaries.
    """
    faults = [fault for fault in CHEAP if story.timed or not fault.times_out]
    boundaries = _by_boundary(passings)
    whole = 1 if story.again else max(len(faults), *map(len, boundaries))
    found: dict[tuple[int, str], tuple[Sequence[Passing], Fault]] = {}
    for turn in range(min(turns or whole, whole)):
        for place, passed in enumerate(boundaries):
            if turn < max(len(faults), len(passed)):
                at, fault = passed[(place + turn) % len(passed)], faults[(place + turn) % len(faults)]
                found[at.number, fault.name] = [at], fault
    if turns is None:
        found |= {(at.number, fault.name): ([at], fault) for at in at_commits(passings) for fault in faults}
    return found.values()


def crashes(story: Story, passings: Sequence[Passing], turns: int | None = None) -> Strikes:
    """Yield before and after each COMMIT, and each boundary once, with each fault that ends in a recovery.

    Where another story passes the same boundaries, one boundary of each routine. In one turn each sees one fault.
    """
    boundaries = _by_boundary(passings)
    if story.again:
        boundaries = list({passed[0].boundary.routine: passed for passed in boundaries}.values())
    for place, fault in enumerate(CRASHES):
        others = [passed[(number + place) % len(passed)] for number, passed in enumerate(boundaries)]
        if turns == 1:
            others = others[place :: len(CRASHES)]
        struck = list(dict.fromkeys([*at_commits(passings), *others]))
        for first in range(0, len(struck), AT_ONCE):
            yield struck[first : first + AT_ONCE], fault


#: How many sessions one crash serves.
AT_ONCE = 12


def at_commits(passings: Sequence[Passing]) -> list[Passing]:
    """Return what lies before and after each COMMIT; without one, the first and the last boundary."""
    found = [
        passing
        for before, passing in zip([None, *passings], passings, strict=False)
        if passing.boundary.commits or (before and before.boundary.commits)
    ]
    return found or [passings[0], passings[-1]]


def _by_boundary(passings: Sequence[Passing]) -> list[list[Passing]]:
    """Return the passings of each boundary: of each stretch, in turn the first and the last."""
    found: dict[Boundary, dict[str, list[Passing]]] = {}
    for passing in passings:
        found.setdefault(passing.boundary, {}).setdefault(passing.stretch, []).append(passing)
    return [
        [passed[-1 if place % 2 else 0] for place, passed in enumerate(stretches.values())]
        for stretches in found.values()
    ]


def struck_at_once(
    ground: Ground, stage: Stage, passings: Sequence[Passing], fault: Fault
) -> list[Outcome | Exception]:
    """Disturb the story at each of these, and return what ``struck`` does; one crash serves them all."""
    # All copies first: each is a checkpoint, and what a run wrote before it would not be recovered from the WAL.
    copies = [ground.cluster.create(stage.database.name, confirmed=False) for _ in passings]
    if fault.crash is None:
        return [
            _attempted(ground, stage, at, fault, copy, nullcontext()) for at, copy in zip(passings, copies, strict=True)
        ]
    crash = Crash(ground, fault, len(passings))
    with ThreadPoolExecutor(len(passings)) as pool:
        sessions = [
            pool.submit(_attempted, ground, stage, at, crash.fault, copy, crash.turn())
            for at, copy in zip(passings, copies, strict=True)
        ]
        crash.strike()
    return [session.result() for session in sessions]


def _attempted(
    ground: Ground,
    stage: Stage,
    passing: Passing,
    fault: Fault,
    database: Database,
    turn: AbstractContextManager[None],
) -> Outcome | Exception:
    try:
        with turn:
            return struck(ground, stage, passing, fault, database)
    except Exception as error:
        return error


def struck(ground: Ground, stage: Stage, passing: Passing, fault: Fault, database: Database | None = None) -> Outcome:
    """Disturb the story once, bring it to its end, and say what happened; raises Unequal where it ends otherwise.

    In this copy of its database, or in a new one.
    """
    database = database or ground.cluster.create(stage.database.name, confirmed=False)
    if fault.before:
        fault.before(ground, database)
    scene = Scene(database)
    scene.execute(_CONFIRM)
    try:
        seen = _disturbed(ground, scene, stage, passing, fault)
        if fault.after:
            fault.after(ground)
        if fault.crashes:
            scene.close()
            scene = Scene(database)
        _hold(comparison.unsound(scene))
        status = _standing(scene)
        remedy = tuple(_brought_to_its_end(scene, stage))
        _hold(comparison.unsound(scene))
        _hold(comparison.differences(comparison.snapshot(scene, stage.since, stage.before), stage.twin))
        if not (status.endswith(_HELD) and not remedy):
            _hold([f"{n} locks are still held" for n in [scene.held_locks()] if n])
        return Outcome(seen, status, remedy)
    except Exception as error:
        error.add_note(
            f"{stage.story.name}, {passing.stretch}, at {passing.boundary} (passing {passing.number}), {fault.name}"
        )
        raise
    finally:
        scene.close()
        database.drop()


#: As a DBA, in a session that is there already.
_CONFIRM = f"""
SET SESSION AUTHORIZATION {DBA};
SELECT birth.fn_birth_home_confirm(p_reason := 'a copy for a test');
RESET SESSION AUTHORIZATION
"""


class Unequal(AssertionError):
    """A disturbed run that is not what the undisturbed one is."""


def _hold(wrong: Sequence[object]) -> None:
    if wrong:
        raise Unequal("; ".join(map(str, wrong)))


def _disturbed(ground: Ground, scene: Scene, stage: Stage, passing: Passing, fault: Fault) -> str:
    """Send the statement, have the fault strike at the passing, and return what the client saw."""
    conn = scene.session(OPERATOR)
    pid = conn.info.backend_pid
    reached: list[Exception | None] = []

    def strike(diagnostic: psycopg.errors.Diagnostic) -> None:
        if (diagnostic.message_primary or "").startswith(f"{boundaries.PASSING} {passing.number} "):
            try:
                if fault.strike:
                    fault.strike(ground, scene, conn)
                reached.append(None)
            except Exception as error:  # psycopg drops what a handler raises
                reached.append(error)
                with suppress(psycopg.Error):
                    scene.execute(_LET_GO)

    conn.add_notice_handler(strike)
    scene.execute(f"SELECT pg_advisory_lock({boundaries.HOLD})")
    broken = {boundaries.BREAK: str(stage.breaks_at)} if stage.breaks_at else {}
    for timeout in _TIMEOUTS if fault.times_out else (0,):
        boundaries.watch(conn, str(passing.number), **broken, **fault.settings)
        conn.execute(SQL("SET statement_timeout = {}").format(timeout))
        try:
            stage.story.send(scene, stage.run)
            seen = "answered"
        except psycopg.Error as error:
            seen = str(error.sqlstate)
        if fault.ends_session:
            conn.close()
            seen = "connection lost"
        else:
            conn.execute("RESET statement_timeout")
            boundaries.unwatch(conn)
        if reached:
            break
    for raised in filter(None, reached):
        raise raised
    if not reached:
        raise Unequal(f"the boundary was not reached: {seen}")
    conn.remove_notice_handler(strike)
    if not fault.crashes:
        until(lambda: not fault.ends_session or not scene.value(_THERE, (pid,)))
        scene.execute(_LET_GO)
    return seen


_LET_GO = "SELECT pg_advisory_unlock_all()"


#: Milliseconds: a slow machine needs more to get to the boundary at all; what came too early has left nothing behind.
_TIMEOUTS = (300, 1200, 4800, 19200)

_THERE = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"

_STANDING = """
SELECT CASE WHEN l.status = 'running' AND h.pid IS NULL THEN 'interrupted'
            ELSE concat_ws(' ', l.status, l.stop_reason) END AS status,
       h.pid IS NOT NULL AS held
FROM birth.birth_backfill_ledger_v2 l, birth.fn_birth_run_holder(l.run_id, l.epoch) AS h(pid)
"""

_HELD = ", held by its session"


def _standing(scene: Scene) -> str:
    """Return how the run stands: its status and reason, and whether a session holds it."""
    for row in scene.rows(_STANDING):
        return f"{row['status']}{_HELD if row['held'] else ''}"
    return "nothing there"


def _brought_to_its_end(scene: Scene, stage: Stage) -> Iterator[str]:
    """Do what the guide says until the run is over; yield each step."""
    for _ in range(3):
        status = stage.story.status(scene)
        if status == stage.story.end:
            return
        if status == "failed":
            assert stage.run is not None
            purpose = "COMPENSATE" if stage.story.end == "compensated" else None
            accepted = 0 if purpose else scene.ledger(stage.run)["orphans"]
            scene.review(
                stage.run.run_id,
                p_findings=comparison.AFTER_A_FAILURE,
                p_purpose=purpose,
                p_accept_orphans=accepted,
            )
            yield "a new verdict"
        scene.session(OPERATOR).execute("SET plpgsql.check_asserts = off")  # no boundary is of interest any more
        try:
            stage.story.send(scene, stage.run)
            yield "the same statement"
        except psycopg.Error as error:
            yield f"the same statement, refused with {error.sqlstate}"
    raise Unequal(f"after three attempts the run is {stage.story.status(scene)}")

"""Some of what ``make faults`` does in full: one fault of each kind, where a run changes most."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from itertools import product
from threading import BrokenBarrierError
from typing import Any, TypeVar

import psycopg
import pytest
from faults import disk, matrix, strikes
from faults.__main__ import DURABLE, SETTINGS
from faults.disk import NoDiskError
from faults.matrix import Passing, Stage, Strikes, Unequal
from faults.stories import STORIES
from faults.strikes import (
    CANCEL,
    KILL_BACKEND,
    KILL_SERVER,
    LOCK_TIMEOUT,
    STATEMENT_TIMEOUT,
    TERMINATE,
    VANISH,
    Fault,
    Ground,
)
from helpers import Scene
from sample import some

T = TypeVar("T")

DRIVE = "sp_birth_run_drive"

#: Story and stretch, routine and the statement before which it strikes, the fault, and what comes of it.
CASES = [
    ("plan", "plan", "fn_birth_plan", "INSERT", TERMINATE, "connection lost, nothing there; the same statement"),
    ("plan", "plan", "fn_birth_act_record", "INSERT", STATEMENT_TIMEOUT, "57014, nothing there; the same statement"),
    ("apply", "begin", "fn_birth_run_claim", "RETURN", LOCK_TIMEOUT, "55P03, planned; the same statement"),
    (
        "apply",
        "first batch",
        "fn_birth_run_batch",
        "UPDATE",
        TERMINATE,
        "connection lost, interrupted; the same statement",
    ),
    ("apply", "middle batch", "fn_birth_run_receipt", "INSERT", CANCEL, "57014, stopped 57014; the same statement"),
    ("apply", "middle batch", DRIVE, "COMMIT", CANCEL, "57014, running, held by its session; the same statement"),
    ("apply", "last batch", DRIVE, "COMMIT", KILL_BACKEND, "connection lost, interrupted; the same statement"),
    ("apply", "proof", "fn_birth_run_finish", "UPDATE", VANISH, "connection lost, done; nothing to do"),
    ("apply", "exit", DRIVE, "PERFORM birth", LOCK_TIMEOUT, "55P03, done, held by its session; nothing to do"),
    (
        "break",
        "broken batch",
        "fn_birth_run_outcome",
        "UPDATE",
        TERMINATE,
        "connection lost, interrupted; the same statement",
    ),
    ("compensate", "middle batch", DRIVE, "COMMIT", TERMINATE, "connection lost, interrupted; the same statement"),
    ("compensate", "exit", DRIVE, "EXIT", KILL_SERVER, "connection lost, compensated; nothing to do"),
    (
        "transition",
        "whole run",
        "fn_birth_transition_write",
        "INSERT",
        TERMINATE,
        "connection lost, planned; the same statement",
    ),
    (
        "transition",
        "whole run",
        "fn_birth_run_finish",
        "UPDATE",
        STATEMENT_TIMEOUT,
        "57014, planned; the same statement",
    ),
    (
        "transition-undo",
        "the change",
        "fn_birth_transition_write",
        "RETURN",
        CANCEL,
        "57014, stopped 57014; the same statement",
    ),
    (
        "transition-undo",
        "proof",
        "fn_birth_run_finish",
        "UPDATE",
        TERMINATE,
        "connection lost, interrupted; the same statement",
    ),
    (
        "death",
        "first batch",
        "fn_birth_death_write",
        "PERFORM birth.fn_birth_act_record",
        CANCEL,
        "57014, stopped 57014; the same statement",
    ),
    (
        "death",
        "middle batch",
        "fn_birth_life_write",
        "RETURN",
        TERMINATE,
        "connection lost, interrupted; the same statement",
    ),
    ("death", "proof", "fn_birth_run_finish", "UPDATE", VANISH, "connection lost, done; nothing to do"),
    ("death-undo", "middle batch", "fn_birth_death_undo", "UPDATE", CANCEL, "57014, stopped 57014; the same statement"),
    (
        "death-undo",
        "last batch",
        DRIVE,
        "COMMIT",
        KILL_SERVER,
        "connection lost, interrupted; the same statement",
    ),
]


def passing(stage: Stage, stretch: str, routine: str, statement: str) -> Passing:
    """Return where a stretch comes to a statement of a routine for the first time."""
    for found in stage.passings:
        at = found.boundary
        if (found.stretch, at.routine) == (stretch, routine) and at.statement.startswith(statement):
            return found
    raise AssertionError(f"{stage.story.name} does not come to {statement} of {routine} in {stretch}")


@some(
    ("story", "stretch", "routine", "statement", "fault", "outcome"),
    CASES,
    every=2,
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_a_run_with_a_fault_ends_like_a_run_without(
    ground: Ground,
    stage: Callable[[str], Stage],
    story: str,
    stretch: str,
    routine: str,
    statement: str,
    fault: Fault,
    outcome: str,
) -> None:
    staged = stage(story)
    at = passing(staged, stretch, routine, statement)
    (seen,) = matrix.struck_at_once(ground, staged, [at], fault)
    assert str(seen) == outcome


def test_one_crash_ends_several_runs_each_at_its_own_boundary(ground: Ground, stage: Callable[[str], Stage]) -> None:
    staged = stage("apply")
    at = [passing(staged, stretch, DRIVE, "COMMIT") for stretch in ("begin", "first batch", "proof")]
    outcomes = matrix.struck_at_once(ground, staged, at, KILL_SERVER)
    standing = ["planned", "interrupted", "interrupted"]
    assert list(map(str, outcomes)) == [f"connection lost, {status}; the same statement" for status in standing]


def test_a_session_that_misses_its_boundary_blocks_no_other(ground: Ground, stage: Callable[[str], Stage]) -> None:
    staged = stage("apply")
    at = passing(staged, "begin", DRIVE, "COMMIT")
    nowhere = replace(at, number=10**6)
    for outcome in matrix.struck_at_once(ground, staged, [at, nowhere], KILL_SERVER):
        assert isinstance(outcome, Unequal | BrokenBarrierError)


@contextmanager
def mounted(full: AbstractContextManager[T]) -> Iterator[T]:
    """Provide what needs a file system of its own, where one can be mounted."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(full)
        except NoDiskError as error:
            pytest.skip(str(error))
        yield made


def test_a_run_continues_after_the_data_disk_was_full(ground: Ground, stage: Callable[[str], Stage]) -> None:
    with mounted(disk.data_disk(ground)) as fault:
        at = passing(stage("apply"), "first batch", DRIVE, "SELECT s.status")
        outcome = matrix.struck(ground, stage("apply"), at, fault)
    assert str(outcome) == "53100, stopped 53100; the same statement"


@pytest.mark.long
def test_a_run_continues_after_the_wal_disk_was_full() -> None:
    with (
        mounted(disk.full_wal(SETTINGS | DURABLE)) as (ground, fault),
        matrix.instrumented(ground) as made,
        matrix.staged(ground, *made, STORIES["apply"]) as staged,
    ):
        at = passing(staged, "last batch", DRIVE, "SELECT s.status")
        assert str(matrix.struck(ground, staged, at, fault)) == "connection lost, interrupted; the same statement"


def damage(statement: str) -> Fault:
    """A fault that does harm, as a superuser can, and cancels the run besides."""

    def strike(ground: Ground, scene: Scene, conn: psycopg.Connection[Any]) -> None:
        scene.execute(f"SET session_replication_role = replica; {statement}")
        scene.execute("SELECT pg_cancel_backend(%s)", (conn.info.backend_pid,))

    return Fault(statement, strike)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM birth.birth_registry WHERE entity_code = 'item-2'",
        "UPDATE birth.birth_receipt SET born_at = born_at - interval '1 second'",
        "UPDATE birth.birth_admission_permit_v2 SET spent_rows = spent_rows + 1",
        "INSERT INTO birth.birth_act (act, reason) VALUES ('freeze', 'nobody asked for it')",
        "UPDATE birth.collection_registry SET table_name = 'other'",
    ],
    ids=lambda statement: statement.split(" WHERE ")[0],
)
def test_leftovers_of_a_fault_are_detected(ground: Ground, stage: Callable[[str], Stage], statement: str) -> None:
    staged = stage("apply")
    at = passing(staged, "middle batch", DRIVE, "SELECT")
    with pytest.raises(Unequal):
        matrix.struck(ground, staged, at, damage(statement))


def test_every_story_gets_a_fault_at_every_boundary(stage: Callable[[str], Stage]) -> None:
    staged = stage("apply")
    boundaries = {at.boundary for at in staged.passings}
    commits = {at.number for at in staged.passings if at.boundary.commits}
    assert len(commits) == len(staged.story.stretches) - 1
    around = {number + behind for number in commits for behind in (0, 1)}

    struck = pairs(matrix.everywhere(staged.story, staged.passings))
    faults = {fault.name for fault in strikes.CHEAP if not fault.times_out}
    assert {(at.boundary, fault) for at, fault in struck} == set(product(boundaries, faults))
    assert {(at.boundary, at.stretch) for at, _ in struck} == {(at.boundary, at.stretch) for at in staged.passings}
    assert set(product(around, faults)) <= {(at.number, fault) for at, fault in struck}

    crashed = pairs(matrix.crashes(staged.story, staged.passings))
    kills = {fault.name for fault in strikes.CRASHES}
    assert {(at.boundary, fault) for at, fault in crashed} == set(product(boundaries, kills))
    assert set(product(around, kills)) <= {(at.number, fault) for at, fault in crashed}


def pairs(strikes: Strikes) -> set[tuple[Passing, str]]:
    """Return each place with the name of what strikes there."""
    return {(at, fault.name) for places, fault in strikes for at in places}

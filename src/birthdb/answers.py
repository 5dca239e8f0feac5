"""What the routines of schema ``birth`` return, as types: the columns of each, by their own names.

``docs/reference/python.md`` lists them; what a column means is in ``docs/reference/objects.md``.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypedDict
from uuid import UUID

Mode = Literal["observe", "enforce"]
Purpose = Literal["APPLY", "COMPENSATE", "TRANSITION", "DEATH"]
Verdict = Literal["SAFE", "NOT_SAFE_NEEDS_FIX"]


class Proposal(TypedDict):
    """A proposed identity; ``next_step`` is the statement that classifies the collection with it."""

    strategy: str | None
    column: str | None
    template: str | None
    reason: str
    next_step: str


# In a plan ``UUID | Any`` is a UUID, and None for a dry run, which nobody reviews or permits: who has written the plan
# need not ask.
class Plan(TypedDict):
    """A backfill, in rows; ``blockers`` is what stands in its way, ``run_id`` None for a dry run."""

    run_id: UUID | Any
    collection_name: str
    status: str
    dry_run: bool
    source_rows: int
    existing_births: int
    orphans: int
    unresolvable: int
    duplicates: int
    collisions: int
    planned_rows: int
    expected_delta: int
    planned_fingerprint: list[Decimal]
    predecessor: UUID | None
    planned_by: str | None
    planned_at: datetime | None
    blockers: list[dict[str, Any]]
    next_step: str | None


class TransitionPlan(TypedDict):
    """A change of policy; ``run_id`` is None for a dry run."""

    run_id: UUID | Any
    collection_name: str
    status: str
    from_status: str
    from_governed: bool
    to_status: str
    to_governed: bool
    direction: str
    births: int
    planned_rows: int
    planned_fingerprint: list[Decimal]
    planned_by: str | None
    planned_at: datetime | None
    blockers: list[dict[str, Any]]
    next_step: str | None


class DeathPlan(TypedDict):
    """The births of a collection that no row has any more; ``run_id`` is None for a dry run."""

    run_id: UUID | Any
    collection_name: str
    status: str
    source_rows: int
    existing_births: int
    planned_rows: int
    planned_fingerprint: list[Decimal]
    predecessor: UUID | None
    planned_by: str | None
    planned_at: datetime | None
    blockers: list[dict[str, Any]]
    next_step: str | None


class Sample(TypedDict):
    """A code that a backfill would write, and the key of its row; ``kind`` is first, last, longest or random."""

    kind: str
    code: str
    key: dict[str, Any]


class Signer(TypedDict):
    """A login that may still sign a run; ``act`` is review, permit_open or permit_confirm."""

    act: str
    login: str
    superuser: bool


class Rehearsal(TypedDict):
    """The writer's result of a rehearsal, in rows; ``rerun_delta`` is what a plan would still add after it."""

    run_id: UUID
    status: str
    expected_delta: int
    actual_inserted: int
    skipped: int
    blocked: int
    resume_marker: list[str] | None
    rerun_delta: int


class Review(TypedDict):
    """A recorded verdict."""

    review_id: int
    verdict: Verdict
    next_step: str


class Permit(TypedDict):
    """A permit that was opened or confirmed."""

    permit_id: int
    next_step: str


class OpenPermit(TypedDict):
    """A row of ``birth_admission_permit_v2``."""

    permit_id: int
    collection_name: str
    run_id: UUID
    purpose: Purpose
    status: str
    max_rows: int
    spent_rows: int
    reason: str
    opened_at: datetime
    opened_by: str
    expires_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str | None
    closed_at: datetime | None


class Progress(TypedDict):
    """A row of ``v_birth_run_progress``."""

    run_id: UUID
    collection_name: str
    status: str
    stop_reason: str | None
    purpose: Purpose
    rows_done: int
    rows_target: int
    percent: Decimal | None
    rows_per_second: Decimal | None
    remaining: timedelta | None
    executed_by: str | None
    planned_by: str
    running_since: datetime | None
    last_batch_at: datetime | None
    batches: int
    interrupted: bool
    head: str | None
    next_step: str | None


# Their keys are no names in Python.
#: One check of the census: ``rows`` it found (None: nothing could be counted), some of their codes, whether it passed.
Check = TypedDict("Check", {"check": str, "rows": int | None, "examples": list[str] | None, "pass": bool})

#: One check of the audit of runs: what was found, what was expected, whether they agree.
AuditCheck = TypedDict("AuditCheck", {"run_id": UUID, "check_name": str, "found": str, "expected": str, "pass": bool})

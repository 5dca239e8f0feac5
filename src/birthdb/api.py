"""The routines of schema ``birth``, one function each (specification, section 2).

Each takes an open connection of psycopg, binds its arguments by name and returns what the routine returns: rows are
dictionaries keyed by the routine's own column names. Over an AsyncConnection it returns a coroutine. Nothing is decided
and nothing is committed here. A refusal of the database arrives as the BirthError of its SQLSTATE; any other
psycopg.Error passes unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.sql import SQL

from birthdb import query
from birthdb.answers import (
    AuditCheck,
    Check,
    DeathPlan,
    OpenPermit,
    Permit,
    Plan,
    Progress,
    Proposal,
    Rehearsal,
    Review,
    Sample,
    Signer,
    TransitionPlan,
)
from birthdb.answers import Mode as Mode
from birthdb.answers import Purpose as Purpose
from birthdb.answers import Verdict as Verdict
from birthdb.query import AsyncConnection as AsyncConnection
from birthdb.query import Connection as Connection
from birthdb.query import Notice as Notice
from birthdb.query import Query, call, routine
from birthdb.query import Row as Row
from birthdb.query import refusals as refusals


@routine
def collection_register(
    collection: str, schema: str, table: str, coverage_status: str, *, governed: bool = False
) -> Query[str]:
    """Register a collection; needs a steward. Returns the next step."""
    return _text(
        "fn_birth_collection_register",
        p_collection=collection,
        p_schema=schema,
        p_table=table,
        p_coverage_status=coverage_status,
        p_governed=governed,
    )


@routine
def collection_withdraw(collection: str, reason: str) -> Query[str]:
    """Take back a registration without births, runs and gateway; needs a steward. Returns the next step."""
    return _text("fn_birth_collection_withdraw", p_collection=collection, p_reason=reason)


@routine
def source_grants(collection: str, privilege: Literal["SELECT", "TRIGGER"]) -> Query[str]:
    """Return the statements by which the owner of the collection's table grants what is missing; empty if nothing."""
    return _text("fn_birth_source_grants", p_collection=collection, p_privilege=privilege)


@routine
def identity_propose(schema: str, table: str) -> Query[list[Proposal]]:
    """Return the proposed identities for a table, each with its reason; changes nothing."""
    return _rows("fn_birth_identity_propose", p_schema=schema, p_table=table)


@routine
def identity_classify(
    collection: str,
    strategy: Literal["column", "synthetic_id", "legacy"],
    *,
    column: str | None = None,
    prefix: str | None = None,
    template: str | None = None,
    part_of_key: bool = False,
) -> Query[str]:
    """Classify a collection: set its identity; needs a steward. Returns the next step.

    ``part_of_key``: the identity is a part of the table's key, and no two rows share it. Specification: 4.
    """
    return _text(
        "fn_birth_identity_classify",
        p_collection=collection,
        p_strategy=strategy,
        p_column=column,
        p_prefix=prefix,
        p_template=template,
        p_part_of_key=part_of_key,
    )


@routine
def gateway_attach(collection: str, mode: Mode = "observe") -> Query[str]:
    """Create the collection's triggers; needs a steward. Returns the next step."""
    return _text("fn_birth_gateway_attach", p_collection=collection, p_mode=mode)


@routine
def gateway_mode(collection: str, mode: Mode, reason: str) -> Query[str]:
    """Switch between observing and enforcing, without DDL; needs a steward. Returns the next step."""
    return _text("fn_birth_gateway_mode", p_collection=collection, p_mode=mode, p_reason=reason)


@routine
def gateway_detach(collection: str, reason: str) -> Query[str]:
    """Drop the collection's triggers, or return the statement for the table's owner; needs a steward."""
    return _text("fn_birth_gateway_detach", p_collection=collection, p_reason=reason)


@routine
def gateway_fence() -> Query[str]:
    """Record the fence of changed modes, policies and identities; needs a steward. Returns the next step."""
    return _text("fn_birth_gateway_fence")


@routine
def gate_scope(schema: str, mode: Mode | None, reason: str) -> Query[str]:
    """Bring a schema under the gate, or take it out (None); return the next step; needs a steward."""
    return _text("fn_birth_gate_scope", p_schema=schema, p_mode=mode, p_reason=reason)


@routine
def gate_admit(collection: str, reason: str) -> Query[str]:
    """Admit a collection, which then takes rows; return the next step; needs another steward than registered it."""
    return _text("fn_birth_gate_admit", p_collection=collection, p_reason=reason)


@routine
def gate(schema: str | None = None) -> Query[int]:
    """Return how many tables the gate looked at; raise TableUngated with the next step of each that is not governed."""
    return _number("fn_birth_gate", p_schema=schema)


@routine
def finding_acknowledge(collection: str, reason: str) -> Query[int]:
    """Acknowledge the findings of a collection in one act; needs a steward. Returns their rows."""
    return _number("fn_birth_finding_acknowledge", p_collection=collection, p_reason=reason)


@routine
def plan(collection: str, *, dry_run: bool = True) -> Query[Plan]:
    """Return counts, fingerprint and blockers of a backfill; with ``dry_run=False`` also write the planned run."""
    return _row("fn_dot_birth_qt001_plan", p_collection=collection, p_dry_run=dry_run)


@routine
def plan_sample(collection: str, most: int = 5) -> Query[list[Sample]]:
    """Return codes that a backfill would write now: kind (first, last, longest, random), code, key of the row."""
    return _rows("fn_birth_plan_sample", p_collection=collection, p_rows=most)


@routine
def signers(run_id: UUID) -> Query[list[Signer]]:
    """Return the logins that may still judge a run, open its permit or confirm it."""
    return _rows("fn_birth_signers", p_run_id=run_id)


@routine
def rehearse(collection: str, *, max_rows: int | None = None) -> Query[Rehearsal]:
    """Execute a backfill and roll it back; return the writer's result and the rerun delta."""
    return _row("fn_dot_birth_qt001_rehearse", p_collection=collection, **_given(p_max_rows=max_rows))


@routine
def review_record(
    run_id: UUID,
    verdict: Verdict,
    findings: str,
    *,
    accept_orphans: int = 0,
    purpose: Purpose | None = None,
    supersedes: Sequence[int] = (),
) -> Query[Review]:
    """Record the verdict on a run; needs a reviewer without a conflicting duty in it.

    Without ``purpose`` it is about the run's own; ``COMPENSATE`` is to undo it.
    ``supersedes`` are the ids of verdicts NOT_SAFE_NEEDS_FIX that it takes back: a SAFE has to name all that stand.
    """
    return _row(
        "fn_birth_review_record",
        p_run_id=run_id,
        p_verdict=verdict,
        p_findings=findings,
        p_accept_orphans=accept_orphans,
        p_purpose=purpose,
        p_supersedes=list(supersedes),
    )


@routine
def permit_open(
    collection: str,
    run_id: UUID,
    max_rows: int,
    expires_at: datetime,
    reason: str,
    *,
    purpose: Purpose | None = None,
) -> Query[Permit]:
    """Open a permit for ``max_rows`` rows until ``expires_at``, at most seven days ahead; needs a permit owner.

    Without ``purpose`` it is for the run's own; ``COMPENSATE`` is to undo it.
    """
    return _row(
        "fn_birth_permit_open",
        p_collection=collection,
        p_run_id=run_id,
        p_max_rows=max_rows,
        p_expires_at=expires_at,
        p_reason=reason,
        p_purpose=purpose,
    )


@routine
def permit_confirm(permit_id: int) -> Query[Permit]:
    """Confirm a permit; needs a reviewer."""
    return _row("fn_birth_permit_confirm", p_permit_id=permit_id)


@routine
def permit_revoke(permit_id: int, reason: str) -> Query[str]:
    """Revoke a permit; needs a permit owner. A run that spends it stops at its next batch."""
    return _text("fn_birth_permit_revoke", p_permit_id=permit_id, p_reason=reason)


@routine
def apply(
    collection: str,
    run_id: UUID,
    permit_id: int,
    expected_delta: int,
    max_rows: int,
    *,
    batch: int | None = None,
    execute: bool = False,
    dot_origin: str | None = None,
    notice: Notice | None = None,
) -> Query[None]:
    """Run the backfill to its end, committing batch by batch; without ``execute`` only check.

    The connection must be in autocommit mode. ``notice`` is called with each message of the driver, one a batch.
    """
    return _call(
        "sp_dot_birth_qt001_apply",
        notice,
        p_collection=collection,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_expected_delta=expected_delta,
        p_max_rows=max_rows,
        p_execute=execute,
        **_given(p_batch=batch, p_dot_origin=dot_origin),
    )


@routine
def compensate(
    run_id: UUID,
    permit_id: int,
    *,
    batch: int | None = None,
    execute: bool = False,
    notice: Notice | None = None,
) -> Query[None]:
    """Remove exactly the births of one run, committing batch by batch; without ``execute`` only check.

    The connection must be in autocommit mode. ``notice`` is called with each message of the procedure.
    """
    return _call(
        "sp_dot_birth_qt001_compensate",
        notice,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_execute=execute,
        **_given(p_batch=batch),
    )


@routine
def run_stop(run_id: UUID, reason: str) -> Query[str]:
    """Ask a run to stop at its next batch; needs an operator."""
    return _text("fn_birth_run_stop", p_run_id=run_id, p_reason=reason)


@routine
def run_tune(run_id: UUID, batch: int | None = None, pause_ms: int = 0, target_ms: int | None = None) -> Query[str]:
    """Set the pace of a run from its next batch on; needs an operator.

    ``batch`` is the most rows of a batch, as the CALL says when left out; ``pause_ms`` and ``target_ms``, how long a
    batch should take, are milliseconds.
    """
    return _text("fn_birth_run_tune", p_run_id=run_id, p_batch=batch, p_pause_ms=pause_ms, p_target_ms=target_ms)


@routine
def census(collection: str) -> Query[list[Check]]:
    """Return the census (two-way reconciliation): check, rows, examples and pass, one row per check."""
    return _rows("fn_birth_census", p_collection=collection)


@routine
def run_audit(run_id: UUID | None = None) -> Query[list[AuditCheck]]:
    """Compare births, receipts, ledger and permits of a run, or of all runs, with each other: one row per check."""
    return _rows("fn_birth_run_audit", p_run_id=run_id)


@routine
def transition_plan(
    collection: str,
    to_status: str | None = None,
    *,
    to_governed: bool | None = None,
    dry_run: bool = True,
) -> Query[TransitionPlan]:
    """Plan one change of a collection's policy; what is None stays. Needs an operator. Specification: 4.1."""
    return _row(
        "fn_dot_birth_qt005_plan",
        p_collection=collection,
        p_to_status=to_status,
        p_to_governed=to_governed,
        p_dry_run=dry_run,
    )


@routine
def transition_apply(
    run_id: UUID, permit_id: int, *, execute: bool = False, notice: Notice | None = None
) -> Query[None]:
    """Execute a permitted change of policy, in one transaction; without ``execute`` only its checks. Operator."""
    return _call(
        "sp_dot_birth_qt005_apply",
        notice,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_execute=execute,
    )


@routine
def life_attach(
    collection: str,
    mode: Literal["observe", "enforce"] = "observe",
    *,
    column: str | None = None,
    dead: Sequence[str] = (),
) -> Query[str]:
    """Create the life triggers of a collection: its rows' ends are recorded. Steward. Specification: 5.2."""
    return _text("fn_birth_life_attach", p_collection=collection, p_mode=mode, p_column=column, p_dead=list(dead))


@routine
def life_mode(collection: str, mode: Literal["off", "observe", "enforce"], reason: str) -> Query[str]:
    """Switch the life of a collection, without DDL; needs a steward. Returns the next step."""
    return _text("fn_birth_life_mode", p_collection=collection, p_mode=mode, p_reason=reason)


@routine
def life_detach(collection: str, reason: str) -> Query[str]:
    """Drop the life triggers, or return the statements for the table's owner; needs a steward."""
    return _text("fn_birth_life_detach", p_collection=collection, p_reason=reason)


@routine
def code_return(code: str, reason: str) -> Query[str]:
    """Allow one return of a dead code; needs a steward. Returns the next step."""
    return _text("fn_birth_return", p_code=code, p_reason=reason)


@routine
def code_succeed(old: str, new: str, reason: str) -> Query[str]:
    """Give a dead code its living successor; needs a steward. Returns the next step."""
    return _text("fn_birth_succeed", p_old=old, p_new=new, p_reason=reason)


@routine
def code_now(code: str) -> Query[str | None]:
    """Return the living code that a code goes on as; None when the chain ends dead."""
    return call("SELECT * FROM birth.fn_birth_now", lambda found: found[0]["fn_birth_now"], p_code=code)


@routine
def death_plan(collection: str, *, dry_run: bool = True) -> Query[DeathPlan]:
    """Count the births without a living row that are not dead, or plan to end them. Operator. Specification: 5.2."""
    return _row("fn_dot_birth_qt006_plan", p_collection=collection, p_dry_run=dry_run)


@routine
def death_apply(
    run_id: UUID,
    permit_id: int,
    *,
    batch: int = 10000,
    execute: bool = False,
    notice: Notice | None = None,
) -> Query[None]:
    """Execute a permitted death run in committed batches; without ``execute`` only its checks. Operator."""
    return _call(
        "sp_dot_birth_qt006_apply",
        notice,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_batch=batch,
        p_execute=execute,
    )


@routine
def census_record(collection: str) -> Query[list[Check]]:
    """Take the census of a collection and put it on record; needs an operator. Specification: 4.1, 7."""
    return _rows("fn_birth_census_record", p_collection=collection)


@routine
def dot_freeze(dot: str, reason: str) -> Query[str]:
    """Freeze a governed operation; needs an operator. Returns the next step."""
    return _text("fn_birth_dot_freeze", p_dot=dot, p_reason=reason)


@routine
def dot_unfreeze(dot: str, reason: str) -> Query[str]:
    """Unfreeze a governed operation; needs a DBA. Returns the next step."""
    return _text("fn_birth_dot_unfreeze", p_dot=dot, p_reason=reason)


@routine
def required() -> Query[list[str]]:
    """Return the names of the required collections, those of which a census is expected."""
    return Query(
        SQL(
            "SELECT c.collection_name FROM birth.collection_registry AS c"
            " WHERE c.coverage_status OPERATOR(pg_catalog.=) 'BIRTH_REQUIRED' ORDER BY c.collection_name"
        ),
        {},
        lambda found: [str(row["collection_name"]) for row in found],
    )


@routine
def usable_permit(run_id: UUID, purpose: Purpose) -> Query[OpenPermit | None]:
    """Return the confirmed open permit of a run, as ``birth_admission_permit_v2`` has it; None where there is none."""
    return Query(
        SQL(
            "SELECT p.* FROM birth.birth_admission_permit_v2 p"
            " WHERE p.run_id OPERATOR(pg_catalog.=) %(run_id)s AND p.purpose OPERATOR(pg_catalog.=) %(purpose)s"
            " AND p.status OPERATOR(pg_catalog.=) 'OPEN' AND p.confirmed_by IS NOT NULL"
            " AND p.expires_at OPERATOR(pg_catalog.>) birth.fn_birth_clock() ORDER BY p.permit_id DESC LIMIT 1"
        ),
        {"run_id": run_id, "purpose": purpose},
        _first,
    )


@routine
def progress(run_id: UUID) -> Query[Progress | None]:
    """Return the row of ``v_birth_run_progress`` for a run, or None for an unknown run."""
    # The operator is named, as above: the search path is the caller's.
    return Query(
        SQL("SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %(run_id)s"),
        {"run_id": run_id},
        _first,
    )


@routine
def view(name: LiteralString) -> Query[list[Row]]:
    """Return the rows of a view of schema ``birth``."""
    return Query(SQL("SELECT * FROM birth." + name), {}, list)


@routine
def rows(function: LiteralString, /, **arguments: Any) -> Query[list[Row]]:
    """Return the rows of a function of schema ``birth``, called by the named arguments."""
    return _rows(function, **arguments)


def written(conn: Connection | AsyncConnection, function: LiteralString, arguments: Mapping[LiteralString, Any]) -> str:
    """Return the call of a function of schema ``birth`` as a person types it."""
    return query.written(conn, "SELECT * FROM birth." + function, arguments)


def _rows(function: LiteralString, /, **arguments: Any) -> Query[list[Any]]:
    return call("SELECT * FROM birth." + function, list, **arguments)


def _row(function: LiteralString, /, **arguments: Any) -> Query[Any]:
    return call("SELECT * FROM birth." + function, _first, **arguments)


def _text(function: LiteralString, /, **arguments: Any) -> Query[str]:
    return call("SELECT * FROM birth." + function, lambda found: str(found[0][function]), **arguments)


def _number(function: LiteralString, /, **arguments: Any) -> Query[int]:
    return call("SELECT * FROM birth." + function, lambda found: int(found[0][function]), **arguments)


def _call(procedure: LiteralString, notice: Notice | None, /, **arguments: Any) -> Query[None]:
    return replace(call("CALL birth." + procedure, lambda _: None, **arguments), notice=notice)


def _first(found: list[Row]) -> Any:
    return next(iter(found), None)


def _given(**optional: Any) -> dict[str, Any]:
    """Return the arguments that have a value: the others keep the default of the routine."""
    return {name: value for name, value in optional.items() if value is not None}

"""The routines of schema ``birth``, one function each (specification, section 2).

Each takes an open connection, binds its arguments by name and returns what the routine returns: rows are dictionaries
keyed by the routine's own column names. Nothing is decided and nothing is committed here. A refusal of the database
arrives as the BirthError of its SQLSTATE; any other psycopg.Error passes unchanged.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, LiteralString, TypedDict, cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from birthdb import paths
from birthdb.errors import BirthError

#: Each statement that is sent, at level DEBUG, as a person would type it.
_log = logging.getLogger("birthdb.api")

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Mode = Literal["observe", "enforce"]
Purpose = Literal["APPLY", "COMPENSATE", "TRANSITION", "DEATH"]
Verdict = Literal["SAFE", "NOT_SAFE_NEEDS_FIX"]
Notice = Callable[[str], None]


class Proposal(TypedDict):
    """A proposed identity; ``next_step`` is the statement that classifies the collection with it."""

    strategy: str | None
    column: str | None
    template: str | None
    reason: str
    next_step: str


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


#: One check of the census: ``rows`` it found (None: nothing could be counted), some of their codes, whether it passed.
Check = TypedDict("Check", {"check": str, "rows": int | None, "examples": list[str] | None, "pass": bool})


@contextmanager
def refusals() -> Iterator[None]:
    """Convert a psycopg error with an SQLSTATE of the catalogue into its BirthError."""
    try:
        yield
    except psycopg.Error as exc:
        refusal = BirthError.from_psycopg(exc)
        if refusal is None:
            raise
        raise refusal from exc


def collection_register(
    conn: Connection, collection: str, schema: str, table: str, coverage_status: str, *, governed: bool = False
) -> str:
    """Register a collection; needs a steward. Returns the next step."""
    return _text(
        conn,
        "fn_birth_collection_register",
        p_collection=collection,
        p_schema=schema,
        p_table=table,
        p_coverage_status=coverage_status,
        p_governed=governed,
    )


def collection_withdraw(conn: Connection, collection: str, reason: str) -> str:
    """Take back a registration without births, runs and gateway; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_collection_withdraw", p_collection=collection, p_reason=reason)


def source_grants(conn: Connection, collection: str, privilege: Literal["SELECT", "TRIGGER"]) -> str:
    """Return the statements by which the owner of the collection's table grants what is missing; empty if nothing."""
    return _text(conn, "fn_birth_source_grants", p_collection=collection, p_privilege=privilege)


def identity_propose(conn: Connection, schema: str, table: str) -> list[Proposal]:
    """Return the proposed identities for a table, each with its reason; changes nothing."""
    return cast(list[Proposal], rows(conn, "fn_birth_identity_propose", p_schema=schema, p_table=table))


def identity_classify(
    conn: Connection,
    collection: str,
    strategy: Literal["column", "synthetic_id", "legacy"],
    *,
    column: str | None = None,
    prefix: str | None = None,
    template: str | None = None,
    part_of_key: bool = False,
) -> str:
    """Classify a collection: set its identity; needs a steward. Returns the next step.

    ``part_of_key``: the identity is a part of the table's key, and no two rows share it. Specification: 4.
    """
    return _text(
        conn,
        "fn_birth_identity_classify",
        p_collection=collection,
        p_strategy=strategy,
        p_column=column,
        p_prefix=prefix,
        p_template=template,
        p_part_of_key=part_of_key,
    )


def gateway_attach(conn: Connection, collection: str, mode: Mode = "observe") -> str:
    """Create the collection's triggers; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_gateway_attach", p_collection=collection, p_mode=mode)


def gateway_mode(conn: Connection, collection: str, mode: Mode, reason: str) -> str:
    """Switch between observing and enforcing, without DDL; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_gateway_mode", p_collection=collection, p_mode=mode, p_reason=reason)


def gateway_detach(conn: Connection, collection: str, reason: str) -> str:
    """Drop the collection's triggers, or return the statement for the table's owner; needs a steward."""
    return _text(conn, "fn_birth_gateway_detach", p_collection=collection, p_reason=reason)


def gateway_fence(conn: Connection) -> str:
    """Record the fence of changed modes, policies and identities; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_gateway_fence")


def gate_scope(conn: Connection, schema: str, mode: Mode | None, reason: str) -> str:
    """Bring a schema under the gate, or take it out (None); return the next step; needs a steward."""
    return _text(conn, "fn_birth_gate_scope", p_schema=schema, p_mode=mode, p_reason=reason)


def gate_admit(conn: Connection, collection: str, reason: str) -> str:
    """Admit a collection, which then takes rows; return the next step; needs another steward than registered it."""
    return _text(conn, "fn_birth_gate_admit", p_collection=collection, p_reason=reason)


def gate(conn: Connection, schema: str | None = None) -> int:
    """Return how many tables the gate looked at; raise TableUngated with the next step of each that is not governed."""
    return int(_row(conn, "fn_birth_gate", p_schema=schema)["fn_birth_gate"])


def finding_acknowledge(conn: Connection, collection: str, reason: str) -> int:
    """Acknowledge the findings of a collection in one act; needs a steward. Returns their rows."""
    row = _row(conn, "fn_birth_finding_acknowledge", p_collection=collection, p_reason=reason)
    acknowledged: int = row["fn_birth_finding_acknowledge"]
    return acknowledged


def plan(conn: Connection, collection: str, *, dry_run: bool = True) -> Row:
    """Return counts, fingerprint and blockers of a backfill; with ``dry_run=False`` also write the planned run."""
    return _row(conn, "fn_dot_birth_qt001_plan", p_collection=collection, p_dry_run=dry_run)


def plan_sample(conn: Connection, collection: str, most: int = 5) -> list[Row]:
    """Return codes that a backfill would write now: kind (first, last, longest, random), code, key of the row."""
    return rows(conn, "fn_birth_plan_sample", p_collection=collection, p_rows=most)


def rehearse(conn: Connection, collection: str, *, max_rows: int | None = None) -> Rehearsal:
    """Execute a backfill and roll it back; return the writer's result and the rerun delta."""
    return cast(
        Rehearsal, _row(conn, "fn_dot_birth_qt001_rehearse", p_collection=collection, **_given(p_max_rows=max_rows))
    )


def review_record(
    conn: Connection,
    run_id: UUID,
    verdict: Verdict,
    findings: str,
    *,
    accept_orphans: int = 0,
    purpose: Purpose | None = None,
    supersedes: Sequence[int] = (),
) -> Review:
    """Record the verdict on a run; needs a reviewer without a conflicting duty in it.

    Without ``purpose`` it is about the run's own; ``COMPENSATE`` is to undo it.
    ``supersedes`` are the ids of verdicts NOT_SAFE_NEEDS_FIX that it takes back: a SAFE has to name all that stand.
    """
    return cast(
        Review,
        _row(
            conn,
            "fn_birth_review_record",
            p_run_id=run_id,
            p_verdict=verdict,
            p_findings=findings,
            p_accept_orphans=accept_orphans,
            p_purpose=purpose,
            p_supersedes=list(supersedes),
        ),
    )


def permit_open(
    conn: Connection,
    collection: str,
    run_id: UUID,
    max_rows: int,
    expires_at: datetime,
    reason: str,
    *,
    purpose: Purpose | None = None,
) -> Permit:
    """Open a permit for ``max_rows`` rows until ``expires_at``, at most seven days ahead; needs a permit owner.

    Without ``purpose`` it is for the run's own; ``COMPENSATE`` is to undo it.
    """
    return cast(
        Permit,
        _row(
            conn,
            "fn_birth_permit_open",
            p_collection=collection,
            p_run_id=run_id,
            p_max_rows=max_rows,
            p_expires_at=expires_at,
            p_reason=reason,
            p_purpose=purpose,
        ),
    )


def permit_confirm(conn: Connection, permit_id: int) -> Permit:
    """Confirm a permit; needs a reviewer."""
    return cast(Permit, _row(conn, "fn_birth_permit_confirm", p_permit_id=permit_id))


def permit_revoke(conn: Connection, permit_id: int, reason: str) -> str:
    """Revoke a permit; needs a permit owner. A run that spends it stops at its next batch."""
    return _text(conn, "fn_birth_permit_revoke", p_permit_id=permit_id, p_reason=reason)


def apply(
    conn: Connection,
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
) -> None:
    """Run the backfill to its end, committing batch by batch; without ``execute`` only check.

    The connection must be in autocommit mode. ``notice`` is called with each message of the driver, one a batch.
    """
    _call(
        conn,
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


def compensate(
    conn: Connection,
    run_id: UUID,
    permit_id: int,
    *,
    batch: int | None = None,
    execute: bool = False,
    notice: Notice | None = None,
) -> None:
    """Remove exactly the births of one run, committing batch by batch; without ``execute`` only check.

    The connection must be in autocommit mode. ``notice`` is called with each message of the procedure.
    """
    _call(
        conn,
        "sp_dot_birth_qt001_compensate",
        notice,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_execute=execute,
        **_given(p_batch=batch),
    )


def run_stop(conn: Connection, run_id: UUID, reason: str) -> str:
    """Ask a run to stop at its next batch; needs an operator."""
    return _text(conn, "fn_birth_run_stop", p_run_id=run_id, p_reason=reason)


def run_tune(
    conn: Connection, run_id: UUID, batch: int | None = None, pause_ms: int = 0, target_ms: int | None = None
) -> str:
    """Set the pace of a run from its next batch on; needs an operator.

    ``batch`` is the most rows of a batch, as the CALL says when left out; ``pause_ms`` and ``target_ms``, how long a
    batch should take, are milliseconds.
    """
    return _text(conn, "fn_birth_run_tune", p_run_id=run_id, p_batch=batch, p_pause_ms=pause_ms, p_target_ms=target_ms)


def census(conn: Connection, collection: str) -> list[Check]:
    """Return the census (two-way reconciliation): check, rows, examples and pass, one row per check."""
    return cast(list[Check], rows(conn, "fn_birth_census", p_collection=collection))


def run_audit(conn: Connection, run_id: UUID | None = None) -> list[Row]:
    """Compare births, receipts, ledger and permits of a run, or of all runs, with each other: one row per check."""
    return rows(conn, "fn_birth_run_audit", p_run_id=run_id)


def transition_plan(
    conn: Connection,
    collection: str,
    to_status: str | None = None,
    *,
    to_governed: bool | None = None,
    dry_run: bool = True,
) -> Row:
    """Plan one change of a collection's policy; what is None stays. Needs an operator. Specification: 4.1."""
    return _row(
        conn,
        "fn_dot_birth_qt005_plan",
        p_collection=collection,
        p_to_status=to_status,
        p_to_governed=to_governed,
        p_dry_run=dry_run,
    )


def transition_apply(
    conn: Connection, run_id: UUID, permit_id: int, *, execute: bool = False, notice: Notice | None = None
) -> None:
    """Execute a permitted change of policy, in one transaction; without ``execute`` only its checks. Operator."""
    _call(
        conn,
        "sp_dot_birth_qt005_apply",
        notice,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_execute=execute,
    )


def life_attach(
    conn: Connection,
    collection: str,
    mode: Literal["observe", "enforce"] = "observe",
    *,
    column: str | None = None,
    dead: Sequence[str] = (),
) -> str:
    """Create the life triggers of a collection: its rows' ends are recorded. Steward. Specification: 5.2."""
    return _text(conn, "fn_birth_life_attach", p_collection=collection, p_mode=mode, p_column=column, p_dead=list(dead))


def life_mode(conn: Connection, collection: str, mode: Literal["off", "observe", "enforce"], reason: str) -> str:
    """Switch the life of a collection, without DDL; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_life_mode", p_collection=collection, p_mode=mode, p_reason=reason)


def life_detach(conn: Connection, collection: str, reason: str) -> str:
    """Drop the life triggers, or return the statements for the table's owner; needs a steward."""
    return _text(conn, "fn_birth_life_detach", p_collection=collection, p_reason=reason)


def code_return(conn: Connection, code: str, reason: str) -> str:
    """Allow one return of a dead code; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_return", p_code=code, p_reason=reason)


def code_succeed(conn: Connection, old: str, new: str, reason: str) -> str:
    """Give a dead code its living successor; needs a steward. Returns the next step."""
    return _text(conn, "fn_birth_succeed", p_old=old, p_new=new, p_reason=reason)


def code_now(conn: Connection, code: str) -> str | None:
    """Return the living code that a code goes on as; None when the chain ends dead."""
    return cast("str | None", _row(conn, "fn_birth_now", p_code=code)["fn_birth_now"])


def death_plan(conn: Connection, collection: str, *, dry_run: bool = True) -> Row:
    """Count the births without a living row that are not dead, or plan to end them. Operator. Specification: 5.2."""
    return _row(conn, "fn_dot_birth_qt006_plan", p_collection=collection, p_dry_run=dry_run)


def death_apply(
    conn: Connection,
    run_id: UUID,
    permit_id: int,
    *,
    batch: int = 10000,
    execute: bool = False,
    notice: Notice | None = None,
) -> None:
    """Execute a permitted death run in committed batches; without ``execute`` only its checks. Operator."""
    _call(
        conn,
        "sp_dot_birth_qt006_apply",
        notice,
        p_run_id=run_id,
        p_permit_id=permit_id,
        p_batch=batch,
        p_execute=execute,
    )


def census_record(conn: Connection, collection: str) -> list[Check]:
    """Take the census of a collection and put it on record; needs an operator. Specification: 4.1, 7."""
    return cast("list[Check]", rows(conn, "fn_birth_census_record", p_collection=collection))


def required(conn: Connection) -> list[str]:
    """Return the names of the required collections, those of which a census is expected."""
    found = conn.execute(
        "SELECT c.collection_name FROM birth.collection_registry AS c"
        " WHERE c.coverage_status OPERATOR(pg_catalog.=) 'BIRTH_REQUIRED' ORDER BY c.collection_name"
    )
    return [str(row[0]) for row in found]


def census_outcome(
    conn: Connection, collection: str, *, record: bool = False
) -> list[Check] | BirthError | psycopg.DatabaseError:
    """Return the census of one of many, or what ended it: a refusal or a timeout does not end the next one's.

    What concerns them all is raised: a lost connection, or a missing privilege. With ``record`` it is put on record.
    """
    try:
        return (census_record if record else census)(conn, collection)
    except BirthError as exc:
        return exc
    except psycopg.DatabaseError as exc:
        if conn.closed or isinstance(exc, psycopg.ProgrammingError):
            raise
        return exc


def dot_freeze(conn: Connection, dot: str, reason: str) -> str:
    """Freeze a governed operation; needs an operator. Returns the next step."""
    return _text(conn, "fn_birth_dot_freeze", p_dot=dot, p_reason=reason)


def dot_unfreeze(conn: Connection, dot: str, reason: str) -> str:
    """Unfreeze a governed operation; needs a DBA. Returns the next step."""
    return _text(conn, "fn_birth_dot_unfreeze", p_dot=dot, p_reason=reason)


def usable_permit(conn: Connection, run_id: UUID, purpose: Purpose) -> Row | None:
    """Return the confirmed open permit of a run, as ``birth_admission_permit_v2`` has it; None where there is none."""
    with refusals(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT p.* FROM birth.birth_admission_permit_v2 p"
            " WHERE p.run_id OPERATOR(pg_catalog.=) %s AND p.purpose OPERATOR(pg_catalog.=) %s"
            " AND p.status OPERATOR(pg_catalog.=) 'OPEN' AND p.confirmed_by IS NOT NULL"
            " AND p.expires_at OPERATOR(pg_catalog.>) birth.fn_birth_clock() ORDER BY p.permit_id DESC LIMIT 1",
            (run_id, purpose),
        ).fetchone()


def progress(conn: Connection, run_id: UUID) -> Row | None:
    """Return the row of ``v_birth_run_progress`` for a run, or None for an unknown run."""
    with refusals(), conn.cursor(row_factory=dict_row) as cursor:
        # The operator is named, here and below: the search path is the caller's.
        return cursor.execute(
            "SELECT * FROM birth.v_birth_run_progress WHERE run_id OPERATOR(pg_catalog.=) %s", (run_id,)
        ).fetchone()


def release(conn: Connection) -> str | None:
    """Return the current release of the database, as Alembic names it; None if nothing is released.

    Raises as ``may_read_release``.
    """
    if "alembic_version" not in objects(conn):
        return None
    may_read_release(conn)
    with refusals():
        row = conn.execute(
            "SELECT pg_catalog.string_agg(v.version_num, ', ') FROM birth.alembic_version AS v"
        ).fetchone()
    return row[0] if row else None


def may_read_release(conn: Connection) -> None:
    """Check Alembic's version table before it is read: reading it runs the code attached to it.

    Raises NB404 for a table that is not as a release makes it.
    """
    with refusals():
        conn.execute((paths.SQL / "release" / "version_table.sql").read_bytes(), prepare=False)


def objects(conn: Connection) -> set[str]:
    """Return the names of the relations and routines of schema ``birth``; needs no privilege."""
    found = conn.execute(
        "SELECT o.name FROM pg_catalog.pg_namespace AS n CROSS JOIN LATERAL ("
        " SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid UNION"
        " SELECT p.proname FROM pg_catalog.pg_proc AS p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid) AS o(name)"
        " WHERE n.nspname OPERATOR(pg_catalog.=) 'birth'"
    )
    return {str(row[0]) for row in found}


def view(conn: Connection, name: LiteralString) -> list[Row]:
    """Return the rows of a view of schema ``birth``."""
    with refusals(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SQL("SELECT * FROM birth." + name)).fetchall()


def rows(conn: Connection, routine: LiteralString, /, **arguments: Any) -> list[Row]:
    """Return the rows of a function of schema ``birth``, called by the named arguments."""
    _log.debug("%s", _Written(conn, "SELECT * FROM birth." + routine, arguments))
    with refusals(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_statement("SELECT * FROM birth." + routine, arguments), arguments).fetchall()


def _row(conn: Connection, routine: LiteralString, /, **arguments: Any) -> Row:
    return rows(conn, routine, **arguments)[0]


def _text(conn: Connection, routine: LiteralString, /, **arguments: Any) -> str:
    return str(_row(conn, routine, **arguments)[routine])


def _call(conn: Connection, routine: LiteralString, notice: Notice | None, /, **arguments: Any) -> None:
    def told(diagnostic: psycopg.errors.Diagnostic) -> None:
        if notice is not None:
            notice(diagnostic.message_primary or "")

    _log.debug("%s", _Written(conn, "CALL birth." + routine, arguments))
    conn.add_notice_handler(told)
    try:
        with refusals():
            conn.execute(_statement("CALL birth." + routine, arguments), arguments)
    finally:
        conn.remove_notice_handler(told)


def _statement(head: LiteralString, arguments: dict[str, Any]) -> Composed:
    # The routine is written as it is named: the database looks for its name in the statement that was sent.
    bound = [SQL("{} => {}").format(Identifier(name), Placeholder(name)) for name in arguments]
    return SQL(head + "({})").format(SQL(", ").join(bound))


class _Written:
    """A statement as a person types it, written out only when it is asked for."""

    def __init__(self, conn: Connection, head: LiteralString, arguments: Mapping[LiteralString, Any]) -> None:
        self._conn, self._head, self._arguments = conn, head, arguments

    def __str__(self) -> str:
        given = [
            SQL(name) + SQL(" := ") + sql.Literal(str(value) if isinstance(value, UUID) else value)
            for name, value in self._arguments.items()
        ]
        return SQL(self._head + "({});").format(SQL(", ").join(given)).as_string(self._conn)


def written(conn: Connection, routine: LiteralString, arguments: Mapping[LiteralString, Any]) -> str:
    """Return the call of a function of schema ``birth`` as a person types it."""
    return str(_Written(conn, "SELECT * FROM birth." + routine, arguments))


def _given(**optional: Any) -> dict[str, Any]:
    """Return the arguments that have a value: the others keep the default of the routine."""
    return {name: value for name, value in optional.items() if value is not None}

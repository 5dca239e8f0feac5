"""A backfill from its plan to its census."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from types import FrameType
from typing import Annotated, Any, NoReturn
from uuid import UUID

import psycopg
import typer
from psycopg.errors import QueryCanceled
from psycopg.pq import TransactionStatus

from birthdb import api
from birthdb.answers import Check, OpenPermit, Progress, Purpose, Verdict
from birthdb.cli.console import (
    ATTENTION,
    FINE,
    complain,
    out,
    print_json,
    progress_bar,
    show,
    show_page,
    spoken,
    styled,
    styled_line,
    working,
)
from birthdb.cli.options import BIGINT, INTEGER, Collection, Json, NotThere, Url, app, database, misuse
from birthdb.errors import BirthError
from birthdb.plain import line
from birthdb.query import Connection, Notice
from birthdb.release import attest as attesting


@app.command(rich_help_panel="Every day")
def plan(
    collection: Collection,
    write: Annotated[bool, typer.Option("--write", help="Write the planned run to the ledger.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Count what a backfill of COLLECTION would do; reads only, unless --write is given."""
    with database(url, as_json, "birth_operator") as conn, working("counting", as_json):
        attesting.fit(conn, "functions/fn_dot_birth_qt001_plan.sql")
        row = api.plan(conn, collection, dry_run=not write)
    blockers = row.get("blockers") or []
    born = bool(blockers) and all(blocker.get("error") == "nothing_to_do" for blocker in blockers)
    if as_json:
        show({"plan": [row]}, True)
    else:
        aside = ("blockers", "next_step") if born else ("blockers",)
        show({"plan": [{name: value for name, value in row.items() if name not in aside}]}, False)
        for blocker in blockers:
            said = "nothing to do: every row has its birth" if born else _blocker(blocker)
            out.print(styled(said))
    raise typer.Exit(FINE if born or not blockers else ATTENTION)


def _blocker(blocker: Mapping[str, Any]) -> str:
    """Return what keeps a plan from being executed, as the database says it."""
    said = f"blocked: {blocker.get('code')} {blocker.get('message')}"
    notes = [f"  {name}: {blocker[name]}" for name in ("detail", "hint") if blocker.get(name)]
    return "\n".join([said, *notes])


Run = Annotated[UUID, typer.Argument(metavar="RUN", help="The run_id of the plan.")]
Batch = Annotated[int | None, typer.Option("--batch", **INTEGER, help="Source rows a batch visits.")]
Execute = Annotated[bool, typer.Option("--execute", help="Write; otherwise only check.")]
Sure = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, on a terminal, before it writes.")]


@app.command(rich_help_panel="Every day")
def review(
    run: Run,
    verdict: Annotated[
        Verdict | None, typer.Argument(metavar="[VERDICT]", help="SAFE or NOT_SAFE_NEEDS_FIX, to record it.")
    ] = None,
    findings: Annotated[str | None, typer.Option("--findings", help="What you checked, and what you found.")] = None,
    accept_orphans: Annotated[
        int, typer.Option("--accept-orphans", **BIGINT, help="How many births without a row, or codes that end.")
    ] = 0,
    compensate: Annotated[bool, typer.Option("--compensate", help="It is about undoing the run.")] = False,
    supersedes: Annotated[
        list[int] | None, typer.Option("--supersedes", **BIGINT, help="A verdict that it takes back; may be repeated.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page as one file.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show what there is to know of RUN before it is judged, and as evidence afterwards; or record a VERDICT.

    Without VERDICT it reads only. A verdict needs --findings, and a reviewer without a conflicting duty in the run.
    """
    if verdict is None:
        _review_page(run, html, url, as_json)
        return
    if findings is None:
        raise misuse("a verdict says what was checked", param_hint="--findings")
    with database(url, as_json, "birth_reviewer") as conn, spoken(quiet=as_json):
        recorded = api.review_record(
            conn,
            run,
            verdict,
            findings,
            accept_orphans=accept_orphans,
            purpose="COMPENSATE" if compensate else None,
            supersedes=supersedes or (),
        )
    show({"review": [recorded]}, as_json)


def _review_page(run: UUID, file: Path | None, url: str | None, as_json: bool) -> None:
    # Its library is loaded only for a page.
    from birthdb import page

    with database(url, as_json) as conn, working("reading", as_json):
        _of_ledger(conn, run)
        shown = page.review(conn, run)
    show_page(shown, file, as_json)


@app.command(rich_help_panel="Every day")
def permit(
    run: Run,
    reason: Annotated[str, typer.Option("--reason", help="Why it may run, for the record.")],
    max_rows: Annotated[
        int | None, typer.Option("--max-rows", **BIGINT, help="Rows that it may write; else those that are left.")
    ] = None,
    hours: Annotated[int, typer.Option("--hours", min=1, max=168, help="How long it can be used.")] = 24,
    compensate: Annotated[bool, typer.Option("--compensate", help="It is for undoing the run.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Open a permit for RUN, of the rows that it has left to write; needs a permit owner."""
    with database(url, as_json, "birth_permit_owner") as conn, spoken(quiet=as_json):
        row = _of_ledger(conn, run)
        # Undoing removes what was written; when only the proof is left, it needs a permit for one row too.
        left = row["rows_done"] if compensate else row["rows_target"] - row["rows_done"]
        opened = api.permit_open(
            conn,
            row["collection_name"],
            run,
            max(1, left) if max_rows is None else max_rows,
            datetime.now(UTC) + timedelta(hours=hours),
            reason,
            purpose="COMPENSATE" if compensate else None,
        )
    show({"permit": [opened]}, as_json)


@app.command(rich_help_panel="Every day")
def apply(
    run: Run,
    expected_delta: Annotated[
        int | None, typer.Option("--expected-delta", **BIGINT, help="Rows the run must write; else as planned.")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option("--max-rows", **BIGINT, help="Rows the run may write; else as permitted.")
    ] = None,
    batch: Batch = None,
    batch_ms: Annotated[
        int | None,
        typer.Option(
            "--batch-ms",
            **INTEGER,
            help="Milliseconds a batch should take, without a pause; --batch is then the most.",
        ),
    ] = None,
    execute: Execute = False,
    sure: Sure = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Apply or resume RUN, a backfill, a change of policy or an end of rows; without --execute only check.

    Collection, permit, rows and bound come from the ledger, and are shown before it writes.
    """

    def call(conn: Connection, row: Progress, permit: OpenPermit, tell: Notice) -> None:
        if execute and batch_ms is not None:
            api.run_tune(conn, run, batch, target_ms=batch_ms)
        match row["purpose"]:
            case "TRANSITION":
                api.transition_apply(conn, run, permit["permit_id"], execute=execute, notice=tell)
            case "DEATH":
                api.death_apply(
                    conn, run, permit["permit_id"], **{"batch": batch} if batch else {}, execute=execute, notice=tell
                )
            case _:
                delta = row["rows_target"] if expected_delta is None else expected_delta
                most = permit["max_rows"] if max_rows is None else max_rows
                api.apply(
                    conn,
                    row["collection_name"],
                    run,
                    permit["permit_id"],
                    delta,
                    most,
                    batch=batch,
                    execute=execute,
                    notice=tell,
                )

    _drive(run, None, call, execute=execute, sure=sure, url=url, as_json=as_json)


@app.command(rich_help_panel="Every day")
def compensate(
    run: Run,
    batch: Batch = None,
    execute: Execute = False,
    sure: Sure = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Undo RUN: remove exactly what it wrote; without --execute only check."""

    def call(conn: Connection, row: Progress, permit: OpenPermit, tell: Notice) -> None:
        api.compensate(conn, run, permit["permit_id"], batch=batch, execute=execute, notice=tell)

    _drive(run, "COMPENSATE", call, execute=execute, sure=sure, url=url, as_json=as_json)


def _drive(
    run: UUID,
    purpose: Purpose | None,
    call: Callable[[Connection, Progress, OpenPermit, Notice], None],
    *,
    execute: bool,
    sure: bool,
    url: str | None,
    as_json: bool,
) -> None:
    """Call a driver with what the ledger has of the run, and show how far it is."""
    # The bar is fed from a second connection: the first is inside the CALL.
    with (
        database(url, as_json, "birth_operator") as conn,
        database(url, True) as watch,
        spoken(quiet=as_json),
    ):
        attesting.fit(watch, "functions/sp_dot_birth_qt001_apply.sql")
        row = _of_ledger(watch, run)
        permit = api.usable_permit(watch, run, purpose or row["purpose"])
        if permit is None:
            ended = row["status"] == "compensated" or (row["status"] == "done" and purpose is None)
            said = f"the run is {row['status']}" if ended else "the run has no permit that is open and confirmed"
            raise NotThere(said, row["next_step"])
        if not as_json:
            _show_asked(row, permit, execute)
        if execute and not sure and sys.stdin.isatty() and not typer.confirm("write?"):
            raise typer.Abort
        with progress_bar(hidden=as_json) as bar, _cancels(conn) as interrupted:
            task = bar.add_task(line(row["collection_name"]), total=100.0, rows="")

            def tell(message: str) -> None:
                now: Mapping[str, Any] = api.progress(watch, run) or {}
                done = f"{now.get('rows_done') or 0}/{now.get('rows_target') or 0}"
                bar.update(task, completed=float(now.get("percent") or 0), rows=done)
                if not execute:
                    bar.console.print(styled_line(message))

            try:
                call(conn, row, permit, tell)
            except (KeyboardInterrupt, QueryCanceled):
                if not interrupted:
                    raise
                bar.stop()
                # What the session holds ends with it.
                conn.close()
                _interrupted(_settled(watch, run), as_json)
        row = _of_ledger(watch, run)
    show({"run": [row]}, as_json)


def _of_ledger(conn: Connection, run: UUID) -> Progress:
    row = api.progress(conn, run)
    if row is None:
        raise misuse(f"{run} is no run of this database", param_hint="RUN")
    return row


def _show_asked(row: Progress, permit: OpenPermit, execute: bool) -> None:
    said = f"{row['purpose']} {row['collection_name']}: {row['rows_done']} of {row['rows_target']} rows are written"
    bound = f"permit {permit['permit_id']} for {permit['max_rows']} rows"
    out.print(styled_line(f"{said}; {bound}; {'writes' if execute else 'only checks: --execute writes'}"))


def _settled(conn: Connection, run: UUID) -> Progress | None:
    """Return the run when the session that held it is gone, or after two seconds."""
    for _ in range(40):
        row = api.progress(conn, run)
        if row is None or row["status"] != "running" or row["interrupted"]:
            break
        sleep(0.05)
    return row


@contextmanager
def _cancels(conn: Connection) -> Iterator[list[int]]:
    """Make Ctrl-C cancel the command that ``conn`` is in; the list holds each signal that came.

    An exception raised while libpq shows a notice would be printed and lost: so the server is asked to end the command.
    """
    came: list[int] = []

    def cancel(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if conn.info.transaction_status != TransactionStatus.ACTIVE:
            raise KeyboardInterrupt
        conn.cancel()

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(row: Progress | None, as_json: bool) -> NoReturn:
    """Say what a run that was interrupted has written, and how it goes on."""
    if row is None:
        raise typer.Abort
    said = f"interrupted: {row['rows_done']} of {row['rows_target']} rows are written and stay; run {row['run_id']}"
    stopped = f"{said} is {'interrupted' if row['interrupted'] else row['status']}"
    complain(as_json, ATTENTION, stopped, hint="the same command goes on", next=row["next_step"])


@app.command(rich_help_panel="Every day")
def census(
    collection: Annotated[str | None, typer.Argument(metavar="[COLLECTION]", help="A registered collection.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of every required collection, one after the other, a line each.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="Put it on record; needs an operator.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Compare the rows of COLLECTION and its births, both ways.

    Exits 1 when a check fails or a census is refused. What is on record shows in status, v_birth_life and the metrics.
    """
    if (collection is None) != everything:
        raise misuse("either a COLLECTION or --all")
    role = "birth_operator" if record else "birth_reader"
    with database(url, as_json, role) as conn, working("comparing", as_json):
        attesting.fit(conn, "functions/fn_birth_census.sql")
        taken = [
            _census(conn, name, record=record, alone=collection is not None, as_json=as_json)
            for name in ([collection] if collection is not None else api.required(conn))
        ]
    if as_json:
        print_json({"censuses": taken} if everything else taken[0])
    raise typer.Exit(FINE if all(one["pass"] for one in taken) else ATTENTION)


def _census(conn: Connection, collection: str, *, record: bool, alone: bool, as_json: bool) -> dict[str, Any]:
    """Take one census, dated by the database, and print it unless JSON is asked for; ``alone`` with all its checks."""
    (checked_at,) = conn.execute("SELECT pg_catalog.clock_timestamp()").fetchone() or (None,)
    dated = checked_at.astimezone(UTC).isoformat(timespec="seconds") if checked_at else ""
    taken: dict[str, Any] = {"collection": collection, "checked_at": dated, "pass": False}
    if alone:
        found = (api.census_record if record else api.census)(conn, collection)
    else:
        outcome = _outcome(conn, collection, record)
        if isinstance(outcome, Exception):
            taken |= {"code": outcome.sqlstate, "error": str(outcome).strip()}
            if not as_json:
                out.print(
                    styled_line(f"{collection} {dated}: refused: {taken['code']} {taken['error']}", style="bold red")
                )
            return taken
        found = outcome
    failed = [check for check in found if not check["pass"]]
    taken |= {"pass": bool(found) and not failed, "census": found}
    if not as_json:
        if alone:
            show({"census": found}, False)
        said = "PASS" if taken["pass"] else "FAIL"
        # Without a count nothing could be counted, and the check says why.
        counts = [check["check"] + ("" if check["rows"] is None else f": {check['rows']}") for check in failed]
        why = "" if alone or not counts else " " + "; ".join(counts)
        out.print(styled_line(f"{collection} {dated}: {said}{why}", style="bold" if taken["pass"] else "bold red"))
    return taken


def _outcome(conn: Connection, collection: str, record: bool) -> list[Check] | BirthError | psycopg.DatabaseError:
    """Return the census of one of many, or what ended it: a refusal or a timeout does not end the next one's.

    What concerns them all is raised: a lost connection, or a missing privilege.
    """
    try:
        return (api.census_record if record else api.census)(conn, collection)
    except BirthError as exc:
        return exc
    except psycopg.DatabaseError as exc:
        if conn.closed or isinstance(exc, psycopg.ProgrammingError):
            raise
        return exc

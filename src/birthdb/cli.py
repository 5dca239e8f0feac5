"""The command line ``birthdb`` (specification, "The command line").

Exit codes: 0 fine, 1 differs or needs attention, 2 misuse, 3 unreachable.
"""

import codecs
import importlib
import importlib.util
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, LiteralString, NoReturn, cast
from uuid import UUID

import psycopg
import typer
from alembic.config import Config
from alembic.util import CommandError
from psycopg.errors import QueryCanceled
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.sql import Identifier
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from birthdb import __version__, api, audit, declared, files, gate, paths, target
from birthdb.api import Connection
from birthdb.audit import evidence
from birthdb.audit import verify as verification
from birthdb.errors import BirthError
from birthdb.plain import line, plain, plain_json
from birthdb.release import attest as attesting
from birthdb.release import command as alembic
from birthdb.server import EmbeddedServer, ServerError, binaries

FINE, ATTENTION, MISUSE, UNREACHABLE = range(4)

app = typer.Typer(
    help="Exactly one birth for every governed row of a PostgreSQL database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

#: Of whatever is wrong with the arguments; the library keeps the class where its version wants.
_USAGE = cast(type[typer.BadParameter], typer.BadParameter.__mro__[2])


class Severity(StrEnum):
    """How urgent an item of v_birth_attention is, the worst first; never is not a severity, and fails on nothing."""

    NEVER = "never"
    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold"}

#: What fits on a screen.
_COLLECTIONS_SHOWN, _ITEMS_SHOWN = 20, 10

#: Of each collection what a person looks for first. Above a million births counting takes seconds, and the last census
#: on record has to do; what is written here of the table is the planner's.
_COLLECTIONS: LiteralString = """
WITH counted AS MATERIALIZED (
  SELECT b.collection_name, pg_catalog.count(*) AS births FROM birth.birth_registry b
  WHERE (SELECT c.reltuples FROM pg_catalog.pg_class c
         WHERE c.oid OPERATOR(pg_catalog.=) 'birth.birth_registry'::pg_catalog.regclass)
    OPERATOR(pg_catalog.<) 1000000
  GROUP BY 1
), census AS (
  SELECT DISTINCT ON (a.collection_name) a.collection_name, a.acted_at, (a.detail OPERATOR(pg_catalog.->>) 'births')
           ::pg_catalog.int8 AS births,
         NOT a.detail OPERATOR(pg_catalog.@>) '{"checks": [{"pass": false}]}' AS pass
  FROM birth.birth_act a WHERE a.act OPERATOR(pg_catalog.=) 'census'
  ORDER BY a.collection_name, a.acted_at DESC
)
SELECT r.collection_name AS collection,
       CASE WHEN r.coverage_status OPERATOR(pg_catalog.~) '^BIRTH_EXEMPT' THEN 'exempt'
            WHEN r.coverage_status OPERATOR(pg_catalog.<>) 'BIRTH_REQUIRED' THEN 'deferred'
            WHEN r.gate_closed THEN 'closed'
            WHEN NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g WHERE g.enabled
              AND g.collection_name OPERATOR(pg_catalog.=) r.collection_name) THEN 'no gateway'
            ELSE r.gateway_mode END AS mode,
       r.coverage_status, t.rows_estimate,
       CASE WHEN (SELECT c.reltuples FROM pg_catalog.pg_class c
                  WHERE c.oid OPERATOR(pg_catalog.=) 'birth.birth_registry'::pg_catalog.regclass)
              OPERATOR(pg_catalog.<) 1000000 THEN coalesce(k.births, 0) ELSE n.births END AS births,
       n.acted_at AS census_at, n.pass AS census_pass
FROM birth.collection_registry r
LEFT JOIN counted k ON k.collection_name OPERATOR(pg_catalog.=) r.collection_name
LEFT JOIN census n ON n.collection_name OPERATOR(pg_catalog.=) r.collection_name
LEFT JOIN LATERAL (
  SELECT pg_catalog.sum(l.reltuples) FILTER (WHERE l.reltuples OPERATOR(pg_catalog.>=) 0)::pg_catalog.int8
           AS rows_estimate
  FROM pg_catalog.pg_namespace s
  JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) s.oid
    AND c.relname OPERATOR(pg_catalog.=) r.table_name
  CROSS JOIN LATERAL (
    SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p WHERE p.isleaf
    UNION SELECT c.oid WHERE c.relkind OPERATOR(pg_catalog.<>) 'p'
  ) p(relid)
  JOIN pg_catalog.pg_class l ON l.oid OPERATOR(pg_catalog.=) p.relid
  WHERE s.nspname OPERATOR(pg_catalog.=) r.schema_name
) t ON true
ORDER BY r.collection_name
"""

#: With which release what is shown comes.
_SINCE = {
    "v_birth_dot_status": "stage0",
    "v_birth_release_history": "stage1",
    "v_birth_event_trigger": "stage1",
    "v_birth_run_progress": "stage2_5",
    "v_birth_attention": "stage2_5",
    "v_birth_gate": "stage3",
    "v_birth_life": "stage5",
}

#: What a person looks for first, where the width is not enough for everything.
_LEADING = {
    "runs": ("collection_name", "status", "percent", "run_id"),
    "releases": ("release", "released_at", "released_by"),
    "dots": ("dot_code", "dot_name", "frozen"),
    "event triggers": ("name", "state"),
    "lives": ("collection_name", "life_mode", "living", "dead", "unexplained"),
    "gate": ("schema", "mode", "undecided", "gateway", "event_trigger", "end_of_migration"),
}


def _number(most: int) -> Callable[[str], int]:
    def parsed(text: str) -> int:
        if not re.fullmatch("[0-9]{1,20}", text) or int(text) > most:
            raise typer.BadParameter(line(f"{text} is no whole number from 0 to {most}"))
        return int(text)

    return parsed


#: What fits into the database's types; whether it makes sense there is for the database to say.
_BIGINT: Any = {"parser": _number(2**63 - 1), "metavar": "N"}
_INTEGER: Any = {"parser": _number(2**31 - 1), "metavar": "N"}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Url = Annotated[str | None, typer.Option("--url", metavar="URI", help=f"The database, in place of {target.VARIABLE}.")]
Collection = Annotated[str, typer.Argument(metavar="COLLECTION", help="A registered collection.")]


def _version(asked: bool) -> None:
    if asked:
        print(f"birthdb {__version__}")
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    reference: Annotated[bool, typer.Option("--reference", help="Replay the figures of the documents.")] = False,
    as_json: Json = False,
) -> None:
    """Run the demo on real data: on the server of BIRTHDB_URL, else on a temporary one. It removes everything."""
    if not reference and importlib.util.find_spec("pycountry") is None:
        raise ServerError("the demo needs its extra: pip install 'birthdb[demo]'")
    if not os.environ.get(target.VARIABLE):
        binaries()
    module = importlib.import_module("birthdb.demo.reference" if reference else "birthdb.demo")
    raise typer.Exit(module.run(json=as_json) or FINE)


@app.command()
def server(
    tcp: Annotated[bool, typer.Option("--tcp", help="Listen on loopback too, with a password.")] = False,
    durable: Annotated[bool, typer.Option("--durable", help="Keep fsync on and the data on disk.")] = False,
    as_json: Json = False,
) -> None:
    """Run an empty server until Ctrl-C; its URL is the first line."""
    # A script's background job starts with SIGINT ignored; who sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with EmbeddedServer(tcp=tcp, durable=durable) as running:
        url = running.url(tcp=tcp)
        print(json.dumps({"url": url}) if as_json else url, flush=True)
        try:
            running.wait()
        except KeyboardInterrupt:
            return
        raise ServerError(f"the server ended:\n{running.log.read_text(errors='replace')[-2000:]}")


@app.command()
def status(
    everything: Annotated[
        bool, typer.Option("--all", help="Every collection and item, and dots, releases, runs, event triggers, gate.")
    ] = False,
    fail_on: Annotated[Severity, typer.Option("--fail-on", help="The least that exits 1.")] = Severity.WARNING,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the collections, and what needs action: ten items at most, each with the statement to send next.

    Rows of a collection are PostgreSQL's estimate; births of a registry beyond a million are those of the last census
    on record. Exits 1 when something needs action, from a warning up, or as --fail-on says.
    """
    with _database(url, as_json) as conn, _working("reading", as_json):
        found = _released(conn)
        found |= {
            title: api.view(conn, name)
            for title, name in (
                ("dots", "v_birth_dot_status"),
                ("releases", "v_birth_release_history"),
                ("runs", "v_birth_run_progress"),
                ("attention", "v_birth_attention"),
                ("event triggers", "v_birth_event_trigger"),
            )
            if _has(conn, found, name)
        }
        if _has(conn, found, "v_birth_gate"):
            found["gate"] = gate.enforcement(conn)
        if _has(conn, found, "v_birth_life"):
            # Of the others nothing is recorded or counted.
            lives = api.view(conn, "v_birth_life")
            found["lives"] = [life for life in lives if life["life_mode"] != "off" or life["counted_at"]]
    items = found.get("attention", [])
    if as_json:
        _print_json(found)
    else:
        _show_status(found, everything)
    ranks = list(Severity)
    fails = any(ranks.index(Severity(item["severity"])) <= ranks.index(fail_on) for item in items)
    raise typer.Exit(ATTENTION if fails else FINE)


def _show_status(found: Mapping[str, Sequence[api.Row]], everything: bool) -> None:
    """Print the collections, what runs, and what needs action, the worst first; with ``everything`` the rest too."""
    for name in ("release", "missing"):
        _print_lines(found.get(name, ()))
    collections, items = found["collections"], found.get("attention", ())
    most = len(collections) if everything else _COLLECTIONS_SHOWN
    _show({"collections": [_of_status(row) for row in collections[:most]]}, False)
    if len(collections) > most:
        out.print(_text(f"{len(collections) - most} more collections: --all", style="dim"))
    if running := [row for row in found.get("runs", ()) if row["status"] == "running" and not row["interrupted"]]:
        columns = ("collection_name", "rows_done", "rows_target", "percent", "remaining")
        _show({"running": [{name: row[name] for name in columns} for row in running]}, False)
    most = len(items) if everything else _ITEMS_SHOWN
    for item in items[:most]:
        out.print(_line(f"{item['severity']}: {item['what']}", style=_STYLES.get(item["severity"], "")))
        if item["next_step"]:
            step = str(item["next_step"])
            # A definition is for repair to send.
            out.print(_text(f"    next: {'birthdb repair' if len(step.splitlines()) > 1 else step}"))
    if len(items) > most:
        out.print(_text(f"{len(items) - most} more need action: --all", style="dim"))
    if absent := [row for row in found.get("event triggers", ()) if row["state"] != "present"]:
        out.print(_text(f"event triggers: {len(absent)} not active; what is not noticed: --all", style="dim"))
    if everything:
        shown = ("release", "missing", "collections", "attention")
        _show({title: rows for title, rows in found.items() if title not in shown}, False)
    said = ", ".join(f"{len(group)} {each}" for each in Severity if (group := _ranked(items, each)))
    out.print(_text(f"needs action: {said or 'nothing'}", style="bold"))


def _ranked(items: Sequence[api.Row], severity: str) -> list[api.Row]:
    return [item for item in items if item["severity"] == severity]


def _of_status(row: api.Row) -> dict[str, Any]:
    """Return what a person reads first of a collection."""
    estimate, births = row["rows_estimate"], row["births"]
    census = "never" if row["census_at"] is None else _cell(row["census_at"])
    passed = {True: " PASS", False: " FAIL"}.get(row["census_pass"], "")
    return {
        "collection": row["collection"],
        "mode": row["mode"],
        "rows": "" if estimate is None else f"~{estimate}",
        "births": births,
        "last census": census + passed,
    }


def _print_lines(rows: Iterable[api.Row]) -> None:
    """Print rows of a few words, a line each."""
    for row in rows:
        out.print(_line(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items())))


@app.command()
def plan(
    collection: Collection,
    write: Annotated[bool, typer.Option("--write", help="Write the planned run to the ledger.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Count what a backfill of COLLECTION would do; reads only, unless --write is given."""
    with _database(url, as_json, "birth_operator") as conn, _working("counting", as_json):
        row = api.plan(conn, collection, dry_run=not write)
    blockers = row.get("blockers") or []
    born = bool(blockers) and all(blocker.get("error") == "nothing_to_do" for blocker in blockers)
    if as_json:
        _show({"plan": [row]}, True)
    else:
        aside = ("blockers", "next_step") if born else ("blockers",)
        _show({"plan": [{name: value for name, value in row.items() if name not in aside}]}, False)
        for blocker in blockers:
            said = "nothing to do: every row has its birth" if born else _blocker(blocker)
            out.print(_text(said))
    raise typer.Exit(FINE if born or not blockers else ATTENTION)


def _blocker(blocker: Mapping[str, Any]) -> str:
    """Return what keeps a plan from being executed, as the database says it."""
    said = f"blocked: {blocker.get('code')} {blocker.get('message')}"
    notes = [f"  {name}: {blocker[name]}" for name in ("detail", "hint") if blocker.get(name)]
    return "\n".join([said, *notes])


@app.command()
def apply(
    collection: Collection,
    run: Annotated[UUID, typer.Argument(metavar="RUN", help="The run_id of the plan.")],
    permit: Annotated[int, typer.Option("--permit", **_BIGINT, help="The permit's id.")],
    expected_delta: Annotated[int, typer.Option("--expected-delta", **_BIGINT, help="Rows the run must write.")],
    max_rows: Annotated[int, typer.Option("--max-rows", **_BIGINT, help="Rows the run may write.")],
    batch: Annotated[int | None, typer.Option("--batch", **_INTEGER, help="Source rows a batch visits.")] = None,
    batch_ms: Annotated[
        int | None,
        typer.Option(
            "--batch-ms",
            **_INTEGER,
            help="Milliseconds a batch should take, without a pause; --batch is then the most.",
        ),
    ] = None,
    execute: Annotated[bool, typer.Option("--execute", help="Write; otherwise only check.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Apply or resume RUN; without --execute only check."""
    # The bar is fed from a second connection: the first is inside the CALL.
    with (
        _database(url, as_json, "birth_operator") as conn,
        _database(url, True) as watch,
        _bar(hidden=as_json) as bar,
        _cancels(conn) as interrupted,
    ):
        task = bar.add_task(line(collection), total=100.0, rows="")

        def tell(message: str) -> None:
            row = api.progress(watch, run) or {}
            done = f"{row.get('rows_done') or 0}/{row.get('rows_target') or 0}"
            bar.update(task, completed=float(row.get("percent") or 0), rows=done)
            if not execute:
                bar.console.print(_line(message))

        try:
            if execute and batch_ms is not None:
                api.run_tune(conn, run, batch, target_ms=batch_ms)
            api.apply(
                conn, collection, run, permit, expected_delta, max_rows, batch=batch, execute=execute, notice=tell
            )
        except (KeyboardInterrupt, QueryCanceled):
            if not interrupted:
                raise
            bar.stop()
            _interrupted(api.progress(watch, run), as_json)
        row = api.progress(watch, run)
    _show({"run": [row] if row else []}, as_json)


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


def _interrupted(row: api.Row | None, as_json: bool) -> NoReturn:
    """Say what a run that was interrupted has written, and how it goes on."""
    if row is None:
        raise typer.Abort
    said = f"interrupted: {row['rows_done']} of {row['rows_target']} rows are written and stay; run {row['run_id']}"
    stopped = f"{said} is {row['status']}"
    _complain(as_json, ATTENTION, stopped, hint="the same command goes on", next=row["next_step"])


@app.command()
def census(collection: Collection, url: Url = None, as_json: Json = False) -> None:
    """Compare the rows of COLLECTION and its births, both ways."""
    with _database(url, as_json) as conn, _working("comparing", as_json):
        (checked_at,) = conn.execute("SELECT pg_catalog.clock_timestamp()").fetchone() or (None,)
        rows = api.census(conn, collection)
    passed = bool(rows) and all(row["pass"] for row in rows)
    dated = checked_at.astimezone(UTC).isoformat(timespec="seconds") if checked_at else ""
    if as_json:
        _print_json({"collection": collection, "checked_at": dated, "pass": passed, "census": rows})
    else:
        _show({"census": rows}, False)
        said = f"{collection} {dated}: {'PASS' if passed else 'FAIL'}"
        out.print(_line(said, style="bold" if passed else "bold red"))
    raise typer.Exit(FINE if passed else ATTENTION)


@app.command()
def verify(
    source: Annotated[
        bool, typer.Option("--source", help="Compare sql/ with the releases of this checkout too.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML too.")] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="FILE", help="Check the export of a run instead; only with --url a database."),
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", metavar="SHA256", help="With --run: the seal noted when the run ended.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Compare the database with its release, object by object, and every run with the births it wrote.

    Reads only, with the privileges of birth_reader. Prints a line for each difference; exits 1 if there is one.

    With --run FILE it checks an export of birthdb evidence RUN --births, on any machine: it compares seals, receipts,
    ledger, permits, verdicts, acts and births with each other, and prints a line for each check. With --url it also
    lists every row that was changed, deleted or added in the database since the export. --head is the last seal, noted
    elsewhere: it proves that no receipt and no birth of the file was rewritten. An export kept elsewhere, with --url,
    proves that nothing was rewritten.
    """
    if run is not None:
        _verify_run(run, head, url, as_json)
    if head is not None:
        raise _misuse("goes with --run", param_hint="--head")
    with _database(url, as_json) as conn, _working("comparing", as_json):
        report = verification.verify(conn, source=source)
    _write_junit(report, junit)
    if as_json:
        _print_json(report.document())
    else:
        for check in report.differing:
            out.print(_line(str(check)))
        said = "as released" if report.fine else f"{len(report.differing)} DIFFER"
        out.print(_text(f"{report.release} on PostgreSQL {report.server}, {len(report.checks)} checks: {said}", "bold"))
    raise typer.Exit(FINE if report.fine else ATTENTION)


def _write_junit(report: verification.Report | gate.Report, file: Path | None) -> None:
    if file is not None:
        try:
            report.write_junit(file)
        except OSError as exc:
            raise _misuse(f"{file}: {exc.strerror}", param_hint="--junit") from exc


def _verify_run(file: Path, head: str | None, url: str | None, as_json: bool) -> NoReturn:
    try:
        export = audit.read(file)
        run = str(export.document["run"]["run_id"])
        with _working("checking", as_json):
            findings = audit.check(export, head)
        if url is not None:
            with _database(url, as_json) as conn, _working("comparing", as_json):
                findings += _compared(conn, export)
    except OSError as exc:
        raise _misuse(f"{file}: {exc.strerror}", param_hint="--run") from exc
    except evidence.Unreadable as exc:
        raise _misuse(str(exc), param_hint="--run") from exc
    fine = all(finding["ok"] for finding in findings)
    if as_json:
        _print_json({"file": str(file), "run": run, "pass": fine, "checks": findings})
    else:
        for finding in findings:
            said = "" if finding["ok"] else f"; expected {finding['expected']}"
            out.print(
                _line(f"{'ok     ' if finding['ok'] else 'DIFFERS'} {finding['check']}: {finding['found']}{said}")
            )
        less = "" if export.births else "; its births are not in this export: birthdb evidence RUN --births"
        out.print(_text(f"run {run}: {'as recorded' if fine else 'DIFFERS'}{less}", "bold"))
    raise typer.Exit(FINE if fine else ATTENTION)


def _compared(conn: Connection, export: audit.Export) -> list[evidence.Finding]:
    run = str(export.document["run"]["run_id"])
    try:
        with audit.live(conn, UUID(run)) as now:
            return list(audit.compare(export, now))
    except LookupError as exc:
        return [{"check": f"run {run}", "found": str(exc), "expected": "as exported", "ok": False}]


@app.command(name="gate")
def check_gate(
    schema: Annotated[str | None, typer.Option("--schema", metavar="SCHEMA", help="This schema alone.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML too.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the tables of the schemas under the gate: the state of each, and the statement to send next.

    Exits 1 when a table of a schema in mode enforce is not governed: UNKNOWN, REGISTERED or READY. Reads only, with
    the privileges of birth_reader.
    """
    with _database(url, as_json) as conn, _working("reading", as_json):
        try:
            report = gate.report(conn, schema)
        except gate.NotGated as exc:
            raise _misuse(str(exc), param_hint="--schema") from exc
    _write_junit(report, junit)
    if as_json:
        _print_json(report.document())
    else:
        for said in report.lines():
            out.print(_line(said))
        refused = f"{len(report.refused)} NOT GOVERNED" if report.refused else "none to refuse"
        said = f"{len(report.tables)} tables: {refused}" if report.schemas else "no schema is under the gate"
        out.print(_text(said, "bold"))
    raise typer.Exit(FINE if report.fine else ATTENTION)


@app.command()
def attest(url: Url = None, as_json: Json = False) -> None:
    """Record the contract again for this server, after pg_upgrade or a restore into another major version.

    Refuses (NB404) if anything has changed except how the server deparses definitions. Needs a login that may
    release.
    """
    with _database(url, as_json, "birth_dba") as conn, _working("comparing", as_json):
        recorded = attesting.attest(conn)
    if as_json:
        _print_json({"recorded": recorded})
    else:
        out.print(_text(f"as released: {recorded} objects recorded again"))


@app.command()
def repair(
    execute: Annotated[bool, typer.Option("--execute", help="Repair; otherwise only show the statements.")] = False,
    harmless: Annotated[
        bool, typer.Option("--harmless", help="Also what does not block apply, such as a grant to read.")
    ] = False,
    drop_data: Annotated[
        bool, typer.Option("--drop-data", help="Also drop extra tables and columns, with their data.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Repair drift in one transaction; without --execute print the statements.

    Without --execute it repairs and rolls back, with the locks of a release. Refuses (NB404) if something cannot be
    repaired, and names it; then it prints the statements that a superuser sends first. Needs a login that may
    release.
    """
    with _database(url, as_json, "birth_dba") as conn, _working("comparing", as_json):
        done = attesting.repair(conn, harmless=harmless, drop_data=drop_data, dry_run=not execute)
    if as_json:
        _print_json([{"object": str(difference), "statement": text, "done": execute} for difference, text in done])
        return
    if done and not execute:
        # The statements hold definitions, as a release has them, and a release pins its path.
        out.print(_text("SET search_path = pg_catalog, pg_temp;"))
    for difference, text in done:
        out.print(_line(f"-- {difference}", "dim"))
        out.print(_text(f"{text.rstrip().rstrip(';')};"))
    rest = "put back" if execute else "to put back: add --execute" if done else "to put back"
    out.print(_text(f"{len(done)} {rest}", "bold"))


@app.command(name="evidence")
def export_evidence(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN|all", help="A run_id; all: every table of evidence, with its digest.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, of mode 0600.")] = None,
    births: Annotated[
        bool, typer.Option("--births", help="Births or deaths too: of RUN a line each, of all in it.")
    ] = False,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Check an exported file; needs no database.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Export the records of RUN, or all records, as a JSON document; or check a document with --check FILE.

    The document carries its own SHA-256, over its canonical JSON: keys sorted, no white space, UTF-8, "sha256" left
    out. Note it elsewhere when you export. An auditor runs birthdb evidence --check FILE on any machine: it recomputes
    the SHA-256, the chain of receipts seal by seal, receipts against the ledger, and the contract of the plan, and
    exits 1 when something differs.

    With --births the export of RUN has a line for the document, one for each birth, or each death of a death run, and a
    closing line. It is streamed, so the run may have any size. birthdb verify --run checks it completely and shows what
    changed since.

    Before a downgrade a DBA exports all records and acknowledges the digest of each table in the document.
    """
    if (run is None) == (check is None):
        raise _misuse("name either RUN, or all, or --check FILE")
    if check is not None:
        _check_evidence(check, as_json)
        return
    with _database(url, True) as conn:
        try:
            number = UUID(run) if run != "all" else None
            if number and births:
                with _working("exporting", as_json):
                    _write_lines(evidence.export_births(conn, number), output, as_json)
                return
            with _working("exporting", as_json):
                document = evidence.export(conn, number) if number else evidence.export_all(conn, births=births)
        except OSError as exc:
            if output is None:
                raise
            raise _misuse(f"{output}: {exc.strerror}", param_hint="--output") from exc
        except (ValueError, LookupError) as exc:
            raise _misuse(str(exc)) from exc
    text = plain_json(json.dumps(document, indent=2, ensure_ascii=False))
    if output is None:
        print(text)
        return
    try:
        with files.written(output) as file:
            file.write(text + "\n")
    except OSError as exc:
        raise _misuse(f"{output}: {exc.strerror}", param_hint="--output") from exc
    _show({"evidence": [{"file": str(output), "sha256": document["sha256"]}]}, as_json)


def _write_lines(lines: Iterator[str], output: Path | None, as_json: bool) -> None:
    """Write an export line by line; the last one says what it came to."""
    written = ""
    # The sums are of UTF-8, whatever the terminal's encoding is.
    _reconfigure(encoding="utf-8", errors="strict")
    with nullcontext(sys.stdout) if output is None else files.written(output) as file:
        for written in lines:
            file.write(written)
    if output is not None:
        _show({"evidence": [{"file": str(output), **json.loads(written)}]}, as_json)


def _check_evidence(file: Path, as_json: bool) -> None:
    try:
        findings = evidence.check(evidence.read(file))
    except OSError as exc:
        raise _misuse(f"{file}: {exc.strerror}", param_hint="--check") from exc
    except evidence.Unreadable as exc:
        raise _misuse(str(exc), param_hint="--check") from exc
    fine = all(finding["ok"] for finding in findings)
    if as_json:
        _print_json({"file": str(file), "pass": fine, "checks": findings})
    else:
        _show({"checks": cast(Sequence[Mapping[str, Any]], findings)}, False)
        out.print(_text("the document is whole" if fine else "the document DIFFERS from what it proves", style="bold"))
    raise typer.Exit(FINE if fine else ATTENTION)


@app.command(
    name="alembic",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run_alembic(context: typer.Context) -> None:
    """Run Alembic with the migrations that are installed: birthdb alembic upgrade head."""
    # For the menu, and for callers of ``main`` here: ``__main__`` runs Alembic without the rest of this module.
    raise typer.Exit(alembic.run(context.args))


collections = typer.Typer(no_args_is_help=True, help="What a repository declares in birthdb.toml, and the database.")
app.add_typer(collections, name="collections")

File = Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help="What is declared.")]
_BIRTHDB_TOML = Path("birthdb.toml")


@collections.command(name="init")
def collections_init(
    schema: Annotated[
        list[str] | None, typer.Option("--schema", metavar="SCHEMA", help="Of this schema; may be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    url: Url = None,
) -> None:
    """Write a birthdb.toml of every table: what is registered, else the identity that is proposed.

    A table for which none is proposed stands in it as a comment, with the reason. Reads only.
    """
    _write_document(schema, output, url, propose=True)


@collections.command(name="export")
def collections_export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    url: Url = None,
) -> None:
    """Write a birthdb.toml of what is registered. Reads only."""
    _write_document(None, output, url, propose=False)


def _write_document(schemas: Sequence[str] | None, output: Path | None, url: str | None, *, propose: bool) -> None:
    with _database(url, True) as conn, _working("reading", False):
        text = declared.document(conn, schemas, propose=propose)
    if output is None:
        print(text, end="")
        return
    try:
        with files.written(output) as file:
            file.write(text)
    except OSError as exc:
        raise _misuse(f"{output}: {exc.strerror}", param_hint="--output") from exc


@collections.command(name="diff")
def collections_diff(file: File = _BIRTHDB_TOML, url: Url = None, as_json: Json = False) -> None:
    """Say what is declared and is not so, and what is there and is not declared; exits 1 if there is anything.

    A table of a schema under the gate has to be declared, or ignored with a reason. Reads only.
    """
    wanted = _declared(file)
    with _database(url, as_json) as conn, _working("comparing", as_json):
        registered = declared.found(conn)
        found = [
            difference
            for name, want in wanted.collections.items()
            for difference in declared.differences(want, registered.get(name))
        ]
        found += declared.undeclared(conn, wanted)
    if as_json:
        _print_json([vars(difference) for difference in found])
    else:
        for each in found:
            said = "not declared" if each.declared is None else f"declared {_cell(each.declared)}"
            out.print(_line(f"{each.collection}: {each.what}: {said}, found {_cell(each.found) or 'nothing'}"))
        out.print(_text(f"{len(wanted.collections)} declared: {len(found) or 'none'} to differ", "bold"))
    raise typer.Exit(ATTENTION if found else FINE)


@collections.command(name="apply")
def collections_apply(
    file: File = _BIRTHDB_TOML,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="COLLECTION", help="This one; may be repeated.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why a mode changes, for the record.")] = "birthdb.toml",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Send what brings the collections to what is declared, each statement on its own, and print each outcome.

    It sends what this login may: a steward registers, classifies, attaches and switches modes; an operator plans a
    backfill or a change of policy. What is for another person is printed with its statement. A collection that is
    refused keeps nothing else from going on. Exits 1 until everything is as declared.
    """
    wanted = _declared(file)
    chosen = only or list(wanted.collections)
    if unknown := [name for name in chosen if name not in wanted.collections]:
        raise _misuse(f"{file} does not declare {', '.join(unknown)}", param_hint="--only")
    outcomes: list[declared.Outcome] = []
    with _database(url, as_json) as conn:
        for name in chosen:
            for outcome in declared.apply(conn, wanted.collections[name], reason):
                outcomes.append(outcome)
                if not as_json:
                    _show_outcome(outcome)
        if any("fn_birth_gateway_mode" in each.said for each in outcomes if each.state == "done"):
            api.gateway_fence(conn)
    open_ones = [each for each in outcomes if each.state in ("waits", "refused")]
    if as_json:
        _print_json([vars(outcome) for outcome in outcomes])
    else:
        sent = sum(each.state == "done" for each in outcomes)
        said = f"{len(chosen)} declared: {len(chosen) - len(open_ones)} are so, {len(open_ones)} are not; {sent} sent"
        out.print(_text(said, "bold"))
    raise typer.Exit(ATTENTION if open_ones else FINE)


def _show_outcome(outcome: declared.Outcome) -> None:
    said = f": {outcome.said}" if outcome.said else ""
    out.print(_line(f"{outcome.collection}: {outcome.state}{said}", "" if outcome.state != "refused" else "bold"))
    if outcome.next and outcome.state != "done":
        out.print(_text(f"    next: {outcome.next}"))


@collections.command(name="grants")
def collections_grants(file: File = _BIRTHDB_TOML, url: Url = None) -> None:
    """Print what the owners of the declared tables have yet to grant, as one script for each owner. Reads only."""
    wanted = _declared(file)
    with _database(url, True) as conn, _working("reading", False):
        missing = declared.grants(conn, wanted)
    for owner, statements in missing.items():
        print(line(f"-- as {owner}"))
        for statement in statements:
            print(plain(statement))


def _declared(file: Path) -> declared.Declaration:
    try:
        return declared.read(file)
    except OSError as exc:
        raise _misuse(f"{file}: {exc.strerror}; birthdb collections init -o {file}", param_hint="--file") from exc
    except declared.DeclarationError as exc:
        raise _misuse(str(exc), param_hint="--file") from exc


def _misuse(what: str, param_hint: str | None = None) -> typer.BadParameter:
    """Return what is wrong with an argument, which may be a file of any name."""
    return typer.BadParameter(line(what), param_hint=param_hint)


def _escaped(exc: UnicodeError) -> tuple[str, int]:
    r"""Return what an encoding lacks as JSON has it, \u and four digits, which is JSON still."""
    if not isinstance(exc, UnicodeEncodeError):
        raise exc
    return json.dumps(exc.object[exc.start : exc.end])[1:-1], exc.end


_ESCAPES = "birthdb.escapes"
codecs.register_error(_ESCAPES, _escaped)


def _reconfigure(**changed: str) -> None:
    for stream in (sys.stdout, sys.stderr):
        # A caller of main may have put something else there.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(**changed)  # type: ignore[arg-type]


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    as_json = "--json" in sys.argv
    # What the terminal's encoding lacks is no reason to end a command whose work is done.
    _reconfigure(errors=_ESCAPES)
    try:
        target.refuse_misplaced(sys.argv[1:])
        # For machines misuse is an object too; for people the library's own words.
        code = app(prog_name="birthdb", standalone_mode=not as_json)
        sys.exit(code if isinstance(code, int) else FINE)
    except typer.Abort:
        sys.exit(ATTENTION)
    except Exception as exc:
        refuse(exc, as_json=as_json)


def refuse(exc: Exception, *, as_json: bool) -> NoReturn:
    """Print the error with its hint, and end the process with its exit code. Raises any unexpected exception again."""
    match exc:
        case _ if isinstance(exc, _USAGE):
            _complain(as_json, MISUSE, exc.format_message())
        case target.TargetError():
            _complain(as_json, MISUSE, str(exc), hint=exc.hint)
        case ServerError():
            _complain(as_json, UNREACHABLE, str(exc))
        case _NotThere():
            _complain(as_json, ATTENTION, exc.message, code=exc.code, hint=exc.hint)
        case attesting.NotReleased():
            _complain(as_json, ATTENTION, str(exc), hint=exc.hint)
        case BirthError():
            _complain(as_json, ATTENTION, exc.message, code=exc.sqlstate, detail=exc.detail, hint=exc.hint)
        case DBAPIError():
            _complain_of(as_json, exc.orig if isinstance(exc.orig, psycopg.Error) else exc)
        case psycopg.Error():
            _complain_of(as_json, exc)
        case CommandError():
            _complain(as_json, ATTENTION, str(exc))
        case UnicodeEncodeError():
            _complain(as_json, MISUSE, "an argument is not UTF-8")
    raise exc


class _NotThere(Exception):
    """What was asked is not in this release, or not for this login."""

    def __init__(self, message: str, hint: str | None, code: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


@contextmanager
def _database(url: str | None, quiet: bool, role: str = "birth_reader") -> Iterator[Connection]:
    """Connect; a missing release, object or ``role`` is reported with the next step."""
    resolved = target.resolve(url, Config(str(paths.ALEMBIC_INI)))
    if not quiet:
        err.print(_text(target.describe(resolved), style="dim"))
    with target.connect(resolved, autocommit=True) as conn:
        try:
            yield conn
        except psycopg.errors.InsufficientPrivilege as exc:
            if getattr(exc, "__notes__", ()):
                # A step of a release failed, and says itself what is missing.
                raise
            raise _NotThere(
                exc.diag.message_primary or str(exc),
                f"the login needs a role: GRANT {role} TO {Identifier(conn.info.user).as_string()};  -- as a DBA",
                exc.sqlstate,
            ) from exc
        except (
            psycopg.errors.InvalidSchemaName,
            psycopg.errors.UndefinedTable,
            psycopg.errors.UndefinedFunction,
        ) as exc:
            raise _NotThere(
                f"release {attesting.current(conn)} lacks it: {exc.diag.message_primary}",
                "birthdb alembic upgrade head; where that is done already, birthdb verify",
                exc.sqlstate,
            ) from exc


def _released(conn: Connection) -> dict[str, list[api.Row]]:
    """Return the release and what is known at every release; raises NotReleased where there is none."""
    release = attesting.current(conn)
    with api.refusals(), conn.cursor(row_factory=dict_row) as cursor:
        known = cursor.execute(_COLLECTIONS).fetchall()
    return {"release": [{"release": release}], "collections": known}


def _has(conn: Connection, found: dict[str, list[api.Row]], name: str) -> bool:
    """Whether the release has an object; what is missing is noted."""
    if name in api.objects(conn):
        return True
    found.setdefault("missing", []).append({"missing": name, "comes_with": _SINCE.get(name, "a later release")})
    return False


def _working(what: str, as_json: bool) -> AbstractContextManager[object]:
    """Show on a terminal that something takes its time."""
    return err.status(what) if err.is_terminal and not as_json else nullcontext()


def _print_json(document: object) -> None:
    print(plain_json(json.dumps(document, default=str, ensure_ascii=False, indent=2)))


def _bar(*, hidden: bool) -> Progress:
    return Progress(
        # A name may have 63 characters, and the bar what is left at 80 columns.
        TextColumn("{task.description}", markup=False, table_column=Column(max_width=20, no_wrap=True)),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}", markup=False),
        TimeRemainingColumn(),
        console=err,
        expand=True,
        disable=hidden,
    )


def _show(tables: Mapping[str, Sequence[Mapping[str, Any]]], as_json: bool) -> None:
    if as_json:
        _print_json(tables)
        return
    for title, rows in tables.items():
        shown = [{name: value for name, value in row.items() if name != "next_step"} for row in rows]
        if not rows:
            out.print(_text(f"{title}: none"))
        elif len(rows) == 1:
            _print_table(title, ("", ""), ((name, value) for name, value in shown[0].items() if _cell(value)))
        else:
            _print_rows(title, shown)
        # Outside the table, whole and on one line: it is there to be copied.
        for row in rows:
            if row.get("next_step"):
                out.print(_text(f"next: {row['next_step']}"))


def _print_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows side by side where the width allows it whole words; else their leading columns; else one by one."""
    filled = [name for name in rows[0] if any(_cell(row.get(name)) for row in rows)]
    for columns in (filled, [name for name in _LEADING.get(title, ()) if name in filled]):
        if columns and _width(columns, rows) <= out.width:
            _print_table(title, columns, ([row.get(name) for name in columns] for row in rows))
            if columns != filled:
                out.print(_text("the other columns: --json", style="dim"))
            return
    for number, row in enumerate(rows, 1):
        _print_table(f"{title} {number} of {len(rows)}", ("", ""), ((name, row.get(name)) for name in filled))


def _width(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how wide a table is whose headers and words are not broken, but for words longer than a UUID."""
    words = ((name, *(word for row in rows for word in _cell(row.get(name)).split())) for name in columns)
    return sum(max(len(name), min(max(map(len, each)), 36)) for name, each in zip(columns, words, strict=True)) + (
        3 * len(columns) + 1
    )


def _print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    table = Table(title=title, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold", min_width=len(column) or None)
    for row in rows:
        table.add_row(*(_text(_cell(value)) for value in row))
    out.print(table)


def _cell(value: Any) -> str:
    """Return a value as a person writes it: no notation of Python or JSON."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(" ", timespec="seconds")
        case timedelta():
            return str(timedelta(seconds=round(value.total_seconds())))
        case Mapping():
            return "; ".join(f"{plain(str(name))}: {_cell(each)}" for name, each in value.items())
        case list() | tuple():
            return ", ".join(map(_cell, value))
    return plain(str(value))


def _text(text: str, style: str = "") -> Text:
    return Text(plain(text), style=style)


def _line(text: str, style: str = "") -> Text:
    return Text(line(text), style=style)


def _complain(as_json: bool, status: int, message: str, **facts: str | None) -> NoReturn:
    # libpq indents its hints.
    message = message.replace("\t", "    ")
    known = {name: fact for name, fact in facts.items() if fact}
    if as_json:
        print(plain_json(json.dumps({"error": message, **known}, ensure_ascii=False)), file=sys.stderr)
    else:
        err.print(_text(f"error: {message}", style="bold red"))
        for name, fact in known.items():
            err.print(_text(f"{name}: {fact}"))
    sys.exit(status)


def _complain_of(as_json: bool, exc: Exception) -> NoReturn:
    if not isinstance(exc, psycopg.Error):
        _complain(as_json, ATTENTION, str(exc).strip())
    # libpq's own failures have no SQLSTATE; 08 and 57P are a connection that ended.
    if isinstance(exc, psycopg.OperationalError) and (exc.sqlstate or "08").startswith(("08", "57P")):
        _complain(as_json, UNREACHABLE, str(exc).strip())
    message = exc.diag.message_primary or str(exc).strip()
    detail, hint = exc.diag.message_detail, exc.diag.message_hint
    notes = "\n".join(getattr(exc, "__notes__", ()))
    _complain(as_json, ATTENTION, message, code=exc.sqlstate, detail=detail, hint=hint, notes=notes)

"""The command line ``birthdb`` (specification, "The command line").

Exit codes: 0 fine, 1 differs or needs attention, 2 misuse, 3 unreachable.
"""

import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import psycopg
import typer
from alembic.config import CommandLine, Config
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from birthdb import api, evidence, paths, target
from birthdb.api import Connection
from birthdb.errors import BirthError
from birthdb.server import EmbeddedServer, ServerError

FINE, ATTENTION, MISUSE, UNREACHABLE = range(4)

app = typer.Typer(
    help="Exactly one birth for every governed row of a PostgreSQL database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Url = Annotated[str | None, typer.Option("--url", metavar="URI", help=f"The database, in place of {target.VARIABLE}.")]
Collection = Annotated[str, typer.Argument(metavar="COLLECTION", help="A registered collection.")]


@app.command()
def demo(
    reference: Annotated[bool, typer.Option("--reference", help="Replay the figures of the documents.")] = False,
    as_json: Json = False,
) -> None:
    """Show the whole story on real data, on a server of its own."""
    module = importlib.import_module("birthdb.reference" if reference else "birthdb.demo")
    raise typer.Exit(module.run(json=as_json) or FINE)


@app.command()
def server(
    tcp: Annotated[bool, typer.Option("--tcp", help="Listen on loopback too, with a password.")] = False,
    durable: Annotated[bool, typer.Option("--durable", help="Keep fsync on and the data on disk.")] = False,
    as_json: Json = False,
) -> None:
    """Run an empty server until Ctrl-C; its URL is the first line."""
    with EmbeddedServer(tcp=tcp, durable=durable) as running:
        url = running.url(tcp=tcp)
        print(json.dumps({"url": url}) if as_json else url, flush=True)
        try:
            running.wait()
        except KeyboardInterrupt:
            return
        raise ServerError(f"the server ended:\n{running.log.read_text(errors='replace')[-2000:]}")


@app.command()
def status(url: Url = None, as_json: Json = False) -> None:
    """Show the release, the runs, and whatever needs a person."""
    with _database(url, as_json) as conn:
        found = {
            "releases": api.view(conn, "v_birth_release_history"),
            "runs": api.view(conn, "v_birth_run_progress"),
            "attention": api.view(conn, "v_birth_attention"),
        }
    _show(found, as_json)
    raise typer.Exit(ATTENTION if found["attention"] else FINE)


@app.command()
def plan(
    collection: Collection,
    write: Annotated[bool, typer.Option("--write", help="Write the planned run to the ledger.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Count what a backfill of COLLECTION would do; a pure read unless --write."""
    with _database(url, as_json) as conn:
        row = api.plan(conn, collection, dry_run=not write)
    _show({"plan": [row]}, as_json)
    raise typer.Exit(ATTENTION if row.get("blockers") else FINE)


@app.command()
def apply(
    collection: Collection,
    run: Annotated[UUID, typer.Argument(metavar="RUN", help="The run_id of the plan.")],
    permit: Annotated[int, typer.Option("--permit", help="The permit's id.")],
    expected_delta: Annotated[int, typer.Option("--expected-delta", help="Rows the run must write.")],
    max_rows: Annotated[int, typer.Option("--max-rows", help="Rows the run may write.")],
    batch: Annotated[int | None, typer.Option("--batch", help="Source rows a batch visits.")] = None,
    execute: Annotated[bool, typer.Option("--execute", help="Write; otherwise only check.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Apply or resume RUN; without --execute only check."""
    # The bar is fed from a second connection: the first is inside the CALL.
    with _database(url, as_json) as conn, _database(url, True) as watch, _bar(hidden=as_json) as bar:
        task = bar.add_task(collection, total=100.0)

        def tell(message: str) -> None:
            row = api.progress(watch, run) or {}
            bar.update(task, completed=float(row.get("percent") or 0), description=message)

        api.apply(conn, collection, run, permit, expected_delta, max_rows, batch=batch, execute=execute, notice=tell)
        row = api.progress(watch, run)
    _show({"run": [row] if row else []}, as_json)


@app.command()
def census(collection: Collection, url: Url = None, as_json: Json = False) -> None:
    """Compare the rows of COLLECTION and its births, both ways."""
    with _database(url, as_json) as conn:
        rows = api.census(conn, collection)
    _show({"census": rows}, as_json)
    raise typer.Exit(FINE if all(row["pass"] for row in rows) else ATTENTION)


@app.command()
def verify(url: Url = None, as_json: Json = False) -> None:
    """Compare the live database with its release."""
    with _database(url, as_json) as conn:
        checks = api.view(conn, "v_birth_gateway_release_drift_guard")
        dashboard = api.view(conn, "v_birth_gateway_contract_integrity_dashboard")
    drift = [row for row in checks if not row["pass"]]
    _show({"drift": drift, "dashboard": dashboard}, as_json)
    fine = not drift and bool(dashboard) and all(row["all_ok"] for row in dashboard)
    raise typer.Exit(FINE if fine else ATTENTION)


@app.command(name="evidence")
def export_evidence(
    run: Annotated[str, typer.Argument(metavar="RUN|all", help="A run_id; all: digests of every table of evidence.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Export what is known of RUN as a document that carries its own SHA-256."""
    with _database(url, True) as conn:
        if run == "all":
            _show({"evidence": evidence.tables(conn)}, as_json)
            return
        try:
            document = evidence.export(conn, UUID(run))
        except (ValueError, LookupError) as exc:
            raise typer.BadParameter(str(exc)) from exc
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if output is None:
        print(text)
        return
    output.write_text(text + "\n", encoding="utf-8")
    _show({"evidence": [{"file": str(output), "sha256": document["sha256"]}]}, as_json)


@app.command(
    name="alembic",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run_alembic(context: typer.Context) -> None:
    """Run Alembic with the migrations that are installed: birthdb alembic upgrade head."""
    try:
        CommandLine(prog="birthdb alembic").main(["-c", str(paths.ALEMBIC_INI), *context.args])
    except SystemExit as exc:
        # Alembic ends with -1 whatever it refused; argparse with 2.
        code = exc.code or FINE
        raise typer.Exit(code if code in (FINE, MISUSE) else ATTENTION) from exc


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    as_json = "--json" in sys.argv
    try:
        app(prog_name="birthdb")
    except target.TargetError as exc:
        _complain(as_json, MISUSE, str(exc), hint=exc.hint)
    except ServerError as exc:
        _complain(as_json, UNREACHABLE, str(exc))
    except BirthError as exc:
        _complain(as_json, ATTENTION, exc.message, code=exc.sqlstate, detail=exc.detail, hint=exc.hint)
    except DBAPIError as exc:
        _complain_of(as_json, exc.orig if isinstance(exc.orig, psycopg.Error) else exc)
    except psycopg.Error as exc:
        _complain_of(as_json, exc)
    sys.exit(FINE)


@contextmanager
def _database(url: str | None, quiet: bool) -> Iterator[Connection]:
    resolved = target.resolve(url, Config(str(paths.ALEMBIC_INI)))
    if not quiet:
        err.print(Text(target.describe(resolved), style="dim"))
    with target.connect(resolved, autocommit=True) as conn:
        yield conn


def _bar(*, hidden: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=hidden,
    )


def _show(tables: Mapping[str, Sequence[Mapping[str, Any]]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(tables, default=str, ensure_ascii=False, indent=2))
        return
    for title, rows in tables.items():
        shown = [{name: value for name, value in row.items() if name != "next_step"} for row in rows]
        if not rows:
            out.print(Text(f"{title}: none"))
        elif len(rows) == 1:
            _print_table(title, ("", ""), shown[0].items())
        else:
            _print_table(title, shown[0], (row.values() for row in shown))
        # Outside the table, whole and on one line: it is there to be copied.
        for row in rows:
            if row.get("next_step"):
                out.print(Text(f"next: {row['next_step']}"))


def _print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    table = Table(title=title, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    out.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _complain(as_json: bool, status: int, message: str, **facts: str | None) -> NoReturn:
    known = {name: fact for name, fact in facts.items() if fact}
    if as_json:
        print(json.dumps({"error": message, **known}, ensure_ascii=False), file=sys.stderr)
    else:
        err.print(Text(f"error: {message}", style="bold red"))
        for name, fact in known.items():
            err.print(Text(f"{name}: {fact}"))
    sys.exit(status)


def _complain_of(as_json: bool, exc: Exception) -> NoReturn:
    if not isinstance(exc, psycopg.Error):
        _complain(as_json, ATTENTION, str(exc).strip())
    # libpq's own failures have no SQLSTATE; 08 and 57P are a connection that ended.
    if isinstance(exc, psycopg.OperationalError) and (exc.sqlstate or "08").startswith(("08", "57P")):
        _complain(as_json, UNREACHABLE, str(exc).strip())
    message = exc.diag.message_primary or str(exc).strip()
    detail, hint = exc.diag.message_detail, exc.diag.message_hint
    _complain(as_json, ATTENTION, message, code=exc.sqlstate, detail=detail, hint=hint)

"""The database against its release, and the way back."""

from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer

from birthdb import audit, gate, uninstall
from birthdb.api import Connection
from birthdb.audit import evidence
from birthdb.audit import verify as verification
from birthdb.cli.console import ATTENTION, FINE, err, out, print_json, styled, styled_line, working
from birthdb.cli.options import Json, Url, app, database, misuse
from birthdb.plain import statement
from birthdb.release import attest as attesting


@app.command(rich_help_panel="Releases and proof")
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
        raise misuse("goes with --run", param_hint="--head")
    with database(url, as_json) as conn, working("comparing", as_json):
        report = verification.verify(conn, source=source)
    write_junit(report, junit)
    if as_json:
        print_json(report.document())
    else:
        for check in report.differing:
            out.print(styled_line(str(check)))
        said = "as released" if report.fine else f"{len(report.differing)} DIFFER"
        out.print(
            styled(f"{report.release} on PostgreSQL {report.server}, {len(report.checks)} checks: {said}", "bold")
        )
    raise typer.Exit(FINE if report.fine else ATTENTION)


def write_junit(report: verification.Report | gate.Report, file: Path | None) -> None:
    """Write a report as JUnit XML, where a file is named."""
    if file is not None:
        try:
            report.write_junit(file)
        except OSError as exc:
            raise misuse(f"{file}: {exc.strerror}", param_hint="--junit") from exc


def _verify_run(file: Path, head: str | None, url: str | None, as_json: bool) -> NoReturn:
    try:
        export = audit.read(file)
        run = str(export.document["run"]["run_id"])
        with working("checking", as_json):
            findings = audit.check(export, head)
        if url is not None:
            with database(url, as_json) as conn, working("comparing", as_json):
                findings += _compared(conn, export)
    except OSError as exc:
        raise misuse(f"{file}: {exc.strerror}", param_hint="--run") from exc
    except evidence.Unreadable as exc:
        raise misuse(str(exc), param_hint="--run") from exc
    fine = all(finding["ok"] for finding in findings)
    if as_json:
        print_json({"file": str(file), "run": run, "pass": fine, "checks": findings})
    else:
        for finding in findings:
            said = "" if finding["ok"] else f"; expected {finding['expected']}"
            out.print(
                styled_line(f"{'ok     ' if finding['ok'] else 'DIFFERS'} {finding['check']}: {finding['found']}{said}")
            )
        less = "" if export.births else "; its births are not in this export: birthdb evidence RUN --births"
        out.print(styled(f"run {run}: {'as recorded' if fine else 'DIFFERS'}{less}", "bold"))
    raise typer.Exit(FINE if fine else ATTENTION)


def _compared(conn: Connection, export: audit.Export) -> list[evidence.Finding]:
    run = str(export.document["run"]["run_id"])
    try:
        with audit.live(conn, UUID(run)) as now:
            return list(audit.compare(export, now))
    except LookupError as exc:
        return [{"check": f"run {run}", "found": str(exc), "expected": "as exported", "ok": False}]


@app.command(name="gate", rich_help_panel="Releases and proof")
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
    with database(url, as_json) as conn, working("reading", as_json):
        attesting.fit(conn, "views/v_birth_gate.sql")
        try:
            report = gate.report(conn, schema)
        except gate.NotGated as exc:
            raise misuse(str(exc), param_hint="--schema") from exc
    write_junit(report, junit)
    if as_json:
        print_json(report.document())
    else:
        for said in report.lines():
            out.print(styled_line(said))
        refused = f"{len(report.refused)} NOT GOVERNED" if report.refused else "none to refuse"
        said = f"{len(report.tables)} tables: {refused}" if report.schemas else "no schema is under the gate"
        out.print(styled(said, "bold"))
    raise typer.Exit(FINE if report.fine else ATTENTION)


@app.command(rich_help_panel="Releases and proof")
def attest(url: Url = None, as_json: Json = False) -> None:
    """Record the contract again for this server, after pg_upgrade or a restore into another major version.

    Refuses (NB404) if anything has changed except how the server deparses definitions. Needs a login that may
    release.
    """
    with database(url, as_json, "birth_dba") as conn, working("comparing", as_json):
        recorded = attesting.attest(conn)
    if as_json:
        print_json({"recorded": recorded})
    else:
        out.print(styled(f"as released: {recorded} objects recorded again"))


@app.command(rich_help_panel="Releases and proof")
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
    with database(url, as_json, "birth_dba") as conn, working("comparing", as_json):
        left: dict[str, str] = {}
        done = attesting.repair(conn, harmless=harmless, drop_data=drop_data, dry_run=not execute, left=left)
    for said in left.values():
        err.print(styled_line(f"left as it is: {said}"))
    if as_json:
        print_json([{"object": str(difference), "statement": text, "done": execute} for difference, text in done])
        return
    if done and not execute:
        # The statements hold definitions, as a release has them, and a release pins its path.
        out.print(styled("SET search_path = pg_catalog, pg_temp;"))
    for difference, text in done:
        out.print(styled_line(f"-- {difference}", "dim"))
        out.print(styled(statement(f"{text.rstrip().rstrip(';')};")))
    rest = "put back" if execute else "to put back: add --execute" if done else "to put back"
    out.print(styled(f"{len(done)} {rest}", "bold"))


@app.command(name="uninstall", rich_help_panel="Releases and proof")
def show_uninstall(
    plan: Annotated[bool, typer.Option("--plan", help="Required: birthdb removes nothing itself.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Print every statement and command that removes birthdb from the database, in order, with who sends each.

    Reads only. The list is that of the login that would send it, so connect as the one that releases.
    """
    if not plan:
        raise misuse("prints a list for people to send: birthdb uninstall --plan", param_hint="--plan")
    with database(url, as_json) as conn, working("reading", as_json):
        parts, login = uninstall.plan(conn), conn.info.user
    if as_json:
        print_json([{"by": step.by, "kind": step.kind, "text": step.text} for part in parts for step in part.steps])
        return
    for said in uninstall.lines(parts, login):
        out.print(styled(said))

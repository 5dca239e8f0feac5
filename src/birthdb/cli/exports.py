"""Records as a file that an auditor can check."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, cast
from uuid import UUID

import typer

from birthdb import files
from birthdb.audit import evidence
from birthdb.cli.console import (
    ATTENTION,
    FINE,
    out,
    print_json,
    reconfigure,
    show,
    styled,
    working,
)
from birthdb.cli.options import Json, Url, app, database, misuse
from birthdb.plain import plain_json


@app.command(name="evidence", rich_help_panel="Releases and proof")
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
        raise misuse("name either RUN, or all, or --check FILE")
    if check is not None:
        _check_evidence(check, as_json)
        return
    with database(url, True) as conn:
        try:
            number = UUID(run) if run != "all" else None
            if number and births:
                with working("exporting", as_json):
                    _write_lines(evidence.export_births(conn, number), output, as_json)
                return
            with working("exporting", as_json):
                document = evidence.export(conn, number) if number else evidence.export_all(conn, births=births)
        except OSError as exc:
            if output is None:
                raise
            raise misuse(f"{output}: {exc.strerror}", param_hint="--output") from exc
        except (ValueError, LookupError) as exc:
            raise misuse(str(exc)) from exc
    text = plain_json(json.dumps(document, indent=2, ensure_ascii=False))
    if output is None:
        print(text)
        return
    try:
        with files.written(output) as file:
            file.write(text + "\n")
    except OSError as exc:
        raise misuse(f"{output}: {exc.strerror}", param_hint="--output") from exc
    show({"evidence": [{"file": str(output), "sha256": document["sha256"]}]}, as_json)


def _write_lines(lines: Iterator[str], output: Path | None, as_json: bool) -> None:
    """Write an export line by line; the last one says what it came to."""
    written = ""
    # The sums are of UTF-8, whatever the terminal's encoding is.
    reconfigure(encoding="utf-8", errors="strict")
    with nullcontext(sys.stdout) if output is None else files.written(output) as file:
        for written in lines:
            file.write(written)
    if output is not None:
        show({"evidence": [{"file": str(output), **json.loads(written)}]}, as_json)


def _check_evidence(file: Path, as_json: bool) -> None:
    try:
        findings = evidence.check(evidence.read(file))
    except OSError as exc:
        raise misuse(f"{file}: {exc.strerror}", param_hint="--check") from exc
    except evidence.Unreadable as exc:
        raise misuse(str(exc), param_hint="--check") from exc
    fine = all(finding["ok"] for finding in findings)
    if as_json:
        print_json({"file": str(file), "pass": fine, "checks": findings})
    else:
        show({"checks": cast(Sequence[Mapping[str, Any]], findings)}, False)
        out.print(styled("the document is whole" if fine else "the document DIFFERS from what it proves", style="bold"))
    raise typer.Exit(FINE if fine else ATTENTION)

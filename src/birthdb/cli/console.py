"""What the commands print, for people and for machines."""

import codecs
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from birthdb import api, files
from birthdb.plain import line, plain, plain_json, statement, value

if TYPE_CHECKING:
    from birthdb.page import Page

FINE, ATTENTION, MISUSE, UNREACHABLE = range(4)


out = Console(soft_wrap=True)


err = Console(stderr=True, soft_wrap=True)


#: What a person looks for first, where the width is not enough for everything.
_LEADING = {
    "runs": ("collection_name", "status", "percent", "run_id"),
    "releases": ("release", "released_at", "released_by"),
    "dots": ("dot_code", "dot_name", "frozen"),
    "event triggers": ("name", "state"),
    "lives": ("collection_name", "life_mode", "living", "dead", "unexplained"),
    "gate": ("schema", "mode", "undecided", "gateway", "event_trigger", "end_of_migration"),
}


def show(tables: Mapping[str, Sequence[Mapping[str, Any]]], as_json: bool) -> None:
    """Print rows under their titles: as JSON, or as tables as wide as the screen, each with its next steps."""
    if as_json:
        print_json(tables)
        return
    for title, rows in tables.items():
        shown = [{name: each for name, each in row.items() if name != "next_step"} for row in rows]
        if not rows:
            out.print(styled(f"{title}: none"))
        elif len(rows) == 1:
            _print_table(title, ("", ""), ((name, each) for name, each in shown[0].items() if value(each)))
        else:
            _print_rows(title, shown)
        # Outside the table, whole and on one line: it is there to be copied.
        for row in rows:
            if row.get("next_step"):
                out.print(styled(statement(f"next: {row['next_step']}")))


def _print_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows side by side where the width allows it whole words; else their leading columns; else one by one."""
    filled = [name for name in rows[0] if any(value(row.get(name)) for row in rows)]
    for columns in (filled, [name for name in _LEADING.get(title, ()) if name in filled]):
        if columns and _width(columns, rows) <= out.width:
            _print_table(title, columns, ([row.get(name) for name in columns] for row in rows))
            if columns != filled:
                out.print(styled("the other columns: --json", style="dim"))
            return
    for number, row in enumerate(rows, 1):
        _print_table(f"{title} {number} of {len(rows)}", ("", ""), ((name, row.get(name)) for name in filled))


def _width(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how wide a table is whose headers and words are not broken, but for words longer than a UUID."""
    words = ((name, *(word for row in rows for word in value(row.get(name)).split())) for name in columns)
    return sum(max(len(name), min(max(map(len, each)), 36)) for name, each in zip(columns, words, strict=True)) + (
        3 * len(columns) + 1
    )


def _print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    table = Table(title=title, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold", min_width=len(column) or None)
    for row in rows:
        table.add_row(*(styled(value(each)) for each in row))
    out.print(table)


def print_lines(rows: Iterable[api.Row]) -> None:
    """Print rows of a few words, a line each."""
    for row in rows:
        out.print(styled_line(", ".join(f"{name.replace('_', ' ')} {each}" for name, each in row.items())))


def print_json(document: object) -> None:
    """Print a document as JSON without unprintable characters."""
    print(plain_json(json.dumps(document, default=str, ensure_ascii=False, indent=2)))


def working(what: str, as_json: bool) -> AbstractContextManager[object]:
    """Show on a terminal that something takes its time."""
    return err.status(what) if err.is_terminal and not as_json else nullcontext()


def progress_bar(*, hidden: bool) -> Progress:
    """Return the bar of a run: percent, rows, the time that is left."""
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


def styled(text: str, style: str = "") -> Text:
    """Return text of the database to print: nothing in it is markup or a control character."""
    return Text(plain(text), style=style)


def styled_line(text: str, style: str = "") -> Text:
    """Return the same on one line."""
    return Text(line(text), style=style)


def complain(as_json: bool, status: int, message: str, **facts: str | None) -> NoReturn:
    """Print an error with what is known of it, and end the process with ``status``."""
    # libpq indents its hints.
    message = message.replace("\t", "    ")
    known = {name: fact for name, fact in facts.items() if fact}
    if as_json:
        print(plain_json(json.dumps({"error": message, **known}, ensure_ascii=False)), file=sys.stderr)
    else:
        err.print(styled(f"error: {message}", style="bold red"))
        for name, fact in known.items():
            err.print(styled(f"{name}: {fact}"))
    sys.exit(status)


def complain_of(as_json: bool, exc: Exception) -> NoReturn:
    """Print an error of the driver or of PostgreSQL, and end the process."""
    if not isinstance(exc, psycopg.Error):
        complain(as_json, ATTENTION, str(exc).strip())
    # libpq's own failures have no SQLSTATE; 08 and 57P are a connection that ended.
    if isinstance(exc, psycopg.OperationalError) and (exc.sqlstate or "08").startswith(("08", "57P")):
        complain(as_json, UNREACHABLE, str(exc).strip())
    message = exc.diag.message_primary or str(exc).strip()
    detail, hint = exc.diag.message_detail, exc.diag.message_hint
    notes = "\n".join(getattr(exc, "__notes__", ()))
    complain(as_json, ATTENTION, message, code=exc.sqlstate, detail=detail, hint=hint, notes=notes)


def _escaped(exc: UnicodeError) -> tuple[str, int]:
    r"""Return what an encoding lacks as JSON has it, \u and four digits, which is JSON still."""
    if not isinstance(exc, UnicodeEncodeError):
        raise exc
    return json.dumps(exc.object[exc.start : exc.end])[1:-1], exc.end


ESCAPES = "birthdb.escapes"


codecs.register_error(ESCAPES, _escaped)


def reconfigure(**changed: str) -> None:
    """Set encoding or errors of standard output and error."""
    for stream in (sys.stdout, sys.stderr):
        # A caller of main may have put something else there.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(**changed)  # type: ignore[arg-type]


def show_page(page: "Page", file: Path | None, as_json: bool) -> None:
    """Write a page to an HTML file, or print it."""
    if file is not None:
        from birthdb.page import html

        try:
            with files.written(file) as document:
                document.write(html(page))
        except OSError as exc:
            raise typer.BadParameter(line(f"{file}: {exc.strerror}"), param_hint="--html") from exc
        show({"page": [{"file": str(file)}]}, as_json)
        return
    if as_json:
        print_json(asdict(page))
        return
    out.print(styled(page.title, style="bold"))
    out.print(styled(page.lead))
    out.print(styled(page.made, style="dim"))
    for section in page.sections:
        out.print(styled_line(f"\n{section.title}".strip(), "bold red" if section.alarm else "bold"))
        for said in section.text:
            out.print(styled(said))
        if section.facts:
            _print_table("", ("", ""), ((name, each) for name, each in section.facts.items() if value(each)))
        if section.rows:
            _print_rows("", section.rows)
        for each in section.statements:
            out.print(styled(statement(each)))


@contextmanager
def spoken(*, quiet: bool) -> Iterator[None]:
    """Print each statement that is sent meanwhile, on standard error."""
    logger = logging.getLogger("birthdb.api")
    handler = _Spoken()
    before = logger.level
    if not quiet:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Spoken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        err.print(styled(statement(record.getMessage()), style="dim"))

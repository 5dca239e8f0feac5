"""What a repository declares in ``birthdb.toml``, and the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from birthdb import api, declared, files
from birthdb.cli.console import (
    ATTENTION,
    FINE,
    err,
    out,
    print_json,
    progress_bar,
    styled,
    styled_line,
    working,
)
from birthdb.cli.options import Json, Url, app, database, misuse
from birthdb.plain import line, statement, value

collections = typer.Typer(no_args_is_help=True, help="What a repository declares in birthdb.toml, and the database.")
app.add_typer(collections, name="collections", rich_help_panel="Every day")

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
    # Its library is loaded only to write a file.
    from birthdb import proposed

    with database(url, True) as conn, progress_bar(hidden=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None, rows="")

        def read(number: int, of: int) -> None:
            bar.update(task, completed=number, total=of, rows=f"{number} of {of} tables")

        text = proposed.document(conn, schemas, propose=propose, each=read)
    if output is None:
        print(text, end="")
        return
    try:
        with files.written(output) as file:
            file.write(text)
    except OSError as exc:
        raise misuse(f"{output}: {exc.strerror}", param_hint="--output") from exc


@collections.command(name="diff")
def collections_diff(file: File = _BIRTHDB_TOML, url: Url = None, as_json: Json = False) -> None:
    """Say what is declared and is not so, and what is there and is not declared; exits 1 if there is anything.

    A table of a schema under the gate has to be declared, or ignored with a reason. Reads only.
    """
    wanted = _declared(file)
    with database(url, as_json) as conn, working("comparing", as_json):
        registered = declared.found(conn)
        found = [
            difference
            for name, want in wanted.collections.items()
            for difference in declared.differences(want, registered.get(name))
        ]
        found += declared.undeclared(conn, wanted)
    if as_json:
        print_json([vars(difference) for difference in found])
    else:
        for each in found:
            said = "not declared" if each.declared is None else f"declared {value(each.declared)}"
            out.print(styled_line(f"{each.collection}: {each.what}: {said}, found {value(each.found) or 'nothing'}"))
        out.print(styled(f"{len(wanted.collections)} declared: {len(found) or 'none'} to differ", "bold"))
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
        raise misuse(f"{file} does not declare {', '.join(unknown)}", param_hint="--only")
    outcomes: list[declared.Outcome] = []
    hidden = as_json or not (err.is_terminal and out.is_terminal)
    with database(url, as_json) as conn, progress_bar(hidden=hidden) as bar:
        task = bar.add_task("applying", total=len(chosen), rows="")
        for number, name in enumerate(chosen, 1):
            for outcome in declared.apply(conn, wanted.collections[name], reason):
                outcomes.append(outcome)
                if not as_json:
                    _show_outcome(outcome)
            bar.update(task, completed=number, rows=f"{number} of {len(chosen)}")
        if any(each.routine == "fn_birth_gateway_mode" for each in outcomes):
            api.gateway_fence(conn)
    open_ones = [each for each in outcomes if each.state in ("waits", "refused")]
    if as_json:
        print_json([vars(outcome) for outcome in outcomes])
    else:
        sent = sum(each.state == "done" for each in outcomes)
        said = f"{len(chosen)} declared: {len(chosen) - len(open_ones)} are so, {len(open_ones)} are not; {sent} sent"
        out.print(styled(said, "bold"))
    raise typer.Exit(ATTENTION if open_ones else FINE)


def _show_outcome(outcome: declared.Outcome) -> None:
    said = f": {statement(outcome.said)}" if outcome.said else ""
    out.print(styled_line(f"{outcome.collection}: {outcome.state}{said}", "" if outcome.state != "refused" else "bold"))
    if outcome.next and outcome.state != "done":
        out.print(styled(statement(f"    next: {outcome.next}")))


@collections.command(name="grants")
def collections_grants(file: File = _BIRTHDB_TOML, url: Url = None, as_json: Json = False) -> None:
    """Print what the owners of the declared tables have yet to grant, as one script for each owner. Reads only."""
    wanted = _declared(file)
    # A script is piped to psql: nothing is said beside it.
    with database(url, True) as conn, working("reading", as_json):
        missing = declared.grants(conn, wanted)
        unknown = wanted.collections.keys() - declared.found(conn).keys()
    if as_json:
        print_json({"grants": missing, "unregistered": sorted(unknown)})
        return
    for owner, statements in missing.items():
        print(line(f"-- as {owner}"))
        for each in statements:
            print(statement(each))
    if unknown:
        err.print(styled(f"{len(unknown)} are not registered yet: birthdb collections apply, as a steward, then again"))


def _declared(file: Path) -> declared.Declaration:
    try:
        return declared.read(file)
    except OSError as exc:
        raise misuse(f"{file}: {exc.strerror}; birthdb collections init -o {file}", param_hint="--file") from exc
    except declared.DeclarationError as exc:
        raise misuse(str(exc), param_hint="--file") from exc

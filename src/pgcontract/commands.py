"""The commands of a project: take edits into releases, and prove that nothing has come apart.

``commands`` builds them for one project. Servers of its own are started where one is needed.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from pgcontract.ahead import then
from pgcontract.measure import Claims, Pages, Servers, check_database, no_claims, no_pages
from pgcontract.measure import dump as write_dump
from pgcontract.measure import measure as take_in
from pgcontract.project import SourceError
from pgcontract.render import render
from pgcontract.sources import Sources

#: How typer ends at Ctrl-C, without a word.
_INTERRUPTED = 130


@dataclass(frozen=True)
class Setup:
    """What the commands need to know of a project beside its contract.toml."""

    #: Where ``sql/`` and ``migrations/`` are.
    root: Callable[[], Path]
    servers: Servers
    claims: Claims = no_claims
    pages: Pages = no_pages
    #: Raises when a server is missing: a contract that cannot be measured is no release's.
    ready: Callable[[], None] = lambda: None
    #: What linters find in the SQL of a checkout, a line each: a release with a finding does not start.
    lint: Callable[[Sources], Sequence[str]] = lambda _: ()
    #: What there is to say after a measurement; None for nothing.
    remark: Callable[[], str | None] = lambda: None

    def measure(self, sources: Sources) -> None:
        """Take in what was edited, and write the dump: first, because that takes one server and finds most faults."""
        write_dump(sources, self.servers, self.pages)
        take_in(sources, self.servers, self.claims, lambda line: typer.echo(line, err=True))

    def complete(self, sources: Sources) -> None:
        """Lint and measure a release that was started. Raises SourceError with what linters find."""
        if findings := self.lint(sources):
            raise SourceError("\n".join([*findings, "    correct that; nothing is written"]))
        self.measure(sources)

    def say_remark(self) -> None:
        """Print what there is to say after a measurement."""
        if remark := self.remark():
            typer.echo(remark, err=True)

    @property
    def seals(self) -> dict[str, str]:
        """What declares each release, as it is now."""
        return {release: self.sources.seal(release) for release in self.sources.releases}

    @property
    def sources(self) -> Sources:
        """The checkout as it is now."""
        return Sources(self.root())


def commands(setup: Setup) -> typer.Typer:
    """Return the commands ahead, start, measure, check, dump and declare of a project."""
    app = typer.Typer(help="Make releases and prove them.", no_args_is_help=True, add_completion=False)

    @app.command()
    def measure() -> None:
        """Take what was edited into the releases that are not declared: hashes of every server, sums, dump."""
        setup.ready()
        before = setup.seals
        with setup.sources.proposed() as copy:
            setup.measure(copy)
        if changed := [release for release, seal in setup.seals.items() if before.get(release, seal) != seal]:
            start = setup.sources.project.start
            typer.echo(f"changed: {', '.join(changed)}; a database that has one of them differs from now on", err=True)
            typer.echo(f"    where there is one: undo the edits, measure, edit again, then {start}", err=True)
        setup.say_remark()

    @app.command("render")
    def render_files() -> None:
        """Write the package's own SQL into sql/, by contract.toml; measure then takes it into the releases."""
        for file in render(setup.sources.project):
            typer.echo(file.relative_to(setup.root()).as_posix())

    @app.command()
    def ahead() -> None:
        """Say which living files the releases do not know, as `alembic check` does. Exit 1 with the next command."""
        found = list(setup.sources.ahead())
        for one in found:
            typer.echo(f"{one.kind} {one.path}: {one.because}\n    {then(setup.sources, one)}", err=True)
        if found:
            raise typer.Exit(1)
        typer.echo("nothing is ahead of the releases")

    @app.command()
    def start(
        name: Annotated[str, typer.Argument(help="The release, which is its revision too.")],
        message: Annotated[str, typer.Option("--message", "-m", help="What it brings, in a line.")],
    ) -> None:
        """Start the next release with what is ahead of the releases: revision, order, older texts, hashes, dump.

        It is tried up, back and up again first; what is refused or interrupted changes no file.
        """
        from pgcontract.start import start as start_release

        setup.ready()
        with setup.servers.start(setup.servers.dump_major) as url:
            started = start_release(setup.sources, name, message, url, setup.servers.pg_dump(), setup.complete)
        typer.echo(str(started))
        setup.say_remark()
        project = setup.sources.project
        typer.echo(f"then: make test; {project.alembic} upgrade {name}; {project.command} declare {name}")

    @app.command()
    def check() -> None:
        """Hold the four guards: living files, sums, migrated = loaded, dump. Exit 1 with the command that repairs."""
        sources = setup.sources
        findings = list(sources.check()) or list(check_database(sources, setup.servers, setup.pages))
        for finding in findings:
            typer.echo(str(finding), err=True)
        if findings:
            raise typer.Exit(1)
        typer.echo(f"{len(sources.releases)} releases: files, sums, schema and dump agree")

    @app.command()
    def dump() -> None:
        """Write the dump of the schema, so that a review sees the effect of a change."""
        with setup.sources.proposed() as copy:
            write_dump(copy, setup.servers, setup.pages)

    @app.command()
    def declare(release: str) -> None:
        """Print the line that declares a release in CHANGELOG.md: from then on it runs the texts of its sums alone."""
        sources = setup.sources
        if findings := list(sources.check()):
            raise SourceError("\n".join(map(str, findings)))
        typer.echo(f"`{release}` sha256:{sources.seal(release)}")

    return app


def run(app: typer.Typer, refusal: type[Exception] = SourceError) -> None:
    """Run the commands; what is refused ends the process with its message."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            print("interrupted: a command writes all its files at its end, or none; see git status", file=sys.stderr)
        raise
    except (CommandError, UnicodeDecodeError, refusal) as error:
        sys.exit(f"{error}")
    except ModuleNotFoundError as error:
        # Those who read releases have no need of it.
        if error.name != "pglast":
            raise
        sys.exit(f"{error}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"{where}{error.strerror or error}; no file was changed\n    see to that, then send the command again")
    except (psycopg.Error, DBAPIError) as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        sys.exit(f"{getattr(error, 'orig', None) or error}{notes}")

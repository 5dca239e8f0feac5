"""``python -m birthdb.release``: freeze living files into releases, and prove that nothing has come apart.

A server of the project's own is started where one is needed; none of the user's databases is touched.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, LiteralString

import psycopg
import typer
from alembic import command
from alembic.config import Config

from birthdb import paths
from birthdb.release import BEGIN, FINISH, MANIFEST, objects, prove, semantic
from birthdb.release.sources import Finding, SourceError, Sources
from birthdb.server import VARIABLE, EmbeddedServer

#: The server that writes the schema dump; the text of another major differs.
DUMP_MAJOR = 16

#: The servers whose view hashes a manifest holds: those at hand when freezing.
MAJORS = (16, 18)

#: What is generated from a released database.
SCHEMA_DUMP = paths.ROOT / "schema" / "birth.sql"
REFERENCE = paths.ROOT / "docs" / "reference.md"

_NOISE = ("--", "SET ", "SELECT pg_catalog.set_config", "\\")

_BODIES: LiteralString = """
SELECT p.proname::text, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')
FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace
"""

app = typer.Typer(help="Freeze releases and prove them.", no_args_is_help=True, add_completion=False)


@app.command()
def freeze(
    release: Annotated[str | None, typer.Argument(help="One release; all that are not declared without it.")] = None,
) -> None:
    """Copy the living files into migrations/frozen, then hash what a server makes of them."""
    sources = Sources(paths.ROOT)
    for name in [release] if release else list(sources.releases):
        sources.freeze(name)
    _manifests(sources)
    dump()


@app.command()
def check() -> None:
    """Hold the four guards: copies, sums, migrated = loaded, dump. Exit 1 with the command that repairs."""
    sources = Sources(paths.ROOT)
    findings = [*sources.check_copies(), *sources.check_sums()]
    if not findings:
        findings += check_database(sources)
    for finding in findings:
        typer.echo(str(finding), err=True)
    if findings:
        raise typer.Exit(1)
    typer.echo(f"{len(sources.releases)} releases: copies, sums, schema and dump agree")


@app.command()
def dump() -> None:
    """Write schema/birth.sql and docs/reference.md, so that a review sees the effect of a change."""
    with _server(DUMP_MAJOR) as server, _database(server, "dumped") as url:
        upgrade(url, "head")
        _write(SCHEMA_DUMP, schema_text(server, "dumped"))
        _write(REFERENCE, reference_text(url))


@app.command()
def manifest() -> None:
    """Hash every routine and view of every release that is not declared, and write its manifest."""
    _manifests(Sources(paths.ROOT))


@app.command()
def declare(release: str) -> None:
    """Print the line that declares a release in CHANGELOG.md: from then on its folder does not change."""
    typer.echo(f"`{release}` sha256:{Sources(paths.ROOT).seal(release)}")


def check_database(sources: Sources) -> Iterator[Finding]:
    """Yield a finding when migrating and loading differ, and when schema/birth.sql is not what they make."""
    with _server(DUMP_MAJOR) as server:
        with _database(server, "migrated") as url:
            for name in sources.releases:
                upgrade(url, name)
                with psycopg.connect(url) as connection:
                    live = _by_name(semantic.hashes(connection))
                manifest = json.loads(sources.frozen.text(name, "manifest.json"))
                if (manifest["routine"], manifest["view"][str(DUMP_MAJOR)]) != (live["routine"], live["view"]):
                    yield Finding(f"{name}: its manifest is not what it makes", "python -m birthdb.release manifest")
            migrated = schema_text(server, "migrated")
            reference = reference_text(url)
        with _database(server, "loaded") as url:
            load(url, sources)
            loaded = schema_text(server, "loaded")
    if migrated != loaded:
        pairs = zip_longest(migrated.splitlines(), loaded.splitlines(), fillvalue="nothing")
        different = next((a, b) for a, b in pairs if a != b)
        yield Finding(f"migrating makes {different[0]!r}, loading sql/ makes {different[1]!r}", "see sql/order.txt")
    for path, made in ((SCHEMA_DUMP, migrated), (REFERENCE, reference)):
        if not path.is_file() or path.read_text(encoding="utf-8") != made:
            yield Finding(f"{path.name} is not what the releases make", "python -m birthdb.release dump")


def upgrade(url: str, revision: str) -> None:
    """Upgrade a database, quietly. Raises what the database refuses."""
    alembic = Config(paths.ALEMBIC_INI)
    alembic.attributes.update(url=url, configure_logger=False)
    command.upgrade(alembic, revision)


def load(url: str, sources: Sources) -> None:
    """Load ``sql/`` into an empty database, in one transaction, as if it were one release."""
    with psycopg.connect(url) as connection:

        def run(text: str) -> None:
            connection.execute(text.encode(), prepare=False)

        run(f"SET LOCAL birth.release = '{sources.head}'")
        for path in BEGIN:
            run((sources.sql / path).read_text(encoding="utf-8"))
        for step, text, must in sources.loading():
            try:
                with connection.transaction():
                    run(text)
            except psycopg.Error as error:
                if must:
                    raise SourceError(f"{step}: {error}") from error
        run((sources.sql / "grants.sql").read_text(encoding="utf-8"))
        for path in FINISH:
            run((sources.sql / path).read_text(encoding="utf-8"))


def reference_text(url: str) -> str:
    """Return the object reference of a released database."""
    with psycopg.connect(url) as connection:
        return objects.text(connection)


def schema_text(server: EmbeddedServer, dbname: str) -> str:
    """Return schema ``birth`` as pg_dump writes it, without versions, settings and Alembic's table."""
    written = subprocess.run(
        [
            *(server.bin / "pg_dump", "--schema-only", "--schema=birth", "--exclude-table=birth.alembic_version"),
            server.url(dbname),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines: list[str] = []
    body = False
    for line in written.splitlines():
        # A routine's text is kept as it is; pg_dump's own remarks go.
        if not body and line.startswith(_NOISE) and not line.startswith("-- Name: "):
            continue
        if line.startswith("    AS $") or (body and line.startswith("$") and line.endswith("$;")):
            body = not body
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


def _manifests(sources: Sources) -> None:
    declared = sources.declared()
    found: dict[str, dict[str, dict[str, dict[str, str]]]] = {name: {} for name in sources.releases}
    bodies: dict[str, dict[str, str]] = {}
    for major in MAJORS:
        with _server(major) as server, _database(server, "hashed") as url:
            for name in sources.releases:
                upgrade(url, name)
                with psycopg.connect(url) as connection:
                    found[name][str(major)] = _by_name(semantic.hashes(connection))
                    bodies[name] = dict(connection.execute(_BODIES).fetchall())
    for name, majors in found.items():
        if name in declared:
            continue
        routines = next(iter(majors.values()))["routine"]
        for number, hashed in majors.items():
            if hashed["routine"] != routines:
                raise SourceError(f"{name}: the header of a routine differs on PostgreSQL {number}")
        manifest = {
            "algorithm": semantic.ALGORITHM,
            "routine": routines,
            "view": {number: hashed["view"] for number, hashed in majors.items()},
            "claims": _claims(sources, bodies[name]),
        }
        folder = sources.frozen.root / name
        _write(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        compact = json.dumps(manifest, sort_keys=True, separators=(",", ":")).replace("'", "''")
        _write(folder / MANIFEST, f"SET LOCAL birth.manifest = '{compact}';\n")
        sources.sum(name)


def _by_name(hashes: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the hashes of routines and views as a manifest has them: by name, without arguments."""
    found: dict[str, dict[str, str]] = {"routine": {}, "view": {}}
    for key, hashed in hashes.items():
        kind, _, name = key.partition(" ")
        if kind in ("gateway", "function", "procedure"):
            found["routine"][name.partition("(")[0]] = hashed
        elif kind == "view":
            found["view"][name] = hashed
    return found


def _claims(sources: Sources, bodies: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the claims of ``sql/claims.json`` that were proven for exactly the bodies a release has.

    v_qt001_apply_runtime_status compares their ``body_sha256`` with the live body. See ``birthdb.release.prove``.
    """
    proven = prove.evidence(sources.sql / "claims.json")
    return {flag: claim for flag, claim in proven.items() if bodies.get(claim["routine"]) == claim["body_sha256"]}


@contextmanager
def _server(major: int) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(major=major) as server:
        if server.major != major:
            raise SourceError(f"this needs PostgreSQL {major}, not {server.major}\n    unset {VARIABLE}")
        yield server


@contextmanager
def _database(server: EmbeddedServer, name: str) -> Iterator[str]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    yield server.url(name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        app()
    except SourceError as error:
        sys.exit(f"{error}")
    except psycopg.Error as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        sys.exit(f"{error}{notes}")

"""``python -m birthdb.release``: take edits into releases, and prove that nothing has come apart.

A server of the project's own is started where one is needed; none of the user's databases is touched.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, LiteralString

import psycopg
import typer

from birthdb import paths
from birthdb.release import objects, prove, semantic
from birthdb.release.ahead import then
from birthdb.release.attest import objects_of
from birthdb.release.databases import load, upgrade
from birthdb.release.sources import MEASURE, Finding, Sources
from birthdb.release.start import start as start_release
from birthdb.release.texts import SourceError
from birthdb.server import MAJORS, EmbeddedServer, ServerError, binaries, client

#: The server that writes the schema dump; the text of another major differs.
DUMP_MAJOR = 16

#: What is generated from a released database.
SCHEMA_DUMP = paths.ROOT / "schema" / "birth.sql"
REFERENCE = paths.ROOT / "docs" / "reference" / "objects.md"

_NOISE = ("--", "SET ", "SELECT pg_catalog.set_config", "\\")

_LIVE: LiteralString = """
SELECT l.kind || ' ' || l.object, l.parts::jsonb, l.exact_sha256 FROM birth.fn_birth_contract_live() l
"""
_BODIES: LiteralString = """
SELECT p.proname::text, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')
FROM pg_proc p WHERE p.pronamespace = 'birth'::regnamespace
"""

app = typer.Typer(help="Make releases and prove them.", no_args_is_help=True, add_completion=False)


@app.command()
def measure() -> None:
    """Take what was edited into the releases that are not declared: measure what servers make of it, write the dump."""
    _every_server()
    _measure(Sources(paths.ROOT))
    dump()
    _say_what_is_unproven()


@app.command()
def ahead() -> None:
    """Say which living files the releases do not know, as `alembic check` does. Exit 1 with the next command."""
    sources = Sources(paths.ROOT)
    found = list(sources.ahead())
    for one in found:
        typer.echo(f"{one.kind} {one.path}: {one.because}\n    {then(sources, one)}", err=True)
    if found:
        raise typer.Exit(1)
    typer.echo("nothing is ahead of the releases")


@app.command()
def start(
    name: Annotated[str, typer.Argument(help="The release, which is its revision too.")],
    message: Annotated[str, typer.Option("--message", "-m", help="What it brings, in a line.")],
) -> None:
    """Start the next release with what is ahead of the releases: revision, order, older texts, hashes, dump.

    It is tried up, back and up again first; what is refused changes no file.
    """
    _every_server()
    with EmbeddedServer(major=DUMP_MAJOR) as server:
        started = start_release(Sources(paths.ROOT), name, message, server.url(), client("pg_dump"))
    typer.echo(str(started))
    _measure(Sources(paths.ROOT))
    dump()
    _say_what_is_unproven()
    typer.echo(f"then: make test; birthdb alembic upgrade {name}; python -m birthdb.release declare {name}")


@app.command()
def check() -> None:
    """Hold the four guards: living files, sums, migrated = loaded, dump. Exit 1 with the command that repairs."""
    sources = Sources(paths.ROOT)
    findings = list(sources.check())
    if not findings:
        findings += check_database(sources)
    for finding in findings:
        typer.echo(str(finding), err=True)
    if findings:
        raise typer.Exit(1)
    typer.echo(f"{len(sources.releases)} releases: files, sums, schema and dump agree")


@app.command()
def dump() -> None:
    """Write schema/birth.sql and docs/reference/objects.md, so that a review sees the effect of a change."""
    with EmbeddedServer(major=DUMP_MAJOR) as server, _database(server, "dumped") as url:
        upgrade(url, "head", measuring=True)
        _write(SCHEMA_DUMP, schema_text(server, "dumped"))
        _write(REFERENCE, reference_text(url))


@app.command()
def declare(release: str) -> None:
    """Print the line that declares a release in CHANGELOG.md: from then on it runs the texts of its sums alone."""
    sources = Sources(paths.ROOT)
    if findings := list(sources.check()):
        raise SourceError("\n".join(map(str, findings)))
    typer.echo(f"`{release}` sha256:{sources.seal(release)}")


def check_database(sources: Sources) -> Iterator[Finding]:
    """Yield a finding when migrating and loading differ, and when schema/birth.sql is not what they make."""
    with EmbeddedServer(major=DUMP_MAJOR) as server:
        with _database(server, "migrated") as url:
            for name in sources.releases:
                upgrade(url, name, measuring=True)
                manifest = sources.manifest(name)
                if not manifest:
                    yield Finding(f"{name}: its contract was never measured", MEASURE)
                elif objects_of(manifest, str(DUMP_MAJOR)) != _measured(url):
                    yield Finding(f"{name}: its manifest is not what it makes", MEASURE)
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


def reference_text(url: str) -> str:
    """Return the object reference of a released database."""
    with psycopg.connect(url) as connection:
        return objects.text(connection)


def schema_text(server: EmbeddedServer, dbname: str) -> str:
    """Return schema ``birth`` as pg_dump writes it, without versions, settings and Alembic's table."""
    written = subprocess.run(
        [
            *(client("pg_dump"), "--schema-only", "--schema=birth", "--exclude-table=birth.alembic_version"),
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


def _every_server() -> None:
    """Raise ServerError unless every major is there: a contract that cannot be measured is no release's."""
    for major in MAJORS:
        binaries(major)


def _say_what_is_unproven() -> None:
    """A claim of readiness is false where its routine or its test changed, until it is proven again."""
    if missing := prove.stale():
        typer.echo(
            f"not proven any more: {', '.join(missing)}\n    python -m birthdb.release.prove, then {MEASURE}",
            err=True,
        )


def _measure(sources: Sources) -> None:
    """Write manifest and sums of every release that is not declared. Raises SourceError where texts are missing."""
    sources.keep()
    measured: dict[int, dict[str, dict[str, Any]]] = {}
    versions: dict[str, str] = {}
    bodies: dict[str, dict[str, str]] = {}
    for number, major in enumerate(MAJORS, 1):
        typer.echo(
            f"measuring {len(sources.releases)} releases on PostgreSQL {major}, {number} of {len(MAJORS)}", err=True
        )
        measured[major] = {}
        with EmbeddedServer(major=major) as server, _database(server, "measured") as url:
            for name in sources.releases:
                upgrade(url, name, measuring=True)
                measured[major][name] = _measured(url)
                with psycopg.connect(url) as connection:
                    bodies[name] = dict(connection.execute(_BODIES).fetchall())
                    versions[str(major)] = (connection.info.parameter_status("server_version") or "").partition(" ")[0]
    declared = sources.declared()
    for name in sources.releases:
        if name not in declared:
            per_major = {major: releases[name] for major, releases in measured.items()}
            _write_manifest(sources, name, versions, per_major, _claims(sources, bodies[name]))
            sources.sum(name)


def _measured(url: str) -> dict[str, Any]:
    """Return every object of a released database: parts, exact and semantic hash."""
    with psycopg.connect(url) as connection:
        hashes = semantic.hashes(connection)
        return {
            key: {"parts": parts, "exact": exact} | ({"semantic": hashes[key]} if key in hashes else {})
            for key, parts, exact in connection.execute(_LIVE).fetchall()
        }


def _write_manifest(
    sources: Sources,
    name: str,
    versions: dict[str, str],
    measured: dict[int, dict[str, Any]],
    claims: dict[str, dict[str, str]],
) -> None:
    """Write what every server agrees on once, and beside it what a major writes down otherwise."""
    newest = measured[max(measured)]
    objects = {key: dict(entry) for key, entry in newest.items()}
    for major, found in measured.items():
        if differs := sorted(found.keys() ^ newest.keys()):
            raise SourceError(f"{name}: PostgreSQL {major} makes other objects than {max(measured)}: {differs}")
        for key, entry in found.items():
            if entry != newest[key]:
                objects[key].setdefault("on", {})[str(major)] = entry
    manifest = {"algorithm": semantic.ALGORITHM, "servers": versions, "claims": claims, "objects": objects}
    sources.write_manifest(name, manifest)


def _claims(sources: Sources, bodies: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the claims of ``sql/claims.json`` proven for exactly the bodies a release has, by the tests as they are.

    v_qt001_apply_runtime_status compares their ``body_sha256`` with the live body. See ``birthdb.release.prove``.
    """
    proven, now = prove.evidence(sources.sql / "claims.json"), prove.claims(sources.sql / "claims.toml")
    return {
        flag: claim
        for flag, claim in proven.items()
        if bodies.get(claim["routine"]) == claim["body_sha256"] and now[flag].test_sha256 == claim["test_sha256"]
    }


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
    except (ServerError, SourceError) as error:
        sys.exit(f"{error}")
    except psycopg.Error as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        sys.exit(f"{error}{notes}")

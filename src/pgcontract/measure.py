"""What servers make of the releases of a checkout: their hashes, the dump of the schema, and whether both agree.

A contract is measured on every major, because each writes definitions down in its own words.
"""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pgcontract import semantic
from pgcontract.attest import objects_of
from pgcontract.databases import database, load, upgrade
from pgcontract.project import SourceError
from pgcontract.sources import Finding, Sources
from pgcontract.texts import Texts

#: Claims of a release for its manifest, from its sources and the SHA-256 of its bodies by routine.
Claims = Callable[[Sources, Mapping[str, str]], Mapping[str, Any]]

#: Pages that are generated from a released database: text by path below the root.
Pages = Callable[[str], Mapping[str, str]]

_NOISE = ("--", "SET ", "SELECT pg_catalog.set_config", "\\")

_BODY = re.compile(r"    AS (\$\w*\$)")

_LIVE = "SELECT l.kind || ' ' || l.object, l.parts::jsonb, l.exact_sha256 FROM {}() l"
_BODIES = """
SELECT p.proname::text, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex')
FROM pg_proc p WHERE p.pronamespace = %s::regnamespace
"""


@dataclass(frozen=True)
class Servers:
    """Servers of a project's own, on which databases are made and dropped."""

    #: The majors that a contract is measured on, the oldest first.
    majors: Sequence[int]
    #: Starts one; the URL is a superuser's. Left, it is stopped.
    start: Callable[[int], AbstractContextManager[str]]
    #: The major that writes the schema dump; the text of another one differs.
    dump_major: int
    #: Where pg_dump is.
    pg_dump: Callable[[], Path]


def no_claims(_: Sources, __: Mapping[str, str]) -> Mapping[str, Any]:
    """Return no claims: what a project without them measures."""
    return {}


def no_pages(_: str) -> Mapping[str, str]:
    """Return no pages: what a project without them generates."""
    return {}


def measure(
    sources: Sources, servers: Servers, claims: Claims = no_claims, say: Callable[[str], object] = lambda _: None
) -> None:
    """Write manifest and sums of every release that is not declared. Raises SourceError where texts are missing."""
    sources.keep()
    measured: dict[int, dict[str, dict[str, Any]]] = {}
    versions: dict[str, str] = {}
    bodies: dict[str, dict[str, str]] = {}
    for number, major in enumerate(servers.majors, 1):
        count = len(sources.releases)
        say(f"measuring {count} releases on PostgreSQL {major}, {number} of {len(servers.majors)}")
        measured[major] = {}
        with servers.start(major) as server, database(server, "measured") as url:
            for name in sources.releases:
                upgrade(sources, url, name, measuring=True)
                measured[major][name] = objects(sources, url)
                with psycopg.connect(url) as connection:
                    bodies[name] = dict(connection.execute(_BODIES, (sources.project.schema,)).fetchall())
                    versions[str(major)] = (connection.info.parameter_status("server_version") or "").partition(" ")[0]
    declared = sources.declared()
    for name in sources.releases:
        if name not in declared:
            per_major = {major: releases[name] for major, releases in measured.items()}
            _write_manifest(sources, name, versions, per_major, claims(sources, bodies[name]))
            sources.sum(name)


def objects(texts: Texts, url: str) -> dict[str, Any]:
    """Return every object of a released database: parts, exact and semantic hash."""
    project = texts.project
    live = sql.SQL(_LIVE).format(sql.Identifier(project.schema, f"{project.prefix}live"))
    with psycopg.connect(url) as connection:
        hashes = semantic.hashes(connection, project)
        return {
            key: {"parts": parts, "exact": exact} | ({"semantic": hashes[key]} if key in hashes else {})
            for key, parts, exact in connection.execute(live).fetchall()
        }


def dump(sources: Sources, servers: Servers, pages: Pages = no_pages) -> None:
    """Write ``schema/<schema>.sql`` and the project's pages, so that a review sees the effect of a change."""
    with servers.start(servers.dump_major) as server, database(server, "dumped") as url:
        upgrade(sources, url, "head", measuring=True)
        for path, text in (_dumped(sources, servers, url) | dict(pages(url))).items():
            file = sources.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def check_database(sources: Sources, servers: Servers, pages: Pages = no_pages) -> Iterator[Finding]:
    """Yield a finding when migrating and loading differ, and when the dump is not what they make."""
    project = sources.project
    with servers.start(servers.dump_major) as server:
        with database(server, "migrated") as url:
            for name in sources.releases:
                upgrade(sources, url, name, measuring=True)
                manifest = sources.manifest(name)
                if not manifest:
                    yield Finding(f"{name}: its contract was never measured", project.measure)
                elif objects_of(manifest, str(servers.dump_major)) != objects(sources, url):
                    yield Finding(f"{name}: its manifest is not what it makes", project.measure)
            made = _dumped(sources, servers, url) | dict(pages(url))
        with database(server, "loaded") as url:
            load(sources, url)
            loaded = _dumped(sources, servers, url)
    for path, text in loaded.items():
        if made[path] != text:
            pairs = zip_longest(made[path].splitlines(), text.splitlines(), fillvalue="nothing")
            different = next((a, b) for a, b in pairs if a != b)
            yield Finding(f"migrating makes {different[0]!r}, loading sql/ makes {different[1]!r}", "see sql/order.txt")
    for path, text in made.items():
        file = sources.root / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            yield Finding(f"{file.name} is not what the releases make", f"{project.command} dump")


def _dumped(sources: Sources, servers: Servers, url: str) -> dict[str, str]:
    return {f"schema/{sources.project.schema}.sql": schema_text(sources, servers.pg_dump(), url)}


def dumped(texts: Texts, pg_dump: Path, url: str) -> str:
    """Return what pg_dump writes of the schema. Raises SourceError with what it says where it fails."""
    arguments = (str(pg_dump), "--schema-only", *texts.project.dumped, f"--dbname={url}")
    done = subprocess.run(arguments, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SourceError(f"pg_dump failed: {done.stderr.strip()}")
    return done.stdout


def schema_text(texts: Texts, pg_dump: Path, url: str) -> str:
    """Return the schema as pg_dump writes it, without versions, settings and Alembic's table."""
    lines: list[str] = []
    tag: str | None = None
    for line in dumped(texts, pg_dump, url).splitlines():
        # A routine's text is kept as it is; pg_dump's own remarks go.
        if tag is None and line.startswith(_NOISE) and not line.startswith("-- Name: "):
            continue
        opened = _BODY.match(line)
        if tag is None and opened:
            tag, line_left = opened[1], line[opened.end() :]
        else:
            line_left = line
        if tag is not None and line_left.endswith(f"{tag};"):
            tag = None
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


def _write_manifest(
    sources: Sources,
    name: str,
    versions: dict[str, str],
    measured: dict[int, dict[str, Any]],
    claims: Mapping[str, Any],
) -> None:
    """Write what every server agrees on once, and beside it what a major writes down otherwise."""
    newest = measured[max(measured)]
    entries = {key: dict(entry) for key, entry in newest.items()}
    for major, found in measured.items():
        if differs := sorted(found.keys() ^ newest.keys()):
            raise SourceError(f"{name}: PostgreSQL {major} makes other objects than {max(measured)}: {differs}")
        for key, entry in found.items():
            if entry != newest[key]:
                entries[key].setdefault("on", {})[str(major)] = entry
    algorithm = semantic.algorithm(sources.project)
    manifest = {"algorithm": algorithm, "servers": versions, "claims": dict(claims), "objects": entries}
    sources.write_manifest(name, manifest)

"""``python -m birthdb.release``: the contract's commands for schema ``birth``, with servers of the project's own."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from birthdb import paths, target
from birthdb.release import lint, prove
from birthdb.server import MAJORS, EmbeddedServer, ServerError, binaries, client
from pgcontract import objects
from pgcontract.commands import Setup, commands, run
from pgcontract.measure import Servers
from pgcontract.project import Project
from pgcontract.sources import Sources

#: Pages that show what ``birthdb verify`` says of the newest release.
_SHOWN = ("docs/tutorial/first-hour.md", "docs/guide/ci.md")


@contextmanager
def _server(major: int) -> Iterator[str]:
    with EmbeddedServer(major=major) as server:
        yield server.url()


def _every_server() -> None:
    for major in MAJORS:
        binaries(major)


def _claims(sources: Sources, bodies: Mapping[str, str]) -> dict[str, Any]:
    """Return the claims of ``sql/claims.json`` proven for exactly the bodies a release has, by the tests as they are.

    v_qt001_apply_runtime_status compares their ``body_sha256`` with the live body. See ``birthdb.release.prove``.
    """
    proven, now = prove.evidence(sources.sql / "claims.json"), prove.claims(sources.sql / "claims.toml")
    return {
        flag: claim
        for flag, claim in proven.items()
        if bodies.get(claim["routine"]) == claim["body_sha256"] and now[flag].test_sha256 == claim["test_sha256"]
    }


def _pages(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        pages = {"docs/reference/objects.md": objects.text(connection, Project.read(paths.ROOT), "make measure")}
        release = target.release(connection)
    for page in _SHOWN:
        if (file := paths.ROOT / page).is_file():
            text = file.read_text(encoding="utf-8")
            pages[page] = re.sub(r"^\w+(?= on PostgreSQL .* checks: )", f"{release}", text, flags=re.MULTILINE)
    return pages


def _unproven() -> str | None:
    """A claim of readiness is false where its routine or its test changed, until it is proven again."""
    measure = Sources(paths.ROOT).project.measure
    missing = ", ".join(prove.stale())
    return f"not proven any more: {missing}\n    python -m birthdb.release.prove, then {measure}" if missing else None


SERVERS = Servers(MAJORS, _server, dump_major=16, pg_dump=lambda: client("pg_dump"))
SETUP = Setup(lambda: paths.ROOT, SERVERS, _claims, _pages, _every_server, lint.findings_in_sql, _unproven)

app = commands(SETUP)

if __name__ == "__main__":
    run(app, ServerError)

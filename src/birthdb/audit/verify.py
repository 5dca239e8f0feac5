"""Drift check and audit of a database, for people, CI and pre-commit (specification, 7).

Reads only, with the privileges of ``birth_reader``. The expected contract and the query come from the installed files,
not from the database, whose recorded contract is one of the things checked.
"""

import importlib.util
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, LiteralString

from psycopg.rows import dict_row

from birthdb import api, audit, junit, paths, target
from birthdb.api import Connection
from birthdb.audit import evidence
from birthdb.release import attest
from pgcontract import semantic
from pgcontract.attest import contract as contract_of
from pgcontract.attest import nearest
from pgcontract.sources import Sources
from pgcontract.texts import Texts, body_of

#: The guards of the database's own that say whether it is as its release left it, and that the contract does not hold.
GUARDS: tuple[LiteralString, ...] = ("v_birth_gateway_ssot_drift_detector", "v_birth_stage0_freeze_no_go_guard")

_RECORDED: LiteralString = """
SELECT r.kind || ' ' || r.object AS object, r.parts, r.semantic_sha256, r.server_major,
       r.exact_sha256 = encode(sha256(convert_to(r.parts::text, 'UTF8')), 'hex') AS hashed,
       CASE WHEN r.kind IN ('gateway', 'function', 'procedure')
              THEN r.definition IS NOT DISTINCT FROM pg_get_functiondef(to_regprocedure('birth.' || r.object))
            WHEN r.kind = 'view' THEN starts_with(r.definition, 'CREATE OR REPLACE VIEW birth.' || r.object || ' ')
              AND right(r.definition, length(d.text)) = d.text AND strpos(left(r.definition, -length(d.text)), ';') = 0
            ELSE r.definition IS NULL END IS NOT FALSE AS defined
FROM birth.v_birth_contract_recorded r
CROSS JOIN LATERAL (
  SELECT CASE r.kind WHEN 'view' THEN pg_get_viewdef(to_regclass('birth.' || r.object)) END
) AS d(text)
"""
#: What the records of a run can be held against each other without.
_UNASKED = ("contract_dashboard", "contract_drift")
#: Of what differs in one object no more is shown in a line.
_CHANGES_SHOWN = 3
#: Parts of an export that need no check here, because the database itself is the source.
_OF_THE_FILE = ("SHA-256 of the document", "births")
_ROUTINE: LiteralString = "SELECT p.prosrc FROM pg_catalog.pg_proc p WHERE p.oid = pg_catalog.to_regprocedure(%s)"


@dataclass(frozen=True)
class Check:
    """One check; ``found`` is None if it passed.

    ``what`` is version, contract, registry, source, guard, run or record.
    """

    what: str
    object: str
    found: str | None = None
    blocks: bool = True

    def __str__(self) -> str:
        """Return what differs in a line."""
        harmless = "" if self.blocks or self.found is None else " (does not block apply)"
        return f"{self.what}: {self.object}" + (f": {self.found}{harmless}" if self.found else "")


@dataclass(frozen=True)
class Report:
    """The result: release, server, and every check."""

    release: str
    server: str
    checks: list[Check]

    @property
    def differing(self) -> list[Check]:
        """The checks that found something."""
        return [check for check in self.checks if check.found is not None]

    @property
    def fine(self) -> bool:
        """Whether nothing differs. Drift that does not block apply counts as a difference."""
        return not self.differing

    def document(self) -> dict[str, Any]:
        """Return the report for machines: release, server, pass, how many checks of what, and each that differs."""
        return {
            "release": self.release,
            "server": self.server,
            "pass": self.fine,
            "checked": dict(Counter(check.what for check in self.checks)),
            "differing": [asdict(check) for check in self.differing],
        }

    def write_junit(self, file: Path) -> None:
        """Write the report as JUnit: a test case for each check, a suite for each kind. Raises OSError."""
        junit.write(
            file, "birthdb verify", [junit.Case(each.what, each.object, each.found, str(each)) for each in self.checks]
        )


def verify(connection: Connection, *, source: bool = False) -> Report:
    """Return the report of a database; with ``source`` also compare the living files with those of the releases.

    Raises attest.NotReleased where the database has no release, or one that is not installed or does not know the
    server.
    """
    with connection.transaction():
        # For this transaction alone: behind a pool the session is somebody else's next.
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute(attest.PINS)
        release = attest.current(connection)
        installed = Texts(paths.ROOT)
        objects = contract_of(connection, installed, release)
        contract = list(_contract(connection, installed, release, objects))
        drifted = {check.object for check in contract if check.found is not None}
        checks = [
            *(_source() if source else ()),
            *(_version(connection, installed, release) if drifted else ()),
            *contract,
            *_registry(connection, objects, installed.manifest(release).get("claims", {}), drifted),
            *_guards(connection),
            *_runs(connection),
        ]
    # Of one moment: a run may be on.
    with evidence.one_moment(connection):
        checks += _records(connection)
    return Report(release, connection.info.parameter_status("server_version") or "", checks)


def _version(connection: Connection, installed: Texts, release: str) -> Iterator[Check]:
    """Where much differs, it may be that only the version does."""
    by_name = nearest(connection, installed, release)
    if by_name not in (None, release):
        yield Check("version", release, f"the objects are of {by_name}: birthdb alembic stamp {by_name}", True)


def _source() -> Iterator[Check]:
    """Compare the living files with those that the releases were measured with."""
    sources = Sources(paths.ROOT)
    found = [finding.what for finding in sources.check()]
    yield from (Check("source", *_split(what)) for what in found)
    if not found:
        yield from (Check("source", release) for release in sources.releases)


def _split(what: str) -> tuple[str, str]:
    name, _, found = what.partition(": ")
    return name, found


def _contract(connection: Connection, installed: Texts, release: str, objects: Mapping[str, Any]) -> Iterator[Check]:
    differing = {f"{row.kind} {row.object}": row for row in attest.differences(connection, release)}
    for key in sorted(objects.keys() | differing.keys()):
        # What an operator tuned is as released.
        if (row := differing.get(key)) is None or row.drift == "tuning":
            yield Check("contract", key)
        else:
            found = str(row).partition(": ")[2]
            if row.drift == "body" and _same_meaning(connection, row, installed, release):
                found += " (formatting and comments only)"
            elif changes := row.changes():
                more = f"; and {len(changes) - _CHANGES_SHOWN} more" if len(changes) > _CHANGES_SHOWN else ""
                found += f"; {'; '.join(changes[:_CHANGES_SHOWN])}{more}"
            yield Check("contract", key, found, row.blocks)


def _same_meaning(connection: Connection, row: attest.Difference, installed: Texts, release: str) -> bool:
    """Whether a routine has the tokens of its release; checked if pglast is installed."""
    if row.kind == "view" or row.differs != ["body"] or importlib.util.find_spec("pglast") is None:
        return False
    from pgcontract.scanner import ParseError

    live = connection.execute(_ROUTINE, (f"birth.{row.object}",)).fetchone()
    name = row.object.partition("(")[0]
    released = body_of(installed.text(release, f"functions/{name}.sql"), name) or ""
    try:
        return live is not None and list(semantic.tokens(live[0])) == list(semantic.tokens(released))
    except ParseError:
        return False


def _registry(
    connection: Connection, objects: Mapping[str, Any], claims: Mapping[str, Any], drifted: Set[str]
) -> Iterator[Check]:
    """Compare the recorded contract of the database with the manifest of the release."""
    if "v_birth_contract_recorded" not in target.objects(connection):
        return
    with api.refusals(), connection.cursor(row_factory=dict_row) as cursor:
        recorded = {row["object"]: row for row in cursor.execute(_RECORDED)}
    major = connection.info.server_version // 10000
    released = {**objects, **{f"claim {name}": {"parts": parts} for name, parts in claims.items()}}
    for key in sorted(released.keys() | recorded.keys()):
        row, fixed = recorded.get(key), released.get(key)
        if row is None:
            found = "not recorded"
        elif row["server_major"] != major:
            found = f"recorded on PostgreSQL {row['server_major']}, this is {major}: birthdb attest"
        elif fixed is None:
            found = "recorded, and not the release's"
        elif row["parts"] != fixed["parts"] or row["semantic_sha256"] != fixed.get("semantic"):
            found = "recorded otherwise than the release has it"
        elif not row["hashed"]:
            found = "recorded with another hash than its parts have"
        elif not row["defined"] and key not in drifted:
            found = "recorded with another definition than the object has"
        else:
            found = None
        yield Check("registry", key, found)


def _guards(connection: Connection) -> Iterator[Check]:
    for name in GUARDS:
        if name in target.objects(connection):
            for row in api.view(connection, name):
                found = None if row["pass"] else f"found {row['found']}, expected {row['expected']}"
                yield Check("guard", f"{name}: {row['check_name']}", found)


def _runs(connection: Connection) -> Iterator[Check]:
    """Audit all runs in the database: a record that a superuser forged contradicts another one."""
    if "fn_birth_run_audit" in target.objects(connection):
        for row in api.run_audit(connection):
            found = None if row["pass"] else f"found {row['found']}, expected {row['expected']}"
            yield Check("run", f"{row['run_id']} {row['check_name']}", found)


def _records(connection: Connection) -> Iterator[Check]:
    """Audit the records of all runs, by the checks for an export."""
    if "birth_backfill_ledger_v2" not in target.objects(connection):
        return
    with api.refusals():
        runs = connection.execute("SELECT l.run_id FROM birth.birth_backfill_ledger_v2 AS l ORDER BY l.planned_at")
    for (run,) in runs.fetchall():
        for row in audit.check(audit.Export(evidence.records(connection, run, without=_UNASKED))):
            if row["check"] not in _OF_THE_FILE:
                found = None if row["ok"] else f"found {row['found']}, expected {row['expected']}"
                yield Check("record", f"{run} {row['check']}", found)

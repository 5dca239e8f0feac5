"""``python -m birthdb.release.prove``: evidence for the claims of ``v_qt001_apply_runtime_status``.

A claim of ``sql/claims.toml`` says which routine holds a guard, which text of it is the guard, and which test would
miss it::

    [writer_has_false_done_guard]
    routine = "fn_birth_run_finish"
    guard = '''
      IF … THEN
        PERFORM birth.fn_birth_raise('false_done', …);
      END IF;
    '''
    instead = ""        # what stands there while it is taken out; nothing unless said
    test = "tests/integration/run/test_finish.py::test_a_false_done_is_refused"

The test must pass as the routine is, and must fail with the guard taken out. Then this exact body is proven, and
``sql/claims.json`` says so; a release carries that in its manifest, and the database compares it with the body it runs.
"""

import ast
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg.sql import SQL, Literal

from birthdb import paths
from pgcontract.files import publish
from pgcontract.sources import Sources
from pgcontract.texts import body_of

#: The environment variable that names the claim whose guard the tests' template database is to lack.
TAKE_OUT = "BIRTHDB_TAKE_OUT"

CLAIMS = paths.SQL / "claims.toml"
EVIDENCE = paths.SQL / "claims.json"


class ClaimError(Exception):
    """A claim that cannot be proven; the message says which and why."""


@dataclass(frozen=True)
class Claim:
    """One claim: the guard is in the routine, and the test would miss it."""

    name: str
    routine: str
    guard: str
    test: str
    instead: str = ""

    @property
    def body(self) -> str:
        """The body of the routine in ``sql/functions``, as ``pg_proc.prosrc`` has it. Raises ClaimError."""
        source = Sources(paths.ROOT).file(f"functions/{self.routine}.sql").read_text(encoding="utf-8")
        found = body_of(source, self.routine)
        if found is None:
            raise ClaimError(f"{self.name}: sql/functions/{self.routine}.sql has no body ${self.routine}$")
        return found

    @property
    def sha256(self) -> str:
        """The SHA-256 of the body."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def test_sha256(self) -> str:
        """The SHA-256 of the test's source: another test shows something else. Raises ClaimError."""
        file, _, name = self.test.partition("::")
        source = (paths.ROOT / file).read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == name.partition("[")[0]:
                return hashlib.sha256((ast.get_source_segment(source, node) or "").encode()).hexdigest()
        raise ClaimError(f"{self.name}: there is no {self.test}")

    def without(self, body: str) -> str:
        """Return the body without its guard. Raises ClaimError when the guard is not there exactly once."""
        guard = self.guard.strip("\n")
        if body.count(guard) != 1:
            raise ClaimError(f"{self.name}: the guard stands {body.count(guard)} times in {self.routine}, not once")
        return body.replace(guard, self.instead.strip("\n"))


def claims(file: Path = CLAIMS) -> dict[str, Claim]:
    """Return the claims of a file by name; none when there is no file."""
    if not file.is_file():
        return {}
    return {name: Claim(name, **fields) for name, fields in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def evidence(file: Path = EVIDENCE) -> dict[str, dict[str, str]]:
    """Return what was proven, by claim: routine, body_sha256, test, test_sha256. For the manifest of a release."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def stale() -> list[str]:
    """Return the names of claims that are not proven for the body, and by the test, as they are now."""
    proven = evidence()
    return [name for name, claim in claims().items() if proven.get(name) != _evidence(claim)]


def take_out(connection: psycopg.Connection[Any], name: str) -> None:
    """Make the claim's routine anew without its guard, and record the contract anew, so that nothing else is amiss.

    The connection is a superuser's. Raises ClaimError.
    """
    claim = claims()[name]
    with connection.transaction():
        row = connection.execute(
            "SELECT pg_get_functiondef(p.oid), p.prosrc FROM pg_proc p"
            " WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = %s",
            (claim.routine,),
        ).fetchone()
        if row is None:
            raise ClaimError(f"{name}: the database has no {claim.routine}")
        definition, body = row
        connection.execute("SET LOCAL ROLE birth_definer")
        connection.execute("SET LOCAL check_function_bodies = off")
        connection.execute(definition.replace(body, claim.without(body)).encode(), prepare=False)
        connection.execute(SQL("SELECT birth.fn_birth_contract_record({}, '{{}}')").format(Literal(f"without {name}")))


def prove(claim: Claim) -> None:
    """Run the claim's test as it is and without the guard. Raises ClaimError unless it passes and then fails."""
    claim.without(claim.body)
    passed, failed, broken = _pytest(claim.test, None)
    if failed or broken or not passed:
        raise ClaimError(f"{claim.name}: {claim.test} does not pass as it is")
    _, failed, broken = _pytest(claim.test, claim.name)
    if broken:
        raise ClaimError(f"{claim.name}: {claim.test} could not run without the guard: that is no evidence")
    if not failed:
        raise ClaimError(f"{claim.name}: {claim.test} passes without the guard, so it shows nothing")


def _pytest(test: str, without: str | None) -> tuple[int, int, int]:
    """Run a test; return how many passed, failed, and could not be run."""
    environment = {key: value for key, value in os.environ.items() if key != TAKE_OUT}
    if without is not None:
        environment[TAKE_OUT] = without
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", test],
            cwd=paths.ROOT,
            env=environment,
            check=False,
            capture_output=True,
        )
        if not report.is_file():
            return 0, 0, 1
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))

    def total(attribute: str) -> int:
        return sum(int(suite.get(attribute, "0")) for suite in suites)

    failures, errors = total("failures"), total("errors")
    return total("tests") - failures - errors - total("skipped"), failures, errors


def _evidence(claim: Claim) -> dict[str, str]:
    return {
        "routine": claim.routine,
        "body_sha256": claim.sha256,
        "test": claim.test,
        "test_sha256": claim.test_sha256,
    }


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Claims to prove; all without any.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say which claims are not proven for the bodies as they are.")
    ] = False,
) -> None:
    """Prove the claims of sql/claims.toml and write sql/claims.json."""
    if check:
        if missing := stale():
            typer.echo(f"not proven: {', '.join(missing)}\n    python -m birthdb.release.prove", err=True)
            raise typer.Exit(1)
        return
    known = claims()
    if unknown := set(names or ()) - known.keys():
        typer.echo(f"no such claim: {', '.join(sorted(unknown))}", err=True)
        raise typer.Exit(2)
    proven = {name: found for name, found in evidence().items() if name in known}
    faults = 0
    for name in names or known:
        try:
            prove(known[name])
        except ClaimError as error:
            proven.pop(name, None)
            faults += 1
            typer.echo(str(error), err=True)
        else:
            proven[name] = _evidence(known[name])
            typer.echo(f"{name}: {known[name].test} passes, and fails without the guard")
    text = json.dumps(proven, indent=1, sort_keys=True) + "\n"
    publish(EVIDENCE.parent, {EVIDENCE.name: text.encode()})
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

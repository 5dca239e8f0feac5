"""Which tests come near which guard: the suite is run once on a database that says where it is.

Every routine of it says when it is entered, and every refusal from where it was asked for, in the server's log. What
such a database makes fail sees any change of a routine's text, so that its failure says nothing about a guard.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from guards import guard, routine
from support import TEMPLATE, Cluster, Database

from birthdb import paths, target

#: The tests of behaviour; the others read the sources, or hold a database against its release's manifest.
TESTS = ("tests/integration", "tests/concurrency", "tests/security/attack")

#: What the server has to be told so that its log can be read here.
SETTINGS = {
    "log_line_prefix": "@%d@",
    "log_error_verbosity": "terse",
    "max_connections": "200",
    "max_prepared_transactions": "4",
}

_FILE = "BIRTHDB_REACH"
_FRAME = re.compile(r"PL/pgSQL function birth\.(\w+)\([^|]*?line (\d+)")
_CONSTRAINT = re.compile(
    r'violates (?:check|unique|foreign key) constraint "(\w+)"|column "(\w+)" of relation "(\w+)" violates'
)


@dataclass
class Reach:
    """What a test came near to, and how long it took."""

    passed: bool = False
    seconds: float = 0.0
    entered: set[str] = field(default_factory=set)
    refused: set[tuple[str, int]] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    violated: set[str] = field(default_factory=set)


def measure(cluster: Cluster, log: Path, released: Database, jobs: int) -> dict[str, Reach]:
    """Run the tests of behaviour once; return what each reached. The log is the server's."""
    made = cluster.create(released.name)
    try:
        with target.connect(made.url()) as connection:
            _make_talkative(connection)
        notes = log.parent / "reach.jsonl"
        notes.unlink(missing_ok=True)
        environment = os.environ | {target.VARIABLE: cluster.url("postgres"), TEMPLATE: made.name, _FILE: str(notes)}
        environment["PYTHONPATH"] = str(paths.ROOT / "tests")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "guards.reach",
            "-n",
            str(jobs),
        ]
        subprocess.run([*command, *TESTS], cwd=paths.ROOT, env=environment, check=False, stdout=subprocess.DEVNULL)
        return _read(log, notes)
    finally:
        made.drop()


def load(file: Path) -> dict[str, Reach]:
    """Return what was saved."""
    found = json.loads(file.read_text(encoding="utf-8"))
    return {
        test: Reach(
            **(
                reach
                | {name: set(reach.get(name, ())) for name in ("entered", "violated", "errors")}
                | {"refused": {(name, line) for name, line in reach["refused"]}}
            )
        )
        for test, reach in found.items()
    }


def save(file: Path, found: dict[str, Reach]) -> None:
    """Save what was measured."""
    file.write_text(
        json.dumps({test: asdict(reach) for test, reach in found.items()}, default=sorted), encoding="utf-8"
    )


def _make_talkative(connection: guard.Connection) -> None:
    with connection.transaction():
        for name, body in routine.routines().items():
            # On the line of BEGIN, so that every line keeps its number.
            said = f"BEGIN RAISE LOG 'entered {name}';"
            if name == "fn_birth_error":
                body = body.replace("v_error jsonb;", "v_error jsonb; v_stack text;", 1)
                said = (
                    "BEGIN GET DIAGNOSTICS v_stack = PG_CONTEXT;"
                    " RAISE LOG 'refused % %', p_error, pg_catalog.translate(v_stack, E'\\n', '|');"
                )
            changed, times = re.subn(r"^BEGIN\b", said.replace("\\", "\\\\"), body, count=1, flags=re.MULTILINE)
            guard.define(connection, name, changed if times else body + " -- another text\n")
        connection.execute("SET LOCAL ROLE birth_definer")
        guard.agree(connection)


def _read(log: Path, notes: Path) -> dict[str, Reach]:
    found: dict[str, Reach] = {}
    tests: dict[str, list[str]] = defaultdict(list)
    for line in notes.read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        found[note["test"]] = Reach(passed=note["passed"], seconds=note["seconds"])
        for name in note["databases"]:
            tests[name].append(note["test"])
    with log.open(encoding="utf-8", errors="replace") as lines:
        for database, message in _messages(lines):
            for test in tests.get(database, ()):
                _note(found[test], message)
    return found


def _messages(lines: Any) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.startswith("@"):
            _, database, message = line.split("@", 2)
            yield database, message


def _note(reach: Reach, message: str) -> None:
    if match := re.match(r"LOG:  entered (\w+)", message):
        reach.entered.add(match[1])
    elif message.startswith("LOG:  refused "):
        reach.refused.update((name, int(line)) for name, line in _FRAME.findall(message))
        reach.errors.add(message.split(" ")[3])
    elif match := _CONSTRAINT.search(message):
        reach.violated.add(match[1] or f"{match[3]}.{match[2]}")


# --- the plugin, in the process that runs the tests

_made: list[str] = []
_seconds: dict[str, float] = {}
_failed: set[str] = set()


def pytest_configure() -> None:
    """Note every database that is made."""
    create = Cluster.create

    def noting(self: Cluster, template: str = "template0", **how: Any) -> Database:
        made = create(self, template, **how)
        _made.append(made.name)
        return made

    if _FILE in os.environ:
        Cluster.create = noting  # type: ignore[method-assign]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up how long a test takes, and whether it fails."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0) + report.duration
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Write down which databases a test made."""
    # The process that hands the tests out to others sees them too, and makes no database.
    if "PYTEST_XDIST_WORKER" in os.environ:
        note = {"test": nodeid, "passed": nodeid not in _failed, "seconds": _seconds[nodeid], "databases": [*_made]}
        with Path(os.environ[_FILE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        _made.clear()

"""Take a guard out, run the tests that came near it, and say which one fails first."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from guards import guard, routine, witness
from guards.guard import Guard, Removal
from guards.listing import Proof
from guards.reach import Reach
from psycopg.sql import SQL, Identifier
from support import TEMPLATE, Cluster, Database

from birthdb import paths, target


@dataclass(frozen=True)
class Outcome:
    """What became of the tests: the one that caught the guard, or why none did."""

    caught: str | None
    why: str
    ran: int


def candidates(
    one: Guard, removal: Removal, reached: Mapping[str, Reach], proofs: Mapping[Guard, Proof], most: int
) -> list[str]:
    """Return the tests that may notice a guard's absence, the likeliest first."""
    like = {_name(proof.test) for other, proof in proofs.items() if proof.test and _alike(one, other)}
    near = {test: _distance(one, removal, reach) for test, reach in reached.items() if reach.passed}
    found: list[tuple[bool, bool, int, int, int, str]] = []
    # One case of each test before the second one of any: what one case does not notice, its like hardly will.
    cases = Counter[tuple[int, str]]()
    for test, place in sorted(near.items(), key=lambda each: (reached[each[0]].seconds, each[0])):
        if place is not None:
            strange = _name(test) not in like
            cases[place, _name(test)] += 1
            found.append((place > 0, strange, place, cases[place, _name(test)] if strange else 0, len(found), test))
    return [test for *_, test in sorted(found)][:most]


def tests_of_alike(one: Guard, known: Mapping[Guard, Proof], part: str) -> list[str]:
    """Return the tests that catch guards like this one, the likeliest first, with ``part`` in their names."""
    like = [
        (other.what.split("(")[0] != one.what.split("(")[0], other.object != one.object, proof.test)
        for other, proof in known.items()
        if proof.test and part in proof.test and _alike(one, other)
    ]
    return list(dict.fromkeys(test for *_, test in sorted(like)))


def _name(test: str) -> str:
    return test.partition("[")[0]


def _alike(one: Guard, other: Guard) -> bool:
    """Return whether what has caught one guard may catch the other: of the same object, or with the same words."""
    return one.object == other.object or one.what.split("(")[0] == other.what.split("(")[0]


def _distance(one: Guard, removal: Removal, reach: Reach) -> int | None:
    """Return how far a test stays from a guard: 0 where the guard refused it; None where it does not come near."""
    first = one.what.split(" ")[0]
    if removal.change is None:
        return 0 if reach.violated & {first, f"{one.object}.{first}"} else None
    error = removal.change.error
    if (one.object, removal.line(one.object)) in reach.refused:
        return 0 if not error or error in reach.errors else 1
    called = re.findall(r"birth\.(fn_\w+)\(", one.what)
    if one.object not in reach.entered and not any(name == one.object for name, _ in reach.refused):
        # Of a routine in plain SQL nothing says that it is entered.
        return 5 if _callers(one.object) & reach.entered else None
    if first == "PERFORM" and called:
        return 2 if called[0] in reach.entered else 4
    return 2 if any(name == one.object for name, _ in reach.refused) else 3


@cache
def _callers(name: str) -> set[str]:
    return {caller for caller, body in routine.routines().items() if f"birth.{name}(" in body}


class Prover:
    """Runs tests on databases that lack a guard; one at a time. ``making`` keeps the copies of a template apart."""

    def __init__(
        self,
        cluster: Cluster,
        released: Database,
        tests: Sequence[str] = (),
        making: AbstractContextManager[object] | None = None,
    ) -> None:
        """Start the process in whose copies tests run: any of ``tests``, which are those of behaviour by default."""
        self._cluster = cluster
        self._released = released
        self._making = making or nullcontext()
        self._forker = subprocess.Popen(
            [sys.executable, "-m", "guards.forker", *tests],
            cwd=paths.ROOT,
            env=os.environ | {"PYTHONPATH": str(paths.ROOT / "tests")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process."""
        self._forker.communicate()

    def without(self, removals: Iterable[tuple[Guard, Removal]], tests: list[str]) -> Outcome:
        """Run tests on a database that lacks these guards, until one fails."""
        if not tests:
            return Outcome(None, "no test comes near it", 0)
        with self._making:
            made = self._cluster.create(self._released.name)
        try:
            with target.connect(made.url()) as connection:
                guard.take_out(connection, *removals)
            return self._run(made, tests)
        finally:
            with self._making:
                made.drop()

    def _run(self, made: Database, tests: list[str]) -> Outcome:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            said = Path(folder) / "said"
            said.touch()
            environment = {
                target.VARIABLE: self._cluster.url("postgres"),
                TEMPLATE: made.name,
                witness.VARIABLE: str(said),
            }
            self._forker.stdin.write(json.dumps({"tests": tests, "environment": environment}) + "\n")
            self._forker.stdin.flush()
            end = json.loads(self._forker.stdout.readline())
            notes = [json.loads(line) for line in said.read_text(encoding="utf-8").splitlines()]
        self._clean(end["pid"])
        return _outcome(notes, end["ended"])

    def _clean(self, pid: int) -> None:
        """Drop what tests that did not end have left."""
        pattern = f"birthdb\\_%\\_{pid}\\_%"
        left = self._cluster.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (pattern,)).fetchall()
        for (name,) in left:
            self._cluster.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _outcome(notes: list[dict[str, str]], ended: bool) -> Outcome:
    begun = [note["on"] for note in notes if "on" in note]
    for note in notes:
        if "caught" in note:
            return Outcome(note["caught"], note["why"], len(begun))
    broken = [note for note in notes if "broken" in note]
    if not begun:
        why = "pytest ran no test"
    elif not ended:
        why = f"{begun[-1]} did not end"
    elif broken:
        why = f"{len(broken)} of {len(begun)} could not run: {broken[0]['broken']}: {broken[0]['why']}"
    else:
        why = f"{len(begun)} tests pass"
    return Outcome(None, why, len(begun))

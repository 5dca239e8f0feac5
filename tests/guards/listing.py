"""The list of guards and who misses them: ``guards.json`` for the tool, ``docs/evidence/guards.md`` for people."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from guards.guard import Guard

from birthdb import paths

LIST = Path(__file__).with_name("guards.json")
PAGE = paths.ROOT / "docs" / "evidence" / "guards.md"

_HEAD = """\
# Guards

A guard is a check of a routine or a constraint of a table. Each is listed with its proof: the test that fails when that
guard alone is removed (mutation test).

`make guards` finds the guards in the sources. For each it makes a database without the guard, records that as the
contract, so that only behaviour can differ, and runs the tests that reach the guard until one fails. A test of the
ordinary suite compares this list with the sources: a new or changed guard fails there, and `make guards` proves it.

What counts as a guard is defined in `tests/guards/routine.py`: a refusal, raised or passed on; each alternative of its
condition; each call of a routine that refuses or records; what an UPDATE demands of its row; a lock. Of tables:
constraints, unique indexes, triggers, columns that are never NULL.

Three kinds of failing tests are no evidence: a test that compares the text of routines, a test that could not begin,
and a test that removes the same guard itself.

Not removed by the tool: what the steps of a release refuse (`sql/release/`), what the guard views and the census check
in their queries, the settings of routines (`search_path`, `row_security`, `lock_timeout`, SECURITY DEFINER), grants,
and the event triggers of a superuser. Tests check these; nothing proves yet that a test would miss each of them.
"""


@dataclass(frozen=True)
class Proof:
    """The test that fails when a guard is taken out; where there is none, what was tried."""

    guard: Guard
    test: str | None
    why: str = ""


def read(file: Path = LIST) -> dict[Guard, Proof]:
    """Return what is known of each guard."""
    if not file.is_file():
        return {}
    entries = json.loads(file.read_text(encoding="utf-8"))
    proofs = [
        Proof(Guard(e["object"], e["what"], e.get("number", 1)), e.get("test"), e.get("why", "")) for e in entries
    ]
    return {proof.guard: proof for proof in proofs}


def carried(known: Mapping[Guard, Proof], guards: Iterable[Guard]) -> dict[Guard, Proof]:
    """Return the proofs of guards that moved: the text is a guard's label, and stands in another routine now.

    A moved guard is none of ``known``; its proof there belongs to no guard any more. Each proof goes to one guard.
    """
    there = set(guards)
    left = defaultdict(list)
    for one, proof in sorted(known.items(), reverse=True):
        if one not in there and proof.test:
            left[one.what].append(proof)
    return {
        one: replace(left[one.what].pop(), guard=one) for one in sorted(there) if one not in known and left[one.what]
    }


def write(proofs: Iterable[Proof], file: Path = LIST) -> None:
    """Write what is known of each guard."""
    entries = [
        {"object": p.guard.object, "what": p.guard.what}
        | ({"number": p.guard.number} if p.guard.number > 1 else {})
        | ({"test": p.test} if p.test else {"why": p.why})
        for p in sorted(proofs, key=lambda proof: proof.guard)
    ]
    file.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def page(proofs: Mapping[Guard, Proof]) -> str:
    """Return docs/evidence/guards.md."""
    caught = [proof for _, proof in sorted(proofs.items()) if proof.test]
    left = [proof for _, proof in sorted(proofs.items()) if not proof.test]
    lines = [
        _HEAD,
        f"{len(proofs)} guards: {len(caught)} are caught, {len(left)} are not."
        if left
        else f"All {len(proofs)} guards are caught.",
        "",
    ]
    if left:
        lines += ["## Not caught", "", "| of | guard | |", "| --- | --- | --- |"]
        lines += [f"| {p.guard.object} | {_code(p.guard.what)} | {p.why} |" for p in left]
        lines.append("")
    for name, found in groupby(caught, key=lambda proof: proof.guard.object):
        lines += [f"## {name}", "", "| without | fails |", "| --- | --- |"]
        lines += [f"| {_code(p.guard.what)} | {_code(str(p.test).removeprefix('tests/'))} |" for p in found]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _code(text: str) -> str:
    text = text.replace("\r", "\\r").replace("\n", "\\n")
    mark = "``" if "`" in text else "`"
    return f"{mark}{text}{mark}".replace("|", "\\|")

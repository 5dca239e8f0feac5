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

Every check of every routine and every constraint of every table, and the test that fails when it alone is taken out.
`make guards` finds the guards in the sources, takes each one out of a database of its own, records that as the
contract, so that only behaviour can tell, and runs the tests that came near it until one fails. A test of the ordinary
suite holds this list against the sources: a guard that is not in it, or reads otherwise now, fails there, and
`make guards` proves it.

What counts as a guard stands in `tests/guards/routine.py`: a refusal, raised or handed on; each alternative of its
condition; each call of a routine that refuses or records; what an UPDATE demands of its row; a lock. Of tables:
constraints, unique indexes, triggers, columns that are never NULL.

It is never a guard's text that fails a test: one that fails when any routine reads otherwise is no evidence, nor is one
that could not begin, nor one that wanted to take the same guard out itself.

The tool does not take out: what the steps of a release refuse (`sql/release/`), what the guard views and the census
check in their queries, the settings of routines (`search_path`, `row_security`, `lock_timeout`, SECURITY DEFINER),
grants, and the event triggers of a superuser. Tests hold these; nothing proves yet that each would be missed.
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

"""``docs/evidence/faults.md`` and ``docs/evidence/faults.csv``: the matrix, from what was seen."""

import csv
import io
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faults.matrix import AT_ONCE, Outcome, Passing
from faults.stories import BATCH, ROWS, STORIES, Story
from faults.strikes import CHEAP, CRASHES, FAULTS, Fault


@dataclass(frozen=True, order=True)
class Seen:
    """What a fault came to: at which boundary of which stretch of which story, and what the outcome was."""

    story: str
    passing: int
    fault: str
    stretch: str
    routine: str
    boundary: int
    statement: str
    outcome: str


def saw(story: str, passing: Passing, fault: Fault, outcome: Outcome) -> Seen:
    """Return a line of the matrix."""
    at = passing.boundary
    return Seen(story, passing.number, fault.name, passing.stretch, at.routine, at.number, at.statement, str(outcome))


def read(docs: Path) -> list[Seen]:
    """Return what was seen when the table was written."""
    with (docs / "faults.csv").open(encoding="utf-8", newline="") as lines:
        return [
            Seen(
                row["story"],
                int(row["passing"]),
                row["fault"],
                row["stretch"],
                row["routine"],
                int(row["boundary"]),
                row["before"],
                row["outcome"],
            )
            for row in csv.DictReader(lines)
        ]


def write(docs: Path, seen: Sequence[Seen], version: str) -> None:
    """Write the page, and the table of every single fault beside it."""
    (docs / "faults.md").write_text(page(seen, version), encoding="utf-8")
    (docs / "faults.csv").write_text(table(seen), encoding="utf-8")


def table(seen: Sequence[Seen]) -> str:
    """Return every single fault as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["story", "stretch", "passing", "routine", "boundary", "before", "fault", "outcome"])
    for one in seen:
        before = textwrap.shorten(one.statement, 60, placeholder=" …")
        writer.writerow(
            [one.story, one.stretch, one.passing, one.routine, one.boundary, before, one.fault, one.outcome]
        )
    return text.getvalue()


def page(seen: Sequence[Seen], version: str) -> str:
    """Return the page: what was done, how often, and what came of it."""
    letters = {outcome: _letter(place) for place, outcome in enumerate(sorted({one.outcome for one in seen}))}
    return "\n".join([*_head(seen, version), *_legend(seen, letters), *_stories(seen, letters), ""])


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"A{chr(ord('A') + place - 26)}"


def _head(seen: Sequence[Seen], version: str) -> Iterator[str]:
    boundaries = {(one.routine, one.boundary) for one in seen}
    yield _HEAD.format(
        rows=ROWS,
        batch=BATCH,
        cases=f"{len(seen):,}",
        boundaries=len(boundaries),
        routines=len({routine for routine, _ in boundaries}),
        version=version,
        at_once=AT_ONCE,
    )
    if partial := list(_in_turns(seen)):
        yield _IN_TURNS.format(partial="\n".join(partial))
    times = Counter(one.fault for one in seen)
    yield "| fault | times | at boundaries |\n| --- | ---: | ---: |"
    for fault in FAULTS:
        at = {(one.routine, one.boundary) for one in seen if one.fault == fault}
        yield f"| {fault} | {times[fault]:,} | {len(at)} |"


def _in_turns(seen: Sequence[Seen]) -> Iterator[str]:
    """Yield what was not taken in full: where not each boundary saw each fault of a sort.

    Of a story whose boundaries another one passes, that is asked of its COMMITs.
    """
    for story in STORIES.values():
        told = [one for one in seen if one.story == story.name and (not story.again or one.statement == "COMMIT")]
        for faults, called in ((CHEAP, "what leaves the server alone"), (CRASHES, "SIGKILL")):
            names = [fault.name for fault in faults if story.timed or not fault.times_out]
            least = min(_boundaries(one for one in told if one.fault == name) for name in names)
            if least < _boundaries(told):
                yield f"- {story.title}: {called}"


def _legend(seen: Sequence[Seen], letters: dict[str, str]) -> Iterator[str]:
    times = Counter(one.outcome for one in seen)
    yield _LEGEND
    yield "|  | the client sees | the run stands | the operator | times |\n| --- | --- | --- | --- | ---: |"
    for outcome, letter in letters.items():
        sight, _, rest = outcome.partition("; ")
        client, _, standing = sight.partition(", ")
        yield f"| {letter} | {client} | {standing} | {rest} | {times[outcome]:,} |"


def _stories(seen: Sequence[Seen], letters: dict[str, str]) -> Iterator[str]:
    for story in STORIES.values():
        told = [one for one in seen if one.story == story.name]
        if told:
            yield f"\n## {story.title}\n\n{_count(told)}\n"
            yield from _matrix(story, told, letters)


def _boundaries(seen: Iterable[Seen]) -> int:
    return len({(one.routine, one.boundary) for one in seen})


def _count(told: Sequence[Seen]) -> str:
    return f"{_boundaries(told)} boundaries, struck {len(told):,} times."


def _matrix(story: Story, told: Sequence[Seen], letters: dict[str, str]) -> Iterator[str]:
    faults = [fault for fault in FAULTS if any(one.fault == fault for one in told)]
    yield f"| | {' | '.join(faults)} |"
    yield f"| --- |{' --- |' * len(faults)}"
    struck = [_boundaries(one for one in told if one.fault == fault) for fault in faults]
    yield f"| *boundaries* | {' | '.join(map(str, struck))} |"
    for stretch in story.stretches:
        cells = []
        for fault in faults:
            times = Counter(letters[one.outcome] for one in told if (one.stretch, one.fault) == (stretch, fault))
            cells.append(", ".join(f"{letter} {times[letter]}" for letter in sorted(times)) or "–")
        if set(cells) != {"–"}:
            yield f"| {stretch} | {' | '.join(cells)} |"


_HEAD = """\
# Faults

<!-- written by `make faults` -->

A test stops a run between two of its statements and injects a fault there. The operator then continues as
[the guide](../guide/operator.md) says. Afterwards every table of schema `birth` is compared, row by row, with the same
run without a fault: births, ledger, receipts, permits, reviews, acts and the rest.

**{cases} faults; each time the two were equal.** After the fault and before the operator acted,
receipts, births, permits and ledger agreed, and no run was called done or compensated that was not.

**What may differ**: the times of the run, the number of the attempt and the acts that record one, and the seal of a
receipt, which covers these; of a repeated plan its id and seeds. Each birth still belongs to the same batch, and each
seal is verified. The list is `tests/faults/comparison.py`; nothing else is left out of the comparison.

**Where faults are injected.** `ASSERT faults.at(n);` is put before every statement of every PL/pgSQL routine and at the
end of every list of statements, and the altered routines are recorded as the contract. A run without a fault shows
which of them it passes: {boundaries} boundaries in {routines} routines, among them every COMMIT, before and after.
`faults.at` waits at the chosen boundary, and the fault is injected while it waits. Within a single statement PostgreSQL
itself guarantees that it happens as a whole or not at all.

**How often.** {rows} rows in batches of {batch}: a first, a middle and a last batch, then the proof. Each boundary gets
each fault except full disks; a boundary that is passed several times gets the faults by turns, so that each part of the
run is disturbed at each of its boundaries. Before and after each COMMIT every part gets each of these faults. Where a
run passes the boundaries of another (the writer alone, a compensation that is resumed), each boundary gets one fault
that leaves the server running, and one boundary of each routine gets each SIGKILL. The first row of each table below
counts the boundaries at which a fault was injected.

A `statement_timeout` is tried on functions only: the procedures refuse it (`NB113`). After a SIGKILL the server
recovers from its WAL, with `fsync`, `synchronous_commit` and `full_page_writes` on. One crash ends up to {at_once}
sessions, each in a database of its own and at a boundary of its own. A disk becomes full before and after each COMMIT,
or at the first and the last boundary where there is none, and stays full until the run has failed because of it.
PostgreSQL {version}.

`faults.csv`, beside this page, has each fault by itself.
"""

_IN_TURNS = """\
**In turns alone**, so that each boundary saw one or more of these faults and not each; `make faults` without `TURNS`
takes it all:

{partial}
"""

_LEGEND = """
## Outcomes

*Interrupted* is `running` without a session. *Held by its session*: that session outlived the fault and still has its
lock on the run, so no other session can continue a `running` run before it ends. *The same statement* is the plan or
the CALL.
"""

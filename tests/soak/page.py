"""``docs/evidence/life.md``: the figures of a table that lives."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import quantiles
from textwrap import wrap

from soak.story import AFTERWARDS, PHASES, SCRIPTS, Figures


def page(figures: Figures) -> str:
    """Return the page."""
    return "\n".join([*_head(figures), *_operations(figures), *_latencies(figures), *_counts(figures), ""])


def _head(figures: Figures) -> Iterator[str]:
    terms = figures.terms
    text = (
        f"An application works on an enforced table for {terms.seconds / 60:g} minutes, in {terms.clients} sessions"
        f" with {terms.rate} transactions a second: inserts, updates of the key and of other columns, deletes and"
        f" upserts. An observed table of {terms.feed:,} rows is loaded in full every {terms.night:g} seconds, by DELETE"
        " and INSERT, or by TRUNCATE and COPY; each time other codes are missing. Meanwhile a backfill of"
        f" {terms.history:,} rows of history is planned, judged, permitted and run to done, compensated, and run again."
    )
    yield from (
        "# A table that lives",
        "",
        "<!-- written by `make soak` -->",
        "",
        *wrap(text, 120),
        "",
        "At the end, for both tables:",
        "",
        "- the census passes, and no orphan is unexplained",
        "- living births are the codes of living rows, both ways",
        "- each code of the observed table has had as many lives as its reloads gave it",
        "- the audit of the runs passes, and no transaction ended in a deadlock",
        "",
    )
    if figures.broken:
        yield from ("**It does not hold:**", "", *(f"- {what}" for what in figures.broken), "")
    yield from (f"PostgreSQL {figures.version}; a COMMIT is durable.", "")


def _operations(figures: Figures) -> Iterator[str]:
    yield from ("## Transactions", "")
    rows = [
        [name, f"{sum(len(phase.get(name, ())) for phase in figures.latencies.values()):,}"]
        for name in {**SCRIPTS, **AFTERWARDS}
    ]
    yield from _table(["transaction", "how many"], rows)


def _latencies(figures: Figures) -> Iterator[str]:
    yield from (
        "## Latency",
        "",
        "Milliseconds from BEGIN to COMMIT: what 50 and 99 of 100 transactions take at most.",
        "",
    )
    phases = [phase for phase in PHASES if figures.latencies.get(phase)]
    seconds = [f"{phase}, {figures.phases.get(phase, 0):.0f} s" for phase in phases]
    everything = {phase: [each for values in figures.latencies[phase].values() for each in values] for phase in phases}
    rows = [
        [name, *(_percentiles(figures.latencies[phase].get(name, [])) for phase in phases)]
        for name in {**SCRIPTS, **AFTERWARDS}
    ]
    rows.append(["all", *(_percentiles(everything[phase]) for phase in phases)])
    yield from _table(["transaction", *seconds], rows)


def _percentiles(values: Sequence[int]) -> str:
    if len(values) < 2:
        return "–"
    hundredths = quantiles(values, n=100)
    return f"{hundredths[49] / 1000:.1f}, {hundredths[98] / 1000:.1f}"


def _counts(figures: Figures) -> Iterator[str]:
    yield from ("## What is left", "")
    yield from _table(["what", "how many"], [[what, f"{number:,}"] for what, number in figures.counts.items()])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""

"""What a scenario is: contestants that do the same work, and what is claimed of their times.

A module of ``bench/scenarios`` holds one or more subclasses of ``Scenario``, and each is found by being there::

    class Copying(Scenario):
        name = "copying"
        title = "300,000 rows by COPY, with a gateway"
        rows_in_full = 300_000
        claims = (Claim("COPY", "gateway", "two statements", 1.10),)

        def prepare(self): ...       # once, untimed: self.world is a fresh database, self.rows the rows of this run
        def contestants(self): return [Contestant("two statements", self.by_hand), Contestant("gateway", self.attached)]
        def reset(self): ...         # untimed, before every turn: everybody finds the same
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import ClassVar

from bench.plot import Plot
from bench.world import World

#: What a turn tells beside its seconds: name of a series, value.
Parts = Mapping[str, float]


@dataclass(frozen=True)
class Contestant:
    """One way to do the work of a scenario.

    A turn is one call of ``run``, and its seconds are recorded under ``name``. What ``run`` returns is recorded beside
    them, such as ``{"birthdb: batch loop": 3.2}``; under its own name it takes their place, such as a rate. One that
    does only ``rows`` of the scenario's rows is multiplied up to all of them, and the report says so.
    """

    name: str
    run: Callable[[], Parts | None]
    rows: int | None = None
    #: What this one needs before its turn, after the scenario's ``reset``; untimed.
    ready: Callable[[], None] | None = None
    #: Whether what it was to do is there after its turn; untimed. Raises ValueError.
    check: Callable[[], None] | None = None


@dataclass(frozen=True)
class Claim:
    """One row of the table: what is measured against what, and the target. ``what`` may name {rows} and {births}.

    The figure is ``series`` divided by ``floor`` of the same round, or, without a floor, ``series`` itself in ``unit``.
    Without a target it is there for comparison.
    """

    what: str
    series: str
    floor: str | None
    target: float | None
    unit: str = "×"
    at_least: bool = False
    #: How the floor is called in the table, where the name of its series says too little.
    against: str | None = None
    digits: int = 2


@dataclass(frozen=True)
class Figure:
    """What came of a claim: median, range and quartiles over the rounds."""

    claim: Claim
    values: tuple[float, ...]
    #: Of a few rows on a server that writes nothing durably, no verdict.
    judged: bool = True

    @property
    def median(self) -> float:
        """Return the median over the rounds."""
        return median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Return the first and the third quartile; of a single round both are its value."""
        if len(self.values) < 2:
            return self.median, self.median
        first, _, third = quantiles(self.values, n=4, method="inclusive")
        return first, third

    @property
    def met(self) -> bool | None:
        """Return whether the median is on the right side of the target; None where nothing can be said."""
        if self.claim.target is None or not self.judged:
            return None
        shown = round(self.median, self.claim.digits)
        return shown >= self.claim.target if self.claim.at_least else shown <= self.claim.target


@dataclass(frozen=True)
class Table:
    """Figures that are nobody's ratio, for the report."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]


@dataclass
class Result:
    """What a scenario measured."""

    name: str
    title: str
    rows: int
    births: int
    unit: str
    claims: Sequence[Claim]
    judged: bool = True
    #: Series: its value in each round, in ``unit``.
    series: dict[str, list[float]] = field(default_factory=dict)
    #: Contestant: bytes of WAL in each round.
    wal: dict[str, list[int]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, series: str, value: float) -> None:
        """Record a round's value of a series."""
        self.series.setdefault(series, []).append(value)

    @property
    def figures(self) -> list[Figure]:
        """Return what came of each claim; one whose series this machine cannot measure is left out."""
        return [
            Figure(claim, tuple(self._values(claim)), self.judged)
            for claim in self.claims
            if claim.series in self.series and (claim.floor is None or claim.floor in self.series)
        ]

    def _values(self, claim: Claim) -> list[float]:
        values = self.series[claim.series]
        if claim.floor is None:
            return values
        return [value / floor for value, floor in zip(values, self.series[claim.floor], strict=True)]


class Scenario:
    """Work that several do, each in its turn; see the module's text for an example."""

    #: What ``--only`` takes.
    name: ClassVar[str]
    title: ClassVar[str]
    #: Rows of ``make bench``; every other size is in proportion.
    rows_in_full: ClassVar[int] = 1_000_000
    #: No more rounds than this, whatever was asked for.
    most_rounds: ClassVar[int | None] = None
    unit: ClassVar[str] = "s"
    claims: ClassVar[tuple[Claim, ...]] = ()

    def __init__(self, world: World, *, rows: int, births: int, rounds: int) -> None:
        """Remember the world and the sizes: ``births`` is how many a full registry has."""
        self.world = world
        self.rows = rows
        self.births = births
        self.rounds = min(rounds, self.most_rounds or rounds)
        self.result = Result(self.name, self.title, rows, births, self.unit, self.claims)

    def prepare(self) -> None:
        """Make what is worked on; untimed."""

    def contestants(self) -> Sequence[Contestant]:
        """Return who takes part, in any order; none where ``conclude`` measures by itself."""
        return ()

    def reset(self) -> None:
        """Put everything back for the next turn; untimed."""

    def conclude(self) -> None:
        """Add tables, plots and notes to ``self.result``, or series of its own."""

    def close(self) -> None:
        """Give back what ``prepare`` took, also after a failure."""

"""How large a batch should be: the default comes from here."""

from collections.abc import Sequence
from functools import partial
from statistics import median, quantiles

from bench.plot import Line, Plot
from bench.scenario import Contestant, Parts, Scenario, Table
from bench.scenarios.apply import FLOOR, by_hand

ORDER = 30
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


class Curve(Scenario):
    """Larger batches cost less per row and hold locks, vacuum and replicas for longer."""

    name = "curve"
    title = "rows a second over the batch size"
    rows_in_full = 200_000
    most_rounds = 3

    def prepare(self) -> None:
        """Make the table."""
        self.source = self.world.source("item", self.rows)
        # A batch of more than all rows is a batch of all rows.
        self.sizes = [size for size in SIZES if size <= self.rows] or SIZES[:2]
        self.batches: dict[int, list[float]] = {size: [] for size in self.sizes}

    def reset(self) -> None:
        """Empty the registry."""
        self.world.empty()

    def permit(self) -> None:
        """Plan, review and permit the run of the next turn."""
        self.run = self.world.permitted(self.source.name)

    def contestants(self) -> Sequence[Contestant]:
        """Return the floor and a CALL for each size."""
        return [
            Contestant(FLOOR, lambda: self.world.execute(by_hand(self.source))),
            *(Contestant(_called(size), partial(self.birthdb, size), ready=self.permit) for size in self.sizes),
        ]

    def birthdb(self, size: int) -> Parts:
        """Send the CALL; told by its loop."""
        self.world.apply(self.run, size)
        applied = self.world.applied(self.run)
        self.batches[size] += applied.batch_seconds
        return {_called(size): applied.loop}

    def conclude(self) -> None:
        """Tell how long a batch takes, and draw."""
        rows = []
        for size, seconds in self.batches.items():
            tail = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
            rows.append((f"{size:,}", median(seconds) * 1000, tail * 1000, max(seconds) * 1000))
        columns = ("rows a batch", "median, ms", "95 of 100 below, ms", "longest, ms")
        self.result.tables.append(Table("how long a batch takes", columns, tuple(rows)))
        pace = [(size, self.rows / median(self.result.series[_called(size)])) for size in self.sizes]
        floor = self.rows / median(self.result.series[FLOOR])
        self.result.plots.append(
            Plot(
                "batch-size",
                f"Batch loop of {self.rows:,} births",
                "rows a batch",
                "rows a second",
                (Line("birthdb", pace), Line(FLOOR, [(size, floor) for size in (self.sizes[0], self.sizes[-1])])),
                log=True,
            )
        )


def _called(size: int) -> str:
    return f"{size:,} a batch: loop"

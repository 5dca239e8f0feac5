"""What grows with the registry, and with the run: the time of a batch, and the memory of the driver's session."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from statistics import mean, median

from psycopg.sql import SQL

from bench.plot import Line, Plot
from bench.scenario import Claim, Contestant, Parts, Scenario
from bench.scenarios.apply import by_hand
from bench.world import OPERATOR, Applied, World

ORDER = 40


class Flatness(Scenario):
    """The same rows into an empty registry and into one that is full already.

    The full one is another database, and stays full: each turn there brings a table with codes of its own, in key order
    after all that are there, or scattered among them.
    """

    name = "flatness"
    title = "the last batches into a full registry against the first into an empty one"
    rows_in_full = 100_000
    claims = (
        Claim(
            "flatness, codes in key order: last tenth of a run into {births:,} births",
            "in key order, full: last tenth",
            "in key order, empty: first tenth",
            1.25,
            against="first tenth into an empty one",
        ),
        Claim(
            "flatness, codes in key order: last tenth of a run into {births:,} births",
            "in key order, full: last tenth",
            "in key order, empty: last tenth",
            1.25,
            against="last tenth into an empty one",
        ),
        Claim(
            "flatness, codes in key order: batch loop into {births:,} births",
            "in key order, full: loop",
            "in key order, empty: loop",
            1.25,
            against="batch loop into an empty registry",
        ),
        Claim(
            "flatness, codes in no order: slowdown of the batch loop by {births:,} births",
            "in no order: slowdown of birthdb",
            "in no order: slowdown of one statement",
            1.00,
            against="slowdown of one statement",
        ),
    )

    def prepare(self) -> None:
        """Make the full registry."""
        self.batch = min(10_000, self.rows // 20)
        self.numbers = count(1)
        self.spent: Callable[[], None] | None = None
        self.runs: dict[str, list[Applied]] = {}
        self._stack = ExitStack()
        self.full = self._stack.enter_context(self.world.cluster.world())
        self.full.fill(self.births)
        self.result.notes.append(f"The full registry begins with {self.births:,} births; {self.batch:,} rows a batch.")

    def reset(self) -> None:
        """Empty the empty one."""
        self.world.empty()

    def contestants(self) -> Sequence[Contestant]:
        """Return both orders, into both registries, by birthdb and by hand."""
        return [
            made
            for order, random in (("in key order", False), ("in no order", True))
            for filled, world in (("empty", self.world), ("full", self.full))
            for made in self._two(f"{order}, {filled}", world, random=random)
        ]

    def _two(self, name: str, world: World, *, random: bool) -> tuple[Contestant, Contestant]:
        def source() -> None:
            if self.spent:
                self.spent()
            number = next(self.numbers)
            self.source = world.source(f"item_{number}", self.rows, random=random, first=number * self.rows + 1)
            # Its births stay; its rows are not needed any more.
            self.spent = partial(world.execute, SQL("TRUNCATE {}").format(self.source.table))

        def permitted() -> None:
            source()
            self.run = world.permitted(self.source.name)

        def birthdb() -> Parts:
            world.apply(self.run, self.batch)
            applied = world.applied(self.run)
            self.runs.setdefault(name, []).append(applied)
            tenth = max(1, len(applied.batches) // 10)
            return {
                f"{name}: loop": applied.loop,
                f"{name}: first tenth": mean(applied.batch_seconds[:tenth]),
                f"{name}: last tenth": mean(applied.batch_seconds[-tenth:]),
            }

        return (
            Contestant(f"{name}: one statement", lambda: world.execute(by_hand(self.source)), ready=source),
            Contestant(f"{name}: birthdb", birthdb, ready=permitted),
        )

    def conclude(self) -> None:
        """Compare the slowdowns, and draw."""
        series = self.result.series
        for who, part in (("birthdb", "loop"), ("one statement", "one statement")):
            for full, empty in zip(
                series[f"in no order, full: {part}"], series[f"in no order, empty: {part}"], strict=True
            ):
                self.result.add(f"in no order: slowdown of {who}", full / empty)
        lines = []
        for name, runs in self.runs.items():
            seconds = zip(*(run.batch_seconds for run in runs), strict=True)
            lines.append(Line(name, [((i + 1) * self.batch, median(s) * 1000) for i, s in enumerate(seconds)]))
        title = f"Batches of {self.batch:,} into an empty registry, and into one of {self.births:,} births"
        self.result.plots.append(Plot("batch-time", title, "births of the run", "milliseconds a batch", lines))

    def close(self) -> None:
        """Drop the full registry."""
        self._stack.close()


class Memory(Scenario):
    """What the operator's backend holds at most during a CALL, each in a session of its own."""

    name = "memory"
    title = "memory of the driver's backend"
    unit = "MiB"
    claims = (
        Claim("memory of the driver's backend, ten times the rows", "all rows", "a tenth of the rows", 1.25),
        Claim("memory of the driver's backend", "all rows", None, None, unit="MiB", digits=0),
    )

    def prepare(self) -> None:
        """Make two tables."""
        self.small = self.world.source("tenth", max(1, self.rows // 10), first=self.rows + 1)
        self.large = self.world.source("item", self.rows)
        if not self.world.memory(OPERATOR):
            self.result.notes.append("Not measured: the server is not of this machine, or has no /proc.")

    def reset(self) -> None:
        """Empty the registry."""
        self.world.empty()

    def contestants(self) -> Sequence[Contestant]:
        """Return the two sizes."""
        if not self.world.memory(OPERATOR):
            return []
        return [
            Contestant(
                "a tenth of the rows", lambda: self.birthdb("a tenth of the rows"), ready=self._run(self.small.name)
            ),
            Contestant("all rows", lambda: self.birthdb("all rows"), ready=self._run(self.large.name)),
        ]

    def _run(self, collection: str) -> Callable[[], None]:
        def permitted() -> None:
            self.run = self.world.permitted(collection)
            self.world.leave(OPERATOR)
            self.world.memory(OPERATOR)

        return permitted

    def birthdb(self, name: str) -> Parts:
        """Send the CALL and look every 20 ms: private memory, without the server's shared buffers."""
        most, over = 0, threading.Event()

        def look() -> None:
            nonlocal most
            while not over.wait(0.02):
                most = max(most, self.world.memory(OPERATOR) or 0)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            self.world.apply(self.run, 10_000)
        finally:
            over.set()
            looking.join()
        most = max(most, self.world.memory(OPERATOR) or 0)
        return {name: most / 2**20}

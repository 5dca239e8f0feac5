"""Every view of schema birth, with a full registry: how long it takes, and whether it scans the births."""

import time
from collections.abc import Sequence

from psycopg.sql import SQL, Identifier

from bench.scenario import Claim, Contestant, Parts, Scenario, Table

ORDER = 70

#: A row for each birth: a relation to join, where the others say how things are.
_OF_BIRTHS = ["v_birth_living"]

# Of the transaction, and of earlier ones that are not reported yet: only the difference says something.
_SCANS = "SELECT pg_stat_get_xact_numscans('birth.birth_registry'::regclass)"


class Views(Scenario):
    """A registry as full as asked for, a run that is done and one that is planned."""

    name = "views"
    title = "every guard and dashboard view with a full registry"
    rows_in_full = 10_000
    unit = "ms"
    claims = (
        Claim(
            "the slowest of the guard and dashboard views, {births:,} births",
            "the slowest view",
            None,
            50,
            unit="ms",
            digits=1,
        ),
        Claim("views that scan the births, of all", "views that scan the births", None, 0, unit="views", digits=0),
    )

    def prepare(self) -> None:
        """Fill the registry."""
        self.world.fill(self.births)
        done = self.world.source("item", self.rows)
        self.world.apply(self.world.permitted(done.name))
        self.world.permitted(self.world.source("other", self.rows, first=self.rows + 1).name)
        self.world.execute("ANALYZE")
        self.views = [
            row["name"]
            for row in self.world.rows(
                "SELECT c.relname AS name FROM pg_class c"
                " WHERE c.relnamespace = 'birth'::regnamespace AND c.relkind = 'v' AND c.relname <> ALL(%s) ORDER BY 1",
                (_OF_BIRTHS,),
            )
        ]
        self.scans: dict[str, int] = {}
        self.result.notes.append(f"{self.births:,} births and {self.rows:,} of a run.")

    def contestants(self) -> Sequence[Contestant]:
        """Return the views, as one: reading leaves nothing that the next would have to begin without."""
        return [Contestant("all views", self.read)]

    def read(self) -> Parts:
        """Read each view whole; what it scanned is told by the session's own statistics, functions included."""
        return {view: self.time(view) * 1000 for view in self.views}

    def time(self, view: str) -> float:
        """Read a view, remember its scans of the births, and return the seconds."""
        with self.world.admin.transaction():
            before = self.world.value(_SCANS)
            begin = time.perf_counter()
            self.world.rows(SQL("SELECT * FROM {}").format(Identifier("birth", view)))
            seconds = time.perf_counter() - begin
            self.scans[view] = max(self.scans.get(view, 0), self.world.value(_SCANS) - before)
        return seconds

    def conclude(self) -> None:
        """Find the slowest of each round, and those that scan."""
        for times in zip(*(self.result.series[view] for view in self.views), strict=True):
            self.result.add("the slowest view", max(times))
            self.result.add("views that scan the births", sum(1 for scans in self.scans.values() if scans))
        scanning = tuple((view, scans) for view, scans in self.scans.items() if scans)
        if scanning:
            self.result.tables.append(Table("views that scan the births", ("view", "scans"), scanning))

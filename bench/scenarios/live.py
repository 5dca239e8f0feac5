"""What a backfill does to a table with live traffic: the latency of each statement before, during and after.

Every statement is due at a time of its own, and its latency counts from there (``pgbench --rate``), so that whatever
holds one up shows in those behind it too.
"""

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import ClassVar

from bench.plot import Line, Plot
from bench.scenario import Claim, Contestant, Parts, Scenario, Table
from bench.world import OPERATOR, STEWARD, Applied
from birthdb import target
from birthdb.server import client

ORDER = 60

#: Rows arrive among those that are backfilled; six of ten statements are INSERTs.
SCRIPTS = {
    "INSERT": (
        6,
        "\\set at random(1, :rows)\n"
        "INSERT INTO public.item VALUES ('code-' || lpad(:at::text, 11, '0') || '-' || nextval('arrived'), 'live');\n",
    ),
    "UPDATE": (
        2,
        "\\set at random(1, :rows)\n"
        "UPDATE public.item SET title = 'seen' WHERE code = 'code-' || lpad(:at::text, 11, '0');\n",
    ),
    "SELECT": (
        2,
        "\\set at random(1, :rows)\nSELECT title FROM public.item WHERE code = 'code-' || lpad(:at::text, 11, '0');\n",
    ),
}
CLIENTS = 2
RATE = 200  # statements a second, of both clients
WINDOW = 10.0  # seconds before, and after; a hundredth of the rows gets a tenth of it
EVERY = 0.005  # seconds between two looks at who waits for a lock
BUCKET = 0.5  # seconds a point of the plot stands for
PHASES = ("before", "during", "after")
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True)
class Statement:
    """One statement of the live load: when it ended, and milliseconds since it was due."""

    kind: str
    ended: float
    ms: float


class Live(Scenario):
    """The default batch size, a target duration per batch, and that with a pause after each."""

    name = "live"
    title = f"live traffic on the table while it is backfilled: {RATE} statements a second, a gateway that enforces"
    rows_in_full = 200_000
    unit = "ms"
    ways: ClassVar[Mapping[str, Mapping[str, int]]] = {
        "default batch": {},
        "50 ms a batch": {"p_target_ms": 50},
        "50 ms a batch, 50 ms of pause": {"p_target_ms": 50, "p_pause_ms": 50},
    }
    claims = tuple(
        claim
        for way in ways
        for claim in (
            Claim(
                f"live statements seen waiting for what a batch holds, {way}",
                f"{way}: waits",
                None,
                0,
                "waits",
                digits=0,
            ),
            Claim(
                f"live INSERT, 99 of 100 below, during a run, {way}",
                f"{way}: INSERT during p99",
                f"{way}: INSERT before p99",
                None,
                against="before the run",
                digits=1,
            ),
        )
    )

    def prepare(self) -> None:
        """Make the table, attach its gateway, write the scripts."""
        self.source = self.world.source("item", self.rows)
        self.world.execute("CREATE SEQUENCE arrived")
        self.world.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
        self.lines: dict[str, Line] = {}
        self.window = WINDOW if self.rows > self.rows_in_full / 100 else WINDOW / 10

    def reset(self) -> None:
        """Take away what arrived, and every birth."""
        self.world.execute("DELETE FROM public.item WHERE title = 'live'")
        self.world.execute("VACUUM (ANALYZE) public.item")
        self.world.empty()

    def contestants(self) -> Sequence[Contestant]:
        """Return the ways to pace a run."""
        return [
            Contestant(way, partial(self.turn, way), ready=partial(self.permit, pace))
            for way, pace in self.ways.items()
        ]

    def permit(self, pace: Mapping[str, int]) -> None:
        """Plan, review and permit the run of the next turn, and set its pace."""
        self.run = self.world.permitted(self.source.name)
        if pace:
            self.world.ask(OPERATOR, "fn_birth_run_tune", p_run_id=self.run.run_id, **pace)

    def turn(self, way: str) -> Parts:
        """Apply the run in the middle of the live load."""
        with tempfile.TemporaryDirectory() as directory:
            with self.load(Path(directory)):
                time.sleep(self.window)
                waits: Counter[str] = Counter()
                over = Event()
                watcher = Thread(target=self.watch, args=(over, waits))
                watcher.start()
                began = time.time()
                try:
                    self.world.apply(self.run)
                finally:
                    ended = time.time()
                    over.set()
                    watcher.join()
                time.sleep(self.window)
            statements = read(Path(directory))
        return self.tell(way, statements, began, ended, self.world.applied(self.run), waits)

    @contextmanager
    def load(self, directory: Path) -> Iterator[None]:
        """Keep the live load up."""
        command = [str(client("pgbench")), "-n", "-M", "prepared", "-T", "3600", "-D", f"rows={self.rows}"]
        command += ["-c", str(CLIENTS), "-R", str(RATE), "-l", "--log-prefix", str(directory / "log")]
        for kind, (weight, text) in SCRIPTS.items():
            (directory / kind).write_text(text)
            command += ["-f", f"{directory / kind}@{weight}"]
        with subprocess.Popen(
            [*command, self.world.url()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as pgbench:
            try:
                yield
                # A client that loses its session leaves its log whole; one that is interrupted does not.
                self.world.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'pgbench' AND datname = current_database()"
                )
                pgbench.wait()
            finally:
                pgbench.terminate()

    def watch(self, over: Event, waits: Counter[str]) -> None:
        """Count how often a client of the live load was seen waiting for a lock, and of what kind."""
        with closing(target.connect(self.world.url(), autocommit=True)) as conn:
            while not over.wait(EVERY):
                waits["looks"] += 1
                waits.update(
                    kind
                    for (kind,) in conn.execute(
                        "SELECT wait_event FROM pg_stat_activity"
                        " WHERE application_name = 'pgbench' AND wait_event_type = 'Lock'"
                    )
                )

    def tell(
        self, way: str, statements: list[Statement], began: float, ended: float, applied: Applied, waits: Counter[str]
    ) -> Parts:
        """Record what a turn found and return its series."""
        first = min(statement.ended for statement in statements)
        settled = self.window / 10
        phases = {
            "before": (first + settled, began),
            "during": (began, ended),
            "after": (ended + settled, float("inf")),
        }
        parts: dict[str, float] = {}
        for kind in SCRIPTS:
            for phase, (start, end) in phases.items():
                found = sorted(one.ms for one in statements if one.kind == kind and start <= one.ended < end)
                for name, share in QUANTILES.items():
                    if found:
                        parts[f"{way}: {kind} {phase} {name}"] = found[min(len(found) - 1, int(len(found) * share))]
        pause = self.ways[way].get("p_pause_ms", 0) if len(applied.batches) > 1 else 0
        sizes = sorted(1000 * seconds - pause for seconds in applied.batch_seconds)
        parts[f"{way}: longest batch"] = sizes[-1]
        parts[f"{way}: proof"] = 1000 * (applied.finished - applied.last_written)
        parts[f"{way}: median batch"] = median(sizes)
        parts[f"{way}: batches"] = len(sizes)
        parts[f"{way}: seconds"] = ended - began
        parts[f"{way}: looks"] = waits.pop("looks", 0)
        # Whoever makes a file longer holds its lock for that moment and not until the transaction ends.
        parts[f"{way}: waits to extend a file"] = waits.pop("extend", 0)
        parts[f"{way}: waits"] = waits.total()
        if waits:
            self.result.notes.append(f"{way}: seen waiting for locks: {dict(waits)}")
        self.lines[way] = Line(
            way,
            [
                (round(bucket * BUCKET, 2), max(one.ms for one in group))
                for bucket, group in groupby(
                    sorted(statements, key=lambda one: one.ended), lambda one: int((one.ended - first) / BUCKET)
                )
            ],
        )
        return parts | {way: parts.get(f"{way}: INSERT during p99", 0)}

    def conclude(self) -> None:
        """Add latencies, batches and the picture."""
        of = {name: round(median(values), 1) for name, values in self.result.series.items()}
        told = (
            "seconds",
            "batches",
            "median batch",
            "longest batch",
            "proof",
            "looks",
            "waits",
            "waits to extend a file",
        )
        self.result.tables += [
            Table(
                "Latency of live statements, milliseconds",
                ("run", "statement", "phase", *QUANTILES),
                tuple(
                    (way, kind, phase, *(of.get(f"{way}: {kind} {phase} {name}", "") for name in QUANTILES))
                    for way in self.ways
                    for kind in SCRIPTS
                    for phase in PHASES
                ),
            ),
            Table(
                "The backfill meanwhile; batches and the closing proof in milliseconds",
                ("run", *told),
                tuple((way, *(of[f"{way}: {name}"] for name in told)) for way in self.ways),
            ),
        ]
        self.result.plots.append(
            Plot(
                "live",
                "Live traffic while its table is backfilled",
                f"seconds; the run begins after {self.window:g}; the last round",
                f"longest latency in {BUCKET:g} s, ms",
                list(self.lines.values()),
            )
        )


def read(directory: Path) -> list[Statement]:
    """Read the logs of pgbench: client, number, microseconds, script, seconds and microseconds of its end, lag."""
    kinds = list(SCRIPTS)
    found = []
    for log in directory.glob("log*"):
        for line in log.read_text().splitlines():
            _, _, took, script, seconds, micros, *_ = line.split()
            found.append(Statement(kinds[int(script)], int(seconds) + int(micros) / 1e6, int(took) / 1000))
    return found

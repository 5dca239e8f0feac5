"""A table that lives: what an application does to it all the while, and a backfill of its history meanwhile.

``app.thing`` has a history without births and is enforced; pgbench inserts, changes, deletes and upserts its rows, and
changes their keys. ``app.feed`` is observed, and loaded in full every night. Meanwhile the history is planned, judged,
permitted and run to done, compensated, and run again. At the end what the registry says is held against the tables.
"""

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, NamedTuple
from uuid import UUID

from world import APPLICATION, World

from birthdb import api
from birthdb.server import client

#: Above every id of the history.
FIRST = 1_000_000_000

_PICK = """BEGIN;
SELECT id AS picked FROM app.thing
WHERE id > {first} + ((SELECT last_value FROM app.thing_id) - {first}) * random(0, 900) / 1000
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED \\gset
{{}}
END;"""


class Script(NamedTuple):
    """What pgbench sends, and how often among the others."""

    weight: int
    text: str


def _picked(*statements: str) -> str:
    """Return a transaction over a row that no other session has."""
    pick = _PICK.format(first=FIRST).replace("random(0, 900)", ":share").format("\n".join(statements))
    return f"\\set share random(0, 900)\n{pick}"


SCRIPTS: Mapping[str, Script] = {
    "INSERT of one row": Script(16, "INSERT INTO app.thing VALUES (nextval('app.thing_id'), 'new');"),
    "INSERT of ten rows": Script(
        2, "INSERT INTO app.thing SELECT nextval('app.thing_id'), 'new' FROM generate_series(1, 10);"
    ),
    "UPDATE of another column": Script(10, _picked("UPDATE app.thing SET note = 'changed' WHERE id = :picked;")),
    "UPDATE of the key": Script(6, _picked("UPDATE app.thing SET id = nextval('app.thing_id') WHERE id = :picked;")),
    "DELETE of one row": Script(10, _picked("DELETE FROM app.thing WHERE id = :picked;")),
    "DELETE of ten rows": Script(1, _picked(
        "DELETE FROM app.thing WHERE id IN (SELECT id FROM app.thing WHERE id >= :picked ORDER BY id LIMIT 10"
        " FOR UPDATE SKIP LOCKED);"
    )),
    "upsert": Script(6, _picked(
        "INSERT INTO app.thing VALUES (:picked, 'again') ON CONFLICT (id) DO UPDATE SET note = excluded.note;"
    )),
    "upsert that changes the key": Script(4, _picked(
        "INSERT INTO app.thing VALUES (:picked) ON CONFLICT (id) DO UPDATE SET id = nextval('app.thing_id');"
    )),
    "DELETE and INSERT in one transaction": Script(2, _picked(
        "DELETE FROM app.thing WHERE id = :picked;", "INSERT INTO app.thing VALUES (:picked, 'once more');"
    )),
    "DELETE that is rolled back": Script(2, _picked(
        "SAVEPOINT a;", "DELETE FROM app.thing WHERE id = :picked;", "ROLLBACK TO a;"
    )),
    "INSERT of a used number": Script(2, "SELECT app.use_again();"),
}  # fmt: skip

#: Rows of the history are deleted only when their backfill is over: before, that stops a run.
AFTERWARDS: Mapping[str, Script] = {
    "DELETE of a row of the history": Script(6, """\\set low random(1, :history * 9 / 10)
BEGIN;
SELECT id AS picked FROM app.thing WHERE id > :low ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED \\gset
DELETE FROM app.thing WHERE id = :picked;
END;"""),
}  # fmt: skip

_USE_AGAIN = f"""
CREATE FUNCTION app.use_again() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_last CONSTANT bigint := (SELECT last_value - 200 FROM app.thing_id);
  v_id bigint;
BEGIN
  SELECT g.id INTO v_id
  FROM (SELECT {FIRST} + 1 + (random() * greatest(v_last - {FIRST}, 0))::bigint AS id FROM generate_series(1, 20)) g
  WHERE g.id < v_last AND NOT EXISTS (SELECT FROM app.thing t WHERE t.id = g.id) LIMIT 1;
  IF v_id IS NOT NULL THEN
    INSERT INTO app.thing VALUES (v_id, 'used');
  END IF;
EXCEPTION WHEN SQLSTATE 'NB511' OR unique_violation THEN
  PERFORM nextval('app.refused');
END $$"""


@dataclass(frozen=True)
class Terms:
    """How long, with how many clients, how many transactions a second, and over how many rows."""

    seconds: float
    clients: int = 3
    rate: int = 150
    history: int = 300_000
    batch: int = 500
    feed: int = 2_000
    #: Seconds between two full reloads.
    night: float = 5.0


@dataclass
class Figures:
    """What happened; ``broken`` says what does not hold at the end."""

    terms: Terms
    version: str = ""
    #: Microseconds of each transaction of pgbench, by phase and operation.
    latencies: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


#: In the order in which they come.
PHASES = ("before", "backfill", "compensation", "backfill again", "after")


class Story:
    """One database, in which everybody is at work."""

    def __init__(self, world: World, terms: Terms) -> None:
        self.world, self.terms = world, terms
        self.figures = Figures(terms, version=world.value("SELECT split_part(version(), ' ', 2)"))
        self._phase = PHASES[0]
        self._stop = Event()
        self._chance = random.Random(14)
        #: Of each code of the feed, how many lives it has had, and whether it is living.
        self._feed = {f"F-{number}": [1, True] for number in range(terms.feed)}
        self._nights: Counter[str] = Counter()
        self._failures: list[BaseException] = []

    def tell(self) -> Figures:
        """Do everything, and look at what is left."""
        self._lay_out()
        with self._at_work(self._reloads), self._at_work(self._works):
            self._rest(0.25)
            self._enter("backfill")
            run = self._backfill()
            self._enter("compensation")
            self._compensate(run)
            self._enter("backfill again")
            self._backfill()
            self._enter("after")
            self._rest(0.25)
            self._stop.wait(max(0.0, self._began + self.terms.seconds - time.monotonic()))
            self._enter("")
            self._stop.set()
        self.figures.broken += [f"{type(failure).__name__}: {failure}" for failure in self._failures]
        self._count()
        self._look()
        return self.figures

    # --- tables

    def _lay_out(self) -> None:
        world, terms = self.world, self.terms
        world.table("(id bigint PRIMARY KEY, note text)")
        world.owner.execute(
            f"CREATE SEQUENCE app.thing_id START {FIRST + 1}; CREATE SEQUENCE app.refused;{_USE_AGAIN}".encode()
        )
        world.owner.execute("INSERT INTO app.thing SELECT g, 'of old' FROM generate_series(1, %s) g", (terms.history,))
        world.register()
        world.classify("synthetic_id", column="id", prefix="T-")
        world.attach(mode="enforce")
        api.life_attach(world.steward, "thing", "enforce")
        world.governed("(code text PRIMARY KEY, body text)", "feed")
        api.life_attach(world.steward, "feed", "observe")
        world.owner.execute("INSERT INTO app.feed SELECT unnest(%s::text[]), 'first'", (list(self._feed),))
        world.owner.execute("INSERT INTO app.thing SELECT nextval('app.thing_id'), 'new' FROM generate_series(1, 1000)")
        world.admin.execute("VACUUM ANALYZE")
        self._began = time.monotonic()
        self._entered = [(time.time(), self._phase)]

    # --- phases

    def _enter(self, phase: str) -> None:
        now = time.time()
        self.figures.phases[self._phase] = now - self._entered[-1][0]
        self._entered.append((now, phase))
        self._phase = phase

    def _rest(self, share: float) -> None:
        self._stop.wait(self.terms.seconds * share)

    @contextmanager
    def _at_work(self, work: Callable[[], None]) -> Iterator[None]:
        """Have somebody work until the story is over."""

        def go() -> None:
            try:
                work()
            except BaseException as failure:
                self._failures.append(failure)

        worker = Thread(target=go)
        worker.start()
        try:
            yield
        finally:
            self._stop.set()
            worker.join()

    # --- the application

    def _works(self) -> None:
        """Let pgbench work, two seconds at a time."""
        with TemporaryDirectory() as place:
            for name, script in {**SCRIPTS, **AFTERWARDS}.items():
                Path(place, f"{name}.sql").write_text(script.text + "\n", encoding="utf-8")
            while not self._stop.is_set():
                scripts = {**SCRIPTS, **AFTERWARDS} if self._phase == "after" else SCRIPTS
                self._bench(Path(place), scripts)

    def _bench(self, place: Path, scripts: Mapping[str, Script]) -> None:
        terms = self.terms
        told = subprocess.run(
            [
                client("pgbench"), "--no-vacuum", f"--client={terms.clients}", "--time=2", f"--rate={terms.rate}",
                "--log", f"--log-prefix={place / 'log'}", f"--define=history={terms.history}",
                f"--random-seed={self._chance.randrange(2**31)}",
                *(f"--file={place / name}.sql@{script.weight}" for name, script in scripts.items()),
                self.world.db.url(APPLICATION),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if told.returncode != 0 or "number of failed transactions: 0 " not in told.stdout:
            self.figures.broken.append(f"pgbench: {(told.stdout + told.stderr).strip()[-1000:]}")
            self._stop.set()
        names = list(scripts)
        for log in place.glob("log.*"):
            for line in log.read_text(encoding="utf-8").splitlines():
                _, _, elapsed, number, seconds, micros, lag = map(int, line.split()[:7])
                phase = next(name for began, name in self._entered[::-1] if began <= seconds + micros / 1e6)
                by_phase = self.figures.latencies.setdefault(phase or PHASES[-1], {})
                by_phase.setdefault(names[number], []).append(elapsed - lag)
            log.unlink()

    def _reloads(self) -> None:
        """Load the feed in full, again and again: some codes are missing in each night, and others are there again."""
        with self.world.db.connect(APPLICATION, autocommit=False) as conn:
            while not self._stop.wait(self.terms.night):
                missing = set(self._chance.sample(sorted(self._feed), self.terms.feed // 100))
                today = [code for code in self._feed if code not in missing]
                way = ("DELETE and INSERT", "TRUNCATE and COPY")[self._nights.total() % 2]
                if way == "TRUNCATE and COPY":
                    conn.execute("TRUNCATE app.feed")
                    with conn.cursor().copy("COPY app.feed (code, body) FROM STDIN") as copy:
                        for code in today:
                            copy.write_row((code, "tonight"))
                else:
                    conn.execute("DELETE FROM app.feed")
                    conn.execute("INSERT INTO app.feed SELECT unnest(%s::text[]), 'tonight'", (today,))
                conn.commit()
                self._nights[way] += 1
                for code, state in self._feed.items():
                    state[0] += code not in missing and not state[1]
                    state[1] = code not in missing

    # --- the people of the run

    def _backfill(self) -> UUID:
        run, permit, delta = self.world.permitted()
        api.apply(self.world.operator, "thing", run, permit, delta, delta, batch=self.terms.batch, execute=True)
        return run

    def _compensate(self, run: UUID) -> None:
        permit = self.world.judged(run, purpose="COMPENSATE", rows=self.terms.history)
        api.compensate(self.world.operator, run, permit, batch=self.terms.batch, execute=True)

    # --- what is left

    def _count(self) -> None:
        value, counts = self.world.value, self.figures.counts
        for way in ("DELETE and INSERT", "TRUNCATE and COPY"):
            counts[f"full reloads of the feed: {way}"] = self._nights[way]
        counts["INSERTs of a used number that were refused"] = value(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM app.refused"
        )
        counts["births"] = value("SELECT count(*) FROM birth.birth_registry")
        for manner in ("DELETE", "REKEY"):
            counts[f"dead codes of the enforced table: {manner}"] = value(
                "SELECT count(*) FROM birth.birth_death WHERE collection_name = 'thing' AND manner = %s", manner
            )
        counts["dead codes of the feed"] = value(
            "SELECT count(*) FROM birth.birth_death WHERE collection_name = 'feed' AND returned_at IS NULL"
        )
        counts["returns in the feed"] = value(
            "SELECT coalesce(sum(lives - 1), 0)::bigint FROM birth.birth_death WHERE collection_name = 'feed'"
        )
        counts["rows of birth_death for the feed"] = value(
            "SELECT count(*) FROM birth.birth_death WHERE collection_name = 'feed'"
        )
        found = self.world.admin.execute(
            "SELECT collection_name, error, count(*) FROM birth.birth_gateway_finding GROUP BY 1, 2 ORDER BY 1, 2"
        )
        for name, error, times in found:
            counts[f"findings of `{name}`: {error}"] = times
        for status, written in self.world.admin.execute(
            "SELECT l.status, l.actual_inserted FROM birth.birth_backfill_ledger_v2 l ORDER BY l.planned_at"
        ):
            counts[f"births that the run wrote that is {status}"] = written

    def _look(self) -> None:
        """Hold births, deaths and runs against the tables."""
        world, broken = self.world, self.figures.broken

        def none(what: str, query: str, *parameters: Any) -> None:
            found = world.admin.execute(query.encode(), parameters).fetchall()
            if found:
                broken.append(f"{what}: {len(found)}, such as {found[0]}")

        for name, code in (("thing", "'T-' || t.id"), ("feed", "t.code")):
            failed = world.failed_checks(name)
            if failed:
                broken.append(f"census of {name}: {failed}")
            living = "SELECT entity_code FROM birth.v_birth_living WHERE collection_name = %s"
            rows = f'SELECT ({code}) COLLATE "C" FROM app.{name} t'
            none(f"living births of {name} without a row", f"{living} EXCEPT {rows}", name)
            none(f"rows of {name} without a living birth", f"{rows} EXCEPT {living}", name)
            orphans = world.planned(name)["orphans"]
            if orphans:
                broken.append(f"unexplained orphans of {name}: {orphans}")
        none("deaths that another record contradicts", "SELECT * FROM birth.fn_birth_death_violations()")
        none("checks of the runs' audit that fail", "SELECT run_id, check_name FROM birth.fn_birth_run_audit()"
             " WHERE NOT pass")  # fmt: skip
        statuses = [row[0] for row in world.admin.execute(
            "SELECT status FROM birth.birth_backfill_ledger_v2 ORDER BY planned_at")]  # fmt: skip
        if statuses != ["compensated", "done"]:
            broken.append(f"the runs ended as {statuses}")
        lives = dict(world.admin.execute(
            "SELECT entity_code, (lives, returned_at IS NULL)::text FROM birth.birth_death"
            " WHERE collection_name = 'feed'").fetchall())  # fmt: skip
        expected = {
            code: f"({had},{'f' if living else 't'})" for code, (had, living) in self._feed.items()
            if had > 1 or not living
        }  # fmt: skip
        if lives != expected:
            differing = [code for code in {*lives, *expected} if lives.get(code) != expected.get(code)]
            broken.append(f"lives of the feed differ for {len(differing)} codes, such as {differing[0]}")

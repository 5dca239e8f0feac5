"""A random walk: what is tried is drawn without a look at the model, which only judges the answers."""

import string
from typing import Any, NamedTuple

import hypothesis
from helpers import DBA, EVERYBODY, OPERATOR, OWNER, REVIEWER, SECOND_OPERATOR
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from model.model import Collection
from model.sides import Move, Row, Sides
from model.stage import COLLECTIONS, IDENTITIES, POINTS, Stage

#: Steps of a walk; most make several moves.
STEPS = 12

#: So few that codes meet: n1 is a name and the code of an id, 1 and 11 make 111 twice. In every collation's order.
NAMES = (None, " ", "1", "11", *string.ascii_lowercase, "n1", "n2", "n3")
IDS = range(1, 16)


class Fresh(NamedTuple):
    """A run to be made: after rows that come in late, planned by one, for so many births at most."""

    name: str
    rows: list[Row]
    by: str
    most: int | None


class Event(NamedTuple):
    """What happens, in the middle of a batch or between two steps; which of the details count depends on what it is."""

    what: str
    point: str
    name: str
    row: Row
    other: int


def mostly(right: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([right] * 6 + list(others))


COLLECTION = st.sampled_from(COLLECTIONS)
IDENTITY = st.sampled_from(sorted(IDENTITIES))
MODE = st.sampled_from(["observe", "enforce"])
ROW = st.tuples(st.sampled_from(IDS), st.sampled_from(NAMES))
ROWS = st.dictionaries(st.sampled_from(IDS), st.sampled_from(NAMES), min_size=3)
SOURCES = st.tuples(*(st.builds(Collection, IDENTITY, MODE, ROWS) for _ in COLLECTIONS))
RECENT = st.integers(0, 3)
PLANNER = mostly(OPERATOR, SECOND_OPERATOR, EVERYBODY, REVIEWER)
EXECUTOR = mostly(OPERATOR, SECOND_OPERATOR, SECOND_OPERATOR)
ANYBODY = mostly(None, EVERYBODY, OPERATOR, REVIEWER, OWNER)
SIZE = st.integers(1, 5)
BOUND = mostly(None, 1, 2, 3, 0)
PURPOSE = mostly("APPLY", "COMPENSATE", "COMPENSATE")
FRESH = st.builds(Fresh, COLLECTION, st.lists(ROW, max_size=6), EXECUTOR, BOUND)
MAYBE_FRESH = mostly(FRESH, st.none()).flatmap(lambda strategy: strategy)
EVENT = st.builds(
    Event,
    st.sampled_from(
        ["stop", "revoke", "cancel", "terminate", "freeze", "drift", "rival", "insert", "delete", "rename"]
    ),
    st.sampled_from(sorted(POINTS)),
    COLLECTION,
    ROW,
    RECENT,
)


class Walk(Sides, RuleBasedStateMachine):
    """One walk; ``stage`` is set by whoever sends it."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Sides.__init__(self)
        self.awake = False

    def judge(self, move: Move, *, compare: bool = True) -> bool:
        return self.awake and super().judge(move, compare=compare)

    @initialize(number=st.integers(0, 2**62), sources=SOURCES)
    def set_out(self, number: int, sources: tuple[Collection, ...]) -> None:
        """Lay out the collections. Hypothesis tries the simplest values first, which make no walk."""
        self.awake = number > 0
        if self.awake:
            self.stage.reset()
        for name, source in zip(COLLECTIONS, sources, strict=True):
            self.judge(self.classifies(name, source.identity), compare=False)
            self.judge(self.switches(name, source.mode), compare=False)
            self.arrive(name, list(source.rows.items()))

    # --- runs

    @rule(fresh=MAYBE_FRESH, number=RECENT, by=EXECUTOR, size=SIZE, amiss=mostly(0, 1, -1))
    def apply(self, fresh: Fresh | None, number: int, by: str, size: int, amiss: int) -> None:
        run = self.run(number, fresh)
        if run is not None:
            self.judge(self.calls(self.call(run, size, amiss=amiss), by))

    @rule(fresh=MAYBE_FRESH, number=RECENT, by=EXECUTOR, size=SIZE, event=EVENT)
    def disturb(self, fresh: Fresh | None, number: int, by: str, size: int, event: Event) -> None:
        """Apply, and have something happen in the middle of the first batch."""
        run, other = self.run(number, fresh), self.run(event.other)
        if run is not None and other is not None:
            nested = self.happening(event, by, other)
            self.judge(self.calls(self.call(run, size), by, nested, event.point))

    @rule(fresh=MAYBE_FRESH, number=RECENT, by=EXECUTOR, size=SIZE, batches=st.integers(0, 3))
    def begin(self, fresh: Fresh | None, number: int, by: str, size: int, batches: int) -> None:
        """Begin a run by hand, to have its batches one by one."""
        run = self.run(number, fresh)
        if run is not None and self.judge(self.begins(self.call(run, size), by)):
            self.go_on(by, batches)

    @precondition(lambda self: self.hands)
    @rule(by=EXECUTOR, batches=st.integers(1, 3))
    def go_on(self, by: str, batches: int) -> None:
        by = by if by in self.hands else next(iter(self.hands))
        for _ in range(batches):
            if by in self.hands:
                self.judge(self.steps(by))

    @rule(fresh=MAYBE_FRESH, number=RECENT, by=EXECUTOR, size=mostly(100, 1, 2, 3))
    def write(self, fresh: Fresh | None, number: int, by: str, size: int) -> None:
        """Call the writer without the driver."""
        run = self.run(number, fresh)
        if run is not None:
            self.judge(self.writes(self.call(run, size), by))

    @precondition(lambda self: self.run_ids)
    @rule(number=RECENT, purpose=PURPOSE, rows=BOUND, by=EXECUTOR, size=SIZE)
    def resume(self, number: int, purpose: str, rows: int | None, by: str, size: int) -> None:
        """Admit a run again, and go on."""
        run = self.recent(number)
        self.admit(run, purpose, rows)
        self.judge(self.calls(self.call(run, size, purpose), by, back=purpose == "COMPENSATE"))

    @precondition(lambda self: self.run_ids)
    @rule(number=RECENT, by=EXECUTOR, size=SIZE, admitted=mostly(True, False), event=EVENT)
    def undo(self, number: int, by: str, size: int, admitted: bool, event: Event) -> None:
        """Compensate, and have something happen in the middle of the first batch."""
        run = self.recent(number)
        if admitted:
            self.admit(run, "COMPENSATE", None)
        nested = self.happening(event, by, run, "COMPENSATE")
        self.judge(self.calls(self.call(run, size, "COMPENSATE"), by, nested, event.point, back=True))

    @rule(name=COLLECTION, by=PLANNER, most=st.none() | st.integers(1, 9))
    def look(self, name: str, by: str, most: int | None) -> None:
        """Plan or rehearse."""
        self.judge(self.plans(name, by) if most is None else self.rehearses(name, by, most))

    # --- people and the world

    @precondition(lambda self: self.permit_ids)
    @rule(
        what=st.sampled_from(["review", "permit", "confirm", "revoke", "expire", "stop", "take over", "kill"]),
        number=RECENT,
        by=ANYBODY,
        purpose=PURPOSE,
        rows=BOUND,
        safe=st.booleans(),
        accept=st.booleans(),
    )
    def act(
        self, what: str, number: int, by: str | None, purpose: str, rows: int | None, safe: bool, accept: bool
    ) -> None:
        """Do one thing, mostly as the person whose part it is."""
        run, permit = self.recent(number), -1 - number % len(self.permit_ids)
        match what:
            case "review":
                move = self.reviews(run, by or REVIEWER, purpose, safe=safe, accept=accept)
            case "permit":
                move = self.opens(run, rows, by or OWNER, purpose)
            case "confirm":
                move = self.confirms(permit, by or REVIEWER)
            case "revoke":
                move = self.revokes(permit, by or OWNER)
            case "expire":
                move = self.expires(permit)
            case "stop":
                move = self.stops(run, by or OPERATOR)
            case "take over":
                move = self.takes_over(run, by or DBA)
            case _:
                move = self.kills(next(iter(self.hands), OPERATOR))
        self.judge(move)

    @rule(
        what=st.sampled_from(
            ["insert", "insert", "delete", "rename", "rename", "classify", "switch", "freeze", "drift", "release"]
        ),
        name=COLLECTION,
        rows=st.lists(ROW, min_size=1, max_size=3),
        gateway=st.booleans(),
        identity=IDENTITY,
        mode=MODE,
    )
    def happen(self, what: str, name: str, rows: list[Row], gateway: bool, identity: str, mode: str) -> None:
        """Let the world change: rows, identities, gateways, the contract."""
        match what:
            case "insert":
                move = self.inserts(name, rows, gateway=gateway)
            case "delete":
                move = self.deletes(name, rows[0][0])
            case "rename":
                move = self.renames(name, *rows[0])
            case "classify":
                move = self.classifies(name, identity)
            case "switch":
                move = self.switches(name, mode)
            case "freeze":
                move = self.freezes()
            case "drift":
                move = self.drifts()
            case _:
                move = self.releases()
        self.judge(move)

    def happening(self, event: Event, by: str, run: int, purpose: str = "APPLY") -> Move:
        """Return what happens while somebody is in the middle of a batch."""
        match event.what:
            case "stop":
                return self.stops(run)
            case "revoke":
                return self.revokes(self.permit_of(run, purpose))
            case "cancel":
                return self.cancels(by)
            case "terminate":
                return self.terminates(by)
            case "freeze":
                return self.freezes()
            case "drift":
                return self.drifts()
            case "rival":
                return self.calls(self.call(run, 1), SECOND_OPERATOR if by == OPERATOR else OPERATOR)
            case "insert":
                return self.inserts(event.name, [event.row], gateway=False)
            case "delete":
                return self.deletes(event.name, event.row[0])
            case _:
                return self.renames(event.name, *event.row)

    # --- what leads up to them

    def arrive(self, name: str, rows: list[Row]) -> None:
        """Have rows come in late, past the gateway; some are there already."""
        for row in rows:
            self.judge(self.inserts(name, [row], gateway=False), compare=False)

    def admit(self, run: int, purpose: str, rows: int | None) -> None:
        """Review a run, as it is now, and permit it."""
        if self.judge(self.reviews(run, purpose=purpose)) and self.judge(self.opens(run, rows, purpose=purpose)):
            self.judge(self.confirms(-1))

    def recent(self, number: int) -> int:
        """Return a run, counted from the newest."""
        return len(self.run_ids) - 1 - number % len(self.run_ids)

    def run(self, number: int, fresh: Fresh | None = None) -> int | None:
        """Return a recent run, if there is one, or the fresh one, planned and admitted just now."""
        if fresh:
            self.arrive(fresh.name, fresh.rows)
            if self.judge(self.plans(fresh.name, fresh.by)):
                number = 0
                self.admit(self.recent(0), "APPLY", fresh.most)
        return self.recent(number) if self.run_ids else None


def walk(stage: Stage, seed: int, *, shrink: bool = True) -> None:
    """Take one random walk on a stage; where it fails, the shortest is shown that fails."""
    chosen = settings(
        # One, after the simplest. More would mostly be the same walk with a step changed.
        max_examples=2,
        stateful_step_count=STEPS,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    machine: type[Walk] = type("Walk", (Walk,), {"stage": stage})
    run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=chosen)

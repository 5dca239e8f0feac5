"""A random walk through the lives of rows: two sessions of an application, a steward and the people of runs.

The oracle knows rows, births, deaths and the rule: a code is dead when, at the end of the statement that took its row,
no living row of its collection has it. From the rows before and after a statement it computes what was born, what died,
what returned and what is refused; it knows nothing of triggers. After each step the database is held against it, and so
is what holds always.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import psycopg
from helpers import OPERATOR, OWNER, REVIEWER, STEWARD, Scene
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model.draw import often
from model.machine import Fault, finds, take
from model.model import Refused, refuse
from model.sides import insist
from model.stage import reason
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from support import Database
from world import APPLICATION

from birthdb import api
from birthdb.errors import BirthError

#: A table of numbers, one whose rows retire by their status, and a partitioned one. Codes are n1, n2, and so on.
COLLECTIONS = ("plain", "kept", "parted")
#: The first number of each: some codes are of two of them.
FIRST = {"plain": 1, "kept": 6, "parted": 11}
WIDTH = 6
DEAD = "closed"
#: Where the second partition begins.
HIGH = FIRST["parted"] + 3
MODES = ("off", "observe", "enforce")
STEPS = 40
SEEDS = range(1, 31)

Finding = tuple[str, str]


def numbers(name: str) -> range:
    return range(FIRST[name], FIRST[name] + WIDTH)


def code(number: int) -> str:
    return f"n{number}"


def _reason(error: Exception) -> str:
    """Return what an error is called, as PostgreSQL sent it or as ``api`` raised it."""
    if isinstance(error, psycopg.Error):
        return reason(error)
    return _SNAKE.sub("_", type(error).__name__).lower()


#: What a statement may be refused for, beside a key that is there.
_REFUSALS = ("code_dead", "code_taken", "gateway_foreign", "not_retired")

_SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])")


# --- what the specification says


@dataclass(frozen=True)
class Death:
    manner: str
    successor: int | None
    tx: int
    lives: int = 1
    open: bool = True
    run: int | None = None
    allowed: bool = False


@dataclass(frozen=True)
class Entity:
    """A code: its row in each collection, by whether it is living; its birth, by collection and run; its death."""

    rows: Mapping[str, bool] = field(default_factory=dict)
    birth: tuple[str, int | None] | None = None
    death: Death | None = None

    @property
    def dead(self) -> bool:
        return self.death is not None and self.death.open

    def of(self, name: str) -> tuple[object, ...]:
        """Return what concerns a collection."""
        return self.rows.get(name), self.birth, self.death

    def own(self, name: str) -> bool:
        return self.birth is not None and self.birth[0] == name


NOTHING = Entity()
Entities = dict[int, Entity]


@dataclass
class Change:
    """What a statement does to rows of one collection; each value says whether the row is living afterwards."""

    name: str
    inserted: dict[int, bool] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    rekeyed: dict[int, tuple[int, bool]] = field(default_factory=dict)
    turned: dict[int, bool] = field(default_factory=dict)
    truncates: bool = False
    #: Whether two rows have one key on the way: None, where it depends on the order of rows.
    clashes: bool | None = False

    @property
    def touched(self) -> set[int]:
        return {*self.inserted, *self.deleted, *self.rekeyed, *(new for new, _ in self.rekeyed.values()), *self.turned}


@dataclass
class Told:
    """What follows from a statement."""

    entities: Entities
    refusals: set[str] = field(default_factory=set)
    findings: set[Finding] = field(default_factory=set)
    #: Findings that depend on the order of rows.
    maybe: set[Finding] = field(default_factory=set)


class Run(NamedTuple):
    purpose: str
    name: str
    codes: frozenset[int]


class Oracle:
    """Everything that is committed, and the rule."""

    def __init__(self, modes: Mapping[str, str], gateways: Mapping[str, str]) -> None:
        self.entities: Entities = {}
        self.modes, self.gateways = dict(modes), dict(gateways)
        self.findings: Counter[Finding] = Counter()
        self.maybe: Counter[Finding] = Counter()
        self.runs: list[Run] = []
        self.undone: set[int] = set()
        #: Runs of whose deaths a later run took some.
        self.refound: set[int] = set()
        #: Codes about whose life rows and records may disagree: a side door was used, or a run undone.
        self.excused: set[int] = set()

    # --- a statement

    def statement(self, entities: Entities, change: Change, tx: int) -> Told:
        """Return what follows from the rows before and after."""
        name, mode = change.name, self.modes[change.name]
        before = {number: entities.get(number, NOTHING) for number in change.touched}
        after, told = dict(before), Told({})
        refuse(unique_violation=change.clashes is True)

        def report(error: str, enforced: bool, holds: object) -> None:
            if holds and enforced:
                told.refusals.add(error)
            elif holds:
                told.findings.add((name, error))

        life = mode == "enforce"
        if change.truncates and life:
            raise Refused(["truncate_refused"])
        for number in (*change.deleted, *change.rekeyed):
            after[number] = self.row(after[number], name, None)
        for number, living in (*change.inserted.items(), *change.turned.items(), *change.rekeyed.values()):
            after[number] = self.row(after[number], name, living)

        # Births.
        became = {number for number, _ in change.rekeyed.values()}
        reopened = {number for number, living in change.turned.items() if living and not before[number].rows[name]}
        asked = set(change.inserted) | (became | reopened if mode != "off" else set())
        for number in asked:
            if before[number].birth is None:
                after[number] = replace(after[number], birth=(name, None))
        others = {number for number, entity in before.items() if entity.birth and not entity.own(name)}
        report("gateway_foreign", self.gateways[name] == "enforce", others & set(change.inserted))

        # Returns. A collection whose life is off, and whose rows retire by status, knows no living rows.
        if mode == "off" and name == "kept":
            asked = set()
        returned = {number for number in asked if after[number].rows[name] and before[number].own(name)}
        denied = set()
        for number in {number for number in returned if before[number].dead}:
            death = before[number].death
            assert death is not None
            if death.tx == tx:
                again = None if death.lives == 1 else replace(death, open=False, successor=None)
            else:
                denied |= set() if death.allowed else {number}
                again = replace(death, open=False, lives=death.lives + 1, allowed=False)
            after[number] = replace(after[number], death=again)
        report("code_dead", life, denied)

        if mode != "off":
            report("gateway_foreign", life, others & became)
            report("code_taken", life, [
                new for old, (new, _) in change.rekeyed.items() if before[new].own(name)
                and not (before[new].dead and before[new].death.successor == old)  # type: ignore[union-attr]
            ])  # fmt: skip
            self.end(told, change, before, after, tx)
            lost = [number for number in change.deleted if before[number].rows[name]]
            if change.truncates:
                report("truncate_refused", False, change.deleted)
            elif name == "kept":
                report("not_retired", life, lost)
        if change.clashes is None and told.refusals:
            told.refusals.add("unique_violation")
        if told.refusals:
            raise Refused(told.refusals)
        told.entities = after
        return told

    @staticmethod
    def row(entity: Entity, name: str, living: bool | None) -> Entity:
        rows = {each: state for each, state in entity.rows.items() if each != name}
        return replace(entity, rows=rows if living is None else rows | {name: living})

    @staticmethod
    def end(told: Told, change: Change, before: Entities, after: Entities, tx: int) -> None:
        """End the lives of codes whose row the statement took, and that no living row has."""
        name = change.name
        ends: dict[int, tuple[str, int | None]] = dict.fromkeys(change.deleted, ("DELETE", None))
        for old, (new, living) in change.rekeyed.items():
            ends[old] = ("REKEY", new if living else None)
        for number, living in (*change.inserted.items(), *change.rekeyed.values(), *change.turned.items()):
            if not living and (number not in change.turned or before[number].rows[name]):
                ends.setdefault(number, ("STATUS", None))
        for number, (manner, successor) in ends.items():
            entity = after[number]
            found = told.maybe if entity.rows.get(name) else told.findings
            if entity.birth is None or (before[number].birth is None and entity.rows.get(name)):
                found.add((name, "birth_absent"))
            elif not entity.own(name):
                if not change.truncates:
                    found.add((name, "gateway_foreign"))
            elif not entity.rows.get(name) and not entity.dead:
                death = entity.death or Death(manner, successor, tx)
                death = replace(death, manner=manner, successor=successor, tx=tx, open=True)
                after[number] = replace(entity, death=death)

    def commit(self, entities: Entities, findings: set[Finding], maybe: set[Finding]) -> None:
        self.entities |= entities
        self.findings.update(findings)
        self.maybe.update(maybe - findings)

    # --- what holds

    def births(self, name: str) -> set[int]:
        return {number for number, entity in self.entities.items() if entity.own(name)}

    def rows(self, name: str, *, living: bool = False) -> set[int]:
        return {
            number
            for number, entity in self.entities.items()
            if name in entity.rows and (entity.rows[name] or not living)
        }

    def dead(self, name: str) -> set[int]:
        return {number for number in self.births(name) if self.entities[number].dead}

    def orphans(self, name: str) -> set[int]:
        """Births without a living row or a death."""
        return self.births(name) - self.rows(name, living=True) - self.dead(name)

    def rowless(self, name: str) -> int:
        """Count the births that a backfill calls orphans: without any row, or a death."""
        return len(self.births(name) - self.rows(name) - self.dead(name))

    def missing(self, name: str) -> set[int]:
        """Rows without a birth."""
        return {number for number in self.rows(name) if self.entities[number].birth is None}

    def foreign(self, name: str) -> set[int]:
        return {number for number in self.rows(name) if self.entities[number].birth} - self.births(name)

    def census(self, name: str) -> dict[str, int]:
        return {
            "rows without a birth": len(self.missing(name)),
            "births without a row or a death": len(self.orphans(name)),
            "dead with a living row": len(self.rows(name, living=True) & self.dead(name)),
            "codes owned by another collection": len(self.foreign(name)),
            "duplicate codes": 0,
            "rows without a code": 0,
        }

    def unexplained(self) -> set[int]:
        """Codes that a living row has or a birth that is not dead, and not both; but for side doors."""
        found: set[int] = set()
        for name in COLLECTIONS:
            found |= (self.births(name) - self.dead(name)) ^ (self.rows(name, living=True) - self.foreign(name))
            found |= self.missing(name)
        return found - self.excused

    def now(self, number: int) -> int | None:
        """Follow successors to the code that is living."""
        entity = self.entities[number]
        while entity.dead:
            assert entity.death is not None
            if entity.death.successor is None:
                return None
            number = entity.death.successor
            entity = self.entities[number]
        return number

    # --- what a steward does

    def allow(self, number: int) -> None:
        entity = self.entities.get(number, NOTHING)
        refuse(code_not_dead=not entity.dead)
        assert entity.death is not None
        self.entities[number] = replace(entity, death=replace(entity.death, allowed=True))

    def succeed(self, old: int, new: int) -> None:
        former, latter = self.entities.get(old, NOTHING), self.entities.get(new, NOTHING)
        one = former.birth is not None and latter.birth is not None and former.birth[0] == latter.birth[0]
        refuse(succession_refused=old == new or not one or latter.dead or not former.dead)
        assert former.death is not None
        self.entities[old] = replace(former, death=replace(former.death, successor=new))

    # --- runs

    def plan(self, purpose: str, name: str) -> frozenset[int]:
        codes = self.orphans(name) if purpose == "DEATH" else self.missing(name)
        refuse(
            nothing_to_do=not codes,
            code_foreign=purpose == "APPLY" and self.foreign(name),
        )
        return frozenset(codes)

    def apply(self, purpose: str, name: str, planned: frozenset[int], accepted: int, tx: int) -> None:
        """Carry out what was planned; by then something may have happened."""
        codes = self.orphans(name) if purpose == "DEATH" else self.missing(name)
        changed = codes != planned or (purpose == "APPLY" and self.rowless(name) != accepted)
        if changed or (purpose == "APPLY" and self.foreign(name)):
            raise Refused(["plan_stale", "parity_broken", "source_changed", "delta_mismatch", "code_foreign"])
        run = len(self.runs)
        self.runs.append(Run(purpose, name, planned))
        for number in planned:
            entity = self.entities.get(number, NOTHING)
            if purpose == "APPLY":
                self.entities[number] = replace(entity, birth=(name, run))
                continue
            if entity.death and entity.death.run is not None:
                self.refound.add(entity.death.run)
            death = entity.death or Death("FOUND", None, tx)
            death = replace(death, manner="FOUND", successor=None, tx=tx, open=True, run=run)
            self.entities[number] = replace(entity, death=death)

    def undo(self, number: int) -> None:
        run = self.runs[number]
        if run.purpose == "APPLY":
            mine = {each for each in run.codes if self.entities[each].birth == (run.name, number)}
            refuse(births_touched=any(self.entities[each].death for each in mine))
            for each in mine:
                self.entities[each] = replace(self.entities[each], birth=None)
        else:
            deaths = {each: entity.death for each, entity in self.entities.items()
                      if entity.death and entity.death.run == number}  # fmt: skip
            refuse(
                births_touched=number in self.refound
                or any(not death.open or death.manner != "FOUND" or death.successor for death in deaths.values())
            )
            for each, death in deaths.items():
                former = None if death.lives == 1 else replace(
                    death, open=False, run=None, manner="DELETE", allowed=False)  # fmt: skip
                self.entities[each] = replace(self.entities[each], death=former)
        self.undone.add(number)
        self.excused |= run.codes


# --- the database

_DEFINITIONS = {
    "plain": "(id integer PRIMARY KEY, note text)",
    "kept": "(code text PRIMARY KEY, status text)",
    "parted": "(code text PRIMARY KEY, note text) PARTITION BY LIST (code)",
}
_PARTITIONS = {
    "parted_low": "FOR VALUES IN ({})".format(
        ", ".join(f"'{code(number)}'" for number in range(FIRST["parted"], HIGH))
    ),
    "parted_high": "DEFAULT",
}

_OBSERVE = """
SELECT jsonb_build_object(
  'births', (SELECT coalesce(jsonb_object_agg(b.entity_code, jsonb_build_array(b.collection_name, b.run_id)), '{}')
             FROM birth.birth_registry b),
  'living', (SELECT coalesce(jsonb_agg(b.entity_code ORDER BY b.entity_code), '[]') FROM birth.v_birth_living b),
  'now', (SELECT coalesce(jsonb_object_agg(b.entity_code, birth.fn_birth_now(b.entity_code)), '{}')
          FROM birth.birth_registry b),
  'deaths', (SELECT coalesce(jsonb_object_agg(d.entity_code, jsonb_build_array(d.collection_name, d.lives, d.run_id,
               d.return_allowed_at IS NOT NULL, d.returned_at IS NULL, d.manner, d.successor)), '{}')
             FROM birth.birth_death d),
  'rows', jsonb_build_object(
    'plain', (SELECT coalesce(jsonb_object_agg('n' || t.id, true), '{}') FROM app.plain t),
    'kept', (SELECT coalesce(jsonb_object_agg(t.code, t.status IS DISTINCT FROM 'closed'), '{}') FROM app.kept t),
    'parted', (SELECT coalesce(jsonb_object_agg(t.code, true), '{}') FROM app.parted t)),
  'findings', (SELECT coalesce(jsonb_agg(jsonb_build_array(f.collection_name, f.error)), '[]')
               FROM birth.birth_gateway_finding f),
  'violated', (SELECT coalesce(jsonb_agg(v.violated), '[]') FROM birth.fn_birth_death_violations() v))
"""

_EMPTY = (
    "birth_death", "birth_registry", "birth_gateway_finding", "birth_receipt", "birth_review",
    "birth_admission_permit_v2", "birth_backfill_ledger_v2",
)  # fmt: skip


class Household:
    """The database of many walks, one after the other."""

    def __init__(self, db: Database) -> None:
        self.scene = Scene(db)
        #: What the walks have done here, by the answer they got.
        self.answers: Counter[tuple[str, str]] = Counter()
        #: How deaths came and went.
        self.ends: Counter[str] = Counter()
        self.scene.execute(SQL("CREATE SCHEMA app AUTHORIZATION {}").format(Identifier(APPLICATION)))
        self.scene.execute(SQL("GRANT birth_source_owner TO {}").format(Identifier(APPLICATION)))
        self.sessions = [db.connect(APPLICATION) for _ in range(2)]
        self.sessions[0].execute("GRANT USAGE ON SCHEMA app TO birth_definer, birth_scanner")
        # A trigger of the application's own that puts back what is deleted, where it is asked to.
        self.sessions[0].execute(
            "CREATE FUNCTION app.back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO app.%I"
            " SELECT ($1).*', TG_ARGV[0]) USING OLD; RETURN NULL; END $$"
        )
        for name, definition in _DEFINITIONS.items():
            self.owner(f"CREATE TABLE {{}} {definition}", name)
            for partition, bound in _PARTITIONS.items() if name == "parted" else ():
                self.owner(f"CREATE TABLE {{}} PARTITION OF app.parted {bound}", partition)
                self.owner("GRANT TRIGGER ON {} TO birth_definer", partition)
            self.owner("GRANT SELECT ON {0} TO birth_scanner; GRANT TRIGGER ON {0} TO birth_definer", name)
            steward = self.scene.session(STEWARD)
            api.collection_register(steward, name, "app", name, "BIRTH_REQUIRED")
            if name == "plain":
                api.identity_classify(steward, name, "synthetic_id", column="id", prefix="n")
            else:
                api.identity_classify(steward, name, "column", column="code")
            api.gateway_attach(steward, name)
            self.owner(
                "CREATE TRIGGER a_back AFTER DELETE ON {} FOR EACH ROW WHEN (current_setting('app.back', true) = 'on')"
                " EXECUTE FUNCTION app.back({})", name,
            )  # fmt: skip
            if name == "kept":
                api.life_attach(steward, name, column="status", dead=[DEAD])
            else:
                api.life_attach(steward, name)
        for session in self.sessions:
            # A session that waits for the other one would wait for ever: the walk is in one thread.
            session.execute("SET lock_timeout = '5s'")
        self._acts = self.scene.value("SELECT max(act_id) FROM birth.birth_act")

    def owner(self, statement: str, name: str) -> None:
        self.sessions[0].execute(SQL(statement).format(Identifier("app", name), Literal(name)))

    def close(self) -> None:
        self.scene.close()

    def reset(self, modes: Mapping[str, str], gateways: Mapping[str, str]) -> None:
        """Take everything back that a walk has left."""
        for session in self.sessions:
            session.execute("ROLLBACK")
        with self.scene.admin.transaction():
            self.scene.execute("SET LOCAL session_replication_role = replica")
            for name in COLLECTIONS:
                self.scene.execute(SQL("DELETE FROM {}").format(Identifier("app", name)))
            for table in _EMPTY:
                self.scene.execute(SQL("DELETE FROM birth.{}").format(Identifier(table)))
            self.scene.execute("DELETE FROM birth.birth_act WHERE act_id > %s", (self._acts,))
            for name in COLLECTIONS:
                self.scene.execute(
                    "UPDATE birth.collection_registry SET life_mode = %s, gateway_mode = %s WHERE collection_name = %s",
                    (modes[name], gateways[name], name),
                )


# --- what is drawn


def _differing(database: Any, said: Any) -> str:
    """Say in what two sides differ."""
    if isinstance(database, dict) and isinstance(said, dict):
        keys = [key for key in {*database, *said} if database.get(key) != said.get(key)]
        database, said = ({key: side.get(key) for key in keys} for side in (database, said))
    return f"database {database}, oracle {said}"


class Op(NamedTuple):
    """One statement of a session."""

    what: str
    name: str
    #: From 0.
    keys: tuple[int, ...]
    by: int
    status: str | None


class Deed(NamedTuple):
    """One step, with everything that it may need."""

    what: str
    name: str
    ops: tuple[tuple[int, Op], ...]
    #: Whether each session commits, and which is the first to end.
    ends: tuple[bool, bool]
    first: int
    old: bool
    #: From 0, of a code or run.
    number: int
    by: int
    mode: str
    batch: int


_WHATS = (
    ["insert"] * 6 + ["delete"] * 5 + ["rekey"] * 4 + ["turn"] * 3 + ["rekey and turn"] + ["upsert"] * 2
    + ["upsert rekey", "back and forth", "reload"] * 2 + ["replace", "bounce", "merge", "clear", "truncate", "copy"]
    + ["savepoint"] * 4 + ["rollback to"] * 2 + ["release"] + ["commit"] * 4
)  # fmt: skip
_KEYS = st.sets(st.integers(0, WIDTH - 1), min_size=1, max_size=3).map(lambda keys: tuple(sorted(keys)))
OP = st.builds(
    Op,
    st.sampled_from(_WHATS),
    st.sampled_from(["", "", *COLLECTIONS]),
    often({st.integers(0, WIDTH - 1).map(lambda key: (key,)): 1, _KEYS: 1}),
    st.integers(1, WIDTH - 1),
    st.sampled_from([None, "open", DEAD, DEAD]),
)
_ALONE = st.lists(st.tuples(st.just(0), OP), min_size=1, max_size=5).map(tuple)
#: Over so few keys that sessions meet.
_NEAR = OP.map(lambda op: op._replace(keys=tuple(sorted({key % 3 for key in op.keys}))))
_LOOK, _COMMIT = (Op(what, "", (0,), 1, None) for what in ("look", "commit"))
#: One session has begun, the other one works and mostly commits, the first one goes on.
_BESIDE = st.tuples(
    often({st.just(_LOOK): 2, _NEAR: 1}), st.lists(_NEAR, min_size=1, max_size=3), st.sampled_from([True, True, False]),
    st.lists(_NEAR, min_size=1, max_size=3), st.lists(st.tuples(st.integers(0, 1), _NEAR), max_size=2)
).map(lambda parts: (
    (0, parts[0]), *((1, op) for op in parts[1]), *([(1, _COMMIT)] if parts[2] else []), *((0, op) for op in parts[3]),
    *parts[4]
))  # fmt: skip
DEED = st.builds(
    Deed,
    st.sampled_from(
        ["work"] * 14 + ["allow", "mode", "death", "backfill", "undo"] * 2
        + ["come back", "succeed", "insert past", "delete past"]
    ),
    st.sampled_from(COLLECTIONS),
    often({_ALONE: 3, _BESIDE: 3}),
    st.sampled_from([(True, True), (True, True), (True, False), (False, True)]),
    st.integers(0, 1),
    st.booleans(),
    st.integers(0, WIDTH - 1),
    st.integers(0, WIDTH - 1),
    st.sampled_from(["observe", "observe", "enforce", "enforce", "enforce", "off"]),
    st.integers(1, 3),
)  # fmt: skip
_SET_OUT = st.fixed_dictionaries({name: st.sampled_from(["observe", "enforce"]) for name in COLLECTIONS})


@dataclass
class Transaction:
    """What a session has done and not committed."""

    number: int
    entities: Entities = field(default_factory=dict)
    findings: set[Finding] = field(default_factory=set)
    maybe: set[Finding] = field(default_factory=set)
    #: Codes that it holds, whether rolled back or not.
    held: set[int] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)
    #: What an old snapshot shows, and which codes others have held and committed since.
    snapshot: Entities | None = None
    moved: set[int] = field(default_factory=set)
    savepoints: list["Transaction"] = field(default_factory=list)


class LifeWalk(RuleBasedStateMachine):
    """One walk; ``household`` is set by whoever sends it."""

    household: ClassVar[Household]

    def __init__(self) -> None:
        super().__init__()
        self.scene = self.household.scene
        self.oracle = Oracle({}, {})
        self.awake = False
        self.numbers = count()
        self.open: dict[int, Transaction] = {}
        self.run_ids: list[UUID] = []

    @initialize(number=st.integers(0, 2**62), modes=_SET_OUT, gateways=_SET_OUT)
    def set_out(self, number: int, modes: dict[str, str], gateways: dict[str, str]) -> None:
        """Begin without rows."""
        self.awake = number > 0
        if self.awake:
            self.household.reset(modes, gateways)
            self.oracle = Oracle(modes, gateways)
            for name in COLLECTIONS:
                everything = Op("insert", name, tuple(range(4)), 1, None)
                self.work(Deed("work", name, ((0, everything),), (True, True), 0, False, 0, 0, "observe", 1))

    @rule(deed=DEED)
    def step(self, deed: Deed) -> None:
        if self.awake:
            # After a disagreement there is nothing more to look at.
            self.awake = False
            getattr(self, deed.what.replace(" ", "_"))(deed)
            self.awake = True

    def teardown(self) -> None:
        if self.awake:
            self.compare("everything", COLLECTIONS)
            failed = "SELECT run_id, check_name FROM birth.fn_birth_run_audit() WHERE NOT pass"
            insist(not (found := self.scene.rows(failed)), f"the audit of runs finds {found}")
            self.household.ends.update(
                death.manner if death.open else "returned"
                for entity in self.oracle.entities.values()
                if (death := entity.death)
            )

    # --- judging

    def judge(self, name: str, do: Callable[[], Any], says: Callable[[], Any], *, or_else: str | None = None) -> bool:
        """Take a step, hear the oracle, and say whether it was done."""
        answer, text = "done", ""
        try:
            do()
        except (psycopg.Error, BirthError) as error:
            answer, text = _reason(error), str(error)
        self.household.answers[name, answer] += 1
        try:
            says()
        except Refused as refusal:
            insist(answer in refusal.reasons | {or_else}, f"{name}: database says {answer}, oracle {refusal}")
            return False
        if answer != "done":
            insist(answer == or_else, f"{name}: database says {answer}, oracle allows it: {text}")
        return answer == "done"

    def compare(self, after: str, census: Iterable[str] = ()) -> None:
        """Hold what is committed against the oracle, and against what holds always."""
        oracle, found = self.oracle, self.scene.value(_OBSERVE)
        runs = {str(run_id): number for number, run_id in enumerate(self.run_ids)}
        births = {each: (name, runs.get(run)) for each, (name, run) in found["births"].items()}
        deaths = {
            each: (name, lives, runs.get(run), allowed, is_open, *((manner, successor) if is_open else ()))
            for each, (name, lives, run, allowed, is_open, manner, successor) in found["deaths"].items()
        }
        expected = {
            code(number): (entity.birth[0], d.lives, d.run, d.allowed, d.open,
                           *((d.manner, code(d.successor) if d.successor else None) if d.open else ()))
            for number, entity in oracle.entities.items() if (d := entity.death) and entity.birth
        }  # fmt: skip
        born = {number: entity for number, entity in oracle.entities.items() if entity.birth}
        for part, database, said in (
            ("births", births, {code(number): entity.birth for number, entity in born.items()}),
            ("rows", found["rows"], {
                name: {code(number): oracle.entities[number].rows[name] for number in oracle.rows(name)}
                for name in COLLECTIONS
            }),
            ("deaths", deaths, expected),
            ("living", sorted(found["living"]), sorted(code(number) for number in born if not born[number].dead)),
            ("now", found["now"], {code(number): code(now) if (now := oracle.now(number)) else None
                                   for number in born}),
            ("violations", found["violated"], []),
        ):  # fmt: skip
            insist(database == said, f"after {after}, {part}: {_differing(database, said)}")
        findings = Counter(map(tuple, found["findings"]))
        for finding in {*findings, *oracle.findings}:
            least = oracle.findings[finding]
            insist(least <= findings[finding] <= least + oracle.maybe[finding],
                   f"after {after}: {findings[finding]} findings {finding}, oracle {least}")  # fmt: skip
        for name in census:
            checks = {row["check"]: row["rows"] for row in api.census(self.scene.session(REVIEWER), name)}
            counts = oracle.census(name)
            shown = {check: checks[check] for check in counts}
            insist(shown == counts, f"after {after}, census of {name}: {_differing(shown, counts)}")
        insist(not oracle.unexplained(), f"after {after}: rows and records disagree about {oracle.unexplained()}")

    # --- what the application does

    def work(self, deed: Deed) -> None:
        """Send statements of one session, or of two that take turns, and end their transactions."""
        alone = {session for session, _ in deed.ops} == {0}
        names = set()
        for session, op in deed.ops:
            op = op._replace(name=op.name or deed.name)
            names.add(op.name)
            if op.what == "commit":
                self.finish(session, commits=True)
                continue
            self.send(session, op, old=deed.old and session == 0, alone=alone)
        for session in (deed.first, 1 - deed.first):
            self.finish(session, commits=deed.ends[session])
        self.compare(f"work on {', '.join(sorted(names))}", names if deed.old else ())

    def finish(self, session: int, *, commits: bool) -> None:
        if session in self.open:
            tx = self.open.pop(session)
            self.household.sessions[session].execute("COMMIT" if commits else "ROLLBACK")
            if commits:
                self.oracle.commit(tx.entities, tx.findings, tx.maybe)
                self.oracle.excused |= tx.excused
                for other in self.open.values():
                    other.moved |= tx.held

    def send(self, session: int, op: Op, *, old: bool, alone: bool) -> None:
        """Send one statement; an error takes back what came after the last savepoint, or everything."""
        conn = self.household.sessions[session]
        held = set().union(*(tx.held for other, tx in self.open.items() if other != session))
        if session not in self.open:
            if op.what in ("savepoint", "rollback to", "release"):
                return
            conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT" if old else "BEGIN")
            snapshot = dict(self.oracle.entities) if old else None
            self.open[session] = Transaction(next(self.numbers), snapshot=snapshot)
        tx = self.open[session]
        if op.what == "savepoint":
            conn.execute("SAVEPOINT a")
            tx.savepoints.append(Transaction(tx.number, dict(tx.entities), set(tx.findings), set(tx.maybe)))
            return
        if op.what in ("rollback to", "release"):
            if tx.savepoints:
                conn.execute("ROLLBACK TO a; RELEASE a" if op.what == "rollback to" else "RELEASE a")
                saved = tx.savepoints.pop()
                if op.what == "rollback to":
                    tx.entities, tx.findings, tx.maybe = saved.entities, saved.findings, saved.maybe
            return
        for query, change in self.statements(op, tx, alone=alone):
            if not change.touched and op.what == "insert":
                return
            if change.touched & held:
                return
            # Under an old snapshot an upsert inserts a row that it still sees, where another session has deleted it.
            if tx.snapshot is not None and op.what.startswith("upsert") and change.touched & tx.moved:
                return
            tx.held |= change.touched
            told = Told({})

            def says(change: Change = change) -> None:
                nonlocal told
                if tx.snapshot is not None and any(
                    tx.snapshot.get(each, NOTHING).of(change.name)
                    != self.oracle.entities.get(each, NOTHING).of(change.name)
                    for each in change.touched & tx.moved
                ):
                    raise Refused(["serialization_failure", "unique_violation", *_REFUSALS])
                told = self.oracle.statement(self.view(tx), change, tx.number)

            clash = "unique_violation" if change.clashes is None else None
            if tx.snapshot is not None and change.touched & tx.moved:
                clash = "serialization_failure"
            if self.judge(f"{op.what} {op.name} {self.oracle.modes[op.name]}", partial(conn.execute, query),
                          says, or_else=clash):  # fmt: skip
                tx.entities |= told.entities
                tx.findings |= told.findings
                tx.maybe |= told.maybe
                if self.oracle.modes[op.name] == "off":
                    tx.excused |= change.touched
                continue
            if tx.savepoints:
                conn.execute("ROLLBACK TO a")
                saved = tx.savepoints[-1]
                tx.entities, tx.findings, tx.maybe = dict(saved.entities), set(saved.findings), set(saved.maybe)
            else:
                conn.execute("ROLLBACK")
                del self.open[session]
            return

    def view(self, tx: Transaction) -> Entities:
        """Return what the next statement of a transaction sees."""
        return (self.oracle.entities if tx.snapshot is None else tx.snapshot) | tx.entities

    def statements(self, op: Op, tx: Transaction, *, alone: bool) -> Iterator[tuple[Composable, Change]]:
        """Return the statements of an operation, one after the other, and what each does."""
        name, table = op.name, Identifier("app", op.name)
        key = Identifier("id" if name == "plain" else "code")
        note = Identifier("status" if name == "kept" else "note")
        keys = [FIRST[name] + each for each in op.keys]
        living = name != "kept" or op.status != DEAD

        def values(among: Iterable[int], *more: Callable[[int], Any]) -> Composed:
            """Return rows of a VALUES list, each with a key."""

            def literal(number: int) -> Literal:
                return Literal(number if name == "plain" else code(number))

            return SQL(", ").join(
                SQL("({})").format(SQL(", ").join([literal(number), *(
                    literal(value) if isinstance(value := each(number), int) else Literal(value) for each in more)]))
                for number in among)  # fmt: skip

        def there() -> dict[int, bool]:
            return {number: entity.rows[name] for number, entity in self.view(tx).items() if name in entity.rows}

        def say(statement: str, **parts: Composable) -> Composed:
            return SQL(statement).format(t=table, key=key, note=note, **parts)

        def insert(among: Iterable[int]) -> tuple[Composed, Change]:
            among = list(among)
            change = Change(name, inserted=dict.fromkeys(among, living), clashes=bool(set(among) & set(there())))
            return say("INSERT INTO {t} VALUES {v}", v=values(among, lambda _: op.status)), change

        present = [number for number in keys if number in there()]
        match op.what:
            case "insert":
                # Every fifth takes a key that is there.
                yield insert(number for number in keys if op.by == 1 or number not in there())
            case "look":
                yield say("SELECT FROM {t}"), Change(name)
            case "delete":
                yield (
                    say("DELETE FROM {t} WHERE ({key}) IN ({v})", v=values(keys)),
                    Change(name, deleted=set(present)),
                )
            case "clear" if alone:
                yield say("DELETE FROM {t}"), Change(name, deleted=set(there()))
            case "reload" if alone:
                yield say("DELETE FROM {t}"), Change(name, deleted=set(there()))
                yield insert(numbers(name))
            case "truncate" | "copy" if alone:
                yield say("TRUNCATE {t}"), Change(name, deleted=set(there()), truncates=True)
                if op.what == "copy":
                    yield insert(numbers(name))
            case "turn":
                turned = dict.fromkeys(present, living if name == "kept" else True)
                yield (say("UPDATE {t} SET {note} = {s} WHERE ({key}) IN ({v})", s=Literal(op.status), v=values(keys)),
                       Change(name, turned=turned))  # fmt: skip
            case "rekey" | "rekey and turn":
                target = {each: FIRST[name] + (each - FIRST[name] + op.by) % WIDTH for each in keys}
                turns = op.what == "rekey and turn" and name == "kept"
                yield (say("UPDATE {t} SET {key} = m.to_ {s} FROM (VALUES {v}) m(from_, to_) WHERE {key} = m.from_",
                           v=values(keys, lambda each: target[each]),
                           s=say(", {note} = {v}", v=Literal(op.status)) if turns else SQL("")),
                       self.rekeys(name, {each: target[each] for each in present}, there(),
                                   living if turns else None))  # fmt: skip
            case "back and forth":
                one, other = keys[0], FIRST[name] + (keys[0] - FIRST[name] + op.by) % WIDTH
                for old, new in ((one, other), (other, one)):
                    target = {old: new} if old in there() else {}
                    yield (say("UPDATE {t} SET {key} = {v} WHERE {key} = {o}", v=values([new]), o=values([old])),
                           self.rekeys(name, target, there(), None))  # fmt: skip
            case "upsert":
                change = Change(
                    name,
                    inserted={number: living for number in keys if number not in present},
                    turned=dict.fromkeys(present, living if name == "kept" else True),
                )
                yield (say("INSERT INTO {t} VALUES {v} ON CONFLICT ({key}) DO UPDATE SET {note} = excluded.{note}",
                           v=values(keys, lambda _: op.status)), change)  # fmt: skip
            case "upsert rekey" if name != "parted":
                one, to = keys[0], FIRST[name] + (keys[0] - FIRST[name] + op.by) % WIDTH
                if one in there():
                    change = self.rekeys(name, {one: to}, there(), None)
                else:
                    change = Change(name, inserted={one: living})
                # What may be held by the other session is known of both codes.
                change.clashes = change.clashes or False
                yield (say("INSERT INTO {t} VALUES {v} ON CONFLICT ({key}) DO UPDATE SET {key} = {to}",
                           v=values([one], lambda _: op.status), to=SQL("{}").format(
                               Literal(to if name == "plain" else code(to)))), change)  # fmt: skip
            case "replace":
                yield (say("WITH gone AS (DELETE FROM {t} WHERE ({key}) IN ({v}) RETURNING {key})"
                           " INSERT INTO {t} SELECT g.{key}, {s} FROM gone g", v=values(keys), s=Literal(op.status)),
                       Change(name, deleted=set(present), inserted=dict.fromkeys(present, living)))  # fmt: skip
            case "bounce":
                back = {number: there()[number] for number in present}
                yield (say("SET app.back = 'on'; DELETE FROM {t} WHERE ({key}) IN ({v}); SET app.back = 'off'",
                           v=values(keys)), Change(name, deleted=set(present), inserted=back))  # fmt: skip
            case "merge" if self.household.sessions[0].info.server_version >= 150000:
                yield (say("MERGE INTO {t} t USING (VALUES {v}) s(key) ON t.{key} = s.key WHEN MATCHED THEN DELETE"
                           " WHEN NOT MATCHED THEN INSERT VALUES (s.key, {s})", v=values(keys), s=Literal(op.status)),
                       Change(name, deleted=set(present),
                              inserted={number: living for number in keys if number not in present}))  # fmt: skip

    @staticmethod
    def rekeys(name: str, target: dict[int, int], there: dict[int, bool], living: bool | None) -> Change:
        """Return the change of keys; a row that moves to another partition is deleted and inserted."""
        after = {number for number in there if number not in target}
        clashes: bool | None = bool(after & set(target.values()))
        if not clashes and set(target) & set(target.values()):
            clashes = None
        moved = {old: new for old, new in target.items() if name == "parted" and (old < HIGH) != (new < HIGH)}
        return Change(
            name,
            deleted=set(moved),
            inserted=dict.fromkeys(moved.values(), True),
            rekeyed={old: (new, there[old] if living is None else living)
                     for old, new in target.items() if old not in moved},
            clashes=clashes,
        )  # fmt: skip

    # --- past the triggers

    @contextmanager
    def past(self) -> Iterator[None]:
        with self.scene.admin.transaction():
            self.scene.execute("SET LOCAL session_replication_role = replica")
            yield

    @staticmethod
    def some(among: list[int], deed: Deed) -> list[int]:
        """Return one or two of them."""
        return (among[deed.number :] or among)[: 1 + deed.by % 2]

    def insert_past(self, deed: Deed) -> None:
        name, entities = deed.name, self.oracle.entities
        chosen = self.some([each for each in numbers(name) if name not in entities.get(each, NOTHING).rows], deed)
        with self.past():
            for number in chosen:
                self.scene.execute(SQL("INSERT INTO {} VALUES (%s)").format(Identifier("app", name)),
                                   (number if name == "plain" else code(number),))  # fmt: skip
                entities[number] = Oracle.row(entities.get(number, NOTHING), name, True)
        self.oracle.excused |= set(chosen)
        self.compare(f"insert past {name}", [name])

    def delete_past(self, deed: Deed) -> None:
        name, entities = deed.name, self.oracle.entities
        chosen = self.some(sorted(self.oracle.rows(name)), deed)
        with self.past():
            for number in chosen:
                self.scene.execute(SQL("DELETE FROM {} WHERE {} = %s").format(
                    Identifier("app", name), Identifier("id" if name == "plain" else "code")),
                    (number if name == "plain" else code(number),))  # fmt: skip
                entities[number] = Oracle.row(entities[number], name, None)
        self.oracle.excused |= set(chosen)
        self.compare(f"delete past {name}", [name])

    # --- stewards

    def allow(self, deed: Deed) -> None:
        """Allow a return, mostly of a code that is dead."""
        dead = sorted(self.oracle.dead(deed.name))
        number = dead[deed.number % len(dead)] if dead else FIRST[deed.name] + deed.number
        steward = self.scene.session(STEWARD)
        self.judge("allow", lambda: steward.execute("SELECT birth.fn_birth_return(%s, 'a walk')", (code(number),)),
                   lambda: self.oracle.allow(number))  # fmt: skip
        self.compare("allow")

    def come_back(self, deed: Deed) -> None:
        """Have a dead code come back that is allowed to, once; then it goes, and comes again."""
        self.allow(deed)
        dead = sorted(self.oracle.dead(deed.name))
        if dead:
            key = (dead[deed.number % len(dead)] - FIRST[deed.name]) % WIDTH
            whats = ("upsert", "delete", "insert") if deed.name != "kept" else ("upsert", "turn", "delete", "insert")
            for what in whats:
                op = Op(what, deed.name, (key,), 2, DEAD if what == "turn" else None)
                self.work(deed._replace(ops=((0, op),), ends=(True, True), old=False))

    def succeed(self, deed: Deed) -> None:
        dead = sorted(self.oracle.dead(deed.name))
        old = dead[deed.number % len(dead)] if dead else FIRST[deed.name] + deed.number
        new, steward = FIRST[deed.name] + deed.by, self.scene.session(STEWARD)
        self.judge("succeed",
                   lambda: steward.execute("SELECT birth.fn_birth_succeed(%s, %s, 'a walk')", (code(old), code(new))),
                   lambda: self.oracle.succeed(old, new))  # fmt: skip
        self.compare("succeed")

    def mode(self, deed: Deed) -> None:
        def says() -> None:
            self.oracle.modes[deed.name] = deed.mode

        steward = self.scene.session(STEWARD)
        self.judge("mode", lambda: steward.execute("SELECT birth.fn_birth_life_mode(%s, %s, 'a walk')",
                                                   (deed.name, deed.mode)), says)  # fmt: skip
        self.compare("mode", [deed.name])

    # --- runs

    def death(self, deed: Deed) -> None:
        """Plan a death run, and execute it; mostly there is something to find."""
        if not self.oracle.orphans(deed.name) and deed.batch > 1:
            self.delete_past(deed)
        self.run("DEATH", deed)

    def backfill(self, deed: Deed) -> None:
        """Plan a backfill, and execute it; mostly there is something to do, and no code of another collection."""
        if deed.batch > 1:
            deed = deed._replace(
                name=min(COLLECTIONS, key=lambda name: (len(self.oracle.foreign(name)), name != deed.name))
            )
        if not self.oracle.missing(deed.name) and deed.batch > 1:
            self.insert_past(deed)
        self.run("APPLY", deed)

    def run(self, purpose: str, deed: Deed) -> None:
        """Plan, judge, permit; let something happen; execute."""
        name, operator = deed.name, self.scene.session(OPERATOR)
        plan: dict[str, Any] = {}
        planned: frozenset[int] = frozenset()

        def do() -> None:
            door = api.death_plan if purpose == "DEATH" else api.plan
            plan.update(door(operator, name, dry_run=False))

        def says() -> None:
            nonlocal planned
            planned = self.oracle.plan(purpose, name)

        if not self.judge(f"plan {purpose}", do, says):
            return
        insist(plan["planned_rows"] == len(planned), f"{plan['planned_rows']} planned, oracle {len(planned)}")
        run_id: UUID = plan["run_id"]
        accepted = len(planned) if purpose == "DEATH" else self.oracle.rowless(name)
        permit = self.permit(run_id, name, len(planned), accepted, purpose)
        if deed.old:
            self.work(deed._replace(ops=tuple((0, op._replace(name="")) for _, op in deed.ops[:1]), old=False))

        def execute() -> None:
            if purpose == "DEATH":
                api.death_apply(operator, run_id, permit, batch=deed.batch, execute=True)
            else:
                api.apply(operator, name, run_id, permit, len(planned), len(planned), batch=deed.batch, execute=True)

        if self.judge(f"run {purpose}", execute,
                      lambda: self.oracle.apply(purpose, name, planned, accepted, next(self.numbers))):  # fmt: skip
            self.run_ids.append(run_id)
        else:
            api.permit_revoke(self.scene.session(OWNER), permit, "a walk")
        self.compare(f"run {purpose}", [name])

    def permit(self, run_id: UUID, name: str, rows: int, accepted: int, purpose: str) -> int:
        self.scene.review(run_id, p_purpose=purpose, p_accept_orphans=accepted)
        permit = self.scene.open_permit(name, run_id, rows, p_purpose=purpose)
        self.scene.confirm(permit)
        return permit

    def undo(self, deed: Deed) -> None:
        left = [each for each in range(len(self.run_ids)) if each not in self.oracle.undone]
        if not left:
            return
        number = left[deed.number % len(left)]
        run = self.oracle.runs[number]
        permit = self.permit(self.run_ids[number], run.name, len(run.codes), 0, "COMPENSATE")
        operator = self.scene.session(OPERATOR)
        done = self.judge(
            f"undo {run.purpose}",
            lambda: api.compensate(operator, self.run_ids[number], permit, batch=deed.batch, execute=True),
            lambda: self.oracle.undo(number),
        )
        if not done:
            api.permit_revoke(self.scene.session(OWNER), permit, "a walk")
        self.compare("undo", [run.name])


def walk(household: Household, seed: int, *, shrink: bool = False) -> None:
    """Take one random walk; to show the shortest that fails takes minutes."""
    take(type("Walk", (LifeWalk,), {"household": household}), seed, STEPS, shrink=shrink)


def found(household: Household, fault: Fault) -> int | None:
    """Plant a fault, and return the walk that finds it, if one does."""
    household.scene.replace_routine(fault.routine, (fault.old, fault.new))
    return finds(fault, SEEDS, lambda seed: walk(household, seed))


#: Faults to plant, one at a time: what the walks are for is to find each of them.
FAULTS = {
    "the trigger does nothing when many rows are deleted": Fault(
        "fn_birth_life_auto", "IF r_collection.life_mode = 'off' OR", "IF TG_OP = 'DELETE' OR"
    ),
    "the trigger works while life is off": Fault(
        "fn_birth_life_auto", "IF r_collection.life_mode = 'off' OR", "IF false OR", seed=3
    ),
    "a row that is not retired may be deleted": Fault(
        "fn_birth_life_auto", "'not_retired', v_living", "'not_retired', 0"
    ),
    "a code that came back is taken for untouched, of one row": Fault(
        "fn_birth_life_auto", "AND b.xmax = 0 AND b.born_at < now()", "", seed=12
    ),
    "a code that came back is taken for untouched": Fault(
        "fn_birth_life_end", "r.xmax = 0 AND r.born_at < now()", "true", seed=2
    ),
    "no living row is found": Fault("fn_birth_life_look", "RETURN coalesce(v_living, '{}')", "RETURN '{}'", seed=2),
    "a code without a birth is not told": Fault("fn_birth_life_unborn", "cardinality(v_unborn)", "0"),
    "a death is not closed": Fault(
        "fn_birth_life_return", "WHERE d.entity_code = ANY (v_later)", "WHERE d.entity_code = ANY (v_later[2:])"
    ),
    "what comes back in its transaction has one more life": Fault(
        "fn_birth_life_return", "(d.died_xid = pg_current_xact_id_if_assigned() AND d.died_at = now()) IS TRUE", "false"
    ),
    "what comes back in its transaction stays dead": Fault(
        "fn_birth_life_return", "WHERE d.entity_code = ANY (v_own) AND d.lives = 1", "WHERE false"
    ),
    "any dead code comes back": Fault("fn_birth_life_return", "cardinality(v_denied), v_denied", "0, v_denied"),
    "a return is allowed for good": Fault(
        "fn_birth_life_return",
        "NOT l.own AND l.return_allowed_at IS NULL",
        "NOT l.own AND l.return_allowed_at IS NULL"
        " AND NOT EXISTS (SELECT FROM birth.birth_act a WHERE a.act = 'return'"
        " AND a.detail ->> 'entity_code' = l.entity_code)",
    ),
    "an old snapshot hides a death": Fault(
        "fn_birth_life_return", "<> 'read committed' THEN", "= 'of no kind' THEN", seed=13
    ),
    "a row takes the code of another birth": Fault(
        "fn_birth_life_change", "ELSIF r_again.born = 0 AND v_back IS NOT TRUE THEN", "ELSIF false THEN", seed=2
    ),
    "a row does not get its former code again": Fault(
        "fn_birth_life_change", "AND v_back IS NOT TRUE THEN", "THEN", seed=6
    ),
    "a changed code has no successor": Fault(
        "fn_birth_life_change", "CASE WHEN p_living THEN p_code END)", "NULL)", seed=3
    ),
    "a changed code has a dead successor": Fault(
        "fn_birth_life_change", "CASE WHEN p_living THEN p_code END)", "p_code)", seed=29
    ),
    "a retired row does not die": Fault("fn_birth_life_change", "IF p_living_before AND NOT p_living", "IF false"),
    "a row that is reopened stays dead": Fault(
        "fn_birth_life_change", "ELSIF p_living AND NOT p_living_before THEN", "ELSIF false THEN", seed=12
    ),
    "TRUNCATE ends nothing": Fault(
        "fn_birth_life_truncate", "c_name, k.own || CASE", "c_name, k.own[:0] || CASE", seed=2
    ),
    "TRUNCATE is not told": Fault(
        "fn_birth_life_truncate", "'truncate_refused', v_rows", "'truncate_refused', 0", seed=2
    ),
    "what returned does not die again": Fault(
        "fn_birth_life_write", "WHERE d.returned_at IS NOT NULL;", "WHERE false;"
    ),
    "a death counts as a life": Fault(
        "fn_birth_life_write", "returned_at = NULL\n", "returned_at = NULL, lives = d.lives + 1\n"
    ),
    "a death keeps its first manner": Fault("fn_birth_life_write", "manner = excluded.manner,", ""),
    "the gateway does not ask for deaths": Fault("fn_birth_gateway_again", "IF v_column IS NULL THEN", "IF false THEN"),
    "the dead succeed": Fault("fn_birth_succeed", "WHERE d.entity_code = p_new AND", "WHERE false AND"),
    "what is followed has returned": Fault(
        "fn_birth_now", "WHERE d.returned_at IS NULL AND d.successor", "WHERE d.successor", seed=5
    ),
    "a death run does not find the retired": Fault(
        "fn_birth_death_codes", "WHERE s.living AND s.code", "WHERE s.code", seed=21
    ),
    "a death run is undone after its codes returned": Fault(
        "fn_birth_death_fault",
        "AND (d.returned_at IS NOT NULL OR d.manner <> 'FOUND' OR d.successor IS NOT NULL)",
        "AND false",
        seed=12,
    ),
    "what a death run found is undone to half": Fault(
        "fn_birth_death_undo", "d.entity_code = ANY (p_codes) AND d.lives = 1", "false", seed=2
    ),
    "a backfill is undone whose births died": Fault(
        "fn_birth_compensate_fault",
        "JOIN birth.birth_death d ON d.entity_code = b.entity_code",
        "JOIN birth.birth_death d ON false",
        seed=30,
    ),
    "the dead stand in the way of a backfill": Fault(
        "fn_birth_measure", "v_births - m.own - (v_dead - m.dead_rows)", "v_births - m.own"
    ),
    "the census counts the dead": Fault(
        "fn_birth_census", "AND NOT EXISTS (SELECT FROM dead d WHERE d.entity_code = b.entity_code)", ""
    ),
}

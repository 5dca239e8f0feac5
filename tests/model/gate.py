"""A random walk around the first-row gate: stewards, an operator and an owner of tables, beside an oracle.

The oracle knows tables, rows, triggers, collections and births, and says what each step answers, which state each table
is in and whether a row is born. After each step the database is held against it, and so is what holds always.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar, NamedTuple

import psycopg
from helpers import OPERATOR, STEWARD, Scene, statement
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model.machine import Fault, finds, take
from model.model import Refused, refuse
from model.sides import insist
from model.stage import STATUSES, reason
from psycopg.sql import SQL, Identifier
from support import Database
from world import APPLICATION

STEWARDS = (STEWARD, "stella_steward")
#: Schema app comes under the gate, schema out never does.
PLACES = [("app", "a"), ("app", "b"), ("app", "c"), ("out", "a")]
COLLECTIONS = ("one", "two")
CODES = "abcd"
STEPS = 40
SEEDS = range(1, 31)

Place = tuple[str, str]


@dataclass(eq=False)
class Table:
    """A table, by whatever name it goes."""

    place: Place
    rows: set[str] = field(default_factory=set)
    #: The collection that its gateway names, and whether it is enabled.
    gateway: str | None = None
    enabled: bool = False
    #: The collection through whose gateway it took a row.
    took: str | None = None
    #: Rows without a birth that came by a side door, or while nothing asked for their birth.
    excused: set[str] = field(default_factory=set)
    #: The required collection that its gateway served, and where.
    served: tuple[str, Place] | None = None


@dataclass
class Entry:
    """A collection as the registry has it."""

    place: Place
    policy: str
    entered_by: str
    registered_by: str
    classified_by: str | None = None
    mode: str = "observe"
    closed: bool = False
    relation: Table | None = None
    admitted: str | None = None


class Oracle:
    """What the specification says of tables, gateway and gate."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.entries: dict[str, Entry] = {}
        self.births: dict[str, str] = {}
        self.scope: str | None = None

    # --- what holds

    def at(self, place: Place) -> Table | None:
        return next((table for table in self.tables if table.place == place), None)

    def entry_at(self, place: Place) -> str | None:
        return next((name for name, entry in self.entries.items() if entry.place == place), None)

    def serves(self, name: str) -> bool:
        """Whether the enabled gateway of a collection is on its table."""
        table = self.at(self.entries[name].place)
        return table is not None and table.gateway == name and table.enabled

    def eligible(self, name: str) -> bool:
        entry = self.entries[name]
        return entry.classified_by is not None and self.at(entry.place) is not None

    def own(self, name: str) -> set[str]:
        return {code for code, owner in self.births.items() if owner == name}

    def enforces(self, place: Place) -> bool:
        return place[0] == "app" and self.scope == "enforce"

    def closes(self, name: str, table: Table) -> bool:
        """Whether the gateway of a closed collection refuses the rows of this table."""
        entry = self.entries[name]
        if entry.relation is table or not entry.closed:
            return entry.closed
        held = entry.relation in self.tables and entry.relation is not None and entry.relation.gateway == name
        return not held and self.at(entry.place) in (None, table) and not self.own(name)

    def states(self) -> dict[str, str]:
        """Return the state of each table under the gate."""
        return {table.place[1]: self.state(table) for table in self.tables if table.place[0] == "app" and self.scope}

    def state(self, table: Table) -> str:
        name = self.entry_at(table.place)
        if name is None:
            return "UNKNOWN"
        entry, serves = self.entries[name], self.serves(name)
        if entry.admitted and (serves or entry.relation is table or entry.policy.startswith("exempt")):
            return "EXEMPT" if entry.admitted == "EXEMPT" else "ADMITTED"
        closes = self.closes(name, table)
        if serves and (closes or self.scope == "enforce" or self.own(name)):
            return "CLOSED" if closes else "BREACHED"
        return "REGISTERED" if entry.policy == "required" and not self.eligible(name) else "READY"

    # --- what a steward does

    def register(self, by: str, name: str, place: Place, policy: str) -> None:
        claimed, table, known = self.entry_at(place), self.at(place), self.entries.get(name)
        guest = table is not None and table.gateway is not None and table.gateway != name
        moves = known is not None and known.place != place
        held = known is not None and (known.policy == "required" or bool(self.own(name)))
        # Of several tables with its gateway, the one that got it last.
        homes = [each for each in self.tables if each.gateway == name]
        if known is not None and known.relation in homes:
            homes = [each for each in homes if each is known.relation]
        refuse(
            source_claimed=claimed not in (None, name) or guest,
            transition_required=known is not None
            and (known.policy != policy or (moves and held and table not in homes)),
        )
        if known is None:
            self.entries[name] = Entry(place, policy, by, by)
            return
        if moves and (table is None or known.relation is not table):
            known.admitted = None
        known.place, known.registered_by = place, by

    def classify(self, by: str, name: str) -> None:
        refuse(identity_not_eligible=self.at(self.entries[name].place) is None)
        self.entries[name].classified_by = by

    def attach(self, name: str, mode: str) -> None:
        entry = self.entries[name]
        table = self.at(entry.place)
        refuse(source_missing=table is None)
        assert table is not None
        refuse(identity_not_eligible=mode == "enforce" and not self.eligible(name))
        refuse(
            gateway_attached=table.gateway == name,
            trigger_in_the_way=table.gateway not in (None, name),
        )
        same = bool(entry.admitted) if entry.relation is None else entry.relation is table
        entry.closed = (entry.closed if same else self.enforces(entry.place)) and not table.rows
        entry.admitted = entry.admitted if same else None
        entry.mode, entry.relation = mode, table
        table.gateway, table.enabled = name, True
        # The registry knows the last table of a collection: one that had the gateway before that is like a new one.
        table.took = table.took if same else None

    def detach(self, name: str) -> None:
        refuse(gateway_absent=not any(table.gateway == name for table in self.tables))
        self.entries[name].mode = "observe"

    def switch(self, name: str, mode: str) -> None:
        refuse(gateway_absent=not any(table.gateway == name for table in self.tables))
        if mode == "enforce":
            refuse(identity_not_eligible=not self.eligible(name))
            refuse(gateway_absent=not self.serves(name))
        self.entries[name].mode = mode

    def set_scope(self, mode: str | None) -> None:
        unknown = any(table.place[0] == "app" and self.entry_at(table.place) is None for table in self.tables)
        refuse(bad_argument=mode is None and self.scope is None, table_ungated=mode == "enforce" and unknown)
        self.scope = mode

    def admit(self, by: str, name: str) -> None:
        entry = self.entries[name]
        refuse(
            admission_refused=entry.admitted,
            separation_of_duties=by in (entry.entered_by, entry.registered_by, entry.classified_by),
        )
        entry.admitted = self.admissible(name)
        entry.closed, entry.relation = False, self.at(entry.place)

    def admissible(self, name: str) -> str:
        """Return on what a collection can be admitted."""
        entry, table, own = self.entries[name], self.at(self.entries[name].place), self.own(name)
        if entry.policy.startswith("exempt"):
            return "EXEMPT"
        refuse(admission_refused=table is None or not self.serves(name))
        assert table is not None
        if entry.policy == "deferred":
            return "DEFERRED"
        refuse(admission_refused=not self.eligible(name) or (table.rows and table.rows != own))
        return "PROVEN" if table.rows else "EMPTY"

    # --- what three people do

    def transition(self, name: str, policy: str) -> None:
        entry, table = self.entries[name], self.at(self.entries[name].place)
        foreign = table is not None and any(self.births.get(code, name) != name for code in table.rows)
        refuse(
            nothing_to_do=policy == entry.policy,
            transition_blocked=policy == "required" and (not self.eligible(name) or not self.serves(name) or foreign),
        )
        if (entry.admitted == "EXEMPT" and not policy.startswith("exempt")) or (
            entry.admitted == "DEFERRED" and policy == "required"
        ):
            entry.admitted = None
        entry.policy = policy

    # --- what an owner of tables does

    def insert(self, table: Table, codes: set[str]) -> None:
        if table.gateway is None or not table.enabled:
            table.rows |= codes
            table.excused |= codes
            return
        name = table.gateway
        entry, registered = self.entries[name], self.at(self.entries[name].place)
        refuse(not_admitted=self.closes(name, table))
        covered = registered in (None, table) and entry.classified_by is not None
        asked = not entry.policy.startswith("exempt")
        enforced = entry.policy == "required" and entry.mode == "enforce"
        foreign = any(self.births.get(code, name) != name for code in codes)
        refuse(gateway_no_identity=enforced and not covered, gateway_foreign=enforced and covered and foreign)
        table.rows |= codes
        table.took = name
        if asked and covered:
            for code in codes:
                self.births.setdefault(code, name)
        else:
            table.excused |= codes

    def gate(self) -> None:
        ungated = {"UNKNOWN", "REGISTERED", "READY"} & set(self.states().values())
        refuse(table_ungated=self.scope == "enforce" and ungated)

    # --- what holds always

    def broken(self) -> list[str]:
        """Return the invariants that do not hold."""
        found = []
        for name, entry in self.entries.items():
            table = entry.relation
            if table not in self.tables or table is None:
                continue
            if entry.closed and table.rows - table.excused:
                found.append(f"{name} is closed and has rows")
            unborn = table.rows - set(self.births) - table.excused
            if entry.admitted == "EMPTY" and entry.policy == "required" and self.enforces(entry.place) and unborn:
                found.append(f"{name} was admitted empty and has rows without a birth: {unborn}")
        return found


_OBSERVE = """
SELECT jsonb_build_object(
  'states', (SELECT coalesce(jsonb_object_agg(g.table_name, g.state), '{}') FROM birth.v_birth_gate g),
  'births', (SELECT coalesce(jsonb_object_agg(b.entity_code, b.collection_name), '{}') FROM birth.birth_registry b),
  'entries', (
    SELECT coalesce(jsonb_object_agg(c.collection_name, jsonb_build_array(c.schema_name, c.table_name,
      c.coverage_status, c.gateway_mode, c.gate_closed, c.admitted_how)), '{}')
    FROM birth.collection_registry c))
"""

#: What attention says; it looks at the whole contract too, so it is asked only when it has to say something.
_ATTENTION = "SELECT coalesce(array_agg(a.what), '{}') FROM birth.v_birth_attention a"

#: Everything of birthdb that a transition of a collection leaves as it is.
_OTHERS = """
SELECT jsonb_build_array(
  (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.collection_name) FROM birth.collection_registry c
   WHERE c.collection_name <> %s),
  (SELECT jsonb_agg(to_jsonb(b) ORDER BY b.entity_code) FROM birth.birth_registry b))
"""

_EMPTY = (
    "birth_registry", "birth_gateway_finding", "birth_receipt", "birth_transition", "birth_review",
    "birth_admission_permit_v2", "birth_backfill_ledger_v2", "collection_registry", "birth_gate_scope",
)  # fmt: skip


class Grounds:
    """The database of many walks, one after the other."""

    def __init__(self, db: Database) -> None:
        self.scene = Scene(db)
        #: What the walks have done here, by the answer they got.
        self.answers: Counter[tuple[str, str]] = Counter()
        for schema in ("app", "out"):
            self.scene.execute(
                SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(Identifier(schema), Identifier(APPLICATION))
            )
            self.scene.execute(
                SQL("GRANT USAGE ON SCHEMA {} TO birth_definer, birth_scanner").format(Identifier(schema))
            )
        self.scene.execute(SQL("GRANT birth_source_owner TO {}").format(Identifier(APPLICATION)))
        self._acts = self.scene.value("SELECT max(act_id) FROM birth.birth_act")

    def close(self) -> None:
        self.scene.close()

    def owner(self, statement: str, *names: str, parameters: Any = None) -> None:
        """Send a statement of the owner of the tables."""
        query = SQL(statement).format(*map(Identifier, names))
        self.scene.session(APPLICATION).execute(query, parameters)

    def reset(self) -> None:
        """Take everything back that a walk has left."""
        with self.scene.admin.transaction():
            self.scene.execute("SET LOCAL session_replication_role = replica")
            for place in PLACES:
                self.scene.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(*place)))
            for table in _EMPTY:
                self.scene.execute(SQL("DELETE FROM birth.{}").format(Identifier(table)))
            self.scene.execute("DELETE FROM birth.birth_act WHERE act_id > coalesce(%s, 0)", (self._acts,))


class Step(NamedTuple):
    """One step, with everything that it may need."""

    what: str
    place: Place
    name: str
    by: str
    policy: str
    mode: str
    scope: str | None
    codes: set[str]
    old: bool
    #: At the place of the collection, wherever that is.
    home: bool


#: Steps, as often as they are drawn.
_WHATS = (
    ["create"] * 4 + ["drop"] + ["rename"] * 2 + ["register"] * 4 + ["classify"] * 3 + ["attach"] * 5 + ["detach"]
    + ["drop trigger"] + ["disable", "enable", "enable"] + ["insert"] * 6 + ["delete"] * 2 + ["scope"] * 2
    + ["admit"] * 4 + ["transition"] * 2 + ["switch", "gate"] + ["again", "replace", "bypass", "back"] * 2
)  # fmt: skip
STEP = st.builds(
    Step,
    st.sampled_from(_WHATS),
    st.sampled_from(PLACES),
    st.sampled_from(COLLECTIONS),
    st.sampled_from(STEWARDS),
    st.sampled_from(["required", "required", "deferred", "exempt"]),
    st.sampled_from(["observe", "enforce"]),
    st.sampled_from(["enforce", "enforce", "enforce", "observe", None]),
    st.sets(st.sampled_from(CODES), min_size=1, max_size=2),
    st.booleans(),
    st.sampled_from([True, True, True, False]),
)


class GateWalk(RuleBasedStateMachine):
    """One walk; ``grounds`` is set by whoever sends it."""

    grounds: ClassVar[Grounds]

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.scene = self.grounds.scene
        self.awake = False
        #: An index goes along when its table moves, and keeps its name.
        self.numbers = count()

    @initialize(number=st.integers(0, 2**62), enforce=st.booleans(), first=st.lists(STEP, min_size=2, max_size=2))
    def set_out(self, number: int, enforce: bool, first: list[Step]) -> None:
        """Begin with the gate or without, and with two collections on their way to it."""
        self.awake = number > 0
        if self.awake:
            self.grounds.reset()
            if enforce:
                self.asks("scope", STEWARD, "fn_birth_gate_scope", lambda: self.oracle.set_scope("enforce"),
                          p_schema="app", p_mode="enforce", p_reason="a walk")  # fmt: skip
            for name, step in zip(COLLECTIONS, first, strict=True):
                for what in ("create", "register", "classify", "attach"):
                    self.step_on(step._replace(what=what, name=name))

    @rule(step=STEP)
    def step(self, step: Step) -> None:
        if self.awake:
            self.step_on(step)

    def step_on(self, step: Step) -> None:
        if step.home and step.name in self.oracle.entries:
            step = step._replace(place=self.oracle.entries[step.name].place)
        getattr(self, step.what.replace(" ", "_"))(step)

    # --- judging

    def judge(self, name: str, do: Callable[[], Any], says: Callable[[], Any]) -> None:
        """Take a step, hear the oracle, compare everything."""
        answer = "done"
        try:
            do()
        except psycopg.Error as error:
            answer = reason(error)
        self.grounds.answers[name, answer] += 1
        try:
            says()
        except Refused as refusal:
            insist(answer in refusal.reasons, f"{name}: database says {answer}, oracle {refusal}")
        else:
            insist(answer == "done", f"{name}: database says {answer}, oracle allows it")
        self.compare(name)

    def asks(self, name: str, by: str, routine: str, says: Callable[[], Any], /, **given: Any) -> None:
        self.judge(name, lambda: self.scene.ask(by, routine, **given), says)

    def owns(self, name: str, statement: str, says: Callable[[], Any], *names: str, parameters: Any = None) -> None:
        self.judge(name, lambda: self.grounds.owner(statement, *names, parameters=parameters), says)

    def compare(self, after: str) -> None:
        """Hold the database against the oracle, and against what holds always."""
        oracle, found = self.oracle, self.scene.value(_OBSERVE)
        statuses = {called: policy for policy, called in STATUSES.items()}
        entries = {
            name: ((schema, table), statuses[policy], mode, closed, admitted)
            for name, (schema, table, policy, mode, closed, admitted) in found["entries"].items()
        }
        expected = {name: (e.place, e.policy, e.mode, e.closed, e.admitted) for name, e in oracle.entries.items()}
        for part, database, said in (
            ("registry", entries, expected),
            ("births", found["births"], oracle.births),
            ("states", found["states"], oracle.states()),
            (
                "rows",
                {table.place: self.rows(table) for table in oracle.tables},
                {t.place: t.rows for t in oracle.tables},
            ),
        ):
            insist(database == said, f"after {after}, {part}: database {database}, oracle {said}")
        insist(not oracle.broken(), f"after {after}: {oracle.broken()}")
        for table in oracle.tables:
            name = oracle.entry_at(table.place)
            if name and oracle.entries[name].policy == "required" and oracle.serves(name):
                table.served = (name, table.place)
            elif table.served and oracle.entries[table.served[0]].policy == "required":
                served, place = table.served
                # Its owner put another table there, which is governed: this one is not the collection's any more.
                if table.place != place and oracle.serves(served):
                    continue
                names = (served, table.place[1])
                told = any(word in names or word.split(".")[-1] in names for what in self.scene.value(_ATTENTION)
                           for word in what.replace(",", " ").split())  # fmt: skip
                insist(told, f"after {after}: {table.place} of {served} is ungated, and attention is silent")

    def rows(self, table: Table) -> set[str]:
        return {row["code"] for row in self.scene.rows(SQL("SELECT code FROM {}").format(Identifier(*table.place)))}

    # --- tables

    def create(self, step: Step) -> None:
        if self.oracle.at(step.place) is None:
            self.owns(
                "create",
                "CREATE TABLE {0}.{1} (code text CONSTRAINT {2} PRIMARY KEY); GRANT SELECT ON {0}.{1} TO birth_scanner;"
                " GRANT TRIGGER ON {0}.{1} TO birth_definer",
                lambda: self.oracle.tables.append(Table(step.place)), *step.place, f"key_{next(self.numbers)}",
            )  # fmt: skip

    def drop(self, step: Step) -> None:
        if table := self.oracle.at(step.place):
            self.owns("drop", "DROP TABLE {}.{}", lambda: self.oracle.tables.remove(table), *step.place)

    def rename(self, step: Step) -> None:
        """Rename or move a table to a place that is free."""
        table = self.oracle.at(step.place)
        free = [place for place in PLACES if self.oracle.at(place) is None]
        if table and free:
            self.move(table, free[len(step.codes) % len(free)])

    def move(self, table: Table, to: Place) -> None:
        def do() -> None:
            with self.scene.session(APPLICATION).transaction():
                # By a name that no other table has, in either schema.
                self.grounds.owner("ALTER TABLE {}.{} RENAME TO moving", *table.place)
                self.grounds.owner("ALTER TABLE {}.moving SET SCHEMA {}", table.place[0], to[0])
                self.grounds.owner("ALTER TABLE {}.moving RENAME TO {}", *to)

        def says() -> None:
            table.place = to

        self.judge("rename", do, says)

    def insert(self, step: Step) -> None:
        """Insert rows, under either isolation level."""
        table = self.oracle.at(step.place)
        codes = step.codes - table.rows if table else set()
        if table is None or not codes:
            return
        conn = self.scene.session(APPLICATION)
        # Where the closed table is gone, and nothing was ever born, a former table is taken for it.
        entry = self.oracle.entries.get(table.gateway or "")
        former = entry and entry.relation is not table and not self.oracle.own(table.gateway or "")
        took = table.took and table.took == table.gateway and not former
        level = psycopg.IsolationLevel.REPEATABLE_READ if step.old else None

        def do() -> None:
            conn.isolation_level = level
            try:
                with conn.transaction():
                    self.grounds.owner("INSERT INTO {}.{} SELECT unnest(%s::text[])", *step.place,
                                       parameters=(sorted(codes),))  # fmt: skip
            except psycopg.Error as error:
                insist(not took or reason(error) != "not_admitted", f"{step.place} was in use and is closed")
                raise
            finally:
                conn.isolation_level = None

        self.judge("insert", do, lambda: self.oracle.insert(table, codes))

    def delete(self, step: Step) -> None:
        if table := self.oracle.at(step.place):
            self.owns("delete", "DELETE FROM {}.{}", table.rows.clear, *step.place)

    def drop_trigger(self, step: Step) -> None:
        table = self.oracle.at(step.place)
        if table and table.gateway:

            def says() -> None:
                table.gateway = None

            self.owns("drop trigger", "DROP TRIGGER birth_gateway ON {}.{}", says, *step.place)

    def disable(self, step: Step) -> None:
        self.enables(step, enabled=False)

    def enable(self, step: Step) -> None:
        self.enables(step, enabled=True)

    def enables(self, step: Step, *, enabled: bool) -> None:
        table = self.oracle.at(step.place)
        if table and table.gateway:

            def says() -> None:
                table.enabled = enabled

            word = "ENABLE" if enabled else "DISABLE"
            self.owns(word.lower(), f"ALTER TABLE {{}}.{{}} {word} TRIGGER birth_gateway", says, *step.place)

    def gate(self, _: Step) -> None:
        self.asks("gate", APPLICATION, "fn_birth_gate", self.oracle.gate)

    # --- collections

    def register(self, step: Step) -> None:
        self.asks(
            "register", step.by, "fn_birth_collection_register",
            lambda: self.oracle.register(step.by, step.name, step.place, step.policy),
            p_collection=step.name, p_schema=step.place[0], p_table=step.place[1],
            p_coverage_status=STATUSES[step.policy],
        )  # fmt: skip

    def classify(self, step: Step) -> None:
        if step.name in self.oracle.entries:
            self.asks("classify", step.by, "fn_birth_identity_classify",
                      lambda: self.oracle.classify(step.by, step.name),
                      p_collection=step.name, p_strategy="column", p_column="code")  # fmt: skip

    def attach(self, step: Step) -> None:
        if step.name in self.oracle.entries:
            self.asks("attach", step.by, "fn_birth_gateway_attach", lambda: self.oracle.attach(step.name, step.mode),
                      p_collection=step.name, p_mode=step.mode)  # fmt: skip

    def detach(self, step: Step) -> None:
        if step.name in self.oracle.entries:
            self.asks("detach", step.by, "fn_birth_gateway_detach", lambda: self.oracle.detach(step.name),
                      p_collection=step.name, p_reason="a walk")  # fmt: skip

    def switch(self, step: Step) -> None:
        if step.name in self.oracle.entries:
            self.asks("switch", step.by, "fn_birth_gateway_mode", lambda: self.oracle.switch(step.name, step.mode),
                      p_collection=step.name, p_mode=step.mode, p_reason="a walk")  # fmt: skip

    def scope(self, step: Step) -> None:
        self.asks("scope", step.by, "fn_birth_gate_scope", lambda: self.oracle.set_scope(step.scope),
                  p_schema="app", p_mode=step.scope, p_reason="a walk")  # fmt: skip

    def admit(self, step: Step) -> None:
        if step.name in self.oracle.entries:
            self.asks("admit", step.by, "fn_birth_gate_admit", lambda: self.oracle.admit(step.by, step.name),
                      p_collection=step.name, p_reason="a walk")  # fmt: skip

    def again(self, step: Step) -> None:
        """Attach a gateway again, perhaps to a table that is empty by now."""
        if step.old:
            self.delete(step)
        self.drop_trigger(step)
        self.attach(step)

    def bypass(self, step: Step) -> None:
        """Insert while the gateway is disabled, and ask for the admission afterwards."""
        self.disable(step)
        self.insert(step)
        self.enable(step)
        self.admit(step)

    def replace(self, step: Step) -> None:
        """Put another table in the place of one, which goes on under another name."""
        before = self.oracle.at(step.place)
        self.rename(step)
        self.create(step)
        self.attach(step)
        if before:
            self.insert(step._replace(place=before.place))

    def back(self, step: Step) -> None:
        """Take a table that was replaced back to its place."""
        before = self.oracle.at(step.place)
        self.replace(step)
        if before and before.place != step.place:
            (self.drop if step.old else self.rename)(step)
            if self.oracle.at(step.place) is None:
                self.move(before, step.place)
                self.insert(step)

    def transition(self, step: Step) -> None:
        """Change a policy, from plan to execution, by its three people."""
        if step.name not in self.oracle.entries:
            return
        accepts, before = len(self.oracle.own(step.name)), self.scene.value(_OTHERS, (step.name,))

        def do() -> None:
            row = self.scene.ask_one(OPERATOR, "fn_dot_birth_qt005_plan", p_collection=step.name,
                                     p_to_status=STATUSES[step.policy], p_dry_run=False)  # fmt: skip
            self.scene.review(row["run_id"], p_accept_orphans=accepts)
            permit_id = self.scene.open_permit(step.name, row["run_id"], 1)
            self.scene.confirm(permit_id)
            given = {"p_run_id": row["run_id"], "p_permit_id": permit_id, "p_execute": True}
            self.scene.session(OPERATOR).execute(statement("CALL", "sp_dot_birth_qt005_apply", given), given)

        self.judge("transition", do, lambda: self.oracle.transition(step.name, step.policy))
        insist(self.scene.value(_OTHERS, (step.name,)) == before, "a transition changed more than one row")


def walk(grounds: Grounds, seed: int, *, shrink: bool = True) -> None:
    """Take one random walk; where it fails, the shortest is shown that fails."""
    take(type("Walk", (GateWalk,), {"grounds": grounds}), seed, STEPS, shrink=shrink)


def found(grounds: Grounds, fault: Fault) -> int | None:
    """Plant a fault, and return the walk that finds it, if one does."""
    grounds.scene.replace_routine(fault.routine, (fault.old, fault.new))
    return finds(fault, SEEDS, lambda seed: walk(grounds, seed, shrink=False))


#: Faults to plant, one at a time: what the walks are for is to find each of them.
FAULTS = {
    "a closed collection takes rows": Fault(
        "fn_birth_gateway_collection", "IF r_collection.gate_closed\n", "IF false\n", seed=3
    ),
    "a table in use is closed by the next one": Fault(
        "fn_birth_gateway_collection",
        "(r_collection.gate_relation = p_relation",
        "(true",
        seed=7,
    ),
    "a table in use is closed when it comes back": Fault(
        "fn_birth_gateway_collection",
        "OR v_covered\n",
        "OR v_covered OR v_covered\n",
    ),
    "a steward admits what they classified": Fault(
        "fn_birth_gate_admit",
        "WHERE l.actor = session_user OR l.actor_id = birth.fn_birth_login_id())\n"
        "    OR session_user IN (r_collection.registered_by, r_collection.classified_by)",
        "WHERE false)",
    ),
    "what is admitted as proven is not counted": Fault(
        "fn_birth_gate_read", "        = (0, 0, 0, 0, 0) THEN", "        IS NOT NULL THEN", seed=20
    ),
    "a filled table is admitted as empty": Fault(
        "fn_birth_gate_read", "ELSIF NOT v_filled THEN", "ELSIF true THEN", seed=20
    ),
    "a table in use is closed when it is attached again": Fault(
        "fn_birth_gateway_attach", "WHEN v_same THEN r_collection.gate_closed\n", "WHEN false THEN NULL\n", seed=5
    ),
    "a closed collection opens when it is attached again": Fault(
        "fn_birth_gateway_attach", "WHEN v_same THEN r_collection.gate_closed\n", "WHEN v_same THEN false\n"
    ),
    "an admission outlives its table": Fault(
        "fn_birth_gateway_attach",
        "coalesce(r_collection.gate_relation = r_identity.relation, r_collection.admitted_at IS NOT NULL)",
        "true",
    ),
    "a steward moves a required collection away": Fault(
        "fn_birth_collection_register",
        "AND (r_before.coverage_status = 'BIRTH_REQUIRED'",
        "AND false AND (r_before.coverage_status = 'BIRTH_REQUIRED'",
        seed=3,
    ),
    "a steward changes a policy": Fault(
        "fn_birth_collection_register",
        "IF v_known AND (r_before.coverage_status, r_before.governed) <> (p_coverage_status, p_governed) THEN",
        "IF false THEN",
    ),
    "a move to required asks for no gateway": Fault(
        "fn_birth_transition_fault",
        "(NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g",
        "(false AND NOT EXISTS (SELECT FROM birth.v_birth_gateway_trigger g",
        seed=4,
    ),
    "an admission outlives a weaker policy": Fault(
        "fn_birth_transition_write", "IS NOT TRUE AS stands", "IS NOT NULL OR true AS stands"
    ),
}

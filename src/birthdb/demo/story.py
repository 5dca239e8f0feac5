"""The story: seven registers that exist already are registered, backfilled, enforced, and cheating is tried. Then their
schema comes under the gate, a policy changes, and rows end.

Everything is done as a person would do it, under the login of whoever may, through the wrappers of ``birthdb.api``. All
figures are what the database answered.
"""

import json as jsonlib
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import psycopg

from birthdb import api
from birthdb.demo.registers import REGISTERS, SCHEMA, load, read
from birthdb.demo.scene import (
    DBA,
    OPERATOR,
    OWNER,
    READER,
    REVIEWER,
    SECOND_STEWARD,
    STEWARD,
    SUPERUSER,
    TABLES_OWNER,
    Scene,
)
from birthdb.demo.teller import Teller
from birthdb.errors import (
    AdmissionRefused,
    BirthError,
    CodeDead,
    CodeForeign,
    ContractDrift,
    GatewayNoIdentity,
    NotAdmitted,
    PermitNotOpen,
    SeparationOfDuties,
    SourcePrivilege,
    TableUngated,
    TransitionRequired,
)

T = TypeVar("T")

_BATCH = 1000  # small, so that there is progress to see
_WRITER = "fn_dot_birth_qt001_apply"

#: The register that comes later.
_LATER = "paper_size"
_EXEMPT = "BIRTH_EXEMPT_STANDARD"

#: Languages that are loaded past the gateway: ISO 639 reserves qaa to qtz for local use.
_RESERVED = "SELECT 'q' || chr(a) || chr(b) FROM generate_series(97, 116) a, generate_series(97, 122) b"

#: Where the steward decides otherwise than the classifier's first proposal.
_DECISIONS: Mapping[str, Mapping[str, Any]] = {
    "currency": {"strategy": "synthetic_id", "column": "alpha_3", "prefix": "CUR-"},
    "subdivision": {"strategy": "legacy", "template": "{country}-{local}"},
    "language_family": {"strategy": "legacy", "template": "family/{alpha_3}"},
}


@dataclass(frozen=True)
class Backfilled:
    """What the database said of one collection when its run was done, in rows."""

    collection: str
    source_rows: int
    births: int
    expected_delta: int
    actual_inserted: int
    rerun_delta: int


@dataclass(frozen=True)
class Refusal:
    """What the database refused, and in which words."""

    attempt: str
    sqlstate: str
    message: str


def run(json: bool = False) -> int:
    """Tell the story, or print its figures as one JSON object. Returns 0 when everything was as it should be, else 1.

    Raises ServerError where there is no PostgreSQL to start or no data to show.
    """
    began = time.monotonic()
    teller = Teller(quiet=json)
    with Scene("demo", teller.heard) as scene:
        story = Story(scene, teller)
        story.tell()
        version = scene.version
    seconds = round(time.monotonic() - began, 1)
    if json:
        figures = {
            "server": version,
            "collections": [asdict(done) for done in story.collections],
            "refusals": [asdict(refusal) for refusal in story.refusals],
            "admissions": story.admissions,
            "policies": story.policies,
            "deaths": story.deaths,
            "census_pass": story.census_pass,
            "seconds": seconds,
        }
        print(jsonlib.dumps(figures, ensure_ascii=False, indent=2))
    for fault in story.faults:
        print(f"not as it should be: {fault}", file=sys.stderr)
    teller.say(f"\n{seconds} seconds on {version}; {scene.gone}.")
    return 1 if story.faults else 0


class Story:
    """The steps, and what the database answered on the way."""

    def __init__(self, scene: Scene, teller: Teller) -> None:
        """Begin with nothing."""
        self.collections: list[Backfilled] = []
        self.refusals: list[Refusal] = []
        #: How each collection was admitted, by its name.
        self.admissions: dict[str, str] = {}
        #: The policies of the collection whose policy changes, one after the other.
        self.policies: list[str] = []
        #: How many births of each collection are dead at the end.
        self.deaths: dict[str, int] = {}
        self.census_pass = False
        self.faults: list[str] = []
        self._scene = scene
        self._tell = teller
        self._permits: dict[str, int] = {}

    def tell(self) -> None:
        """Tell it from the beginning to the end."""
        self._load()
        self._release()
        self._register()
        self._propose()
        self._first_backfill()
        self._collision()
        self._attach()
        self._backfill_the_others()
        self._enforce()
        run_id, delta, permit = self._side_door()
        self._cheat(run_id, delta, permit)
        self._gate()
        self._mend(run_id, delta, permit)
        self._later_table()
        self._migration()
        self._transition()
        self._end()
        self._delete_meanwhile()
        self._census()

    def _load(self) -> None:
        self._tell.step(
            "Seven registers that exist already",
            "Plain tables of an application, loaded by COPY. Nothing in them knows of birthdb.",
        )
        conn = self._scene.connect(SUPERUSER)
        conn.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {self._scene.login(TABLES_OWNER)}".encode())
        owner = self._scene.connect(TABLES_OWNER)
        shown = []
        with self._tell.bar() as bar:
            task = bar.add_task("COPY", total=len(REGISTERS))
            for register in REGISTERS:
                rows = read(register)
                load(owner, register, rows)
                shown.append((f"{SCHEMA}.{register.table}", register.standard, len(rows)))
                bar.advance(task)
        self._tell.table(("table", "standard", "rows"), [*shown, ("", "", sum(rows for *_, rows in shown))])

    def _release(self) -> None:
        self._tell.step(
            "Schema birth is released",
            "By Alembic, stage by stage, by a DBA who is no superuser. People get one role each.",
        )
        self._tell.typed("$ ", f"BIRTHDB_URL=postgresql://{DBA}@/demo birthdb alembic upgrade head", "bash")
        with self._tell.busy("releasing"):
            self._scene.release("head")
        contract = api.view(self._scene.connect(READER), "v_birth_gateway_contract_integrity_dashboard")[0]
        self._tell.answer(
            f"release {contract['release']}: {contract['objects']} objects on record, {contract['drifted']} drifted"
        )
        self._expect(contract["all_ok"], "the contract is intact after the release")

    def _register(self) -> None:
        self._tell.step(
            "The steward registers seven collections",
            "A collection is a source table and its policy: births are required.",
        )
        steward = self._scene.connect(STEWARD)
        for register in REGISTERS:
            with self._tell.aloud() if register is REGISTERS[0] else self._tell.hushed():
                answer = api.collection_register(
                    steward, register.table, SCHEMA, register.table, "BIRTH_REQUIRED", governed=True
                )
                if register is REGISTERS[0]:
                    self._tell.answer(f"next: {answer}")
        self._tell.say(f"… and so the other {len(REGISTERS) - 1}.")

    def _propose(self) -> None:
        self._tell.step("The classifier proposes", "From keys and unique columns, with its reason. It never decides.")
        steward = self._scene.connect(STEWARD)
        shown = []
        for register in REGISTERS:
            with self._tell.aloud() if register is REGISTERS[0] else self._tell.hushed():
                first, *others = api.identity_propose(steward, SCHEMA, register.table)
            named = first["template"] or first["column"]
            shown.append(
                (register.table, first["strategy"], named, first["reason"], f"{len(others)} more" if others else "")
            )
        self._tell.table(("collection", "strategy", "identity", "reason", ""), shown)

    def _first_backfill(self) -> None:
        self._tell.step(
            "Countries first, as proposed",
            "Plan, rehearsal, verdict, permit, confirmation, run: four people, told apart by the database.",
        )
        with self._tell.aloud():
            self._classify("country")
            self._backfill("country")

    def _collision(self) -> None:
        self._tell.step("Currencies by the same rule", "Their alpha-3 codes look just as good. They are not.")
        operator = self._scene.connect(OPERATOR)
        with self._tell.aloud():
            self._accept("currency")

            def plan() -> None:
                self._granted(lambda: api.plan(operator, "currency", dry_run=False))

            self._refused("plan currencies under codes that countries own", CodeForeign.sqlstate, plan)
        self._tell.say("The steward gives currencies a prefix; the plan of a moment ago was never written.")
        with self._tell.aloud():
            self._classify("currency")
        for register in REGISTERS:
            if register.table not in ("country", "currency"):
                self._classify(register.table)
        statuses = api.view(self._scene.connect(READER), "v_birth_metadata_compatibility")
        ordered = sorted(
            statuses, key=lambda row: [register.table for register in REGISTERS].index(row["collection_name"])
        )
        self._tell.table(
            ("collection", "identity"), [(row["collection_name"], row["identity_status"]) for row in ordered]
        )

    def _attach(self) -> None:
        self._tell.step(
            "The gateway is attached, and observes",
            "New rows are born as they are inserted; for now nothing is refused.",
        )
        steward = self._scene.connect(STEWARD)
        for register in REGISTERS:
            with self._tell.aloud() if register is REGISTERS[0] else self._tell.hushed():
                self._granted(lambda name=register.table: api.gateway_attach(steward, name, "observe"))  # type: ignore[misc]
        self._tell.say(f"… and so the other {len(REGISTERS) - 1}.")

    def _backfill_the_others(self) -> None:
        self._tell.step("The other six are backfilled", "The same acts by the same four people.")
        for register in REGISTERS:
            if register.table != "country":
                self._backfill(register.table)

    def _enforce(self) -> None:
        self._tell.step("From observe to enforce", "A field of the registry: no DDL, no lock on the table.")
        steward = self._scene.connect(STEWARD)
        owner = self._scene.connect(TABLES_OWNER)
        reader = self._scene.connect(READER)
        for register in REGISTERS:
            with self._tell.aloud() if register is REGISTERS[0] else self._tell.hushed():
                api.gateway_mode(steward, register.table, "enforce", "every row has its birth")
        with self._tell.aloud():
            api.gateway_fence(steward)
        self._tell.say(
            "… and so the other six. A currency is added; its code is also that of a country, and nobody minds."
        )
        with self._tell.aloud():
            owner.execute("INSERT INTO iso.currency VALUES ('ESP', '724', 'Spanish Peseta')")
            born = reader.execute(
                "SELECT entity_code, collection_name, dot_origin, run_id FROM birth.birth_registry"
                " WHERE entity_code IN ('ESP', 'CUR-ESP') ORDER BY entity_code"
            ).fetchall()
            self._tell.table(("entity_code", "collection_name", "dot_origin", "run_id"), born)
            self._expect(
                [(row[0], row[1], row[3] is None) for row in born]
                == [("CUR-ESP", "currency", True), ("ESP", "country", False)],
                "the currency was born by the gateway beside the country",
            )
            self._refused(
                "insert a country without a code",
                GatewayNoIdentity.sqlstate,
                lambda: owner.execute("INSERT INTO iso.country VALUES (' ', 'XX', '999', 'Nowhere')"),
            )

    def _side_door(self) -> tuple[Any, int, int]:
        who = "A superuser" if self._scene.superuser else "The owner of the table"
        self._tell.step(
            "Past the gateway", f"{who} loads three rows with triggers switched off. The census finds them."
        )
        reader = self._scene.connect(READER)
        with self._tell.aloud():
            self._past_the_gateway(
                "currency",
                "INSERT INTO iso.currency VALUES ('DEM', '276', 'Deutsche Mark'), ('FRF', '250', 'French Franc'),"
                " ('ITL', '380', 'Italian Lira')",
            )
            found = [row for row in api.census(reader, "currency") if not row["pass"]]
        self._tell.table(
            ("check", "rows", "examples"),
            [(row["check"], row["rows"], ", ".join(row["examples"] or [])) for row in found],
        )
        self._expect([row["rows"] for row in found] == [3], "the census finds the three rows without a birth")
        self._tell.say(
            "They are planned, reviewed and permitted like any others. Before they are written, somebody cheats."
        )
        planned = api.plan(self._scene.connect(OPERATOR), "currency", dry_run=False)
        return (
            planned["run_id"],
            planned["expected_delta"],
            self._permit("currency", planned["run_id"], planned["expected_delta"]),
        )

    def _past_the_gateway(self, table: str, statement: str) -> None:
        """Send a statement with the triggers of a table switched off, by whoever can."""
        if self._scene.superuser:
            hand, off, on = SUPERUSER, "SET session_replication_role = replica", "RESET session_replication_role"
        else:
            hand = TABLES_OWNER
            off, on = (f"ALTER TABLE {SCHEMA}.{table} {what} TRIGGER USER" for what in ("DISABLE", "ENABLE"))
        loader = self._scene.connect(hand)
        for each in (off, statement, on):
            loader.execute(each.encode())

    def _cheat(self, run_id: Any, delta: int, permit: int) -> None:
        self._tell.step("Three attempts to cheat", "Each is stopped by the database, whoever tries.")
        operator = self._scene.connect(OPERATOR)
        who = "a superuser" if self._scene.superuser else "birth_definer"

        self._tell.say(f"The ledger is told that the run is done, by the hand of {who}:", "bold")
        with self._scene.mightiest() as mighty, self._tell.aloud():
            self._refused(
                f"mark the run done by hand, as {who}",
                "23514",
                lambda: mighty.execute(
                    "UPDATE birth.birth_backfill_ledger_v2 SET status = 'done', dry_run = false,"
                    " actual_inserted = 0, finished_at = now() WHERE run_id = %s",
                    (run_id,),
                ),
            )

        self._tell.say("The permit of the first run of currencies is used again:", "bold")
        with self._tell.aloud():
            self._refused(
                "use a permit a second time",
                PermitNotOpen.sqlstate,
                lambda: api.apply(operator, "currency", run_id, self._permits["currency"], delta, delta, execute=True),
            )

        self._tell.say(f"One byte of the writer is changed, by {who}: a blank in the body of {_WRITER}.", "bold")
        with self._scene.mightiest() as mighty:
            released = self._body(mighty)
            changed = re.sub(r"\bBEGIN\b", "BEGIN ", released, count=1)
            mighty.execute(changed.encode())
            try:
                self._expect(self._body(mighty) == changed != released, "one byte of the writer was changed")
                with self._tell.aloud():
                    self._refused(
                        f"change one byte of the writer, as {who}",
                        ContractDrift.sqlstate,
                        lambda: api.apply(operator, "currency", run_id, permit, delta, delta, execute=True),
                    )
            finally:
                mighty.execute(released.encode())
        contract = api.view(self._scene.connect(READER), "v_birth_gateway_contract_integrity_dashboard")[0]
        self._expect(contract["all_ok"], "the contract is intact when the byte is put back")
        self._tell.say(f"The byte is put back: {contract['drifted']} of {contract['objects']} objects drifted.")

    def _gate(self) -> None:
        self._tell.step(
            "The schema comes under the gate",
            "No table of it takes a first row before a second steward has admitted it. These seven were filled before.",
        )
        second = self._scene.connect(SECOND_STEWARD)
        with self._tell.aloud():
            api.gate_scope(self._scene.connect(STEWARD), SCHEMA, "enforce", "tables are decided before they are filled")
        self._show_gate("BREACHED", len(REGISTERS))
        for register in REGISTERS:
            if register.table != "currency":
                with self._tell.aloud() if register is REGISTERS[0] else self._tell.hushed():
                    api.gate_admit(second, register.table, "every row has its birth")
        self._tell.say("… and so the others, but for the currencies: three of them still have no birth.")
        with self._tell.aloud():
            self._refused(
                "admit currencies of which three have no birth",
                AdmissionRefused.sqlstate,
                lambda: api.gate_admit(second, "currency", "looks complete"),
            )

    def _mend(self, run_id: Any, delta: int, permit: int) -> None:
        self._tell.step("And honestly", "The three rows are born under their own permit; then currencies are admitted.")
        operator = self._scene.connect(OPERATOR)
        with self._tell.aloud():
            api.apply(operator, "currency", run_id, permit, delta, delta, execute=True, notice=self._tell.answer)
            api.gate_admit(self._scene.connect(SECOND_STEWARD), "currency", "every row has its birth")

    def _later_table(self) -> None:
        self._tell.step(
            "A table is created there", "An eighth register, ISO 216. It is closed until a second steward admits it."
        )
        steward = self._scene.connect(STEWARD)
        owner = self._scene.connect(TABLES_OWNER)
        insert = f"INSERT INTO {SCHEMA}.{_LATER} VALUES ('A4', 210, 297)".encode()
        with self._tell.aloud():
            owner.execute(
                f"CREATE TABLE {SCHEMA}.{_LATER} (name text PRIMARY KEY, width_mm integer, height_mm integer)".encode()
            )
            api.collection_register(steward, _LATER, SCHEMA, _LATER, "BIRTH_REQUIRED", governed=True)
            self._accept(_LATER)
            answer = self._granted(lambda: api.gateway_attach(steward, _LATER, "enforce"))
            self._tell.answer(f"next: {answer}")
            self._refused(
                "insert into a table before it is admitted", NotAdmitted.sqlstate, lambda: owner.execute(insert)
            )
            self._refused(
                "admit a collection that one registered oneself",
                SeparationOfDuties.sqlstate,
                lambda: api.gate_admit(steward, _LATER, "it is mine"),
            )
            api.gate_admit(self._scene.connect(SECOND_STEWARD), _LATER, "decided, and empty")
            owner.execute(insert)
        self._show_gate("ADMITTED", len(REGISTERS) + 1)

    def _migration(self) -> None:
        self._tell.step("A migration asks the gate last", "It leaves a table open, and therefore it does not commit.")
        owner = self._scene.connect(TABLES_OWNER)
        with self._tell.aloud():
            self._scene.connect(DBA).execute(f"GRANT birth_source_owner TO {self._scene.login(TABLES_OWNER)}".encode())
            owner.execute("BEGIN")
            owner.execute(f"CREATE TABLE {SCHEMA}.envelope (name text PRIMARY KEY)".encode())
            self._refused("leave a table open in a migration", TableUngated.sqlstate, lambda: api.gate(owner))
            owner.execute("ROLLBACK")
            self._tell.answer(f"{api.gate(owner)} tables, each of them governed")

    def _transition(self) -> None:
        self._tell.step(
            "A policy changes",
            "Births of scripts are required. One steward alone cannot exempt them; three people can, and can undo it.",
        )
        operator = self._scene.connect(OPERATOR)
        with self._tell.aloud():
            self._refused(
                "exempt a required collection alone",
                TransitionRequired.sqlstate,
                lambda: api.collection_register(
                    self._scene.connect(STEWARD), "script", SCHEMA, "script", _EXEMPT, governed=True
                ),
            )
            self._show_policy("script")
            planned = api.transition_plan(operator, "script", _EXEMPT, dry_run=False)
            run_id, births = planned["run_id"], planned["births"]
            self._tell.answer(f"run {run_id}, {planned['direction']}: {births} births would be left behind")
            permit = self._judge(
                "script", run_id, 1, f"{births} births stay", "the standard has its own registrar", accept=births
            )
            api.transition_apply(operator, run_id, permit, execute=True, notice=self._tell.answer)
            self._show_policy("script")
        self._tell.say("On second thoughts it is undone, with a verdict and a permit of its own.")
        with self._tell.aloud():
            permit = self._judge(
                "script", run_id, 1, "no row came meanwhile", "exempted in error", purpose="COMPENSATE"
            )
            api.compensate(operator, run_id, permit, execute=True, notice=self._tell.answer)
            self._show_policy("script")
        self._expect(
            self.policies == ["BIRTH_REQUIRED", _EXEMPT, "BIRTH_REQUIRED"],
            "the policy of scripts changed and changed back",
        )

    def _end(self) -> None:
        self._tell.step(
            "What ends is recorded",
            "The life of currencies is enforced: a code whose row is gone is dead, and no newcomer takes it over.",
        )
        owner = self._scene.connect(TABLES_OWNER)
        reader = self._scene.connect(READER)
        with self._tell.aloud():
            api.life_attach(self._scene.connect(STEWARD), "currency", "enforce")
            owner.execute("DELETE FROM iso.currency WHERE alpha_3 = 'DEM'")
            self._refused(
                "give a newcomer the code of a dead currency",
                CodeDead.sqlstate,
                lambda: owner.execute("INSERT INTO iso.currency VALUES ('DEM', '999', 'Demo Dollar')"),
            )
        self._tell.say("A currency was entered under a wrong code. It is corrected, and followed from the old code.")
        with self._tell.aloud():
            owner.execute("INSERT INTO iso.currency VALUES ('XUE', '954', 'European Currency Unit')")
            owner.execute("UPDATE iso.currency SET alpha_3 = 'XEU' WHERE alpha_3 = 'XUE'")
            now = api.code_now(reader, "CUR-XUE")
            self._tell.answer(f"CUR-XUE is {now} now")
        self._tell.table(
            ("entity_code", "manner", "successor"),
            reader.execute(
                "SELECT entity_code, manner, successor FROM birth.birth_death ORDER BY entity_code"
            ).fetchall(),
        )
        self._expect(now == "CUR-XEU", "a code that changed is followed to the living one")
        self._expect(api.code_now(reader, "CUR-DEM") is None, "the code of a deleted row is dead")

    def _delete_meanwhile(self) -> None:
        self._tell.step(
            "A backfill while rows are deleted",
            "520 reserved language codes come past the gateway. While they are born, other languages are deleted.",
        )
        owner = self._scene.connect(TABLES_OWNER)
        operator = self._scene.connect(OPERATOR)
        with self._tell.aloud():
            api.life_attach(self._scene.connect(STEWARD), "language", "observe")
            self._past_the_gateway(
                "language",
                f"INSERT INTO iso.language SELECT q.code, NULL, 'local use', 'I', 'S' FROM ({_RESERVED}) AS q(code)",
            )
        planned = api.plan(operator, "language", dry_run=False)
        run_id, delta = planned["run_id"], planned["expected_delta"]
        permit = self._permit("language", run_id, delta)

        def told(message: str) -> None:
            self._tell.answer(message)
            with self._tell.aloud():
                owner.execute("DELETE FROM iso.language WHERE alpha_3 = (SELECT min(alpha_3) FROM iso.language)")

        api.apply(operator, "language", run_id, permit, delta, delta, batch=2000, execute=True, notice=told)
        ended: Mapping[str, Any] = api.progress(self._scene.connect(READER), run_id) or {}
        orphans = api.plan(operator, "language")["orphans"]
        self._tell.answer(
            f"{delta} planned, {ended.get('rows_done')} written, {ended.get('status')}; {orphans} orphans"
        )
        self._expect((ended.get("status"), ended.get("rows_done")) == ("done", delta), "the run is done beside deletes")
        self._expect(orphans == 0, "deleted languages are no orphans")

    def _show_gate(self, state: str, tables: int) -> None:
        """Show the state of every table under the gate; keep how those are admitted that are."""
        found = sorted(api.view(self._scene.connect(READER), "v_birth_gate"), key=lambda row: str(row["table_name"]))
        self._tell.table(
            ("table", "state", "admitted as"),
            [(f"{row['schema_name']}.{row['table_name']}", row["state"], row["admitted_how"]) for row in found],
        )
        self.admissions = {row["collection_name"]: row["admitted_how"] for row in found if row["admitted_how"]}
        self._expect([row["state"] for row in found] == [state] * tables, f"{tables} tables under the gate are {state}")

    def _show_policy(self, collection: str) -> None:
        found = self._scene.connect(READER).execute(
            "SELECT coverage_status, governed, policy_version FROM birth.v_birth_policy WHERE collection_name = %s",
            (collection,),
        )
        for status, governed, version in found:
            self._tell.answer(f"{status}, {'governed' if governed else 'not governed'}, version {version}")
            self.policies.append(status)

    def _census(self) -> None:
        self._tell.step("The census", "Rows against births, both ways, and every side door that the catalogue shows.")
        operator = self._scene.connect(OPERATOR)
        reader = self._scene.connect(READER)
        runs = api.view(reader, "v_birth_run_progress")
        deaths = reader.execute("SELECT collection_name, count(*) FROM birth.birth_death GROUP BY collection_name")
        self.deaths = dict(deaths.fetchall())
        shown: list[tuple[Any, ...]] = []
        passed: list[bool] = []
        for collection in (*(register.table for register in REGISTERS), _LATER):
            census = api.census(operator, collection)
            now = api.plan(operator, collection)
            failed = [row["check"] for row in census if not row["pass"]]
            passed.append(bool(census) and not failed)
            self._expect(passed[-1], f"{collection}: the census passes ({', '.join(failed)})")
            self._expect(now["planned_rows"] == 0, f"{collection}: nothing is missing at the end")
            written = sum(
                run["rows_done"] for run in runs if (run["collection_name"], run["purpose"]) == (collection, "APPLY")
            )
            verdict = f"{len(census)} checks pass" if passed[-1] else "; ".join(failed)
            dead = self.deaths.get(collection, 0)
            shown.append(
                (collection, now["source_rows"], now["existing_births"], dead, written, now["planned_rows"], verdict)
            )
        self.census_pass = all(passed)
        rows, births, dead, *others = (sum(int(row[position]) for row in shown) for position in range(1, 6))
        self._expect(rows == births - dead, "as many living births as rows, all in all")
        self._tell.table(
            ("collection", "rows", "births", "dead", "backfilled", "missing", "census"),
            [*shown, ("", rows, births, dead, *others, "")],
        )
        if self.faults:
            self._tell.say("\nNot everything was as it should be.", "bold red")
        else:
            self._tell.say(
                f"\n{rows:,} rows, {births:,} births, {dead} of them dead: three people stand behind every one that was"
                " backfilled and behind every policy that changed, no run is called done that is not, and whoever tried"
                f" to cheat, {'a superuser' if self._scene.superuser else 'birth_definer'} included, was stopped or"
                " found by the database.",
                "bold",
            )

    def _classify(self, collection: str) -> None:
        decision = _DECISIONS.get(collection)
        if decision is None:
            self._accept(collection)
        else:
            api.identity_classify(self._scene.connect(STEWARD), collection, **decision)

    def _accept(self, collection: str) -> None:
        steward = self._scene.connect(STEWARD)
        with self._tell.hushed():
            first = api.identity_propose(steward, SCHEMA, collection)[0]
        with api.refusals():
            # The proposal carries the ready statement.
            steward.execute(first["next_step"].encode())

    def _backfill(self, collection: str) -> None:
        operator = self._scene.connect(OPERATOR)
        planned = self._granted(lambda: api.plan(operator, collection, dry_run=False))
        run_id, delta = planned["run_id"], planned["expected_delta"]
        counts = (
            "source_rows",
            "existing_births",
            "orphans",
            "unresolvable",
            "duplicates",
            "collisions",
            "expected_delta",
        )
        counted = ", ".join(f"{name} {value}" for name, value in planned.items() if name in counts)
        self._say_aloud(f"run {run_id}\n{counted}")
        permit = self._permit(collection, run_id, delta)
        self._permits[collection] = permit
        watch = self._scene.connect(READER)
        with self._tell.bar() as bar:
            task = bar.add_task(collection, total=delta)

            def told(message: str) -> None:
                with self._tell.hushed():
                    row: Mapping[str, Any] = api.progress(watch, run_id) or {}
                bar.update(task, completed=float(row.get("rows_done") or 0))

            api.apply(operator, collection, run_id, permit, delta, delta, batch=_BATCH, execute=True, notice=told)
        ended: Mapping[str, Any] = api.progress(watch, run_id) or {}
        again = api.plan(operator, collection)
        done = Backfilled(
            collection,
            again["source_rows"],
            again["existing_births"],
            delta,
            ended.get("rows_done", 0),
            again["planned_rows"],
        )
        self.collections.append(done)
        self._tell.answer(
            f"{collection}: {done.expected_delta:,} planned, {done.actual_inserted:,} written, {ended.get('status')};"
            f" rerun delta {done.rerun_delta}"
        )
        self._expect(ended.get("status") == "done", f"{collection}: the run is done")
        self._expect(done.actual_inserted == done.expected_delta, f"{collection}: it wrote what was planned")
        self._expect(done.births == done.source_rows, f"{collection}: as many births as rows")
        self._expect(done.rerun_delta == 0, f"{collection}: the rerun delta is 0")

    def _permit(self, collection: str, run_id: Any, delta: int) -> int:
        """Rehearse, review, open and confirm. Returns the permit."""
        rehearsed = api.rehearse(self._scene.connect(OPERATOR), collection)
        findings = f"rehearsed: {rehearsed['actual_inserted']} births, rerun delta {rehearsed['rerun_delta']}"
        self._expect(
            (rehearsed["actual_inserted"], rehearsed["rerun_delta"]) == (delta, 0),
            f"{collection}: the rehearsal writes the plan",
        )
        self._say_aloud(f"{findings}; all of it rolled back")
        return self._judge(collection, run_id, delta, findings, f"first backfill of {collection}")

    def _judge(
        self,
        collection: str,
        run_id: Any,
        rows: int,
        findings: str,
        reason: str,
        *,
        accept: int = 0,
        purpose: api.Purpose | None = None,
    ) -> int:
        """Review, open and confirm. Returns the permit."""
        reviewer = self._scene.connect(REVIEWER)
        api.review_record(reviewer, run_id, "SAFE", findings, accept_orphans=accept, purpose=purpose)
        tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
        owner = self._scene.connect(OWNER)
        permit = api.permit_open(owner, collection, run_id, rows, tomorrow, reason, purpose=purpose)["permit_id"]
        self._say_aloud(
            f"permit {permit}, for {rows:,} {'row' if rows == 1 else 'rows'} until tomorrow, not confirmed yet"
        )
        api.permit_confirm(reviewer, permit)
        return permit

    def _granted(self, act: Callable[[], T]) -> T:
        """Do something with a source table; where a privilege is missing, its owner grants what the hint says."""
        try:
            return act()
        except SourcePrivilege as refusal:
            if self._tell.spelled_out:
                self._show(refusal)
            _, _, statements = (refusal.hint or "").partition(": ")
            for statement in filter(None, map(str.strip, statements.split(";"))):
                self._scene.connect(TABLES_OWNER).execute(statement.encode())
            return act()

    def _refused(self, attempt: str, sqlstate: str, act: Callable[[], object]) -> None:
        """Do what must be refused, with that SQLSTATE, and keep what the database said."""
        try:
            with api.refusals():
                act()
        except BirthError as refusal:
            self._tell.refusal(refusal.sqlstate, refusal.message, refusal.detail, refusal.hint)
            self.refusals.append(Refusal(attempt, refusal.sqlstate, refusal.message))
        except psycopg.Error as error:
            message = error.diag.message_primary or str(error)
            self._tell.refusal(error.sqlstate or "", message, None, error.diag.message_hint)
            self.refusals.append(Refusal(attempt, error.sqlstate or "", message))
        else:
            self.faults.append(f"nothing stopped the attempt to {attempt}")
            return
        self._expect(
            self.refusals[-1].sqlstate == sqlstate,
            f"{attempt}: refused with {sqlstate}, not {self.refusals[-1].sqlstate}",
        )

    def _say_aloud(self, answer: str) -> None:
        if self._tell.spelled_out:
            self._tell.answer(answer)

    def _show(self, refusal: BirthError) -> None:
        self._tell.refusal(refusal.sqlstate, refusal.message, refusal.detail, refusal.hint)

    def _body(self, conn: api.Connection) -> str:
        row = conn.execute(
            "SELECT pg_get_functiondef(p.oid) FROM pg_proc p"
            " WHERE p.pronamespace = 'birth'::regnamespace AND p.proname = %s",
            (_WRITER,),
        ).fetchone()
        return str(row[0]) if row else ""

    def _expect(self, fulfilled: bool, sentence: str) -> None:
        """Keep a fault where ``sentence`` does not hold."""
        if not fulfilled:
            self.faults.append(sentence)

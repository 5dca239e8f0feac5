"""``birthdb demo --reference``: a database as the source documents describe it, and the figures of birthdb for it.

Every measured figure is the result of a view or routine of the project at its stage; ``reference.json`` beside this
file has the figures of the documents. No figure is counted outside the project.
"""

import json as jsonlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from birthdb import api
from birthdb.api import Connection, Row
from birthdb.demo import world
from birthdb.demo.scene import OPERATOR, OWNER, READER, REVIEWER, STEWARD, SUPERUSER, TABLES_OWNER, Scene
from birthdb.demo.teller import Teller

_DOCUMENTS = Path(__file__).with_suffix(".json")

#: Sentences of the documents, no figures.
_NO_FIGURE = ("about", "dry_run.rule_for_eligible")

#: The stages that the documents only name: what each is, and the checks of the guard that came with it, if any.
_LATER: Mapping[str, tuple[str, str | None]] = {
    "stage3": ("the first-row gate", "3/3"),
    "stage4": ("governance transitions", "3/3"),
    "stage5": ("lifecycle and death", None),
}

#: What no later stage changes: figures of the documents, by the beginnings of their names.
_KEPT = ("collections.", "governed.", "identity_after_", "required_", "gateway.", "frozen_dots", "guards.")

#: Nobody will miss the data, and 1.2 million births are to be made in seconds.
_SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}


@dataclass(frozen=True)
class Figure:
    """A figure of the documents beside the measured one."""

    name: str
    documents: Any
    measured: Any

    @property
    def equal(self) -> bool:
        """Whether they are the same."""
        return bool(self.documents == self.measured)


def documents() -> dict[str, Any]:
    """Return the figures of the documents by their dotted names; a list is one figure."""
    return dict(_flat(jsonlib.loads(_DOCUMENTS.read_text(encoding="utf-8"))))


def run(json: bool = False) -> int:
    """Build, measure and compare; print a table, or one JSON object. Returns 0 when every figure is equal, else 1.

    Raises ServerError where there is no PostgreSQL to start, TargetError where BIRTHDB_URL names no superuser.
    """
    began = time.monotonic()
    known = documents()
    teller = Teller(quiet=json)
    with Scene("reference", settings=_SETTINGS, superuser=True) as scene:
        measured = _Scenario(scene, teller, known).play()
    figures = [Figure(name, known[name], measured.get(name)) for name in known if name not in _NO_FIGURE]
    figures += [Figure(name, value, measured.get(name)) for name, value in _consequences(known).items()]
    seconds = round(time.monotonic() - began, 1)
    differing = [figure for figure in figures if not figure.equal]
    if json:
        shown = [
            {"name": each.name, "documents": each.documents, "measured": each.measured, "equal": each.equal}
            for each in figures
        ]
        print(jsonlib.dumps({"figures": shown, "seconds": seconds}, ensure_ascii=False, indent=2))
    for figure in differing:
        print(f"{figure.name}: {figure.documents} in the documents, {figure.measured} measured", file=sys.stderr)
    teller.step("Side by side")
    teller.table(
        ("figure", "documents", "measured", ""),
        [
            (each.name, _cell(each.documents), _cell(each.measured), "equal" if each.equal else "DIFFERS")
            for each in figures
        ],
    )
    verdict = f"{len(figures) - len(differing)} of {len(figures)} figures are those of the documents"
    teller.say(f"\n{verdict}; {seconds} seconds.", "bold red" if differing else "bold")
    return 1 if differing else 0


def _consequences(known: Mapping[str, Any]) -> dict[str, Any]:
    """What the documents' figures imply for acts that they describe without a figure of its own."""
    births = known["dry_run.expected_births"]
    tables = known["collections.total"] - len(known["required_without_table"])
    later: dict[str, Any] = {}
    guards: dict[str, str] = {}
    for stage, (_, checks) in _LATER.items():
        if checks:
            guards[f"guards.{stage}_no_worse"] = checks
        later |= _under(
            stage,
            {name: value for name, value in known.items() if name.startswith(_KEPT)}
            | guards
            | {
                "gateway.bodies_of_stage0": "2/2",
                "open_permits": 0,
                "births": known["rehearsal.committed"],
                # Who was registered before the gate goes on as it was, with a table or without.
                "grandfathered": known["collections.total"],
                "gate.admitted": tables,
                "gate.asked": tables,
            },
        )
    return later | {
        "first_ledger.planned_runs": known["dry_run.collections_with_delta"],
        "first_ledger.planned_rows": births,
        "rehearsal_through_register_core.births": known["rehearsal.births"],
        "rehearsal_through_register_core.rerun_delta": known["rehearsal.rerun_delta"],
        "rehearsal_through_register_core.committed": known["rehearsal.committed"],
        "permitted_runs.births": births,
        "permitted_runs.rerun_delta": known["rehearsal.rerun_delta"],
        "permitted_runs.committed": births,
    }


class _Scenario:
    """The stages in their order, and what the project reported at each."""

    def __init__(self, scene: Scene, teller: Teller, known: Mapping[str, Any]) -> None:
        self._scene = scene
        self._tell = teller
        self._known = known
        self._measured: dict[str, Any] = {}
        self._targets: dict[str, int] = {}
        self._classified: list[str] = []
        self._registry = (0, "")

    def play(self) -> dict[str, Any]:
        """Return the measured figures by their names."""
        self._world_found()
        with self._tell.busy("working"):
            self._before_classification()
            self._classification()
            self._dry_runs()
            self._measured |= _under("rehearsal_through_register_core", self._rehearsal())
            self._guards()
            self._measured |= _under("rehearsal", self._rehearsal())
            self._permitted_runs()
            for stage in _LATER:
                self._later_stage(stage)
        return self._measured

    def _world_found(self) -> None:
        births = self._known["birth_registry_rows_before"]
        self._tell.step("The world that stage 0 found", f"{births:,} births, every one by the live gateway.")
        self._scene.release("baseline")
        with self._tell.bar() as bar:
            task = bar.add_task("births", total=births)
            world.build(
                self._scene.connect(SUPERUSER),
                births,
                lambda done, total: bar.update(task, completed=done, total=total),
                self._scene.login(TABLES_OWNER),
            )
        self._measured["birth_registry_rows_before"] = self._births_since()
        self._tell.answer(f"{self._measured['birth_registry_rows_before']:,} births")

    def _before_classification(self) -> None:
        self._tell.step("Stage 0 and stage 1", "What is known before anybody classifies.")
        self._scene.release("stage0")
        self._scene.release("stage1")
        known = self._view("v_birth_metadata_compatibility")
        readiness = self._readiness()
        self._measured |= _world(known)
        self._measured |= _under(
            "identity_before_classification",
            {
                **_eligible(known, "column", "synthetic_id"),
                "resolvable": int(readiness["identity_resolvable_now"]),
                "unclassified": int(readiness["identity_unclassified_blockers"]),
            },
        )
        self._measured["qt001_gate_before_classification"] = readiness["qt001_gate"]
        self._tell.answer(readiness["qt001_gate"])

    def _classification(self) -> None:
        self._tell.step(
            "Stage 2: classification", "The steward takes the classifier's first proposal wherever it has one."
        )
        self._scene.release("stage2")
        steward = self._scene.connect(STEWARD)
        before = {row["collection_name"]: row for row in self._view("v_birth_metadata_compatibility")}
        for row in before.values():
            if row["needs_owner"]:
                for proposal in api.identity_propose(steward, row["schema_name"], row["table_name"])[:1]:
                    if proposal["strategy"]:
                        steward.execute(proposal["next_step"].encode())
        known = self._view("v_birth_metadata_compatibility")
        repaired = [row for row in known if before[row["collection_name"]]["needs_owner"] and not row["needs_owner"]]
        self._classified = [row["collection_name"] for row in repaired]
        kinds = ("column", "synthetic_id", "legacy")
        self._measured |= _under("classified_in_stage2", {"total": len(repaired), **_eligible(repaired, *kinds)})
        self._measured |= _under("identity_after_classification", self._identities(known))
        self._tell.answer(f"{len(repaired)} classified, {self._readiness()['identity_resolvable_now']} resolvable")

    def _dry_runs(self) -> None:
        self._tell.step(
            "The full dry run",
            "Of every collection that was classified; what is missing is planned in the first ledger.",
        )
        operator = self._scene.connect(OPERATOR)
        plans = [api.plan(operator, collection) for collection in self._classified]
        # A collection that has all its births is eligible too: it has nothing to do.
        eligible = [plan for plan in plans if all(each["error"] == "nothing_to_do" for each in plan["blockers"])]
        self._targets = {plan["collection_name"]: plan["expected_delta"] for plan in eligible if plan["expected_delta"]}
        for collection in self._targets:
            api.plan(operator, collection, dry_run=False)
        ledger = self._rows("SELECT planned_rows FROM birth.birth_backfill_ledger WHERE status = 'planned'")
        self._measured |= _under(
            "dry_run",
            {
                "eligible_collections": len(eligible),
                "collections_with_delta": len(self._targets),
                "expected_births": sum(self._targets.values()),
            },
        )
        self._measured |= _under("targets", self._targets)
        self._measured["first_ledger.planned_runs"] = len(ledger)
        self._measured["first_ledger.planned_rows"] = sum(row["planned_rows"] for row in ledger)
        self._tell.answer(", ".join(f"{name} {delta}" for name, delta in self._targets.items()))

    def _rehearsal(self) -> dict[str, int]:
        """Rehearse every target. Returns the births written, the rerun delta, and what was left behind of it."""
        operator = self._scene.connect(OPERATOR)
        rehearsed = [api.rehearse(operator, collection) for collection in self._targets]
        found = {
            "births": sum(row["actual_inserted"] for row in rehearsed),
            "rerun_delta": sum(row["rerun_delta"] for row in rehearsed),
            "committed": self._births_since(),
        }
        self._tell.answer(", ".join(f"{name} {value}" for name, value in found.items()))
        return found

    def _guards(self) -> None:
        self._tell.step("Stage 2.5: guards and rehearsal", "The writer is there; nothing is permitted yet.")
        self._scene.release("stage2_5")
        self._measured |= self._guarded()
        self._tell.answer(
            ", ".join(f"{name} {value}" for name, value in self._measured.items() if name.startswith("guards."))
        )

    def _permitted_runs(self) -> None:
        self._tell.step("Five permitted runs", "First a forged one: a plan that is called done by hand.")
        operator = self._scene.connect(OPERATOR)
        reader = self._scene.connect(READER)
        runs = {collection: api.plan(operator, collection, dry_run=False)["run_id"] for collection in self._targets}
        forged = [self._forge_done(run_id) for run_id in runs.values()]
        status = self._view("v_qt001_apply_runtime_status")[0]
        self._measured["rehearsal.false_done_blocked"] = (
            bool(forged) and all(forged) and status["false_done_check_constraint"]
        )
        for collection, run_id in runs.items():
            self._permitted_run(collection, run_id, self._targets[collection])
        ended: list[Mapping[str, Any]] = [api.progress(reader, run_id) or {} for run_id in runs.values()]
        self._measured |= _under(
            "permitted_runs",
            {
                "births": sum(row["rows_done"] for row in ended if row.get("status") == "done"),
                "rerun_delta": sum(api.plan(operator, collection)["planned_rows"] for collection in runs),
                "committed": self._births_since(),
            },
        )
        self._tell.answer(f"{self._measured['permitted_runs.committed']} births committed")

    def _later_stage(self, stage: str) -> None:
        brings, _ = _LATER[stage]
        self._tell.step(f"Stage {stage.removeprefix('stage')}: {brings}", "Released; everything is measured again.")
        self._scene.release(stage)
        known = self._view("v_birth_metadata_compatibility")
        if not self._view("birth_gate_scope"):
            # No table is unknown, so that the gate may enforce at once.
            api.gate_scope(self._scene.connect(STEWARD), world.SCHEMA, "enforce", "the documents' world is adopted")
        found = {
            **_world(known),
            **_under("identity_after_classification", self._identities(known)),
            **self._guarded(),
            **{
                f"guards.{each}_no_worse": _passing(self._view(f"v_birth_{each}_no_worse_guard"))
                for each, (_, checks) in _LATER.items()
                if checks and each <= stage
            },
            "gateway.bodies_of_stage0": _passing(self._view("v_birth_gateway_ssot_drift_detector")),
            "open_permits": int(self._readiness()["open_permits"]),
            "births": self._births_since(),
            "grandfathered": sum(row["admitted_how"] == "GRANDFATHERED" for row in self._view("collection_registry")),
            "gate.admitted": sum(row["state"] == "ADMITTED" for row in self._view("v_birth_gate")),
            "gate.asked": api.gate(self._scene.connect(READER), world.SCHEMA),
        }
        self._measured |= _under(stage, found)
        self._tell.answer(", ".join(f"{name} {value}" for name, value in found.items() if "guards." in name))
        self._tell.answer(f"{found['grandfathered']} collections grandfathered, {found['births']} births written")

    def _identities(self, known: list[Row]) -> dict[str, int]:
        return {
            "resolvable": int(self._readiness()["identity_resolvable_now"]),
            **_eligible(known, "column", "synthetic_id", "legacy"),
            "unclassified_needs_owner": sum(row["needs_owner"] for row in known),
        }

    def _guarded(self) -> dict[str, Any]:
        """Return what the guards of the documents say, and what they guard."""
        freeze = self._view("v_birth_stage0_freeze_no_go_guard")
        drift = [row for row in self._view("v_birth_gateway_release_drift_guard") if row["kind"] == "gateway"]
        contract = self._view("v_birth_gateway_contract_integrity_dashboard")[0]
        frozen = sorted(row["check_name"] for row in freeze if row["pass"])
        return {
            "guards.stage0_freeze": _passing(freeze),
            "guards.release_drift": _passing(drift),
            "guards.stage1_no_worse": _passing(self._view("v_birth_stage1_no_worse_proof")),
            "guards.stage2_no_worse": _passing(self._view("v_birth_stage2_no_worse_guard")),
            "guards.apply_no_go": _passing(self._view("v_qt001_apply_runtime_no_go_guard")),
            "gateway.tracked_functions": contract["gateway_objects"],
            "frozen_dots": [{"dot": dot, "name": name} for dot, _, name in (each.partition(" ") for each in frozen)],
        }

    def _permitted_run(self, collection: str, run_id: Any, delta: int) -> None:
        reviewer = self._scene.connect(REVIEWER)
        api.review_record(reviewer, run_id, "SAFE", "reconciles with the documents' dry run")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        owner = self._scene.connect(OWNER)
        permit = api.permit_open(owner, collection, run_id, delta, tomorrow, "the documents' backfill")["permit_id"]
        api.permit_confirm(reviewer, permit)
        api.apply(self._scene.connect(OPERATOR), collection, run_id, permit, delta, delta, execute=True)

    def _forge_done(self, run_id: Any) -> bool:
        """Call a plan done as a superuser. Returns whether the ledger refused it for being false."""
        try:
            self._scene.connect(SUPERUSER).execute(
                "UPDATE birth.birth_backfill_ledger_v2 SET status = 'done', dry_run = false WHERE run_id = %s",
                (run_id,),
            )
        except psycopg.errors.CheckViolation as error:
            return error.diag.constraint_name == "bbl2_no_false_done"
        return False

    def _readiness(self) -> dict[str, str]:
        return {row["metric"]: row["value"] for row in self._view("v_birth_stage2_qt001_readiness_dashboard")}

    def _births_since(self) -> int:
        """Return how many births there are more than when this was asked last; releases in between are covered too.

        Asked is what a downgrade would ask to be acknowledged: the rows of the registry and their digest.
        """
        rows, digest = self._registry
        found = api.rows(self._scene.connect(READER), "fn_birth_evidence", p_table="birth_registry")[0]
        self._registry = found["rows"], found["digest"]
        # A birth that was exchanged for another shows in the digest alone.
        return int(found["rows"] - rows) or int(found["digest"] != digest)

    def _view(self, name: LiteralString) -> list[Row]:
        return api.view(self._scene.connect(READER), name)

    def _rows(self, query: LiteralString) -> list[Row]:
        conn: Connection = self._scene.connect(READER)
        with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(query).fetchall()


def _world(known: list[Row]) -> dict[str, Any]:
    """Count policies, tables and triggers in ``v_birth_metadata_compatibility``."""
    required = [row for row in known if row["coverage_status"] == world.REQUIRED]
    governed = Counter(row["coverage_status"].split("_")[1] for row in known if row["governed"])
    policies = Counter(
        "BIRTH_EXEMPT_*" if "_EXEMPT_" in row["coverage_status"] else row["coverage_status"] for row in known
    )
    return {
        **_under("collections", {"total": len(known), **policies}),
        "governed.total": governed.total(),
        "governed.required": governed["REQUIRED"],
        "governed.exempt": governed["EXEMPT"],
        "required_without_table": sorted(row["collection_name"] for row in required if not row["has_table"]),
        "required_with_native_status_column": sum(row["native_status_column"] for row in required),
        "required_with_birth_trigger": sum(row["gateway_enabled"] > 0 for row in required),
        "gateway.triggers": sum(row["gateway_triggers"] for row in known),
        "gateway.tables": sum(row["gateway_triggers"] > 0 for row in known),
        "gateway.auto_id_tables": sum(row["auto_id"] for row in known),
    }


def _eligible(rows: list[Row], *strategies: str) -> dict[str, int]:
    """Count the required of ``v_birth_metadata_compatibility`` whose identity is eligible, per strategy."""
    found = Counter(
        row["strategy"]
        for row in rows
        if row["coverage_status"] == world.REQUIRED and row["identity_status"].startswith("ELIGIBLE_")
    )
    return {strategy: found[strategy] for strategy in strategies}


def _passing(guard: list[Row]) -> str:
    return f"{sum(row['pass'] for row in guard)}/{len(guard)}"


def _under(prefix: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in figures.items()}


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(map(str, value.values()))
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return value if isinstance(value, str) else jsonlib.dumps(value)

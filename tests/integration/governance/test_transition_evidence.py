"""A change of policy on record: what a superuser forges of it shows in the database, in an export, and later."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sample import some
from support import Cluster
from world import World

from birthdb import api, audit
from birthdb.api import Row
from birthdb.audit import Export, evidence, transition, verify

TABLE = "(code text PRIMARY KEY)"
WRITTEN = "changes of policy are what the receipts wrote"
PLANNED = "against the change that was planned"
HELD = "birth_registry holds what the receipts leave"
ALLOWED = "every row is as its constraints allow"


@dataclass(frozen=True)
class History:
    """A loosening that was done, one that was undone, and a backfill, with their exports."""

    world: World
    done: UUID
    undone: UUID
    backfill: UUID

    def export(self, run: UUID) -> Export:
        """Return the records of a run, as a superuser sees them now."""
        with audit.live(self.world.person("rita_reviewer"), run) as now:
            assert now.births is not None
            births = list(now.births())
            return Export(now.document | {"sha256": evidence.digest(now.document)}, lambda: iter(births))

    def failing(self) -> set[str]:
        """Return the checks of the database's own audit that fail."""
        return {row["check_name"] for row in api.run_audit(self.world.person("rita_reviewer")) if not row["pass"]}


@pytest.fixture(scope="module")
def history(server: Cluster) -> Iterator[History]:
    """Whoever changes something takes it back."""
    made = server.create_released()
    with closing(World(made)) as world:
        world.table(TABLE)
        world.insert(["a", "b"])
        world.register(coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
        world.classify("column", column="code")
        world.attach()
        undone = world.change_policy("BIRTH_REQUIRED")
        permit = world.judged(undone, purpose="COMPENSATE")
        api.compensate(world.operator, undone, permit, execute=True)
        world.change_policy("BIRTH_REQUIRED", governed=True)
        backfill = world.backfill()
        done = world.change_policy("BIRTH_EXEMPT_LOG", accept=7, governed=False)
        yield History(world, done, undone, backfill)
    made.drop()


def differing(export: Export) -> set[str]:
    return {finding["check"] for finding in audit.check(export) if not finding["ok"]}


def test_honest_changes_of_policy_pass_every_audit(history: History) -> None:
    assert history.failing() == set()
    for run in (history.done, history.undone, history.backfill):
        assert differing(history.export(run)) == set()
        assert all(finding["ok"] for finding in audit.compare(history.export(run), history.export(run)))
    report = verify.verify(history.world.person("rita_reviewer"))
    assert report.differing == []
    assert {check.object for check in report.checks if check.what == "record"} >= {
        f"{history.undone} {WRITTEN}",
        f"{history.undone} {PLANNED}",
    }


def test_an_export_names_the_change_and_carries_what_it_rests_on(history: History, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    lines = list(evidence.export_births(history.world.person("rita_reviewer"), history.done))
    file.write_text("".join(lines), encoding="utf-8")
    export = audit.read(file)
    assert differing(export) == set()
    verified = [sys.executable, "-m", "birthdb", "verify", "--run", str(file)]
    offline = subprocess.run(verified, capture_output=True, text=True, check=False)
    assert (offline.returncode, offline.stderr) == (0, "")
    assert f"ok      {WRITTEN}" in offline.stdout
    file.write_text("".join(lines).replace('"BIRTH_EXEMPT_LOG"', '"BIRTH_EXEMPT_DOG"'), encoding="utf-8")
    forged = subprocess.run(verified, capture_output=True, text=True, check=False)
    assert forged.returncode == 1
    assert f"DIFFERS {WRITTEN}" in forged.stdout
    (row,) = export.document["transitions"]
    assert (row["from_status"], row["to_status"], row["direction"]) == (
        "BIRTH_REQUIRED",
        "BIRTH_EXEMPT_LOG",
        "loosening",
    )
    assert export.document["run"]["wanted"] == {"p_to_status": "BIRTH_EXEMPT_LOG", "p_to_governed": False}
    assert json.loads(transition.canonical(row)) == ["thing", "BIRTH_REQUIRED", True, 4, "BIRTH_EXEMPT_LOG", False]
    everything = evidence.export_all(history.world.person("dora_dba"))
    assert everything["tables"]["birth_transition"]["count"] == 3
    assert [finding for finding in evidence.check(everything) if not finding["ok"]] == []


#: What a superuser changes in the record of a change: of which run, how, and the checks that find it in the database.
RECORDS: dict[str, tuple[str, str, set[str]]] = {
    **{
        f"the {run} change has another {column}": (run, f"UPDATE birth.birth_transition SET {column} = {value}", found)
        for run in ("done", "undone")
        for column, value, found in (
            ("collection_name", "'other'", {HELD}),
            ("from_status", "'BIRTH_EXEMPT_FORGED', direction = CASE to_status WHEN 'BIRTH_EXEMPT_LOG' THEN 'loosening'"
             " ELSE 'tightening' END", {HELD}),
            ("from_governed", "NOT from_governed, direction = CASE WHEN to_status = 'BIRTH_REQUIRED' AND from_governed"
             " THEN 'tightening' ELSE 'loosening' END", {HELD}),
            ("from_version", "from_version + 1", {HELD}),
            ("to_status", "'BIRTH_EXEMPT_FORGED', direction = 'loosening'", {HELD}),
            ("to_governed", "NOT to_governed, direction = CASE WHEN to_status = 'BIRTH_REQUIRED' THEN 'tightening'"
             " ELSE 'loosening' END", {HELD}),
            ("direction", "CASE direction WHEN 'loosening' THEN 'tightening' ELSE 'loosening' END", {ALLOWED}),
            ("executed_at", "executed_at - interval '1 hour'", {HELD}),
            ("undone_at", "executed_at + interval '1 hour'", {HELD}),
        )
    },
    "the done change is undone at once": ("done", "UPDATE birth.birth_transition SET undone_at = executed_at", {HELD}),
    "the undone change was never undone": ("undone", "UPDATE birth.birth_transition SET undone_at = NULL", {HELD}),
    "the undone change was undone as it was done": (
        "undone",
        "UPDATE birth.birth_transition SET undone_at = executed_at",
        {HELD},
    ),
    "the done change is removed": ("done", "DELETE FROM birth.birth_transition", {HELD}),
    "the undone change is removed": ("undone", "DELETE FROM birth.birth_transition", {HELD}),
    "another policy was wanted": (
        "done",
        "UPDATE birth.birth_backfill_ledger_v2 SET wanted = wanted || '{\"p_to_status\": \"BIRTH_REQUIRED\"}'",
        {HELD},
    ),
    "nothing was wanted": ("undone", "UPDATE birth.birth_backfill_ledger_v2 SET wanted = NULL", {HELD}),
}  # fmt: skip


@some("what", RECORDS, every=2)
def test_a_forged_record_of_a_change_is_found_in_the_database_and_in_an_export(history: History, what: str) -> None:
    which, statement, found = RECORDS[what]
    run: UUID = getattr(history, which)
    earlier = history.export(run)
    admin = history.world.admin
    kept = [
        (table, admin.execute(f"SELECT to_jsonb(t)::text FROM birth.{table} t WHERE run_id = %s".encode(), (run,)))
        for table in ("birth_transition", "birth_backfill_ledger_v2")
    ]
    rows = {table: cursor.fetchone() for table, cursor in kept}
    admin.execute("SET session_replication_role = replica")
    definition = admin.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'birth_transition_direction'"
    ).fetchone()
    assert definition is not None
    try:
        admin.execute("ALTER TABLE birth.birth_transition DROP CONSTRAINT birth_transition_direction")
        admin.execute(f"{statement} WHERE run_id = '{run}'".encode())
        assert found <= history.failing()
        assert differing(history.export(run)) & {WRITTEN, PLANNED}
        assert [finding for finding in audit.compare(earlier, history.export(run)) if not finding["ok"]]
    finally:
        for table, row in rows.items():
            admin.execute(f"DELETE FROM birth.{table} WHERE run_id = %s".encode(), (run,))
            admin.execute(
                f"INSERT INTO birth.{table} SELECT (jsonb_populate_record(NULL::birth.{table}, %s::jsonb)).*".encode(),
                row,
            )
        add = f"ALTER TABLE birth.birth_transition ADD CONSTRAINT birth_transition_direction {definition[0]}"
        admin.execute(add.encode())
        admin.execute("RESET session_replication_role")


def test_a_change_recorded_for_a_run_that_wrote_births_is_found(history: History) -> None:
    world = history.world
    world.admin.execute(
        "INSERT INTO birth.birth_transition SELECT (jsonb_populate_record(t, jsonb_build_object('run_id', %s::uuid))).*"
        " FROM birth.birth_transition t WHERE t.run_id = %s",
        (history.backfill, history.done),
    )
    try:
        assert {WRITTEN, PLANNED} <= differing(history.export(history.backfill))
        guard = "SELECT pass FROM birth.v_birth_stage4_no_worse_guard WHERE check_name LIKE '%% without a receipt'"
        assert world.value(guard) is False
    finally:
        world.admin.execute("DELETE FROM birth.birth_transition WHERE run_id = %s", (history.backfill,))


#: What a forger changes in an export, with a new digest.
EXPORTS: dict[str, tuple[Callable[[Row], Any], str]] = {
    "the change is left out": (lambda d: d.pop("transitions"), WRITTEN),
    "the change is there twice": (lambda d: d["transitions"].append(d["transitions"][0]), WRITTEN),
    "the verdict refused": (
        lambda d: [
            d["verdicts"][0].update(verdict="NOT_SAFE_NEEDS_FIX"),
            *(act["detail"].update(verdict="NOT_SAFE_NEEDS_FIX") for act in d["acts"] if act["act"] == "review"),
        ],
        "against the verdicts",
    ),
    "there was no verdict": (
        lambda d: d.update(verdicts=[], acts=[act for act in d["acts"] if act["act"] != "review"]),
        "against the verdicts",
    ),
    "its times lie in the attempt and in no order": (
        lambda d: d["transitions"][0].update(executed_at=d["exported_at"]),
        PLANNED,
    ),
    "it is of another run": (
        lambda d: d["transitions"][0].update(run_id="00000000-0000-0000-0000-000000000000"),
        PLANNED,
    ),
    "its encoding is unknown": (lambda d: d["database"].update(encoding="MULE_INTERNAL"), WRITTEN),
    "the policy that was wanted is left out": (lambda d: d["run"].pop("wanted"), PLANNED),
}


@pytest.mark.parametrize("what", EXPORTS)
def test_a_forged_export_of_a_change_is_found(history: History, what: str) -> None:
    forge, check = EXPORTS[what]
    export = history.export(history.done)
    document = deepcopy(export.document)
    forge(document)
    document["sha256"] = evidence.digest(document)
    assert check in differing(Export(document, export.births))


def test_an_undoing_since_the_export_passes_and_a_forged_one_does_not(world: World) -> None:
    world.governed(TABLE, coverage="BIRTH_DEFERRED_NEEDS_REVIEW")
    run = world.change_policy("BIRTH_REQUIRED")
    with audit.live(world.operator, run) as now:
        earlier = Export(now.document)
    permit = world.judged(run, purpose="COMPENSATE")
    api.compensate(world.operator, run, permit, execute=True)
    with audit.live(world.operator, run) as now:
        later = Export(now.document)
    assert [finding for finding in audit.compare(earlier, later) if not finding["ok"]] == []
    forged = deepcopy(later.document)
    forged["transitions"][0]["undone_at"] = None
    found = [finding["check"] for finding in audit.compare(later, Export(forged)) if not finding["ok"]]
    assert found == [f"transition {run}"]


def test_the_run_of_a_collection_without_a_table_can_be_exported(world: World) -> None:
    world.register("outside", "nowhere", "BIRTH_EXEMPT_ELSEWHERE")
    run = world.change_policy("BIRTH_DEFERRED_NEEDS_REVIEW", "outside")
    document = evidence.export(world.operator, run)
    findings = {finding["check"]: finding for finding in audit.check(Export(document))}
    assert all(finding["ok"] for finding in findings.values())
    assert str(findings["births"]["found"]).startswith("not checked")

"""Who rewrites all records but the receipts, consistently with each other, has not rewritten what was allowed."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from helpers import OPERATOR, OWNER, REVIEWER, Prepared, Row, Run, Scene
from support import Cluster

from birthdb import audit
from birthdb.audit import Export, evidence

NEVER = "2099-01-01T00:00:00+00:00"
LONG_AGO = "2001-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Told:
    """What an export has of a run, and the seal that was noted when it ended."""

    document: Row
    births: list[Row]
    head: str

    def differing(self, forge: Callable[[Row], Any] = lambda document: None) -> list[str]:
        """Return the checks that fail when somebody changed the document and computed its digest anew."""
        document = deepcopy(self.document)
        forge(document)
        document["sha256"] = evidence.digest(document)
        found = audit.check(Export(document, lambda: iter(self.births)), self.head)
        return [finding["check"] for finding in found if not finding["ok"]]


def told(scene: Scene, run: Run) -> Told:
    with audit.live(scene.session(OPERATOR), run.run_id) as export:
        assert export.births is not None
        receipts = export.document["receipts"]
        return Told(export.document, list(export.births()), receipts[-1]["sha256"])


@pytest.fixture(scope="module")
def done(server: Cluster, item_template: Prepared) -> Iterator[Told]:
    """A run that was refused by a reviewer, found safe, stopped, revoked, permitted again, and done."""
    made = server.create(item_template.database.name)
    with closing(Scene(made)) as scene:
        plan = scene.plan("item")
        scene.review(plan["run_id"], "NOT_SAFE_NEEDS_FIX")
        scene.absolve(plan["run_id"])
        run = Run("item", plan["run_id"], scene.open_permit("item", plan["run_id"], 20), 20, 20)
        scene.confirm(run.permit_id)
        scene.stopped_after_a_batch(run)
        scene.revoke(run.permit_id)
        scene.go_on(run, batch=5)
        scene.apply(run.under(scene.permit(run, 15)))
        yield told(scene, run)
    made.drop()


def of(document: Row, act: str, number: int = -1) -> Row:
    """Return an act, the last one of its kind."""
    found: Row = [row for row in document["acts"] if row["act"] == act][number]
    return found


def one_login(*names: str) -> Callable[[Row], None]:
    """Rename people in every record but the receipts and what these bind."""

    def forge(document: Row) -> None:
        for part in (document["acts"], document["verdicts"], document["permits"], [document["run"]]):
            for row in part:
                row.update({column: names[-1] for column, value in row.items() if value in names})

    return forge


def shifted(document: Row, act: str, kind: str, columns: tuple[str, ...], at: str) -> None:
    """Set the time of an act and of the record that it made."""
    of(document, act)["acted_at"] = at
    document[kind][-1].update(dict.fromkeys(columns, at))


def without(document: Row, *verdicts: str) -> None:
    document["verdicts"] = [row for row in document["verdicts"] if row["verdict"] not in verdicts]
    document["acts"] = [row for row in document["acts"] if row["detail"].get("verdict") not in verdicts]


def never_confirmed(document: Row) -> None:
    document["acts"] = [row for row in document["acts"] if row["act"] != "permit_confirm"]
    for permit in document["permits"]:
        permit.update(confirmed_at=None, confirmed_by=None)


def bounded(document: Row, **terms: Any) -> None:
    """Give the last permit other terms, and its act too."""
    document["permits"][-1].update(terms)
    of(document, "permit_open")["detail"].update({k: v for k, v in terms.items() if k in ("max_rows", "expires_at")})


def revoked(document: Row, at: str, **changed: Any) -> None:
    """Let somebody have revoked the last permit."""
    last = document["permits"][-1]["permit_id"]
    document["acts"].append(of(document, "permit_revoke") | {"act_id": 999, "permit_id": last, "acted_at": at})
    document["permits"][-1].update(changed)


def failed(document: Row) -> None:
    """Let the first attempt have failed."""
    first = {"act_id": 999, "epoch": 1, "acted_at": document["receipts"][0]["born_at"], "detail": {"status": "failed"}}
    document["acts"].append(of(document, "outcome") | first)


def renamed(document: Row) -> None:
    """Let the login that planned have reviewed, under its new name."""
    of(document, "review")["actor_id"] = of(document, "plan")["actor_id"]


def taken_back(document: Row, names: list[int]) -> None:
    """Let the last verdict name these, and its act too."""
    document["verdicts"][-1]["supersedes"] = of(document, "review")["detail"]["supersedes"] = names


def all_in_another_century(document: Row) -> None:
    shifted(document, "permit_open", "permits", ("opened_at", "confirmed_at"), NEVER)
    of(document, "attempt")["acted_at"] = NEVER


def ledger(**changed: Any) -> Callable[[Row], None]:
    return lambda document: document["run"].update(changed)


PLAN, END, VERDICTS, TERMS, USE, PEOPLE, ORDER, CENSUS = (
    f"against {what}"
    for what in (
        "plan and target",
        "the end of the run",
        "the verdicts",
        "the terms of the permits",
        "the use of the permits",
        "the people",
        "the order of what was done",
        "the census",
    )
)

FORGERIES: dict[str, tuple[Callable[[Row], Any], str]] = {
    "no verdict": (lambda d: without(d, "SAFE", "NOT_SAFE_NEEDS_FIX"), VERDICTS),
    "only a verdict against it": (lambda d: without(d, "SAFE"), VERDICTS),
    "nobody took back the verdict against it": (lambda d: taken_back(d, []), VERDICTS),
    "the verdict against it was removed, and is still named": (lambda d: without(d, "NOT_SAFE_NEEDS_FIX"), VERDICTS),
    "the verdict against it is younger than the one that names it": (
        lambda d: d["verdicts"][0].update(reviewed_at=d["verdicts"][-1]["reviewed_at"]),
        VERDICTS,
    ),
    "the verdict is about another set": (
        lambda d: [row.update(planned_fingerprint=[20, 1, 2]) for row in d["verdicts"]],
        VERDICTS,
    ),
    "the verdict is about undoing": (
        lambda d: (
            [row.update(purpose="COMPENSATE") for row in d["verdicts"]],
            [row["detail"].update(purpose="COMPENSATE") for row in d["acts"] if row["act"] == "review"],
        ),
        VERDICTS,
    ),
    "the verdict accepts orphans": (lambda d: d["verdicts"][-1].update(accept_orphans=1), VERDICTS),
    "the verdict came after everything": (
        lambda d: shifted(d, "review", "verdicts", ("reviewed_at",), of(d, "outcome")["acted_at"]),
        VERDICTS,
    ),
    "it failed after the verdict": (failed, VERDICTS),
    "more was spent than permitted": (lambda d: bounded(d, max_rows=1), TERMS),
    "a permit lasts for ever": (lambda d: bounded(d, expires_at=NEVER), TERMS),
    "a permit is of another collection": (lambda d: bounded(d, collection_name="b"), TERMS),
    "a permit is closed and open": (lambda d: bounded(d, closed_at=None), TERMS),
    "nobody revoked it": (
        lambda d: d.update(acts=[row for row in d["acts"] if row["act"] != "permit_revoke"]),
        TERMS,
    ),
    "nobody confirmed it": (never_confirmed, USE),
    "it was revoked before its receipts": (lambda d: revoked(d, d["receipts"][1]["born_at"]), USE),
    "it was closed before its receipts": (
        lambda d: revoked(d, of(d, "attempt")["acted_at"], status="REVOKED", closed_at=d["receipts"][1]["born_at"]),
        USE,
    ),
    "it was opened in another century": (
        lambda d: shifted(d, "permit_open", "permits", ("opened_at",), NEVER),
        USE,
    ),
    "it was confirmed in another century": (
        lambda d: shifted(d, "permit_confirm", "permits", ("confirmed_at",), NEVER),
        USE,
    ),
    "everything before the last batches was in another century": (
        all_in_another_century,
        ORDER,
    ),
    "one login reviewed, opened and confirmed": (one_login(OWNER, REVIEWER), PEOPLE),
    "one login planned and reviewed": (one_login(REVIEWER, OPERATOR), PEOPLE),
    "one login planned and reviewed under two names": (renamed, PEOPLE),
    "somebody else executed it": (ledger(executed_by="me"), PLAN),
    "it expected more": (ledger(expected_delta=500), PLAN),
    "it was bound to less": (ledger(max_rows=3), PLAN),
    "it was bound to more than permitted": (ledger(max_rows=21), PLAN),
    "its target is another": (ledger(target_fingerprint=[20, 1, 2]), PLAN),
    "its plan counted another set": (ledger(planned_fingerprint=[21, 1, 2]), PLAN),
    "it is a dry run": (ledger(dry_run=True), PLAN),
    "it is done, and stopped": (ledger(stop_reason="x"), PLAN),
    "it is done, and being undone": (ledger(compensating_since=LONG_AGO), PLAN),
    "it never began": (ledger(started_at=None), PLAN),
    "it is done with less": (ledger(planned_rows=500, expected_delta=500), END),
    "it is done with another set": (
        ledger(target_fingerprint=[20, 1, 2], planned_fingerprint=[20, 1, 2]),
        END,
    ),
    "it never finished": (ledger(finished_at=None), END),
    "its permit is not consumed": (lambda d: bounded(d, status="EXPIRED"), END),
    "it is compensated with its births there": (
        lambda d: (ledger(status="compensated")(d), of(d, "outcome")["detail"].update(status="compensated")),
        END,
    ),
    "it was planned in the end": (ledger(planned_at=NEVER), ORDER),
    "it was attempted between its batches": (
        lambda d: of(d, "attempt").update(acted_at=d["receipts"][-1]["born_at"]),
        ORDER,
    ),
    "its second attempt came before its first": (lambda d: of(d, "attempt").update(acted_at=LONG_AGO), ORDER),
    "it ended after the export": (ledger(finished_at=NEVER), ORDER),
    "the census failed at nothing": (
        lambda d: d.update(census=[{"check": "rows without a birth", "rows": 0, "examples": [], "pass": False}]),
        CENSUS,
    ),
}


def test_an_honest_history_passes_the_admission_checks(done: Told) -> None:
    assert done.differing() == []


@pytest.mark.parametrize("what", FORGERIES)
def test_a_rewrite_of_everything_but_receipts_is_detected(done: Told, what: str) -> None:
    forge, check = FORGERIES[what]
    assert check in done.differing(forge)


def test_a_verdict_deleted_with_its_act_is_detected_by_an_earlier_export(done: Told) -> None:
    def forge(document: Row) -> None:
        without(document, "NOT_SAFE_NEEDS_FIX")
        taken_back(document, [])

    assert done.differing(forge) == []
    now = deepcopy(done.document)
    forge(now)
    found = [finding["check"] for finding in audit.compare(Export(done.document), Export(now)) if not finding["ok"]]
    assert [check.split(" ")[0] for check in found] == ["verdict", "verdict", "act", "act"]


# --- what is odd, and as it should be


def test_a_writer_transaction_older_than_its_permit_passes(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    with scene.session(OPERATOR).transaction():
        scene.rows("SELECT 1", person=OPERATOR)
        scene.review(plan["run_id"])
        run = Run(item, plan["run_id"], scene.open_permit(item, plan["run_id"], 20), 20, 20)
        scene.confirm(run.permit_id)
        scene.write(run)
    export = told(scene, run)
    (receipt,) = export.document["receipts"]
    assert receipt["born_at"] < export.document["permits"][0]["opened_at"]
    assert export.differing() == []


def test_a_failed_reviewed_and_compensated_run_passes(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    scene.go_on(run)
    with suppress(psycopg.Error):
        driver.end()
    assert scene.status(run)[0] == "failed"
    assert told(scene, run).differing() == []
    scene.absolve(run.run_id)
    scene.apply(run, batch=7)
    assert told(scene, run).differing() == []
    scene.compensate(scene.compensable(run), batch=7)
    assert told(scene, run).differing() == []


def test_a_run_after_the_clock_went_back_passes(scene: Scene, item: str) -> None:
    scene.execute("UPDATE birth.birth_act SET acted_at = acted_at + interval '1 hour'")
    plan = scene.plan(item)
    scene.review(plan["run_id"], "NOT_SAFE_NEEDS_FIX")
    scene.absolve(plan["run_id"])
    run = Run(item, plan["run_id"], scene.open_permit(item, plan["run_id"], 20), 20, 20)
    scene.confirm(run.permit_id)
    scene.apply(run, batch=7)
    assert told(scene, run).differing() == []
    scene.compensate(scene.compensable(run), batch=7)
    assert told(scene, run).differing() == []

"""What a superuser changes in the records of a run shows in an export of it, or against an earlier one, by its name."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import pytest
from helpers import DBA, OPERATOR, Prepared, Run, Scene
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample import some
from support import Cluster

from birthdb import audit
from birthdb.audit import Export, evidence
from birthdb.audit.evidence import Finding, Unreadable

pytestmark = pytest.mark.ordinary


@pytest.fixture(scope="module")
def finished(server: Cluster, run_template: Prepared) -> Iterator[tuple[Scene, Run]]:
    """A run that was done in four batches; whoever changes something rolls it back."""
    assert run_template.run is not None
    made = server.create(run_template.database.name)
    with closing(Scene(made)) as scene:
        scene.apply(run_template.run, batch=5)
        yield scene, run_template.run
    made.drop()


def taken(scene: Scene, run: Run) -> Export:
    """The run as an export has it, seen by a superuser inside a transaction."""
    scene.execute("SET LOCAL TimeZone = 'UTC'")
    document = evidence.records(scene.admin, run.run_id)
    births = [json.loads(line) for line in evidence.births_of(scene.admin, run.run_id)]
    return Export(document | {"sha256": evidence.digest(document)}, lambda: iter(births))


@contextmanager
def tampered(scene: Scene, statement: str) -> Iterator[None]:
    """The database of a scene with a superuser's change in it, for as long as it takes to look."""
    with scene.admin.transaction(force_rollback=True):
        scene.execute("SET LOCAL session_replication_role = replica")
        scene.execute(statement.encode())
        yield


def differing(findings: Any) -> list[str]:
    return [finding["check"] for finding in findings if not finding["ok"]]


def named(findings: list[Finding]) -> str:
    return " ".join(f"{f['check']}: {f['found']}, {f['expected']}" for f in findings if not f["ok"])


def test_an_honest_export_passes_and_equals_the_database(finished: tuple[Scene, Run], tmp_path: Path) -> None:
    scene, run = finished
    file = tmp_path / "run.jsonl"
    operator = scene.session(OPERATOR)
    file.write_text("".join(evidence.export_births(operator, run.run_id)), encoding="utf-8")
    export = audit.read(file)
    head = scene.receipts(run)[-1]["sha256"]
    assert differing(audit.check(export, head)) == []
    assert len(list(export.births() if export.births else [])) == 20
    with audit.live(operator, run.run_id) as now:
        findings = list(audit.compare(export, now))
    assert differing(findings) == []
    assert len(findings) == 7


_BIRTH = "birth.birth_registry WHERE entity_code = 'item-{0}'"
_ADD_BIRTH = (
    "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, run_id, born_at)"
    " SELECT '{1}', collection_name, dot_origin, run_id, born_at FROM " + _BIRTH
)
_RECEIPT = "birth.birth_receipt WHERE batch_no = {0}"


def births(number: int) -> dict[str, tuple[str, str]]:
    """Every change of one birth: the statement, and what the comparison names."""
    update = f"UPDATE birth.birth_registry SET {{}} WHERE entity_code = 'item-{number}'"
    return {
        f"birth {number} has another code": (update.format("entity_code = 'other'"), f"birth item-{number}"),
        f"birth {number} has another collection": (update.format("collection_name = 'b'"), f"birth item-{number}"),
        f"birth {number} has another origin": (update.format("dot_origin = 'b'"), f"birth item-{number}"),
        f"birth {number} has another time": (update.format("born_at = now()"), f"birth item-{number}"),
        f"birth {number} is live": (update.format("run_id = NULL"), f"birth item-{number}"),
        f"birth {number} is removed": (f"DELETE FROM {_BIRTH.format(number)}", f"birth item-{number}"),
        f"a birth is added beside {number}": (_ADD_BIRTH.format(number, "more"), "birth more"),
    }


def receipts(number: int) -> dict[str, tuple[str, str]]:
    """Every change of one receipt."""
    update = f"UPDATE birth.birth_receipt SET {{}} WHERE batch_no = {number}"
    columns = {
        "purpose": "'COMPENSATE'",
        "epoch": "2",
        "permit_id": "9",
        "key_after": "'{7}'",
        "key_to": "'{7}'",
        "visited": "visited + 1",
        "written": "written + 1",
        "skipped": "skipped + 1",
        "fingerprint": "'{5,1,2}'",
        "born_at": "born_at + interval '1 microsecond'",
        "written_by": "'me'",
        "dot_origin": "'mine'",
        "sha256": "repeat('0', 64)",
    }
    changed = {
        f"receipt {number} has another {column}": (update.format(f"{column} = {value}"), f"receipt {number}")
        for column, value in columns.items()
        if column != "written"
    }
    return changed | {
        f"receipt {number} is removed": (f"DELETE FROM {_RECEIPT.format(number)}", f"receipt {number}"),
    }


#: A receipt after the last one, with a seal as it must be.
_FURTHER = (
    "INSERT INTO birth.birth_receipt SELECT (jsonb_populate_record(r, jsonb_build_object('batch_no', 5, 'sha256',"
    " birth.fn_birth_receipt_seal(jsonb_populate_record(r, '{\"batch_no\": 5}'), r.sha256)))).*"
    " FROM birth.birth_receipt r WHERE batch_no = 4"
)
_LEDGER = "UPDATE birth.birth_backfill_ledger_v2 SET {}"
_PERMIT = "UPDATE birth.birth_admission_permit_v2 SET {}"
_ACT = "UPDATE birth.birth_act SET {} WHERE act = '{}' AND run_id IS NOT NULL"

#: What a superuser did, and what a comparison names; an export taken afterwards shows it by itself.
FORGERIES: dict[str, tuple[str, str]] = {
    **births(1),
    **births(12),
    **births(20),
    **receipts(1),
    **receipts(2),
    **receipts(4),
    "a receipt is added": (_FURTHER, "receipt 5"),
    **{
        f"the ledger has another {column}": (_LEDGER.format(f"{column} = {value}"), "ledger")
        for column, value in {
            "planned_by": "'me'",
            "batches": "batches + 1",
            "visited": "visited + 1",
            "skipped": "skipped + 1",
            "epoch": "2",
            "resume_marker": "'{19}'",
            "seed_a": "seed_a + 1",
            "contract_hash": "'x'",
            "collection_name": "'b'",
            "dot_origin": "'b'",
            "status": "'stopped', stop_reason = 'x'",
        }.items()
    },
    **{
        f"the permit has another {column}": (_PERMIT.format(f"{column} = {value}"), "permit")
        for column, value in {
            "spent_rows": "spent_rows - 1",
            "opened_by": "'me'",
            "confirmed_by": "'me'",
            "reason": "'another'",
            "purpose": "'COMPENSATE'",
            "max_rows": "max_rows + 1",
            "expires_at": "expires_at - interval '1 microsecond'",
        }.items()
    },
    "the permit is removed": ("DELETE FROM birth.birth_admission_permit_v2", "permit"),
    "a permit is added": (
        "INSERT INTO birth.birth_admission_permit_v2 (collection_name, run_id, purpose, status, max_rows, reason,"
        " opened_by, opened_at, expires_at, closed_at) SELECT collection_name, run_id, purpose, 'REVOKED', 5, 'x', 'x',"
        " opened_at, expires_at, closed_at FROM birth.birth_admission_permit_v2",
        "permit",
    ),
    "the verdict is another": ("UPDATE birth.birth_review SET findings = 'fine'", "verdict"),
    "the verdict is somebody else's": ("UPDATE birth.birth_review SET reviewed_by = 'me'", "verdict"),
    "a verdict saw more failures": ("UPDATE birth.birth_review SET failures_seen = failures_seen + 1", "verdict"),
    "the verdict is removed": ("DELETE FROM birth.birth_review", "verdict"),
    **{
        f"the act {act} is {how}": (statement.format("actor = 'me'", act), "act")
        for act in ("plan", "review", "permit_open", "permit_confirm", "attempt")
        for how, statement in {
            "somebody else's": _ACT,
            "removed": "DELETE FROM birth.birth_act WHERE act = '{1}' AND run_id IS NOT NULL",
        }.items()
    },
    "the outcome is removed": ("DELETE FROM birth.birth_act WHERE act = 'outcome'", "act"),
    "an attempt is added": (
        "INSERT INTO birth.birth_act (act, actor, acted_at, run_id, lineage, epoch, detail) SELECT act, actor,"
        " acted_at, run_id, lineage, 2, detail FROM birth.birth_act WHERE act = 'attempt'",
        "act",
    ),
    "the ledger ended before it began": (
        _LEDGER.format("finished_at = started_at - interval '1 microsecond'"),
        "ledger",
    ),
    "the verdict says nothing": (
        "ALTER TABLE birth.birth_review DROP CONSTRAINT birth_review_findings;"
        " UPDATE birth.birth_review SET findings = ' '; UPDATE birth.birth_act SET reason = ' ' WHERE act = 'review'",
        "verdict",
    ),
    "the permit says nothing": (
        "ALTER TABLE birth.birth_admission_permit_v2 DROP CONSTRAINT birth_admission_permit_v2_reason;"
        " ALTER TABLE birth.birth_act DROP CONSTRAINT birth_act_reason;"
        " UPDATE birth.birth_admission_permit_v2 SET reason = ' ';"
        " UPDATE birth.birth_act SET reason = ' ' WHERE act = 'permit_open'",
        "permit",
    ),
    "the ledger has another executor": (_LEDGER.format("executed_by = 'me'"), "ledger"),
    "the ledger was planned at another time": (_LEDGER.format("planned_at = now()"), "ledger"),
    "a permit was confirmed at another time": (_PERMIT.format("confirmed_at = now()"), "permit"),
    "a verdict was given at another time": ("UPDATE birth.birth_review SET reviewed_at = now()", "verdict"),
    "an act was done at another time": (_ACT.format("acted_at = now()", "attempt"), "act"),
}

#: What no other record knows of: an export taken afterwards looks right, and an earlier one tells.
QUIET: dict[str, tuple[str, str]] = {
    "the ledger was planned under another identity": (_LEDGER.format("identity_hash = 'x'"), "ledger"),
    "a permit was confirmed a moment earlier": (
        _PERMIT.format("confirmed_at = confirmed_at - interval '1 microsecond'"),
        "permit",
    ),
    "a verdict saw more alerts": ("UPDATE birth.birth_review SET alerts_seen = alerts_seen + 1", "verdict"),
    "a stop was never asked for": (
        "INSERT INTO birth.birth_act (act, actor, acted_at, run_id, lineage, reason) SELECT 'stop', actor, acted_at,"
        " run_id, lineage, 'x' FROM birth.birth_act WHERE act = 'attempt'",
        "act",
    ),
}


@pytest.fixture(scope="module")
def earlier(finished: tuple[Scene, Run]) -> Export:
    """An export taken when the run was done."""
    scene, run = finished
    with scene.admin.transaction():
        return taken(scene, run)


@some("what", FORGERIES, every=2)
def test_a_forgery_is_detected_in_a_later_export_and_against_an_earlier_one(
    finished: tuple[Scene, Run], earlier: Export, what: str
) -> None:
    scene, run = finished
    statement, names = FORGERIES[what]
    with tampered(scene, statement):
        now = taken(scene, run)
        assert differing(audit.check(now)), "the export looks right"
        assert any(check.startswith(names) for check in differing(audit.compare(earlier, now)))


@pytest.mark.parametrize("what", QUIET)
def test_a_consistent_forgery_is_detected_against_an_earlier_export(
    finished: tuple[Scene, Run], earlier: Export, what: str
) -> None:
    scene, run = finished
    statement, names = QUIET[what]
    with tampered(scene, statement):
        assert [check.split(" ")[0] for check in differing(audit.compare(earlier, taken(scene, run)))] == [names]


def test_an_added_birth_is_detected_by_the_export(finished: tuple[Scene, Run]) -> None:
    scene, run = finished
    with tampered(scene, _ADD_BIRTH.format(12, "brand new")):
        assert "receipt 3" in (found := named(audit.check(taken(scene, run))))
        assert "brand new added" in found


def test_a_deleted_birth_is_detected_in_its_batch(finished: tuple[Scene, Run]) -> None:
    scene, run = finished
    with tampered(scene, f"DELETE FROM {_BIRTH.format(12)}"):
        assert "receipt 3, keys after ['10'] to ['15']: 4 births" in named(audit.check(taken(scene, run)))


#: The last batch never was, everywhere at once.
_REWRITTEN = """
    DELETE FROM birth.birth_registry WHERE born_at = (SELECT born_at FROM birth.birth_receipt WHERE batch_no = 4);
    DELETE FROM birth.birth_receipt WHERE batch_no = 4;
    DELETE FROM birth.birth_act WHERE act = 'outcome';
    UPDATE birth.birth_admission_permit_v2 SET spent_rows = 15, status = 'OPEN', closed_at = NULL;
    UPDATE birth.birth_backfill_ledger_v2 l SET status = 'stopped', stop_reason = 'x', finished_at = NULL, batches = 3,
      visited = 15, actual_inserted = 15, resume_marker = '{15}', written_fingerprint =
        (SELECT ARRAY[15, sum(fingerprint[2]), sum(fingerprint[3])] FROM birth.birth_receipt);
"""


def test_a_rewrite_of_all_records_is_detected_by_the_noted_seal(finished: tuple[Scene, Run], earlier: Export) -> None:
    scene, run = finished
    head = scene.receipts(run)[-1]["sha256"]
    with tampered(scene, _REWRITTEN):
        now = taken(scene, run)
        assert differing(audit.check(now)) == []
        assert differing(audit.check(now, head)) == ["head"]
        assert {"receipt 4", "birth item-16", "birth item-20"} <= set(differing(audit.compare(earlier, now)))


def test_a_seal_of_an_earlier_receipt_is_not_the_last_one(finished: tuple[Scene, Run], earlier: Export) -> None:
    scene, run = finished
    (found,) = [f for f in audit.check(earlier, scene.receipts(run)[1]["sha256"]) if not f["ok"]]
    assert found["found"] == "the seal of receipt 2, and 4 receipts"


def test_the_driver_and_the_progress_show_the_seal_to_note(scene: Scene, run: Run) -> None:
    hints: list[str | None] = []
    operator = scene.session(OPERATOR)
    operator.add_notice_handler(lambda diagnostic: hints.append(diagnostic.message_hint))
    scene.apply(run, batch=5)
    head = scene.receipts(run)[-1]["sha256"]
    assert [hint for hint in hints if hint and hint.endswith(head)]
    (progress,) = scene.rows("SELECT * FROM birth.v_birth_run_progress", person=OPERATOR)
    assert progress["head"] == head
    hints.clear()
    scene.compensate(scene.compensable(run), batch=7)
    assert [hint for hint in hints if hint and hint.endswith(scene.receipts(run)[-1]["sha256"])]


# --- what may have changed since


def test_a_run_continued_after_the_export_passes(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    with scene.admin.transaction():
        stopped = taken(scene, run)
    assert differing(audit.check(stopped)) == []
    scene.apply(run, batch=5)
    with scene.admin.transaction():
        done = taken(scene, run)
    assert differing(audit.check(done)) == []
    assert differing(audit.compare(stopped, done)) == []
    scene.compensate(scene.compensable(run), batch=7)
    with scene.admin.transaction():
        undone = taken(scene, run)
    assert differing(audit.check(undone)) == []
    assert differing(audit.compare(stopped, undone)) == differing(audit.compare(done, undone)) == []


def test_a_run_that_was_taken_over_passes_every_check(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it hangs")
    scene.execute("SELECT pg_terminate_backend(%s)", (driver.pid,))
    driver.close()
    scene.go_on(run)
    scene.apply(run)
    with scene.admin.transaction():
        assert differing(audit.check(taken(scene, run))) == []


# --- the file


@pytest.fixture
def file(finished: tuple[Scene, Run], tmp_path: Path) -> Path:
    scene, run = finished
    made = tmp_path / "run.jsonl"
    made.write_text("".join(evidence.export_births(scene.session(OPERATOR), run.run_id)), encoding="utf-8")
    return made


Lines = list[bytes]
EDITS: dict[str, Callable[[Lines], Lines]] = {
    "a line is gone": lambda lines: lines[:3] + lines[4:],
    "a line is doubled": lambda lines: lines[:3] + lines[2:],
    "a line is changed": lambda lines: [*lines[:3], lines[3].replace(b"dot", b"Dot"), *lines[4:]],
    "the document is changed": lambda lines: [lines[0].replace(b"olga", b"Olga"), *lines[1:]],
    "the closing line is gone": lambda lines: lines[:-1],
    "lines come after the closing one": lambda lines: [*lines, lines[3]],
    "a line is no birth": lambda lines: [*lines[:3], b"{\n", *lines[4:]],
    "lines are in another order": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_export_is_detected(file: Path, edit: str) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    assert differing(audit.check(audit.read(file))) == []
    file.write_bytes(b"".join(EDITS[edit](lines)))
    assert differing(audit.check(audit.read(file)))


@pytest.mark.parametrize("text", [b"", b"nothing\n", b"[]\n", b'{"kind": "all"}\n'])
def test_a_file_that_is_no_run_export_is_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(text)
    with pytest.raises(Unreadable):
        audit.read(file)


# --- seals, to the byte

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_KEY = st.none() | st.lists(_TEXT, min_size=1, max_size=3)
_SETTINGS: LiteralString = (
    "SET LOCAL DateStyle = 'SQL, DMY'; SET LOCAL TimeZone = 'Asia/Kathmandu'; SET LOCAL extra_float_digits = -15;"
    " SET LOCAL IntervalStyle = 'sql_standard'; SET LOCAL lc_numeric = 'C'; SET LOCAL bytea_output = 'escape'"
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.tuples(_KEY, _KEY),
    numbers=st.lists(st.integers(0, 2**63 - 1), min_size=6, max_size=6),
    sums=st.lists(st.integers(-(2**90), 2**90), min_size=3, max_size=3),
    born_at=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),
    person=_TEXT,
    before=st.none() | st.just("a" * 64),
)
def test_a_seal_does_not_depend_on_session_settings(
    finished: tuple[Scene, Run], keys: Any, numbers: Any, sums: Any, born_at: datetime, person: str, before: str | None
) -> None:
    scene, run = finished
    counts = dict(zip(("batch_no", "epoch", "permit_id", "visited", "written", "skipped"), numbers, strict=True))
    texts = {"run_id": str(run.run_id), "purpose": "APPLY", "written_by": person, "dot_origin": person}
    texts["born_at"] = born_at.isoformat()
    receipt = counts | texts | {"key_after": keys[0], "key_to": keys[1], "fingerprint": sums}
    with scene.admin.transaction(force_rollback=True):
        scene.execute(_SETTINGS)
        sealed = scene.value(
            "SELECT birth.fn_birth_receipt_seal(jsonb_populate_record(NULL::birth.birth_receipt, %s), %s)",
            (json.dumps(receipt), before),
        )
    assert evidence.seal(receipt, before) == sealed

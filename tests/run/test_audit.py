"""fn_birth_run_audit: what a superuser forged in one record disagrees with another."""

from typing import LiteralString

import pytest
from helpers import DBA, Run, Scene


@pytest.fixture
def done(scene: Scene, item: str) -> Run:
    run = scene.permitted(item)
    scene.apply(run, batch=5)
    return run


HELD = "birth_registry holds what the receipts leave"
CHAIN = "the receipts are a chain without a gap"
ORIGIN = "births and receipts carry the origin of the run"


def failing(scene: Scene) -> set[str]:
    return {row["check_name"] for row in scene.rows("SELECT * FROM birth.fn_birth_run_audit()") if not row["pass"]}


def test_an_honest_run_passes_every_check_also_when_it_is_compensated(scene: Scene, done: Run) -> None:
    rows = scene.rows("SELECT * FROM birth.fn_birth_run_audit(%s)", (done.run_id,))
    assert len(rows) == 7
    assert failing(scene) == set()
    scene.compensate(scene.compensable(done), batch=7)
    assert scene.status(done) == ("compensated", None)
    assert failing(scene) == set()


def test_a_run_that_was_taken_over_passes_every_check(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it hangs")
    assert failing(scene) == set()
    scene.execute("SELECT pg_terminate_backend(%s)", (driver.pid,))
    driver.close()
    scene.go_on(run)
    scene.apply(run)
    assert failing(scene) == set()


@pytest.mark.parametrize(
    ("forgery", "check"),
    [
        ("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'", HELD),
        (
            "UPDATE birth.birth_registry SET run_id = NULL WHERE entity_code = 'item-3'",
            HELD,
        ),
        ("DELETE FROM birth.birth_receipt WHERE batch_no = 2", CHAIN),
        ("UPDATE birth.birth_receipt SET written_by = 'me' WHERE batch_no = 1", CHAIN),
        ("UPDATE birth.birth_receipt SET dot_origin = 'mine' WHERE batch_no = 1", CHAIN),
        ("UPDATE birth.birth_registry SET dot_origin = 'mine' WHERE entity_code = 'item-3'", ORIGIN),
        ("UPDATE birth.birth_backfill_ledger_v2 SET dot_origin = 'mine'", ORIGIN),
        ("UPDATE birth.birth_receipt SET sha256 = 'deadbeef' WHERE batch_no = 3", CHAIN),
        (
            "UPDATE birth.birth_backfill_ledger_v2 SET batches = batches + 1",
            "the ledger counts the receipts",
        ),
        ("UPDATE birth.birth_admission_permit_v2 SET spent_rows = 1", "the permits were spent on what was written"),
        ("DELETE FROM birth.birth_act WHERE act = 'attempt'", "an attempt stands behind each epoch"),
    ],
)
def test_a_forged_record_disagrees_with_another(scene: Scene, done: Run, forgery: LiteralString, check: str) -> None:
    scene.forged = True
    scene.execute(forgery)
    assert check in failing(scene)


def test_a_plan_forged_to_done_with_consistent_numbers_is_found(scene: Scene, item: str) -> None:
    scene.forged = True
    run = scene.permitted(item)
    scene.execute(
        "UPDATE birth.birth_backfill_ledger_v2 SET status = 'done', dry_run = false, actual_inserted = planned_rows,"
        " target_fingerprint = planned_fingerprint, written_fingerprint = planned_fingerprint, permit_id = 1,"
        " executed_by = 'me', finished_at = now() WHERE run_id = %s",
        (run.run_id,),
    )
    assert {"the ledger counts what the receipts wrote", "the permits were spent on what was written"} <= failing(scene)

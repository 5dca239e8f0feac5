"""fn_birth_run_audit: what a superuser forged in one record disagrees with another."""

from typing import LiteralString

import pytest
from helpers import DBA, OPERATOR, Run, Scene

from birthdb.audit import verify

pytestmark = pytest.mark.ordinary


@pytest.fixture
def done(scene: Scene, item: str) -> Run:
    run = scene.permitted(item)
    scene.apply(run, batch=5)
    return run


HELD = "birth_registry holds what the receipts leave"
CHAIN = "the receipts are a chain without a gap"
ORIGIN = "births and receipts carry the origin of the run"
OUTCOME = "an act tells of the outcome"
ORDER = "begun, and finished after that"
ALLOWED = "every row is as its constraints allow"


def failing(scene: Scene) -> set[str]:
    return {row["check_name"] for row in scene.rows("SELECT * FROM birth.fn_birth_run_audit()") if not row["pass"]}


def test_an_honest_run_passes_the_audit_even_when_compensated(scene: Scene, done: Run) -> None:
    rows = scene.rows("SELECT * FROM birth.fn_birth_run_audit(%s)", (done.run_id,))
    assert len(rows) == 12
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
        ("DELETE FROM birth.birth_act WHERE act = 'outcome'", OUTCOME),
        ("UPDATE birth.birth_act SET detail = '{\"status\": \"failed\"}' WHERE act = 'outcome'", OUTCOME),
        (
            "UPDATE birth.birth_backfill_ledger_v2 SET status = 'stopped', stop_reason = 'x', finished_at = NULL",
            OUTCOME,
        ),
        ("UPDATE birth.birth_backfill_ledger_v2 SET finished_at = started_at - interval '1 microsecond'", ORDER),
        ("UPDATE birth.birth_backfill_ledger_v2 SET started_at = NULL", ORDER),
        (
            "UPDATE birth.birth_backfill_ledger_v2 SET status = 'planned', dry_run = true, finished_at = NULL",
            OUTCOME,
        ),
        (
            "UPDATE birth.birth_backfill_ledger_v2 SET predecessor = '11111111-1111-1111-1111-111111111111'",
            "it follows the plan that it names",
        ),
        (
            "UPDATE birth.birth_backfill_ledger_v2 SET alerts_before = 1",
            "the alerts that it and its reviewers saw are there",
        ),
        (
            "SET session_replication_role = replica; DELETE FROM birth.birth_backfill_ledger_v2",
            "the ledger has the run",
        ),
    ],
)
def test_a_forged_record_contradicts_another_record(
    scene: Scene, done: Run, forgery: LiteralString, check: str
) -> None:
    scene.forged = True
    scene.execute(forgery)
    assert check in failing(scene)


def test_a_plan_forged_as_done_with_consistent_counts_is_detected(scene: Scene, item: str) -> None:
    scene.forged = True
    run = scene.permitted(item)
    scene.execute(
        "UPDATE birth.birth_backfill_ledger_v2 SET status = 'done', dry_run = false, actual_inserted = planned_rows,"
        " target_fingerprint = planned_fingerprint, written_fingerprint = planned_fingerprint, permit_id = 1,"
        " executed_by = 'me', finished_at = now() WHERE run_id = %s",
        (run.run_id,),
    )
    assert {"the ledger counts what the receipts wrote", "the permits were spent on what was written"} <= failing(scene)


#: What a superuser writes while the constraint is off that forbids it.
FORBIDDEN: dict[str, tuple[str, str, str]] = {
    "done with less than the target": (
        "birth_backfill_ledger_v2",
        "bbl2_no_false_done",
        "UPDATE birth.birth_backfill_ledger_v2 SET target_fingerprint = '{21,1,2}'",
    ),
    "a count below zero": (
        "birth_backfill_ledger_v2",
        "bbl2_counts",
        "UPDATE birth.birth_backfill_ledger_v2 SET source_rows = -1",
    ),
    "a permit for a month": (
        "birth_admission_permit_v2",
        "birth_admission_permit_v2_expiry",
        "UPDATE birth.birth_admission_permit_v2 SET expires_at = opened_at + interval '30 days'",
    ),
    "a receipt of another purpose": (
        "birth_receipt",
        "birth_receipt_purpose",
        "UPDATE birth.birth_receipt SET purpose = 'apply' WHERE batch_no = 1",
    ),
    "a verdict between safe and not": (
        "birth_review",
        "birth_review_verdict",
        "UPDATE birth.birth_review SET verdict = 'RATHER_SAFE'",
    ),
    "an act that nobody knows": (
        "birth_act",
        "birth_act_known",
        "UPDATE birth.birth_act SET act = 'pray' WHERE act = 'attempt'",
    ),
}


def switched_off(scene: Scene, table: str, constraint: str, statement: str) -> None:
    """Write what a constraint forbids, and leave the constraint as if it had always been there."""
    scene.forged = True
    scene.execute(
        f"""DO $$
        DECLARE d text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{constraint}');
        BEGIN
          ALTER TABLE birth.{table} DROP CONSTRAINT {constraint};
          {statement};
          EXECUTE 'ALTER TABLE birth.{table} ADD CONSTRAINT {constraint} ' || d || ' NOT VALID';
          UPDATE pg_constraint SET convalidated = true WHERE conname = '{constraint}';
        END $$""".encode()
    )
    assert scene.rows("SELECT * FROM birth.fn_birth_contract_drift() WHERE drift <> 'ok'") == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_row_violating_a_validated_constraint_is_reported(scene: Scene, done: Run, what: str) -> None:
    table, constraint, statement = FORBIDDEN[what]
    switched_off(scene, table, constraint, statement)
    (row,) = [r for r in scene.rows("SELECT * FROM birth.fn_birth_run_audit()") if r["check_name"] == ALLOWED]
    assert (row["run_id"], row["pass"]) == (done.run_id, False)
    assert row["found"].startswith(f"{table}: {constraint} x ")


def test_a_row_violating_a_disabled_constraint_is_reported(scene: Scene, done: Run) -> None:
    scene.forged = True
    scene.execute("""
        UPDATE pg_class SET relchecks = 0 WHERE oid = 'birth.birth_backfill_ledger_v2'::regclass;
        UPDATE birth.birth_backfill_ledger_v2 SET actual_inserted = 137, expected_delta = 137;
        UPDATE pg_class
        SET relchecks = (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c')
        FROM (VALUES ('birth.birth_backfill_ledger_v2'::regclass)) AS c(oid) WHERE pg_class.oid = c.oid""")
    assert ALLOWED in failing(scene)


def test_a_null_in_a_not_null_column_is_reported(scene: Scene, done: Run) -> None:
    scene.forged = True
    scene.execute("""
        UPDATE pg_attribute SET attnotnull = false
        WHERE attrelid = 'birth.birth_receipt'::regclass AND attname = 'born_at';
        UPDATE birth.birth_receipt SET born_at = NULL WHERE batch_no = 2;
        UPDATE pg_attribute SET attnotnull = true
        WHERE attrelid = 'birth.birth_receipt'::regclass AND attname = 'born_at'""")
    assert ALLOWED in failing(scene)


def test_duplicate_rows_under_a_unique_index_are_reported(scene: Scene, done: Run) -> None:
    scene.forged = True
    scene.execute("""
        UPDATE pg_class SET relhasindex = false WHERE oid = 'birth.birth_review'::regclass;
        INSERT INTO birth.birth_review OVERRIDING SYSTEM VALUE SELECT * FROM birth.birth_review;
        UPDATE pg_class SET relhasindex = true WHERE oid = 'birth.birth_review'::regclass;
        SET enable_seqscan = off""")
    assert ALLOWED in failing(scene)


def test_two_running_runs_of_a_collection_are_reported(scene: Scene, item: str) -> None:
    scene.forged = True
    scene.plan(item)
    scene.plan(item)
    scene.execute("""
        UPDATE pg_index SET indisready = false WHERE indexrelid = 'birth.bbl2_one_running'::regclass;
        UPDATE birth.birth_backfill_ledger_v2 SET status = 'running', dry_run = false;
        UPDATE pg_index SET indisready = true WHERE indexrelid = 'birth.bbl2_one_running'::regclass""")
    assert any(
        "bbl2_one_running" in row["found"]
        for row in scene.rows("SELECT * FROM birth.fn_birth_run_audit() WHERE NOT pass")
    )


def test_a_row_violating_a_foreign_key_is_reported(scene: Scene, done: Run) -> None:
    scene.forged = True
    scene.execute("SET session_replication_role = replica")
    scene.execute("DELETE FROM birth.collection_registry")
    assert ALLOWED in failing(scene)


def test_an_unreadable_table_is_reported(scene: Scene, done: Run) -> None:
    scene.forged = True
    scene.execute("ALTER TABLE birth.birth_review DROP COLUMN findings CASCADE")
    rows = scene.rows("SELECT * FROM birth.fn_birth_run_audit() WHERE NOT pass")
    assert [(row["run_id"], "birth_review cannot be read" in row["found"]) for row in rows] == [(None, True)]


def test_verify_reports_a_forged_done(scene: Scene, item: str) -> None:
    scene.forged = True
    run = scene.permitted(item)
    switched_off(
        scene,
        "birth_backfill_ledger_v2",
        "bbl2_no_false_done",
        "UPDATE birth.birth_backfill_ledger_v2 SET status = 'done', dry_run = false",
    )
    report = verify.verify(scene.session(OPERATOR))
    assert {f"{run.run_id} {check}" for check in (OUTCOME, ORDER, ALLOWED)} <= {
        check.object for check in report.differing if check.what == "run"
    }


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE birth.birth_review SET reviewed_by = 'me'",
        "UPDATE birth.birth_admission_permit_v2 SET opened_by = 'me'",
        "UPDATE birth.birth_backfill_ledger_v2 SET executed_by = 'me'",
        "DELETE FROM birth.birth_review; DELETE FROM birth.birth_act WHERE act = 'review'",
    ],
)
def test_verify_cross_checks_people_verdicts_and_permits(scene: Scene, done: Run, forgery: str) -> None:
    operator = scene.session(OPERATOR)
    assert verify.verify(operator).fine
    scene.forged = True
    scene.execute("SET session_replication_role = replica")
    scene.execute(forgery.encode())
    assert {check.what for check in verify.verify(operator).differing} == {"record"}


@pytest.mark.parametrize(
    "forgery",
    [
        "parts = '{\"signature\": \"CHECK (true)\"}' WHERE object LIKE '%.bbl2_no_false_done'",
        "exact_sha256 = repeat('0', 64) WHERE object LIKE '%.bbl2_no_false_done'",
        "definition = definition || '; DROP TABLE x' WHERE object = 'fn_birth_lock_key(text)'",
        "definition = 'DROP TABLE x; ' || definition WHERE object = 'v_birth_metrics'",
        "definition = 'DROP TABLE x' WHERE object = 'birth_act'",
        "parts = parts || '{\"x\": 1}' WHERE kind = 'claim'",
    ],
)
def test_verify_reports_a_recorded_contract_that_differs_from_the_manifest(scene: Scene, forgery: str) -> None:
    scene.execute(f"UPDATE birth.birth_gateway_release_registry SET {forgery}".encode())
    assert {check.what for check in verify.verify(scene.session(OPERATOR)).differing} >= {"registry"}


@pytest.mark.parametrize("purpose", ["TRIAL", "COMPENSATE"])
def test_a_run_of_an_unknown_purpose_is_found_and_hides_no_other(scene: Scene, item: str, purpose: str) -> None:
    run = scene.permitted(item)
    scene.apply(run)
    scene.execute("ALTER TABLE birth.birth_backfill_ledger_v2 DROP CONSTRAINT bbl2_purpose")
    scene.execute(
        "INSERT INTO birth.birth_backfill_ledger_v2"
        " SELECT (jsonb_populate_record(l, %s::jsonb || jsonb_build_object('run_id', gen_random_uuid()))).*"
        " FROM birth.birth_backfill_ledger_v2 l",
        (f'{{"purpose": "{purpose}", "status": "stopped", "stop_reason": "source_changed", "finished_at": null}}',),
    )
    found = scene.rows("SELECT run_id, check_name FROM birth.fn_birth_run_audit() WHERE NOT pass")
    assert "birth_registry holds what the receipts leave" in {row["check_name"] for row in found}
    assert run.run_id not in {row["run_id"] for row in found}
    assert len(scene.rows("SELECT next_step FROM birth.v_birth_run_progress")) == 2
    scene.forged = True

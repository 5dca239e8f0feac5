"""What may happen to a run while it runs: stop, freeze, revoke, expiry, drift, a killed backend, a rival, a takeover.

Whatever it is, the run ends as the specification says, the caller gets the same SQLSTATE, and the same CALL goes on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from helpers import (
    BIRTH,
    DBA,
    OPERATOR,
    SECOND_OPERATOR,
    SECOND_REVIEWER,
    Driver,
    Run,
    Scene,
    name,
    raised,
    refused,
)

from birthdb import errors
from birthdb.errors import BirthError


def stop(scene: Scene, run: Run) -> None:
    scene.stop(run)


def freeze(scene: Scene, run: Run) -> None:
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-apply", p_reason="a test")


def unfreeze(scene: Scene, run: Run) -> Run:
    scene.ask(DBA, "fn_birth_dot_unfreeze", p_dot="dot-birth-backfill-apply", p_reason="over")
    return run


def revoke(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)


def expire(scene: Scene, run: Run) -> None:
    scene.expire(run.permit_id)


def permit_again(scene: Scene, run: Run) -> Run:
    return run.under(scene.permit(run, run.delta - scene.ledger(run)["actual_inserted"]))


def drift(scene: Scene, run: Run) -> None:
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '1MB'")


def repair(scene: Scene, run: Run) -> Run:
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch RESET work_mem")
    scene.review(run.run_id, p_findings="the drift was repaired")
    return run


def condemn(scene: Scene, run: Run) -> None:
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER)


def absolve(scene: Scene, run: Run) -> Run:
    scene.absolve(run.run_id, by=SECOND_REVIEWER)
    return run


def nothing(scene: Scene, run: Run) -> Run:
    return run


#: What happens, what the caller gets, status and reason, and what is needed before the same CALL goes on.
HAPPENINGS: list[
    tuple[Callable[[Scene, Run], None], type[BirthError], tuple[str, str], Callable[[Scene, Run], Run]]
] = [
    (stop, errors.StopRequested, ("stopped", "stop_requested"), nothing),
    (freeze, errors.DotFrozen, ("stopped", "dot_frozen"), unfreeze),
    (revoke, errors.PermitNotOpen, ("stopped", "permit_not_open"), permit_again),
    (expire, errors.PermitExpired, ("stopped", "permit_expired"), permit_again),
    (drift, errors.ContractDrift, ("failed", "contract_drift"), repair),
    (condemn, errors.VerdictMissing, ("failed", "verdict_missing"), absolve),
]


def waiting(scene: Scene, run: Run, code: str, owner: str = "item") -> tuple[Driver, psycopg.Connection[Any]]:
    """The run inside its batch, and the transaction it waits for, which has given this code to a collection."""
    rival = scene.db.connect(autocommit=False)
    rival.execute(BIRTH, (code, owner))
    scene.tune(run, 5, 0)
    driver = scene.start_unpaced(run)
    scene.wait_for(driver, rival.info.backend_pid)
    return driver, rival


@contextmanager
def blocked(scene: Scene, run: Run, code: str) -> Iterator[Driver]:
    """The run inside its batch, waiting for another transaction that has this code and is rolled back at the end."""
    driver, blocker = waiting(scene, run, code)
    try:
        yield driver
    finally:
        blocker.rollback()


def caught(scene: Scene, run: Run, happening: Callable[[Scene, Run], None]) -> Driver:
    """Let it happen between the first batch and the second."""
    driver = scene.start(run)
    happening(scene, run)
    scene.tune(run, 5, 0)
    return driver


@pytest.mark.parametrize(("happening", "refusal", "status", "remedy"), HAPPENINGS, ids=name)
def test_an_event_between_two_batches_ends_the_run_as_documented(
    scene: Scene,
    run: Run,
    happening: Callable[[Scene, Run], None],
    refusal: type[BirthError],
    status: tuple[str, str],
    remedy: Callable[[Scene, Run], Run],
) -> None:
    driver = caught(scene, run, happening)
    with refused(refusal):
        driver.end()
    assert scene.status(run) == status
    assert len(scene.codes(run)) == 5
    outcome = scene.value("SELECT detail FROM birth.birth_act WHERE act = 'outcome'")
    assert outcome == {"status": status[0], "sqlstate": refusal.sqlstate}
    held = scene.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", (driver.pid,))
    assert held == 0


@pytest.mark.parametrize(("happening", "refusal", "status", "remedy"), HAPPENINGS, ids=name)
def test_the_same_call_resumes_and_completes_the_run(
    scene: Scene,
    run: Run,
    happening: Callable[[Scene, Run], None],
    refusal: type[BirthError],
    status: tuple[str, str],
    remedy: Callable[[Scene, Run], Run],
) -> None:
    driver = caught(scene, run, happening)
    with refused(refusal):
        driver.end()
    again = remedy(scene, run)
    scene.tune(run, 5, 0)
    scene.apply(again)
    row = scene.ledger(run)
    assert scene.codes(run) == sorted(f"item-{number}" for number in range(1, 21))
    assert (row["status"], row["stop_reason"], row["epoch"], row["batches"]) == ("done", None, 2, 4)
    assert row["written_fingerprint"] == row["planned_fingerprint"]
    assert [receipt["key_to"] for receipt in scene.receipts(run)] == [["5"], ["10"], ["15"], ["20"]]
    assert scene.permit_row(again.permit_id)["status"] == "CONSUMED"


def test_the_same_call_is_refused_while_the_dot_is_frozen(scene: Scene, run: Run) -> None:
    with refused(errors.DotFrozen):
        caught(scene, run, freeze).end()
    with scene.unchanged(), refused(errors.DotFrozen):
        scene.apply(run)


def test_a_failed_run_is_not_resumed_without_a_new_verdict(scene: Scene, run: Run) -> None:
    with refused(errors.ContractDrift):
        caught(scene, run, drift).end()
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch RESET work_mem")
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.apply(run)


def test_harmless_drift_does_not_stop_a_run(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("GRANT SELECT ON birth.birth_registry TO nora_nobody")
    scene.tune(run, 5, 0)
    driver.end()
    assert scene.status(run) == ("done", None)


# --- pace


def test_a_new_batch_size_and_pause_apply_from_the_next_batch(scene: Scene, run: Run) -> None:
    driver = scene.start(run, batch=2)
    scene.tune(run, 3, 0)
    driver.end()
    assert [receipt["written"] for receipt in scene.receipts(run)] == [2, 3, 3, 3, 3, 3, 3]


def test_the_last_pace_overrides_the_batch_size_of_the_call(scene: Scene, run: Run) -> None:
    scene.tune(run, 10, 0)
    scene.apply(run, batch=1)
    assert [receipt["written"] for receipt in scene.receipts(run)] == [10, 10]


def test_a_paused_run_holds_no_snapshot_and_no_row_lock(scene: Scene, run: Run) -> None:
    scene.start(run)
    for table in ("birth_backfill_ledger_v2", "birth_admission_permit_v2", "collection_registry"):
        with scene.admin.transaction():
            locked = scene.rows(f"SELECT FROM birth.{table} FOR UPDATE SKIP LOCKED".encode())
            assert len(locked) == scene.value(f"SELECT count(*) FROM birth.{table}".encode())


def test_a_stop_takes_effect_during_the_pause(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.stop(run)
    with refused(errors.StopRequested):
        driver.end()
    assert scene.status(run) == ("stopped", "stop_requested")


def test_a_stop_of_an_earlier_attempt_does_not_stop_the_next(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


# --- permits that end


def test_spent_rows_of_all_permits_equal_the_written_births(scene: Scene, run: Run) -> None:
    with refused(errors.PermitExpired):
        caught(scene, run, expire).end()
    second = permit_again(scene, run)
    with refused(errors.PermitNotOpen):
        caught(scene, second, revoke).end()
    third = permit_again(scene, run)
    scene.go_on(run)
    scene.apply(third)
    permits = [scene.permit_row(permit) for permit in (run.permit_id, second.permit_id, third.permit_id)]
    assert [(p["status"], p["max_rows"], p["spent_rows"]) for p in permits] == [
        ("EXPIRED", 20, 5),
        ("REVOKED", 15, 5),
        ("CONSUMED", 10, 10),
    ]
    assert {receipt["permit_id"] for receipt in scene.receipts(run)} == {p["permit_id"] for p in permits}


def test_a_further_permit_with_too_few_rows_does_not_admit_the_rest(scene: Scene, run: Run) -> None:
    with refused(errors.PermitExpired):
        caught(scene, run, expire).end()
    further = run.under(scene.permit(run, 14))
    with scene.unchanged(), refused(errors.PermitExhausted):
        scene.apply(further)


def test_a_run_never_overspends_a_permit_that_was_lowered(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("UPDATE birth.birth_admission_permit_v2 SET max_rows = 7")
    scene.tune(run, 5, 0)
    with refused(errors.PermitExhausted):
        driver.end()
    assert scene.status(run) == ("stopped", "permit_exhausted")
    assert scene.permit_row(run.permit_id)["spent_rows"] == 5


def test_the_expired_permit_does_not_admit_the_resume(scene: Scene, run: Run) -> None:
    with refused(errors.PermitExpired):
        caught(scene, run, expire).end()
    with scene.unchanged(), refused(errors.PermitExpired):
        scene.apply(run)


@pytest.mark.parametrize("changed", [{"p_expected_delta": 15}, {"p_max_rows": 15}, {"p_max_rows": 100}])
def test_a_resume_with_different_arguments_is_refused(scene: Scene, run: Run, changed: dict[str, Any]) -> None:
    scene.stopped_after_a_batch(run)
    with scene.unchanged(), refused(errors.DeltaMismatch):
        scene.apply(run, **changed)


def test_a_paused_run_resumes_after_a_stop(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.stop(run)
    with refused(errors.StopRequested):
        driver.end()
    again = scene.start_again(run)
    scene.go_on(run)
    again.end()
    assert scene.status(run) == ("done", None)


# --- PostgreSQL's own errors


def test_a_cancelled_batch_stops_the_run_and_raises_query_canceled(scene: Scene, run: Run) -> None:
    with blocked(scene, run, "item-8") as driver:
        scene.execute("SELECT pg_cancel_backend(%s)", (driver.pid,))
        with raised("57014"):
            driver.end()
    assert scene.status(run) == ("stopped", "57014")
    assert len(scene.codes(run)) == 5
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_lock_timeout_stops_the_run(scene: Scene, run: Run) -> None:
    blocker = scene.db.connect(autocommit=False)
    blocker.execute(BIRTH, ("item-8", "item"))
    scene.session(OPERATOR).execute("SET lock_timeout = '10ms'")
    with raised("55P03"):
        scene.apply(run, batch=5)
    blocker.rollback()
    assert scene.status(run) == ("stopped", "55P03")
    assert len(scene.codes(run)) == 5
    assert scene.held_locks() == 0
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_birth_committed_concurrently_is_not_written_by_the_batch(scene: Scene, run: Run) -> None:
    driver, rival = waiting(scene, run, "item-8")
    rival.commit()
    with refused(errors.SourceChanged):
        driver.end()
    assert "item-8" not in scene.codes(run)
    assert scene.births() == len(scene.codes(run)) + 1


def test_a_code_taken_concurrently_by_another_collection_fails_the_run(scene: Scene, run: Run) -> None:
    scene.collection("other", 0)
    driver, rival = waiting(scene, run, "item-8", "other")
    rival.commit()
    with refused(errors.CodeForeign):
        driver.end()
    assert scene.status(run) == ("failed", "code_foreign")
    assert scene.codes(run) == [f"item-{number}" for number in range(1, 6)]


def test_an_unexpected_error_fails_the_run_with_its_own_sqlstate(scene: Scene, run: Run) -> None:
    scene.replace_routine(
        "fn_birth_run_receipt",
        ("r_receipt.visited := p_visited;", "r_receipt.visited := p_visited / (7 - p_run.batches * 3.5)::integer;"),
    )
    scene.review(run.run_id)
    with raised("22012"):
        scene.apply(run, batch=5)
    assert scene.status(run) == ("failed", "22012")
    assert scene.ledger(run)["batches"] == 1
    scene.forged = True


# --- sessions that die, wake, or compete


def kill(scene: Scene, driver: Driver) -> None:
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (driver.pid,))
    with pytest.raises(psycopg.OperationalError):
        driver.end()


def test_a_killed_backend_leaves_the_run_running_and_unheld(scene: Scene, run: Run) -> None:
    kill(scene, scene.start(run))
    assert scene.status(run) == ("running", None)
    assert scene.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert len(scene.codes(run)) == 5


def test_the_same_call_resumes_after_the_backend_was_killed(scene: Scene, run: Run) -> None:
    kill(scene, scene.start(run))
    scene.go_on(run)
    scene.apply(run, by=SECOND_OPERATOR)
    row = scene.ledger(run)
    assert (row["status"], row["epoch"], row["executed_by"]) == ("done", 2, SECOND_OPERATOR)
    assert len(scene.codes(run)) == 20


def test_an_interrupted_run_can_be_stopped(scene: Scene, run: Run) -> None:
    kill(scene, scene.start(run))
    scene.stop(run)
    assert scene.status(run) == ("stopped", "interrupted")


def test_a_new_plan_can_replace_an_interrupted_run(scene: Scene, run: Run) -> None:
    kill(scene, scene.start(run))
    follower = scene.permitted("item")
    scene.apply(follower)
    assert scene.status(run) == ("stopped", "interrupted")
    assert scene.status(follower) == ("done", None)
    assert scene.ledger(follower)["predecessor"] == run.run_id


def test_a_backend_killed_in_a_batch_loses_only_that_batch(scene: Scene, run: Run) -> None:
    with blocked(scene, run, "item-8") as driver:
        kill(scene, driver)
    assert len(scene.codes(run)) == 5
    assert scene.disagreements() == []
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_concurrent_caller_gets_the_holder_of_the_run(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    with scene.unchanged(), refused(errors.RunHeld) as held:
        scene.apply(run, by=SECOND_OPERATOR)
    assert str(driver.pid) in str(held.value.diag.message_detail)
    assert OPERATOR in str(held.value.diag.message_detail)
    with scene.unchanged(), refused(errors.RunHeld):
        scene.write(run, by=SECOND_OPERATOR, p_execute=False)


def test_a_concurrent_caller_gets_the_session_with_an_unfinished_claim(scene: Scene, run: Run) -> None:
    scene.execute("SELECT pg_advisory_lock(birth.fn_birth_lock_key(%s))", (f"run:{run.run_id}:1",))
    with scene.unchanged(), refused(errors.RunHeld) as held:
        scene.apply(run)
    assert str(scene.admin.info.backend_pid) in str(held.value.diag.message_detail)
    assert "end that session" in str(held.value.diag.message_hint)


def test_a_run_by_a_session_with_a_leftover_lock_ends_without_locks(scene: Scene, run: Run) -> None:
    key = scene.value("SELECT birth.fn_birth_lock_key(%s)", (f"run:{run.run_id}:1",))
    scene.session(OPERATOR).execute("SELECT pg_advisory_lock(%s)", (key,))
    scene.apply(run)
    assert scene.status(run) == ("done", None)
    assert scene.held_locks() == 0


def test_a_concurrent_caller_gets_the_holder_during_a_batch(scene: Scene, run: Run) -> None:
    with blocked(scene, run, "item-8") as driver, scene.unchanged(), refused(errors.RunHeld) as held:
        scene.apply(run, by=SECOND_OPERATOR)
    assert str(driver.pid) in str(held.value.diag.message_detail)
    driver.end()
    assert scene.status(run) == ("done", None)


def test_only_one_of_two_permitted_runs_of_a_collection_executes(scene: Scene, run: Run) -> None:
    """The rival comes before the first batch of the other run is committed, when the data still are as planned."""
    rival = scene.permitted("item")
    scene.session(SECOND_OPERATOR).execute("SET lock_timeout = '2s'")
    with blocked(scene, run, "item-2") as driver, scene.unchanged(), refused(errors.RunHeld) as held:
        scene.apply(rival, by=SECOND_OPERATOR)
    assert str(driver.pid) in str(held.value.diag.message_detail)
    driver.end()
    assert scene.status(run) == ("done", None)


def test_a_second_plan_is_stale_after_the_first_run_has_written(scene: Scene, run: Run) -> None:
    rival = scene.permitted("item")
    scene.start(run)
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(rival, by=SECOND_OPERATOR)


def test_runs_of_two_collections_are_independent(scene: Scene, run: Run) -> None:
    scene.collection("other", 10)
    other = scene.permitted("other")
    driver = scene.start(run)
    scene.apply(other, by=SECOND_OPERATOR)
    scene.go_on(run)
    driver.end()
    assert scene.status(run) == scene.status(other) == ("done", None)


def take_over(scene: Scene, run: Run) -> None:
    scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="the session hangs")


def test_after_a_takeover_another_operator_can_resume(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    take_over(scene, run)
    row = scene.ledger(run)
    assert (row["status"], row["stop_reason"], row["epoch"]) == ("stopped", "taken over", 2)
    scene.go_on(run)
    with suppress(psycopg.Error):
        driver.end()
    scene.apply(run, by=SECOND_OPERATOR)
    assert scene.status(run) == ("done", None)


def test_a_session_resumed_after_a_takeover_writes_and_records_nothing(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    take_over(scene, run)
    scene.go_on(run)
    with refused(errors.RunStatus):
        driver.end()
    row = scene.ledger(run)
    assert (row["status"], row["stop_reason"], row["actual_inserted"]) == ("stopped", "taken over", 5)
    held = scene.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", (driver.pid,))
    assert held == 0


def test_a_session_resumed_after_another_continued_gets_run_taken_over(scene: Scene, run: Run) -> None:
    """Even when the other one is dead by then: what a session lost it does not take back by itself."""
    sleeper = scene.start(run)
    take_over(scene, run)
    kill(scene, scene.start_again(run, by=SECOND_OPERATOR))
    scene.go_on(run)
    with refused(errors.RunTakenOver):
        sleeper.end()
    row = scene.ledger(run)
    assert (row["status"], row["executed_by"], row["actual_inserted"]) == ("running", SECOND_OPERATOR, 5)
    assert scene.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_only_a_dba_can_take_over_and_only_a_running_run(scene: Scene, run: Run) -> None:
    with scene.unchanged(), raised("42501"):
        scene.ask(OPERATOR, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="x")
    scene.stopped_after_a_batch(run)
    with scene.unchanged(), refused(errors.RunStatus):
        take_over(scene, run)


@pytest.mark.parametrize(
    "remains", ["holder_pid = holder_pid + 1", "epoch = epoch + 1", "executed_by = 'oscar_operator'"]
)
def test_holding_needs_backend_epoch_and_person(scene: Scene, run: Run, remains: str) -> None:
    driver = scene.start(run)
    scene.execute(f"UPDATE birth.birth_backfill_ledger_v2 SET {remains}".encode())
    scene.go_on(run)
    with pytest.raises(psycopg.Error) as error:
        driver.end()
    assert error.value.sqlstate in (errors.RunTakenOver.sqlstate, errors.SeparationOfDuties.sqlstate)
    assert len(scene.codes(run)) == 5


def test_a_release_that_holds_the_schema_stops_a_run_at_its_next_batch(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    release = scene.db.connect(autocommit=False)
    release.execute("SELECT pg_advisory_xact_lock(birth.fn_birth_lock_key('release'))")
    scene.go_on(run)
    with refused(errors.ReleaseInProgress):
        driver.end()
    release.rollback()
    assert scene.status(run) == ("stopped", "release_in_progress")
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_refused_begin_leaves_no_lock_in_the_session(scene: Scene, run: Run) -> None:
    scene.expire(run.permit_id)
    for _ in range(3):
        with refused(errors.PermitExpired):
            scene.apply(run)
    assert scene.held_locks() == 0


def test_a_session_can_start_another_run_after_any_outcome(scene: Scene, run: Run) -> None:
    scene.execute("DELETE FROM item WHERE id = 20")
    with refused(errors.PlanStale):
        scene.apply(run)
    again = scene.permitted("item")
    scene.apply(again, batch=4)
    assert scene.status(again) == ("done", None)
    assert scene.held_locks() == 0


def test_a_direct_call_in_the_holders_session_writes_no_batch(scene: Scene, run: Run) -> None:
    """A session that holds a run through the driver, and is then used for a direct call."""
    session = scene.session(OPERATOR)
    scene.stopped_after_a_batch(run)
    session.execute(
        "SELECT pg_advisory_lock(birth.fn_birth_lock_key(format('run:%%s:%%s', %s::text, %s::text)))",
        (str(run.run_id), str(scene.ledger(run)["epoch"])),
    )
    with scene.unchanged(), refused(errors.DriverRequired):
        scene.write(run)
    session.execute("SELECT pg_advisory_unlock_all()")

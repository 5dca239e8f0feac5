"""What only two sessions at one moment can bring about: each lock that is taken, and each that is not waited for."""

import pytest
from helpers import (
    DBA,
    OPERATOR,
    OWNER,
    REVIEWER,
    SECOND_OPERATOR,
    SECOND_REVIEWER,
    Driver,
    Run,
    Scene,
    begin,
    driven,
    refused,
    statement,
)
from psycopg.sql import SQL

from birthdb import errors

PERMIT = SQL("SELECT FROM birth.birth_admission_permit_v2 WHERE permit_id = %s FOR UPDATE")
RUN = SQL("SELECT FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s FOR UPDATE")


def ask(scene: Scene, person: str, routine: str, **arguments: object) -> Driver:
    """Have the person ask in a session of their own, and return at once."""
    return scene.send(scene.db.connect(person), statement("SELECT", routine, arguments), arguments)


def admin_pid(scene: Scene) -> int:
    return scene.admin.info.backend_pid


# --- permits


def test_of_two_concurrent_confirmations_the_later_is_refused(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    first = scene.session(REVIEWER)
    with first.transaction():
        scene.confirm(permit_id)
        second = ask(scene, SECOND_REVIEWER, "fn_birth_permit_confirm", p_permit_id=permit_id)
        scene.wait_for(second, first.info.backend_pid)
    with refused(errors.PermitNotOpen):
        second.end()
    assert scene.rows("SELECT actor FROM birth.birth_act WHERE act = 'permit_confirm'") == [{"actor": REVIEWER}]


def test_revoking_a_permit_in_use_does_not_wait_and_takes_effect(scene: Scene, run: Run) -> None:
    scene.session(OWNER).execute("SET lock_timeout = '2s'")
    with scene.admin.transaction():
        scene.execute(PERMIT, (run.permit_id,))
        scene.revoke(run.permit_id)
    assert scene.value("SELECT status FROM birth.birth_admission_permit_v2") == "OPEN"
    with scene.unchanged(), refused(errors.PermitNotOpen) as caught:
        scene.apply(run)
    assert "revoked" in str(caught.value.diag.message_detail)


def test_a_revoked_permit_with_an_unwritten_status_cannot_be_confirmed(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    with scene.admin.transaction():
        scene.execute(PERMIT, (permit_id,))
        scene.revoke(permit_id)
    with scene.unchanged(), refused(errors.PermitNotOpen):
        scene.confirm(permit_id)


def test_a_batch_does_not_spend_a_permit_that_is_being_revoked(scene: Scene, run: Run) -> None:
    owner = scene.session(OWNER)
    with owner.transaction():
        scene.revoke(run.permit_id)
        driver = scene.start_unpaced(run)
        scene.wait_for(driver, owner.info.backend_pid)
    with refused(errors.PermitNotOpen):
        driver.end()
    assert (scene.births(), scene.status(run)) == (0, ("stopped", "permit_not_open"))
    assert scene.value("SELECT spent_rows FROM birth.birth_admission_permit_v2") == 0


def test_the_end_of_an_attempt_sets_the_status_of_its_expired_permit(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.expire(run.permit_id)
    scene.go_on(run)
    with refused(errors.PermitExpired):
        driver.end()
    assert scene.value("SELECT status FROM birth.birth_admission_permit_v2") == "EXPIRED"


# --- the run's row


def interrupted(scene: Scene, run: Run) -> None:
    """Leave a run running that nobody executes."""
    driver = scene.start(run)
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (driver.pid,))


def test_stopping_an_interrupted_run_ends_it_and_sets_the_permit_status(scene: Scene, run: Run) -> None:
    interrupted(scene, run)
    scene.expire(run.permit_id)
    scene.stop(run)
    assert scene.status(run) == ("stopped", "interrupted")
    assert scene.value("SELECT status FROM birth.birth_admission_permit_v2") == "EXPIRED"


def test_a_stop_does_not_wait_for_a_lock_on_the_run_row(scene: Scene, run: Run) -> None:
    interrupted(scene, run)
    scene.session(OPERATOR).execute("SET lock_timeout = '2s'")
    with scene.admin.transaction():
        scene.execute(RUN, (run.run_id,))
        scene.stop(run)
    assert scene.status(run) == ("running", None)
    assert scene.value("SELECT count(*) FROM birth.birth_act WHERE act = 'stop'") == 1


def test_a_batch_that_starts_during_a_takeover_writes_nothing(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    dba = scene.session(DBA)
    with dba.transaction():
        scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it hangs")
        scene.go_on(run)
        scene.wait_for(driver, dba.info.backend_pid)
    with refused(errors.RunStatus):
        driver.end()
    assert (scene.births(), scene.status(run)) == (5, ("stopped", "taken over"))


def test_an_outcome_recorded_during_a_takeover_is_rejected(scene: Scene, run: Run) -> None:
    holder, dba = scene.db.connect(OPERATOR), scene.session(DBA)
    begin(holder, run)
    given = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_purpose": "APPLY", "p_batch": 10}
    with dba.transaction():
        scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it hangs")
        driver = scene.send(holder, driven("fn_birth_run_step", given), given)
        scene.wait_for(driver, dba.info.backend_pid)
        # The batch has failed, and its end waits to be recorded.
        scene.execute("SELECT pg_cancel_backend(%s)", (driver.pid,))
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"
        scene.until(driver, lambda: scene.value(locks, (driver.pid,)) == 1, "letting go of the batch")
        scene.wait_for(driver, dba.info.backend_pid)
    driver.end()
    assert scene.status(run) == ("stopped", "taken over")
    assert scene.value("SELECT count(*) FROM birth.birth_act WHERE act = 'outcome'") == 0


def test_a_takeover_does_not_wait_for_key_share_locks(scene: Scene, run: Run) -> None:
    interrupted(scene, run)
    with scene.session(REVIEWER).transaction():
        scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", p_purpose="COMPENSATE")
        scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it hangs")
    assert scene.status(run) == ("stopped", "taken over")


# --- the direct call of the writer, whose caller commits


def test_a_revoke_names_the_open_transaction_that_spends_the_permit(scene: Scene, run: Run) -> None:
    told: list[str] = []
    scene.session(OWNER).add_notice_handler(
        lambda notice: told.append(f"{notice.message_primary} {notice.message_hint}")
    )
    operator = scene.session(OPERATOR)
    with operator.transaction():
        scene.write(run)
        scene.revoke(run.permit_id)
    (said,) = told
    assert OPERATOR in said
    assert f"pg_terminate_backend({operator.info.backend_pid})" in said


# --- locks that any login may take


@pytest.mark.parametrize("name", ["run::", "run:"])
def test_an_unrelated_advisory_lock_stops_no_run(scene: Scene, run: Run, name: str) -> None:
    scene.session("nora_nobody").execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"birth.{name}",))
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_the_holder_of_the_release_lock_is_named(scene: Scene, run: Run) -> None:
    scene.session("nora_nobody").execute("SELECT pg_advisory_lock(hashtextextended('birth.release', 0))")
    with scene.unchanged(), refused(errors.ReleaseInProgress) as caught:
        scene.apply(run)
    assert "nora_nobody" in str(caught.value.diag.message_detail)


# --- the births


def test_a_birth_changed_during_its_compensation_batch_fails_the_batch(scene: Scene, run: Run) -> None:
    scene.apply(run)
    undo = scene.compensable(run)
    with scene.admin.transaction():
        scene.execute("UPDATE birth.birth_registry SET dot_origin = 'of another' WHERE entity_code = 'item-3'")
        conn = scene.db.connect(OPERATOR)
        call = {"p_run_id": undo.run_id, "p_permit_id": undo.permit_id, "p_execute": True}
        driver = scene.send(conn, statement("CALL", "sp_dot_birth_qt001_compensate", call), call)
        scene.wait_for(driver, admin_pid(scene))
    with refused(errors.BirthsTouched):
        driver.end()
    assert scene.births() == 20


@pytest.mark.parametrize("by", [OPERATOR, SECOND_OPERATOR])
def test_a_run_whose_registry_lost_a_birth_is_not_resumed(scene: Scene, run: Run, by: str) -> None:
    scene.stopped_after_a_batch(run)
    scene.forged = True
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")
    with scene.unchanged(), refused(errors.FalseDone):
        scene.apply(run, by=by)

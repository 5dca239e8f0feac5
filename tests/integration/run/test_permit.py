"""The permit: expiring, scoped, bounded, confirmed, used once."""

import re
from datetime import timedelta

import pytest
from helpers import OPERATOR, OWNER, REVIEWER, SECOND_REVIEWER, Run, Scene, raised, refused

from birthdb import errors, paths


def refused_everywhere(scene: Scene, run: Run, refusal: type[errors.BirthError]) -> None:
    with scene.unchanged():
        with refused(refusal):
            scene.apply(run)
        with refused(refusal):
            scene.write(run)
        with refused(refusal):
            scene.write(run, p_execute=False)


def test_a_permit_records_its_scope_its_bound_its_expiry_and_its_people(scene: Scene, run: Run) -> None:
    permit = scene.permit_row(run.permit_id)
    assert (permit["collection_name"], permit["run_id"], permit["purpose"]) == ("item", run.run_id, "APPLY")
    assert (permit["status"], permit["max_rows"], permit["spent_rows"]) == ("OPEN", 20, 0)
    assert (permit["opened_by"], permit["confirmed_by"]) == (OWNER, REVIEWER)
    assert permit["expires_at"] > permit["opened_at"]


def test_an_unconfirmed_permit_is_refused(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    refused_everywhere(scene, Run(item, plan["run_id"], permit_id, 20, 20), errors.PermitNotConfirmed)


def test_an_expired_permit_is_refused(scene: Scene, run: Run) -> None:
    scene.expire(run.permit_id)
    refused_everywhere(scene, run, errors.PermitExpired)


def set_back(scene: Scene, interval: str) -> None:
    """Let the clock have gone back since the last act."""
    scene.execute(
        "UPDATE birth.birth_act SET acted_at = acted_at + %s::interval"
        " WHERE act_id = (SELECT max(act_id) FROM birth.birth_act)",
        (interval,),
    )


def test_an_expired_permit_stays_expired_when_the_clock_goes_back(scene: Scene, run: Run) -> None:
    set_back(scene, "2 days")
    refused_everywhere(scene, run, errors.PermitExpired)
    (said,) = scene.rows("SELECT what FROM birth.v_birth_attention WHERE what LIKE 'permit%'")
    assert said["what"].endswith("has expired")
    assert scene.value("SELECT value FROM birth.v_birth_metrics WHERE name = 'birth_permits_open'") == 0


def test_a_run_stops_when_its_permit_expired_by_fn_birth_clock(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    set_back(scene, "2 days")
    scene.go_on(run)
    with refused(errors.PermitExpired):
        driver.end()
    assert scene.status(run) == ("stopped", "permit_expired")
    assert scene.permit_row(run.permit_id)["status"] == "EXPIRED"


def test_an_expired_permit_is_not_confirmed_when_the_clock_goes_back(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    set_back(scene, "2 days")
    with scene.unchanged(), refused(errors.PermitExpired):
        scene.confirm(permit_id)


def test_after_the_clock_went_back_the_next_step_opens_a_valid_permit(scene: Scene, run: Run) -> None:
    set_back(scene, "2 days")
    ready = scene.value("SELECT birth.fn_birth_run_next_step(%s)", (run.run_id,))
    (opened,) = scene.rows(ready.encode(), person=OWNER)
    assert scene.permit_row(run.permit_id)["status"] == "EXPIRED"
    scene.confirm(opened["permit_id"])
    scene.apply(run.under(opened["permit_id"]))
    assert scene.status(run) == ("done", None)


def test_a_permit_ends_at_most_seven_days_after_the_servers_clock(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)
    set_back(scene, "2 days")
    now = scene.value("SELECT clock_timestamp()")
    for days, hours in ((1, 0), (7, 1)):
        with scene.unchanged(), refused(errors.PermitTerms) as caught:
            scene.open_permit("item", run.run_id, 20, p_expires_at=now + timedelta(days=days, hours=hours))
        assert "the time on record is" in str(caught.value.diag.message_detail)
    permit_id = scene.open_permit("item", run.run_id, 20, p_expires_at=now + timedelta(days=7))
    assert scene.permit_row(permit_id)["status"] == "OPEN"


def test_acts_far_in_the_future_block_permits_until_corrected_as_documented(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)
    set_back(scene, "30 days")
    for days in (1, 31):
        expires = scene.value("SELECT clock_timestamp() + make_interval(days => %s)", (days,))
        with scene.unchanged(), refused(errors.PermitTerms):
            scene.open_permit("item", run.run_id, 20, p_expires_at=expires)
    guide = (paths.ROOT / "docs/guide/dba.md").read_text(encoding="utf-8")
    (correct,) = re.findall(r"UPDATE birth\.birth_act a SET .*?;", guide, re.DOTALL)
    scene.execute(correct.encode())
    scene.apply(run.under(scene.permit(run, 20)))
    assert scene.status(run) == ("done", None)


def test_a_rehearsal_works_after_the_clock_went_back(scene: Scene, item: str) -> None:
    scene.plan(item)
    set_back(scene, "30 days")
    assert scene.ask_one(OPERATOR, "fn_dot_birth_qt001_rehearse", p_collection=item)["actual_inserted"] == 20


def test_expiry_is_checked_by_the_clock_not_by_the_transaction_start(scene: Scene, run: Run) -> None:
    session = scene.session("olga_operator")
    with session.transaction(), refused(errors.PermitExpired):
        session.execute("SELECT 1")
        scene.execute(
            "UPDATE birth.birth_admission_permit_v2"
            " SET opened_at = opened_at - interval '1 day', expires_at = clock_timestamp()"
        )
        assert scene.rows(
            "SELECT now() < max(expires_at) AS not_yet FROM birth.birth_admission_permit_v2", person="olga_operator"
        ) == [{"not_yet": True}]
        scene.write(run)


def test_a_permit_changed_to_another_collection_is_refused(scene: Scene, run: Run) -> None:
    scene.collection("other", 1)
    scene.execute("UPDATE birth.birth_admission_permit_v2 SET collection_name = 'other'")
    with scene.unchanged(), refused(errors.PermitScope):
        scene.apply(run)


def test_an_expired_permit_is_not_confirmed(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    permit_id = scene.open_permit(item, plan["run_id"], 20)
    scene.expire(permit_id)
    with scene.unchanged(), refused(errors.PermitExpired):
        scene.confirm(permit_id)


def test_a_revoked_permit_is_refused_for_ever(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)
    refused_everywhere(scene, run, errors.PermitNotOpen)
    assert scene.permit_row(run.permit_id)["status"] == "REVOKED"
    with scene.unchanged(), refused(errors.PermitNotOpen):
        scene.revoke(run.permit_id)
    with scene.unchanged(), refused(errors.PermitNotOpen):
        scene.confirm(run.permit_id, by=SECOND_REVIEWER)


def test_a_consumed_permit_is_refused(scene: Scene, run: Run) -> None:
    scene.apply(run)
    assert scene.permit_row(run.permit_id)["status"] == "CONSUMED"
    scene.insert("item", 21, 22)
    plan = scene.plan("item")
    scene.review(plan["run_id"])
    refused_everywhere(scene, Run("item", plan["run_id"], run.permit_id, 2, 2), errors.PermitNotOpen)


def test_a_permit_of_another_collection_is_refused(scene: Scene, run: Run) -> None:
    scene.collection("other", 20)
    other = scene.permitted("other")
    refused_everywhere(scene, run.under(other.permit_id), errors.PermitScope)


def test_a_permit_of_another_run_is_refused(scene: Scene, run: Run) -> None:
    second = scene.permitted("item")
    refused_everywhere(scene, run.under(second.permit_id), errors.PermitScope)


def test_a_permit_to_compensate_does_not_admit_an_apply(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    refused_after = scene.compensable(run, 20)
    with scene.unchanged(), refused(errors.PermitScope):
        scene.apply(refused_after)


def test_a_permit_to_apply_does_not_admit_a_compensation(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    scene.review(run.run_id, p_purpose="COMPENSATE")
    with scene.unchanged(), refused(errors.PermitScope):
        scene.compensate(run)


def test_a_permit_with_too_few_rows_is_refused(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)
    refused_everywhere(scene, run.under(scene.permit(run, 19)), errors.PermitExhausted)


def test_a_permit_does_not_admit_a_bound_above_its_own(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.BoundExceeded):
        scene.apply(run, p_max_rows=21)


def test_an_unknown_permit_is_refused(scene: Scene, run: Run) -> None:
    refused_everywhere(scene, run.under(run.permit_id + 1), errors.PermitUnknown)


def test_a_permit_of_more_than_seven_days_is_not_opened_and_one_of_seven_is(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)
    now = scene.value("SELECT clock_timestamp()")
    with scene.unchanged(), refused(errors.PermitTerms):
        scene.open_permit("item", run.run_id, 20, p_expires_at=now + timedelta(days=7, minutes=10))
    permit_id = scene.open_permit("item", run.run_id, 20, p_expires_at=now + timedelta(days=7))
    assert scene.permit_row(permit_id)["status"] == "OPEN"


def test_a_permit_that_expires_at_once_is_not_opened(scene: Scene, run: Run) -> None:
    scene.revoke(run.permit_id)
    with scene.unchanged(), refused(errors.PermitTerms):
        scene.open_permit("item", run.run_id, 20, p_expires_at=scene.value("SELECT clock_timestamp()"))


def test_a_run_has_at_most_one_open_permit_of_a_purpose(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.PermitInTheWay):
        scene.open_permit("item", run.run_id, 20)


def test_an_expired_permit_does_not_block_another(scene: Scene, run: Run) -> None:
    scene.expire(run.permit_id)
    further = run.under(scene.permit(run, 20))
    assert scene.permit_row(run.permit_id)["status"] == "EXPIRED"
    refused_everywhere(scene, run, errors.PermitExpired)
    scene.apply(further)
    assert scene.status(run) == ("done", None)


def test_a_permit_is_confirmed_once(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.PermitNotOpen):
        scene.confirm(run.permit_id)


def test_no_permit_is_opened_without_a_verdict(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.open_permit(item, plan["run_id"], 20)


def test_no_permit_is_opened_on_a_verdict_that_is_not_safe(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"], "NOT_SAFE_NEEDS_FIX")
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.open_permit(item, plan["run_id"], 20)


def test_no_permit_to_apply_is_opened_for_a_done_run(scene: Scene, run: Run) -> None:
    scene.apply(run)
    with scene.unchanged(), refused(errors.RunStatus):
        scene.open_permit("item", run.run_id, 20)


def test_no_permit_to_compensate_is_opened_for_a_run_that_wrote_nothing(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.RunStatus):
        scene.open_permit("item", run.run_id, 20, p_purpose="COMPENSATE")


def test_a_permit_is_opened_for_the_collection_of_its_run_only(scene: Scene, run: Run) -> None:
    scene.collection("other", 1)
    with scene.unchanged(), refused(errors.PermitScope):
        scene.open_permit("other", run.run_id, 20)


def test_a_run_of_many_batches_spends_its_permit_batch_by_batch(scene: Scene, run: Run) -> None:
    driver = scene.start(run, batch=6)
    assert scene.permit_row(run.permit_id)["spent_rows"] == 6
    scene.tune(run, 6, 0)
    driver.end()
    permit = scene.permit_row(run.permit_id)
    assert (permit["spent_rows"], permit["status"]) == (20, "CONSUMED")


@pytest.mark.parametrize(
    ("assignment", "constraint"),
    [
        ("spent_rows = 21", "bound"),
        ("spent_rows = -1", "bound"),
        ("max_rows = 0", "bound"),
        ("spent_rows = 1, confirmed_by = NULL, confirmed_at = NULL", "confirmed"),
        ("confirmed_by = opened_by", "confirmed"),
        ("confirmed_at = NULL", "confirmed"),
        ("expires_at = opened_at + interval '168 hours 1 second'", "expiry"),
        ("expires_at = 'infinity'", "expiry"),
        ("expires_at = opened_at", "expiry"),
        ("status = 'CONSUMED'", "status"),
        ("status = 'USED', closed_at = now()", "status"),
        ("closed_at = now()", "status"),
        ("purpose = 'BOTH'", "purpose"),
        ("reason = ' '", "reason"),
    ],
)
def test_constraints_reject_impossible_permits_of_a_superuser(
    scene: Scene, run: Run, assignment: str, constraint: str
) -> None:
    with scene.unchanged(), raised("23514") as caught:
        scene.execute(f"UPDATE birth.birth_admission_permit_v2 SET {assignment}".encode())
    assert caught.value.diag.constraint_name == f"birth_admission_permit_v2_{constraint}"


@pytest.mark.parametrize("column", ["max_rows", "spent_rows", "expires_at", "run_id", "collection_name", "purpose"])
def test_a_permit_needs_bound_expiry_and_scope(scene: Scene, run: Run, column: str) -> None:
    with scene.unchanged(), raised("23502"):
        scene.execute(f"UPDATE birth.birth_admission_permit_v2 SET {column} = NULL".encode())


def test_a_superuser_cannot_open_a_second_permit_of_a_run(scene: Scene, run: Run) -> None:
    with scene.unchanged(), raised("23505"):
        scene.execute(
            "INSERT INTO birth.birth_admission_permit_v2"
            " (collection_name, run_id, purpose, max_rows, reason, opened_by, expires_at)"
            " SELECT collection_name, run_id, purpose, 1, reason, opened_by, now() + interval '1 hour'"
            " FROM birth.birth_admission_permit_v2"
        )


def test_the_first_permit_table_stays_empty_and_closed(scene: Scene, run: Run) -> None:
    scene.apply(run)
    assert scene.value("SELECT count(*) FROM birth.birth_admission_permit") == 0
    assert scene.value("SELECT count(*) FROM birth.birth_backfill_ledger") == 0

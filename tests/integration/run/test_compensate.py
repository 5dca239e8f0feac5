"""Compensation: removes exactly what one run wrote, on a verdict and a permit of its own, and closes it for ever."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import (
    DBA,
    EVERYBODY,
    OPERATOR,
    OWNER,
    REVIEWER,
    SECOND_OPERATOR,
    SECOND_REVIEWER,
    STEWARD,
    Run,
    Scene,
    driven,
    name,
    raised,
    refused,
    step,
)
from world import wait_until_blocked

from birthdb import errors


@pytest.fixture
def run(scene: Scene, item: str) -> Run:
    """A done run of twenty births, among a live birth and a birth of another collection."""
    scene.collection("other", 3)
    scene.born("other", "other-1")
    scene.born(item, "item-20")
    made = scene.permitted(item)
    scene.apply(made, batch=8)
    assert made.delta == 19
    return made


@pytest.fixture
def undo(scene: Scene, run: Run) -> Run:
    """The same run, permitted to be undone."""
    return scene.compensable(run)


def test_compensation_deletes_exactly_the_births_of_the_run(scene: Scene, undo: Run) -> None:
    scene.compensate(undo)
    left = scene.rows("SELECT entity_code FROM birth.birth_registry ORDER BY 1")
    assert [row["entity_code"] for row in left] == ["item-20", "other-1"]


def test_the_ledger_records_the_compensation_and_keeps_the_run(scene: Scene, undo: Run) -> None:
    before = scene.ledger(undo)
    scene.compensate(undo, batch=8)
    row = scene.ledger(undo)
    assert (row["status"], row["stop_reason"], row["compensated_rows"], row["actual_inserted"]) == (
        "compensated",
        None,
        19,
        19,
    )
    assert row["compensating_since"] is not None
    for kept in ("written_fingerprint", "target_fingerprint", "planned_rows", "resume_marker", "max_rows"):
        assert row[kept] == before[kept]


def test_each_batch_of_a_compensation_leaves_a_receipt_in_the_same_chain(scene: Scene, undo: Run) -> None:
    scene.compensate(undo, batch=8)
    receipts = [(r["purpose"], r["written"], r["permit_id"] == undo.permit_id) for r in scene.receipts(undo)]
    assert receipts == [
        ("APPLY", 8, False),
        ("APPLY", 8, False),
        ("APPLY", 3, False),
        ("COMPENSATE", 8, True),
        ("COMPENSATE", 8, True),
        ("COMPENSATE", 3, True),
    ]


def test_every_compensation_batch_is_reported_by_a_notice(scene: Scene, undo: Run) -> None:
    assert scene.compensate(undo, batch=10) == [
        f"run {undo.run_id}: 10 of 19 undone, running",
        f"run {undo.run_id}: 19 of 19 undone, running",
        f"run {undo.run_id}: 19 of 19 undone, compensated",
    ]


def test_a_compensation_spends_and_consumes_its_own_permit(scene: Scene, undo: Run) -> None:
    scene.compensate(undo)
    permit = scene.permit_row(undo.permit_id)
    assert (permit["purpose"], permit["spent_rows"], permit["status"]) == ("COMPENSATE", 19, "CONSUMED")


def test_without_execute_a_compensation_checks_and_deletes_nothing(scene: Scene, undo: Run) -> None:
    with scene.unchanged():
        (notice,) = scene.compensate(undo, p_execute=False)
        scene.compensate(undo, p_execute=None)
    assert "19 births would be removed" in notice


def test_the_verdict_and_the_permit_to_apply_do_not_admit_a_compensation(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.compensate(run)
    scene.review(run.run_id, p_purpose="COMPENSATE")
    with scene.unchanged(), refused(errors.PermitNotOpen):
        scene.compensate(run)


def test_no_permit_to_compensate_is_opened_on_the_verdict_to_apply(scene: Scene, run: Run) -> None:
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.open_permit("item", run.run_id, 19, p_purpose="COMPENSATE")


def test_an_unsafe_verdict_stops_a_compensation(scene: Scene, undo: Run) -> None:
    scene.review(undo.run_id, "NOT_SAFE_NEEDS_FIX", p_purpose="COMPENSATE")
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.compensate(undo)


def test_a_permit_with_too_few_rows_does_not_admit_a_compensation(scene: Scene, run: Run) -> None:
    undo = scene.compensable(run, 18)
    with scene.unchanged(), refused(errors.PermitExhausted):
        scene.compensate(undo)


def test_an_expired_or_revoked_permit_does_not_admit_a_compensation(scene: Scene, undo: Run) -> None:
    scene.expire(undo.permit_id)
    with scene.unchanged(), refused(errors.PermitExpired):
        scene.compensate(undo)
    second = undo.under(scene.permit(undo, 19, "COMPENSATE"))
    scene.revoke(second.permit_id)
    with scene.unchanged(), refused(errors.PermitNotOpen):
        scene.compensate(second)


def test_a_permit_revoked_during_a_compensation_batch_keeps_its_births(scene: Scene, undo: Run) -> None:
    session, rival = scene.session(OPERATOR), scene.db.connect()
    with ThreadPoolExecutor(1) as elsewhere:
        with rival.transaction():
            rival.execute("SELECT FROM birth.birth_registry WHERE entity_code = 'item-1' FOR SHARE")
            waiting = elsewhere.submit(scene.compensate, undo)
            wait_until_blocked(scene.admin, session)
            scene.revoke(undo.permit_id)
        with refused(errors.PermitNotOpen):
            waiting.result(timeout=60)
    assert (scene.births(), scene.ledger(undo)["compensated_rows"]) == (21, 0)
    assert scene.status(undo) == ("stopped", "permit_not_open")


def test_a_compensation_waits_for_a_transaction_that_inserts_one_of_its_rows_again(scene: Scene, undo: Run) -> None:
    scene.ask(STEWARD, "fn_birth_gateway_attach", p_collection="item", p_mode="enforce")
    session = scene.session(OPERATOR)
    with ThreadPoolExecutor(1) as elsewhere, scene.db.connect() as application:
        with application.transaction():
            application.execute("DELETE FROM public.item WHERE id = 7")
            application.execute("INSERT INTO public.item VALUES (7, 'again')")
            waiting = elsewhere.submit(scene.compensate, undo)
            wait_until_blocked(scene.admin, session)
            assert "item-7" in scene.codes(undo)
        waiting.result(timeout=60)
    assert scene.status(undo) == ("compensated", None)


def test_a_compensation_needs_an_undrifted_contract_and_an_unfrozen_dot(scene: Scene, undo: Run) -> None:
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '1MB'")
    with scene.unchanged(), refused(errors.ContractDrift):
        scene.compensate(undo)
    scene.ask(OPERATOR, "fn_birth_dot_freeze", p_dot="dot-birth-backfill-apply", p_reason="a test")
    with scene.unchanged(), refused(errors.DotFrozen):
        scene.compensate(undo)


def test_reviewer_and_permit_owner_cannot_compensate(scene: Scene, run: Run) -> None:
    scene.review(run.run_id, p_purpose="COMPENSATE", by=EVERYBODY)
    undo = run.under(scene.permit(run, 19, "COMPENSATE"))
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.compensate(undo, by=EVERYBODY)


@pytest.mark.parametrize("person", [REVIEWER, OWNER, DBA])
def test_only_an_operator_can_compensate(scene: Scene, undo: Run, person: str) -> None:
    with scene.unchanged(), raised("42501"):
        scene.compensate(undo, by=person)


# --- touched births


def reference(scene: Scene) -> None:
    scene.execute(
        "CREATE TABLE public.label (code text REFERENCES birth.birth_registry);"
        " GRANT SELECT ON label TO birth_scanner;"
        " INSERT INTO label VALUES ('item-7'), ('item-9')"
    )


def change_the_origin(scene: Scene) -> None:
    scene.execute("UPDATE birth.birth_registry SET dot_origin = 'x' WHERE entity_code IN ('item-7', 'item-9')")


def change_the_time(scene: Scene) -> None:
    scene.execute("UPDATE birth.birth_registry SET born_at = now() WHERE entity_code IN ('item-7', 'item-9')")


def change_the_owner(scene: Scene) -> None:
    scene.execute("UPDATE birth.birth_registry SET collection_name = 'other' WHERE entity_code IN ('item-7', 'item-9')")


@pytest.mark.parametrize("touch", [reference, change_the_origin, change_the_time, change_the_owner], ids=name)
def test_changed_or_referenced_births_are_refused_and_listed(scene: Scene, undo: Run, touch: object) -> None:
    assert callable(touch)
    touch(scene)
    with scene.unchanged(), refused(errors.BirthsTouched) as caught:
        scene.compensate(undo)
    detail = str(caught.value.diag.message_detail)
    assert "item-7" in detail
    assert "item-9" in detail
    assert "item-8" not in detail
    scene.forged = True


@pytest.mark.parametrize(
    "touch",
    [
        "DELETE FROM birth.birth_registry WHERE entity_code = 'item-7'",
        "UPDATE birth.birth_registry SET entity_code = 'item-x' WHERE entity_code = 'item-7'",
        "UPDATE birth.birth_registry SET run_id = NULL WHERE entity_code = 'item-7'",
        "INSERT INTO birth.birth_registry SELECT born_at, run_id, 'more', collection_name, dot_origin"
        " FROM birth.birth_registry WHERE entity_code = 'item-7'",
    ],
)
def test_births_that_do_not_match_the_receipts_are_refused(scene: Scene, undo: Run, touch: str) -> None:
    scene.execute(touch.encode())
    with scene.unchanged(), refused(errors.BirthsTouched) as caught:
        scene.compensate(undo)
    assert "receipts leave 19 births" in str(caught.value.diag.message_detail)
    scene.forged = True


def test_a_deleted_reference_does_not_block_compensation(scene: Scene, undo: Run) -> None:
    reference(scene)
    scene.execute("DELETE FROM label")
    scene.compensate(undo)
    assert scene.status(undo) == ("compensated", None)


def test_a_birth_referenced_during_compensation_fails_it_and_is_kept(scene: Scene, undo: Run) -> None:
    scene.execute("CREATE TABLE public.label (code text REFERENCES birth.birth_registry)")
    scene.execute("GRANT SELECT ON label TO birth_scanner")
    driver = scene.start_compensation(undo)
    scene.execute("INSERT INTO label SELECT max(entity_code) FROM birth.birth_registry WHERE run_id IS NOT NULL")
    scene.go_on(undo)
    with refused(errors.BirthsTouched):
        driver.end()
    assert scene.status(undo) == ("failed", "births_touched")
    assert scene.value("SELECT count(*) FROM label JOIN birth.birth_registry ON entity_code = code") == 1


# --- one way


def test_after_the_first_compensation_batch_the_run_cannot_be_applied(scene: Scene, run: Run, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.stop(undo)
    with refused(errors.StopRequested):
        driver.end()
    assert scene.status(undo) == ("stopped", "stop_requested")
    with scene.unchanged():
        with refused(errors.RunStatus):
            scene.apply(run)
        with refused(errors.RunStatus):
            scene.write(run)
        with refused(errors.RunStatus):
            scene.review(run.run_id)
        with refused(errors.RunStatus):
            scene.open_permit("item", run.run_id, 5)


def test_a_compensated_run_cannot_be_applied_or_compensated_again(scene: Scene, run: Run, undo: Run) -> None:
    scene.compensate(undo)
    with scene.unchanged():
        with refused(errors.RunStatus):
            scene.apply(run)
        with refused(errors.RunStatus):
            scene.compensate(undo)
        with refused(errors.RunStatus):
            scene.review(run.run_id, p_purpose="COMPENSATE")
        with refused(errors.RunStatus):
            scene.open_permit("item", run.run_id, 5, p_purpose="COMPENSATE")


def test_compensated_rows_can_be_planned_and_applied_again(scene: Scene, undo: Run) -> None:
    scene.compensate(undo)
    again = scene.permitted("item")
    assert again.delta == 19
    scene.apply(again)
    assert scene.status(again) == ("done", None)
    assert scene.births() == 21


# --- as resumable as a run


def test_a_stopped_compensation_resumes_with_the_same_call(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.stop(undo)
    with refused(errors.StopRequested):
        driver.end()
    scene.go_on(undo)
    scene.compensate(undo)
    row = scene.ledger(undo)
    assert (row["status"], row["compensated_rows"], row["epoch"]) == ("compensated", 19, 3)
    assert scene.held_locks() == 0


def test_a_compensation_resumes_after_its_backend_was_killed(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (driver.pid,))
    assert scene.status(undo) == ("running", None)
    scene.go_on(undo)
    scene.compensate(undo, by=SECOND_OPERATOR)
    assert scene.status(undo) == ("compensated", None)


def test_a_compensation_resumes_under_another_permit_after_expiry(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.expire(undo.permit_id)
    scene.go_on(undo)
    with refused(errors.PermitExpired):
        driver.end()
    assert scene.status(undo) == ("stopped", "permit_expired")
    left = 19 - scene.ledger(undo)["compensated_rows"]
    scene.compensate(undo.under(scene.permit(undo, left, "COMPENSATE")))
    assert scene.status(undo) == ("compensated", None)


def test_a_failed_compensation_needs_a_new_verdict(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.review(undo.run_id, "NOT_SAFE_NEEDS_FIX", p_purpose="COMPENSATE", by=SECOND_REVIEWER)
    scene.go_on(undo)
    with refused(errors.VerdictMissing):
        driver.end()
    assert scene.status(undo) == ("failed", "verdict_missing")
    with scene.unchanged(), refused(errors.VerdictMissing):
        scene.compensate(undo)
    scene.absolve(undo.run_id, "COMPENSATE")
    scene.compensate(undo)
    assert scene.status(undo) == ("compensated", None)


def test_a_session_terminated_after_the_run_does_not_block_compensation(scene: Scene, undo: Run) -> None:
    left = "SELECT pg_advisory_lock(birth.fn_birth_lock_key(format('run:%%s:%%s', run_id, epoch)))"
    scene.execute(f"{left} FROM birth.birth_backfill_ledger_v2 WHERE run_id = %s", (undo.run_id,))
    scene.compensate(undo, by=SECOND_OPERATOR)
    assert scene.status(undo) == ("compensated", None)


def test_a_concurrent_caller_gets_the_session_that_compensates(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    with scene.unchanged(), refused(errors.RunHeld) as caught:
        scene.compensate(undo, by=SECOND_OPERATOR)
    assert str(driver.pid) in str(caught.value.diag.message_detail)


def test_a_stopped_run_is_compensated_as_far_as_it_wrote(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    scene.stopped_after_a_batch(run)
    scene.compensate(scene.compensable(run))
    row = scene.ledger(run)
    assert (row["status"], row["compensated_rows"], row["actual_inserted"]) == ("compensated", 5, 5)
    assert scene.births() == 0


def test_a_run_without_births_cannot_be_compensated(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    with scene.unchanged(), refused(errors.RunStatus):
        scene.compensate(run)


def test_a_compensation_is_refused_inside_a_transaction_and_under_a_timeout(scene: Scene, undo: Run) -> None:
    with scene.unchanged(), raised("2D000"), scene.session(OPERATOR).transaction():
        scene.compensate(undo)
    scene.session(OPERATOR).execute("SET statement_timeout = '1h'")
    with scene.unchanged(), refused(errors.TimeoutWouldCut):
        scene.compensate(undo)


def test_a_run_is_not_compensated_while_a_forged_birth_has_its_run_id(scene: Scene, undo: Run) -> None:
    scene.forged = True
    driver = scene.start_compensation(undo)
    scene.execute(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin, born_at, run_id)"
        " SELECT 'forged', collection_name, dot_origin, born_at, run_id"
        " FROM birth.birth_registry WHERE run_id = %s LIMIT 1",
        (undo.run_id,),
    )
    scene.go_on(undo, batch=14)
    with refused(errors.FalseDone):
        driver.end()
    assert scene.status(undo) == ("failed", "false_done")


def test_a_compensation_with_missing_births_fails(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.execute("DELETE FROM birth.birth_registry WHERE run_id IS NOT NULL")
    scene.go_on(undo)
    with refused(errors.FalseDone):
        driver.end()
    assert scene.status(undo) == ("failed", "false_done")
    scene.forged = True


def test_a_permit_that_expires_before_the_proof_is_followed_by_the_one_that_the_next_step_names(
    scene: Scene, undo: Run
) -> None:
    driver = scene.start_compensation(undo, batch=20)
    scene.expire(undo.permit_id)
    scene.go_on(undo)
    with refused(errors.PermitExpired):
        driver.end()
    assert (scene.births(), scene.status(undo)) == (2, ("stopped", "permit_expired"))
    step = scene.value("SELECT birth.fn_birth_run_next_step(%s)", (undo.run_id,))
    (permit,) = scene.rows(step.encode(), person=OWNER)
    scene.confirm(permit["permit_id"])
    scene.compensate(undo.under(permit["permit_id"]))
    assert scene.status(undo) == ("compensated", None)


def test_receipts_of_a_compensation_name_no_range_of_the_source(scene: Scene, undo: Run) -> None:
    scene.compensate(undo, batch=8)
    undone = [row for row in scene.receipts(undo) if row["purpose"] == "COMPENSATE"]
    assert [row["key_after"] for row in undone] == [None, None, None]


def test_the_definition_cannot_change_between_the_last_removal_and_the_proof(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo, batch=20)
    scene.stop(undo)
    scene.go_on(undo)
    with refused(errors.StopRequested):
        driver.end()
    assert (scene.births(), scene.status(undo)[0]) == (2, "stopped")
    with scene.unchanged(), refused(errors.DefinitionInUse):
        scene.ask(
            STEWARD,
            "fn_birth_identity_classify",
            p_collection="item",
            p_strategy="synthetic_id",
            p_column="id",
            p_prefix="x-",
        )


def test_referencing_tables_are_read_only_for_an_operator_with_verdict_and_permit(scene: Scene, run: Run) -> None:
    reference(scene)
    permitted = scene.compensable(run)
    asked = (
        "SELECT c.check_name, c.pass FROM birth.birth_backfill_ledger_v2 l,"
        " LATERAL birth.fn_birth_checks('start', l, 'COMPENSATE',"
        " jsonb_populate_record(l, jsonb_build_object('permit_id', {}::bigint))) c"
        " WHERE c.check_name = 'the purpose itself finds nothing in the way'"
    )
    told = asked.format(permitted.permit_id).encode()
    assert [row["pass"] for row in scene.rows(told, person=OPERATOR)] == [False]
    assert scene.rows(told, person=REVIEWER) == []
    assert scene.rows(asked.format(run.permit_id).encode(), person=OPERATOR) == []
    scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", p_purpose="COMPENSATE")
    assert scene.rows(told, person=OPERATOR) == []


def test_an_apply_is_not_begun_by_a_statement_that_names_another_purpose(scene: Scene, item: str) -> None:
    run = scene.permitted(item)
    arguments = ", ".join(f"{key} := %({key})s" for key in run.arguments(p_batch=10, p_dot_origin="x"))
    statement = f"SELECT * FROM birth.fn_birth_run_begin({arguments}) /* {{}} */"
    for named in ("sp_dot_birth_qt001_compensate", "fn_dot_birth_qt001_apply"):
        with scene.unchanged(), refused(errors.RoutineNotNamed):
            scene.session(OPERATOR).execute(
                statement.format(named).encode(), run.arguments(p_batch=10, p_dot_origin="x")
            )


def test_a_batch_that_comes_no_further_fails_the_run(scene: Scene, run: Run) -> None:
    scene.replace_routine("fn_birth_compensate_write", ("b.entity_code = ANY (p_codes)", "false"))
    undo = scene.compensable(run)
    given = {"p_run_id": undo.run_id, "p_permit_id": undo.permit_id, "p_batch": 8, "p_step": "begin"}
    holder = scene.session(OPERATOR)
    holder.execute(driven("fn_dot_birth_qt001_compensate", given, "compensate"), given)
    # One step: without the check a CALL would never end.
    with refused(errors.FalseDone) as caught:
        step(holder, undo, 8, "COMPENSATE")
    assert "came no further" in str(caught.value.diag.message_detail)
    assert (scene.births(), scene.status(undo)) == (21, ("failed", "false_done"))

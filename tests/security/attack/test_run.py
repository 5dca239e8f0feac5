"""Attacks on a run: by other sessions at the same moment, by locks, by references, by a mistyped argument."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from helpers import (
    EVERYBODY,
    OPERATOR,
    OWNER,
    REVIEWER,
    SECOND_REVIEWER,
    Driver,
    Run,
    Scene,
    begin,
    driven,
    raised,
    refused,
    statement,
)
from psycopg import IsolationLevel
from world import wait_until_blocked

from birthdb import errors


@pytest.fixture
def undo(scene: Scene, run: Run) -> Run:
    """A done run of twenty births, permitted to be undone."""
    scene.apply(run)
    return scene.compensable(run)


def wait_until_paused(scene: Scene, driver: Driver) -> None:
    """Return as soon as the driver sleeps between two batches."""
    query = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s"
    scene.until(driver, lambda: scene.value(query, (driver.pid,)), "pausing")


def pid_locks(scene: Scene, pid: int) -> int:
    count: int = scene.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", (pid,))
    return count


# --- a pace


def test_a_run_resumed_during_its_pause_waits_and_continues(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.stop(run)
    with refused(errors.StopRequested):
        driver.end()
    again = scene.start_again(run)
    wait_until_paused(scene, again)
    scene.go_on(run)
    again.end()
    assert scene.status(run) == ("done", None)


def test_a_compensation_resumed_during_its_pause_waits_and_continues(scene: Scene, undo: Run) -> None:
    driver = scene.start_compensation(undo)
    scene.stop(undo)
    with refused(errors.StopRequested):
        driver.end()
    arguments = {"p_run_id": undo.run_id, "p_permit_id": undo.permit_id, "p_batch": 5, "p_execute": True}
    again = scene.send(
        scene.db.connect(OPERATOR), statement("CALL", "sp_dot_birth_qt001_compensate", arguments), arguments
    )
    wait_until_paused(scene, again)
    scene.go_on(undo)
    again.end()
    assert scene.status(undo) == ("compensated", None)


def test_a_batch_does_not_wait_long_for_a_lock(scene: Scene) -> None:
    configured = scene.rows(
        "SELECT proname FROM pg_proc WHERE 'lock_timeout=5s' = ANY (proconfig)"
        " AND pronamespace = 'birth'::regnamespace"
        " AND proname ~ '^fn_(dot_birth_qt001_(apply|compensate)|birth_run_step)$' ORDER BY 1"
    )
    assert [row["proname"] for row in configured] == [
        "fn_birth_run_step",
        "fn_dot_birth_qt001_apply",
        "fn_dot_birth_qt001_compensate",
    ]


# --- two parts at the same moment


def test_concurrent_conflicting_duties_of_one_person_are_refused(scene: Scene, item: str) -> None:
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    other = scene.db.connect(EVERYBODY)
    verdict = {"p_run_id": plan["run_id"], "p_verdict": "SAFE", "p_findings": "mine"}
    with ThreadPoolExecutor(1) as elsewhere:
        with scene.session(EVERYBODY).transaction():
            scene.open_permit(item, plan["run_id"], 20, by=EVERYBODY)
            waiting = elsewhere.submit(other.execute, statement("SELECT", "fn_birth_review_record", verdict), verdict)
            wait_until_blocked(scene.admin, other)
        with refused(errors.SeparationOfDuties):
            waiting.result(timeout=60)
    assert scene.value("SELECT count(*) FROM birth.birth_review WHERE reviewed_by = %s", (EVERYBODY,)) == 0


def test_conflicting_duties_stop_a_direct_call_of_the_writer(scene: Scene, run: Run) -> None:
    # The act itself would be refused: here a superuser forges it.
    scene.execute(
        "INSERT INTO birth.birth_act (act, actor, run_id, lineage) VALUES ('review', %s, %s, %s)",
        (OWNER, run.run_id, run.run_id),
    )
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.write(run)
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.apply(run)


# --- references to births


def test_compensation_does_not_cascade_to_a_reference_created_between_batches(scene: Scene, undo: Run) -> None:
    scene.execute("CREATE TABLE public.label (code text REFERENCES birth.birth_registry ON DELETE CASCADE)")
    scene.execute("GRANT SELECT ON label TO birth_scanner")
    driver = scene.start_compensation(undo)
    scene.execute("INSERT INTO label SELECT entity_code FROM birth.birth_registry")
    scene.go_on(undo)
    with refused(errors.BirthsTouched):
        driver.end()
    assert scene.status(undo) == ("failed", "births_touched")
    assert scene.births() == scene.value("SELECT count(*) FROM label") == 15


def test_compensation_does_not_cascade_to_a_concurrent_reference(scene: Scene, undo: Run) -> None:
    scene.execute("CREATE TABLE public.label (code text REFERENCES birth.birth_registry ON DELETE CASCADE)")
    scene.execute("GRANT SELECT ON label TO birth_scanner")
    driver = scene.start_compensation(undo)
    other = scene.db.connect()
    with other.transaction():
        other.execute("INSERT INTO label SELECT entity_code FROM birth.birth_registry")
        scene.go_on(undo)
        wait_until_blocked(scene.admin, driver.conn)
    with refused(errors.BirthsTouched):
        driver.end()
    assert scene.births() == scene.value("SELECT count(*) FROM label") == 15


def test_a_referencing_table_that_cannot_be_read_is_refused_with_the_grant(scene: Scene, undo: Run) -> None:
    scene.execute('CREATE TABLE public."my label" (code text REFERENCES birth.birth_registry ON DELETE CASCADE)')
    for execute in (False, True):
        with scene.unchanged(), refused(errors.BirthsTouched) as caught:
            scene.compensate(undo, p_execute=execute)
        assert 'GRANT SELECT ON public."my label" TO birth_scanner;' in str(caught.value.diag.message_detail)
    scene.execute('GRANT SELECT ON public."my label" TO birth_scanner')
    scene.compensate(undo)
    assert scene.births() == 0


def test_a_constraint_that_fails_at_the_end_of_a_batch_is_recorded_and_leaves_no_lock(scene: Scene, run: Run) -> None:
    # References are looked for before; without that, only the deferred constraint is left.
    scene.replace_routine("fn_birth_compensate_write", ("birth.fn_birth_compensate_fault(p_run, p_codes)", "NULL"))
    scene.review(run.run_id)
    scene.apply(run)
    undo = scene.compensable(run)
    scene.execute("CREATE TABLE public.label (code text REFERENCES birth.birth_registry DEFERRABLE INITIALLY DEFERRED)")
    scene.execute("GRANT SELECT ON label TO birth_scanner")
    driver = scene.start_compensation(undo)
    scene.execute("INSERT INTO label SELECT entity_code FROM birth.birth_registry")
    scene.go_on(undo)
    with raised("23503"):
        driver.end()
    assert scene.status(undo) == ("failed", "23503")
    assert pid_locks(scene, driver.pid) == 0
    assert scene.births() == 15


# --- locks and moments


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_lock_of_the_next_attempt_held_elsewhere_is_reported_at_once(scene: Scene, run: Run, epoch: int) -> None:
    if epoch == 2:
        scene.stopped_after_a_batch(run)
    scene.execute(
        "SELECT pg_advisory_lock(birth.fn_birth_lock_key(format('run:%%s:%%s', %s, %s)))", (run.run_id, epoch)
    )
    # A call that waited would end with another error.
    scene.session(OPERATOR).execute("SET lock_timeout = '5s'")
    with scene.unchanged(), refused(errors.RunHeld):
        scene.apply(run)
    assert scene.held_locks() == 0
    scene.execute("SELECT pg_advisory_unlock_all()")
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_a_permit_that_is_revoked_while_the_writer_writes_admits_nothing(scene: Scene, run: Run) -> None:
    writer, rival = scene.session(OPERATOR), scene.db.connect()
    # A revoke that waited for the writer would wait for ever.
    scene.session(OWNER).execute("SET lock_timeout = '5s'")
    with ThreadPoolExecutor(1) as elsewhere:
        with rival.transaction(force_rollback=True):
            # The writer waits to learn whether this code is taken.
            rival.execute(
                "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin)"
                " VALUES ('item-20', 'item', 'of a rival')"
            )
            waiting = elsewhere.submit(scene.write, run)
            wait_until_blocked(scene.admin, writer)
            scene.revoke(run.permit_id)
        with refused(errors.PermitNotOpen):
            waiting.result(timeout=60)
    assert scene.births() == 0
    assert scene.status(run) == ("planned", None)


def test_a_verdict_does_not_wait_for_the_driver_and_covers_only_failures_it_saw(scene: Scene, run: Run) -> None:
    holder = scene.db.connect(OPERATOR)
    begin(holder, run)
    scene.collection("other", 1)
    scene.born("other", "item-3")
    for person in (REVIEWER, SECOND_REVIEWER):
        scene.session(person).execute("SET lock_timeout = '1s'")
    with holder.transaction():
        given = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_purpose": "APPLY", "p_batch": 10}
        holder.execute(driven("fn_birth_run_step", given), given)
        scene.review(run.run_id)
        against = scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX", by=SECOND_REVIEWER)["review_id"]
        scene.review(run.run_id, p_supersedes=[against])
    assert scene.status(run) == ("failed", "code_foreign")
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")
    with scene.unchanged(), refused(errors.VerdictMissing) as caught:
        scene.apply(run)
    assert "it failed after the verdict" in str(caught.value.diag.message_detail)
    scene.review(run.run_id)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


@pytest.mark.parametrize("verdict", ["SAFE", "NOT_SAFE_NEEDS_FIX"])
def test_advisory_locks_of_a_reader_do_not_block_a_verdict(scene: Scene, run: Run, verdict: str) -> None:
    nora = scene.session("nora_nobody")
    for key in ("lineage:{0}", "run:{0}:0", "run:{0}:1", "claim:item", "release"):
        nora.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"birth.{key.format(run.run_id)}",))
    recorded = scene.review(run.run_id, verdict)
    assert recorded["verdict"] == verdict


def test_a_reader_cannot_lock_the_row_that_serializes_verdicts(scene: Scene, run: Run) -> None:
    scene.execute("GRANT birth_reader TO nora_nobody")
    try:
        for strength in ("KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"):
            with raised("42501"):
                scene.session("nora_nobody").execute(f"SELECT FROM birth.birth_act FOR {strength}".encode())
    finally:
        scene.execute("REVOKE birth_reader FROM nora_nobody")


def test_a_verdict_not_safe_does_not_wait_for_open_acts(scene: Scene, run: Run) -> None:
    with scene.session(OPERATOR).transaction():
        scene.write(run)
        scene.execute("ALTER FUNCTION birth.fn_birth_review_record SET lock_timeout = '100ms'")
        scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
        with scene.unchanged(), refused(errors.RunHeld) as caught:
            scene.absolve(run.run_id)
        pid = scene.session(OPERATOR).info.backend_pid
        assert f"{OPERATOR}, backend {pid}" in str(caught.value.diag.message_detail)
        assert f"SELECT pg_catalog.pg_terminate_backend({pid});" in str(caught.value.diag.message_hint)
    scene.absolve(run.run_id, "COMPENSATE")


def test_a_verdict_not_safe_does_not_wait_for_the_stop_of_an_interrupted_run(scene: Scene, run: Run) -> None:
    driver = scene.start(run)
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (driver.pid,))
    scene.execute("ALTER FUNCTION birth.fn_birth_review_record SET lock_timeout = '100ms'")
    with scene.session(OPERATOR).transaction():
        scene.stop(run)
        scene.review(run.run_id, "NOT_SAFE_NEEDS_FIX")
    assert scene.status(run) == ("stopped", "interrupted")


def test_of_two_concurrent_safe_verdicts_the_later_supersedes_the_earlier(scene: Scene, run: Run) -> None:
    first, other = scene.session(REVIEWER), scene.db.connect(SECOND_REVIEWER)
    verdict = {"p_run_id": run.run_id, "p_verdict": "SAFE", "p_findings": "the later"}
    with ThreadPoolExecutor(1) as elsewhere:
        with first.transaction():
            scene.review(run.run_id, p_findings="the earlier")
            waiting = elsewhere.submit(other.execute, statement("SELECT", "fn_birth_review_record", verdict), verdict)
            wait_until_blocked(scene.admin, other)
        waiting.result(timeout=60)
    assert scene.rows("SELECT findings FROM birth.v_birth_verdict_standing") == [{"findings": "the later"}]


def test_a_verdict_not_safe_concurrent_with_a_conflicting_act_stops_the_run(scene: Scene, item: str) -> None:
    """The verdict waits for nobody, so that only the check before anything is written can find it."""
    plan = scene.plan(item)
    scene.review(plan["run_id"])
    other = scene.db.connect(EVERYBODY)
    verdict = {"p_run_id": plan["run_id"], "p_verdict": "NOT_SAFE_NEEDS_FIX", "p_findings": "mine"}
    with scene.session(EVERYBODY).transaction():
        permit_id = scene.open_permit(item, plan["run_id"], 20, by=EVERYBODY)
        other.execute(statement("SELECT", "fn_birth_review_record", verdict), verdict)
    scene.absolve(plan["run_id"])
    scene.confirm(permit_id)
    with scene.unchanged(), refused(errors.SeparationOfDuties):
        scene.apply(Run(item, plan["run_id"], permit_id, 20, 20))


# --- plans


def test_the_predecessor_of_a_plan_is_the_unfinished_run_with_births(scene: Scene, item: str) -> None:
    written, idle = scene.plan(item)["run_id"], scene.plan(item)["run_id"]
    runs = []
    for run_id in (idle, written):
        scene.review(run_id)
        made = Run(item, run_id, 0, 20, 20)
        runs.append(made.under(scene.permit(made, 20)))
    holder = scene.db.connect(OPERATOR)
    begin(holder, runs[0])
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    with suppress(psycopg.Error):
        holder.close()
    scene.stop(runs[0])
    assert scene.status(runs[0])[0] == "stopped"
    scene.stopped_after_a_batch(runs[1])
    following = scene.ledger(scene.plan(item)["run_id"])
    assert following["predecessor"] == written
    assert following["lineage"] == scene.ledger(written)["lineage"]
    assert following["expected_delta"] == 15


def test_a_resumed_run_keeps_its_origin(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    with scene.unchanged(), refused(errors.DeltaMismatch) as caught:
        scene.apply(run, p_dot_origin="typo")
    assert "typo" in str(caught.value.diag.message_detail)
    scene.apply(run)
    assert scene.status(run) == ("done", None)


@pytest.mark.parametrize(
    ("person", "routine"),
    [(OPERATOR, "fn_birth_run_begin"), (REVIEWER, "fn_birth_review_record"), (OWNER, "fn_birth_permit_revoke")],
)
def test_run_operations_require_read_committed(scene: Scene, run: Run, person: str, routine: str) -> None:
    arguments = {
        "fn_birth_run_begin": run.arguments(p_batch=5, p_dot_origin="dot-birth-backfill-apply"),
        "fn_birth_review_record": {"p_run_id": run.run_id, "p_verdict": "SAFE", "p_findings": "x"},
        "fn_birth_permit_revoke": {"p_permit_id": run.permit_id, "p_reason": "x"},
    }[routine]
    session = scene.session(person)
    session.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    query = driven(routine, arguments)
    with scene.unchanged(), refused(errors.IsolationLevel), session.transaction():
        session.execute(query, arguments)

"""A driver of one's own: whoever holds a run may send its steps by hand, and is asked what the procedure is asked."""

from collections.abc import Callable

import psycopg
import pytest
from helpers import (
    DBA,
    OPERATOR,
    SECOND_OPERATOR,
    STEWARD,
    Run,
    Scene,
    begin,
    driven,
    raised,
    refused,
    statement,
    step,
)

from birthdb import errors
from birthdb.errors import BirthError


@pytest.fixture
def holder(scene: Scene, run: Run) -> psycopg.Connection[tuple[object, ...]]:
    """A session that holds the run without the procedure."""
    session = scene.session(OPERATOR)
    begin(session, run)
    return session


Holder = psycopg.Connection[tuple[object, ...]]


@pytest.mark.parametrize(
    "changed",
    [{"p_expected_delta": 19}, {"p_max_rows": 19}, {"p_dot_origin": "another"}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_new_attempt_needs_the_parameters_of_the_first(scene: Scene, run: Run, changed: dict[str, object]) -> None:
    scene.stopped_after_a_batch(run)
    given = run.arguments(p_batch=10, p_dot_origin="dot-birth-backfill-apply") | changed
    with scene.unchanged(), refused(errors.DeltaMismatch):
        scene.session(OPERATOR).execute(driven("fn_birth_run_begin", given), given)


@pytest.mark.parametrize("mode", ["apply", None])
def test_an_attempt_is_made_in_a_known_mode(scene: Scene, run: Run, mode: str | None) -> None:
    given = run.arguments(p_batch=10, p_dot_origin="dot-birth-backfill-apply", p_mode=mode)
    with scene.unchanged(), refused(errors.BadArgument):
        scene.session(OPERATOR).execute(driven("fn_birth_run_begin", given), given)


def test_an_identity_cannot_be_reclassified_while_a_run_starts(scene: Scene, run: Run) -> None:
    change = {"p_collection": "item", "p_strategy": "synthetic_id", "p_column": "id", "p_prefix": "another-"}
    holder = scene.session(OPERATOR)
    with holder.transaction():
        begin(holder, run)
        steward = scene.send(
            scene.db.connect(STEWARD), statement("SELECT", "fn_birth_identity_classify", change), change
        )
        scene.wait_for(steward, holder.info.backend_pid)
    with refused(errors.DefinitionInUse):
        steward.end()


def test_a_batch_spends_the_permit_that_the_attempt_holds(scene: Scene, run: Run, holder: Holder) -> None:
    scene.revoke(run.permit_id)
    second = run.under(scene.permit(run, 20))
    with refused(errors.PermitScope):
        step(holder, second)
    assert scene.births() == 0


def test_a_run_under_compensation_writes_no_batch(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    undo = scene.compensable(run)
    holder = scene.session(OPERATOR)
    given = {"p_run_id": undo.run_id, "p_permit_id": undo.permit_id, "p_batch": 5, "p_step": "begin"}
    query = driven("fn_dot_birth_qt001_compensate", given, "compensate")
    holder.execute(query, given)
    with refused(errors.RunStatus):
        step(holder, undo)
    scene.review(undo.run_id, p_purpose="COMPENSATE")
    holder.execute(query, given)
    step(holder, undo, 5, "COMPENSATE")
    step(holder, undo, 5, "COMPENSATE")
    assert scene.status(run) == ("compensated", None)


def test_an_attempt_without_births_cannot_be_compensated(scene: Scene, run: Run, holder: Holder) -> None:
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    scene.stop(run, by=SECOND_OPERATOR)
    scene.review(run.run_id, p_purpose="COMPENSATE")
    with scene.unchanged(), refused(errors.RunStatus):
        scene.compensate(run, by=SECOND_OPERATOR)


def test_a_batch_is_asked_for_the_contract_before_its_permit(scene: Scene, run: Run, holder: Holder) -> None:
    scene.revoke(run.permit_id)
    scene.execute("ALTER FUNCTION birth.fn_birth_run_batch SET work_mem = '1MB'")
    with refused(errors.ContractDrift):
        step(holder, run)


# --- who drives, and what becomes of it


def test_a_comment_with_the_drivers_name_does_not_turn_a_direct_call_into_a_driver_step(
    scene: Scene, run: Run, holder: Holder
) -> None:
    given = run.arguments(p_batch_size=1000, p_dry_run=False, p_execute=True)
    with scene.unchanged(), refused(errors.DriverRequired):
        holder.execute(driven("fn_dot_birth_qt001_apply", given), given)


def test_only_a_driver_step_removes_a_compensation_batch(scene: Scene, run: Run) -> None:
    scene.apply(run)
    undo = scene.compensable(run)
    holder = scene.session(OPERATOR)
    parts = (
        ("begin", None),
        ("batch", errors.DriverRequired),
        ("BEGIN", errors.DriverRequired),
        (None, errors.DriverRequired),
    )
    for part, refusal in parts:
        given = {"p_run_id": undo.run_id, "p_permit_id": undo.permit_id, "p_batch": 5, "p_step": part}
        query = driven("fn_dot_birth_qt001_compensate", given, "compensate")
        if refusal is None:
            holder.execute(query, given)
            continue
        with scene.unchanged(), refused(refusal):
            holder.execute(query, given)
    assert scene.births() == 20


@pytest.mark.parametrize(
    "changed",
    [
        {"p_purpose": "UNDO"},
        {"p_purpose": None},
        {"p_batch": 0},
        {"p_batch": None},
        {"p_run_id": None},
        {"p_permit_id": None},
    ],
)
def test_a_step_with_bad_arguments_is_refused_and_does_not_end_the_run(
    scene: Scene, run: Run, holder: Holder, changed: dict[str, object]
) -> None:
    given = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_purpose": "APPLY", "p_batch": 5} | changed
    with scene.unchanged(), refused(errors.BadArgument):
        holder.execute(driven("fn_birth_run_step", given), given)


def test_an_operator_cannot_report_the_outcome_of_a_batch(scene: Scene, run: Run, holder: Holder) -> None:
    given = {"p_run_id": run.run_id, "p_sqlstate": "57014", "p_message": "a cancel, honestly"}
    with scene.unchanged(), raised("42501"):
        holder.execute(driven("fn_birth_run_outcome", given), given)


def test_a_failed_step_is_recorded_and_the_run_needs_a_new_verdict(scene: Scene, run: Run, holder: Holder) -> None:
    fails(scene)
    with refused(errors.CodeForeign):
        step(holder, run)
    assert scene.status(run) == ("failed", "code_foreign")
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")
    with scene.unchanged():
        with refused(errors.RunStatus):
            step(holder, run)
        with refused(errors.VerdictMissing):
            scene.apply(run, by=SECOND_OPERATOR)


# --- a failure that is rolled back


def fails(scene: Scene) -> None:
    """Have the next batch fail."""
    scene.collection("other", 1)
    scene.born("other", "item-3")


def undone(scene: Scene, run: Run, holder: Holder) -> None:
    """Do a step that fails, roll that back, and take its cause away."""
    fails(scene)
    with scene.unchanged(), refused(errors.CodeForeign), holder.transaction():
        step(holder, run)
    assert scene.status(run) == ("running", None)
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")


def step_again(scene: Scene, run: Run, holder: Holder) -> None:
    step(holder, run)


def call_again(scene: Scene, run: Run, holder: Holder) -> None:
    scene.apply(run)


def call_elsewhere(scene: Scene, run: Run, holder: Holder) -> None:
    scene.apply(run, by=SECOND_OPERATOR)


def stop_and_call(scene: Scene, run: Run, holder: Holder) -> None:
    scene.stop(run, by=SECOND_OPERATOR)
    assert scene.status(run) == ("stopped", "interrupted")
    scene.apply(run)


Ways = pytest.mark.parametrize(
    "way", [step_again, call_again, call_elsewhere, stop_and_call], ids=lambda way: way.__name__
)


@Ways
def test_a_rolled_back_failure_blocks_the_run_as_long_as_its_session_lives(
    scene: Scene, run: Run, holder: Holder, way: Callable[[Scene, Run, Holder], None]
) -> None:
    undone(scene, run, holder)
    with refused(errors.OutcomeUndone) as told:
        way(scene, run, holder)
    assert OPERATOR in str(told.value.diag.message_detail)
    assert f"SELECT pg_catalog.pg_terminate_backend({holder.info.backend_pid});" in str(told.value.diag.message_hint)
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    scene.apply(run, by=SECOND_OPERATOR)
    assert (scene.status(run), scene.ledger(run)["epoch"]) == (("done", None), 2)


def test_a_session_that_releases_its_advisory_locks_loses_the_run(scene: Scene, run: Run, holder: Holder) -> None:
    undone(scene, run, holder)
    holder.execute("SELECT pg_advisory_unlock_all()")
    with refused(errors.RunTakenOver):
        step(holder, run)


def test_an_uncommitted_failure_still_blocks_the_run(scene: Scene, run: Run, holder: Holder) -> None:
    fails(scene)
    leave = {"p_run_id": run.run_id}
    with holder.transaction(force_rollback=True):
        given = {"p_run_id": run.run_id, "p_permit_id": run.permit_id, "p_purpose": "APPLY", "p_batch": 10}
        holder.execute(driven("fn_birth_run_step", given), given)
        holder.execute(driven("fn_birth_run_leave", leave), leave)
    scene.execute("DELETE FROM birth.birth_registry WHERE entity_code = 'item-3'")
    with scene.unchanged(), refused(errors.OutcomeUndone):
        scene.apply(run)


def test_a_takeover_frees_a_run_whose_failure_was_rolled_back(scene: Scene, run: Run, holder: Holder) -> None:
    undone(scene, run, holder)
    scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="it rolls back what it fails at")
    scene.apply(run, by=SECOND_OPERATOR)
    assert scene.status(run) == ("done", None)


def test_a_rolled_back_attempt_leaves_a_line_in_the_server_log(scene: Scene, run: Run) -> None:
    session = scene.session(OPERATOR)
    # Who asks for it sees what the server's log gets; that it is logged, nobody but a superuser can change.
    session.execute("SET client_min_messages = log")
    lines: list[str] = []
    session.add_notice_handler(
        lambda said: lines.append(str(said.message_primary)) if said.severity_nonlocalized == "LOG" else None
    )
    with session.transaction(force_rollback=True):
        begin(session, run)
    assert [line for line in lines if f"run {run.run_id}, attempt 1 begins, by {OPERATOR}" in line]
    lines.clear()
    begin(session, run)
    undone(scene, run, session)
    assert [line for line in lines if f"run {run.run_id}, attempt 1, of {OPERATOR}: failed NB108" in line]


def test_another_roles_lock_does_not_count_as_a_failed_batch(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    scene.session("nora_nobody").execute(
        "SELECT pg_advisory_lock(hashtextextended(format('birth.failed:%%s:1', %s::text), 0))", (run.run_id,)
    )
    scene.apply(run)
    assert scene.status(run) == ("done", None)


def test_another_roles_lock_does_not_make_an_interrupted_run_look_held(scene: Scene, run: Run, holder: Holder) -> None:
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    scene.session("nora_nobody").execute(
        "SELECT pg_advisory_lock(hashtextextended(format('birth.run:%%s:1', %s::text), 0))", (run.run_id,)
    )
    (row,) = scene.rows("SELECT interrupted, next_step FROM birth.v_birth_run_progress")
    assert row["interrupted"]
    assert row["next_step"].startswith("CALL birth.sp_dot_birth_qt001_apply")
    scene.apply(run, by=SECOND_OPERATOR)
    assert scene.status(run) == ("done", None)


@pytest.mark.parametrize(
    ("lock", "refusal"),
    [("claim:item", errors.RunHeld), ("release", errors.ReleaseInProgress), ("run:{}:1", errors.RunHeld)],
)
def test_a_session_that_blocks_a_run_is_named_with_the_statement_that_ends_it(
    scene: Scene, run: Run, lock: str, refusal: type[BirthError]
) -> None:
    stranger = scene.session("nora_nobody")
    stranger.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"birth.{lock.format(run.run_id)}",))
    with scene.unchanged(), refused(refusal) as told:
        scene.apply(run)
    assert f"nora_nobody, backend {stranger.info.backend_pid}" in str(told.value.diag.message_detail)
    assert f"SELECT pg_catalog.pg_terminate_backend({stranger.info.backend_pid});" in str(told.value.diag.message_hint)
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (stranger.info.backend_pid,))
    scene.apply(run)
    assert scene.status(run) == ("done", None)

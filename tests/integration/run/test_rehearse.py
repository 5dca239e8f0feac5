"""The rehearsal: the writer's own work, rolled back."""

from typing import Any

import pytest
from helpers import LYING_CORE, OPERATOR, OWNER, REVIEWER, Row, Scene, raised, refused

from birthdb import errors


def rehearse(scene: Scene, collection: str = "item", **arguments: Any) -> Row:
    return scene.ask_one(OPERATOR, "fn_dot_birth_qt001_rehearse", p_collection=collection, **arguments)


def test_a_rehearsal_executes_completely_and_is_rolled_back(scene: Scene, item: str) -> None:
    with scene.unchanged(besides="birth_act"):
        row = rehearse(scene)
    assert (row["status"], row["expected_delta"], row["actual_inserted"], row["rerun_delta"]) == ("done", 20, 20, 0)
    assert (row["skipped"], row["blocked"], row["resume_marker"]) == (0, 0, ["20"])


def test_a_rehearsal_needs_neither_plan_nor_verdict_nor_permit(scene: Scene, item: str) -> None:
    assert rehearse(scene)["status"] == "done"
    for table in ("birth_backfill_ledger_v2", "birth_review", "birth_admission_permit_v2"):
        assert scene.value(f"SELECT count(*) FROM birth.{table}".encode()) == 0


def test_a_rehearsal_ends_as_the_run_will(scene: Scene, item: str) -> None:
    scene.born(item, "item-3", "item-4")
    rehearsed = rehearse(scene)
    applied = scene.write(scene.permitted(item))
    for column in ("status", "expected_delta", "actual_inserted", "skipped", "blocked", "resume_marker"):
        assert rehearsed[column] == applied[column]


def test_a_smaller_rehearsal_leaves_the_rest_as_rerun_delta(scene: Scene, item: str) -> None:
    with scene.unchanged(besides="birth_act"):
        row = rehearse(scene, p_max_rows=8)
    assert (row["actual_inserted"], row["rerun_delta"]) == (8, 12)


def test_a_rehearsal_does_not_affect_the_callers_transaction(scene: Scene, item: str) -> None:
    session = scene.session(OPERATOR)
    with scene.unchanged(besides="birth_act"), session.transaction():
        session.execute("CREATE TEMPORARY TABLE mine AS SELECT 1 AS one")
        assert rehearse(scene)["rerun_delta"] == 0
        assert session.execute("SELECT count(*) FROM mine").fetchone() == (1,)
    assert scene.held_locks() == 0


def test_a_rehearsal_can_be_repeated(scene: Scene, item: str) -> None:
    with scene.unchanged(besides="birth_act"):
        first, second = rehearse(scene), rehearse(scene)
    assert first["run_id"] != second["run_id"]
    assert first["actual_inserted"] == second["actual_inserted"]


def test_a_rehearsal_shows_the_fault_that_the_run_would_meet(scene: Scene, item: str) -> None:
    scene.collection("other", 1)
    scene.born("other", "item-7")
    with scene.unchanged(), refused(errors.CodeForeign):
        rehearse(scene)


def test_a_rehearsal_of_a_misreporting_writer_fails(scene: Scene, item: str) -> None:
    scene.replace_routine("fn_birth_register", *LYING_CORE)
    with scene.unchanged(), refused(errors.FalseDone):
        rehearse(scene)


def test_a_complete_collection_cannot_be_rehearsed(scene: Scene, item: str) -> None:
    scene.apply(scene.permitted(item))
    with scene.unchanged(), refused(errors.NothingToDo):
        rehearse(scene)


def test_a_rehearsal_of_an_exempt_collection_is_refused(scene: Scene) -> None:
    scene.collection(policy="BIRTH_EXEMPT_TEST")
    with scene.unchanged(), refused(errors.PolicyNotRequired):
        rehearse(scene)


def test_a_rehearsal_is_refused_during_a_run(scene: Scene, item: str) -> None:
    scene.start(scene.permitted(item))
    with scene.unchanged(), refused(errors.RunHeld):
        rehearse(scene)


def test_a_rehearsal_has_a_short_lock_timeout(scene: Scene, item: str) -> None:
    blocker = scene.db.connect(autocommit=False)
    blocker.execute(
        "INSERT INTO birth.birth_registry (entity_code, collection_name, dot_origin) VALUES ('item-7', 'item', 'x')"
    )
    with scene.unchanged(), raised("55P03"):
        rehearse(scene)
    blocker.rollback()


@pytest.mark.parametrize("rows", [0, -1, 100_001, None])
def test_a_rehearsal_has_a_maximum_number_of_rows(scene: Scene, item: str, rows: int | None) -> None:
    with scene.unchanged(), refused(errors.BadArgument):
        rehearse(scene, p_max_rows=rows)


def test_a_rehearsal_is_on_record(scene: Scene, item: str) -> None:
    rehearse(scene, p_max_rows=8)
    found = scene.rows("SELECT actor, collection_name, run_id, detail FROM birth.birth_act WHERE act = 'rehearse'")
    detail = {"status": "done", "planned": 20, "expected": 8, "written": 8, "rerun_delta": 12}
    assert found == [{"actor": OPERATOR, "collection_name": item, "run_id": None, "detail": detail}]


def test_a_rehearsal_is_for_operators_and_reviewers(scene: Scene, item: str) -> None:
    assert scene.ask_one(REVIEWER, "fn_dot_birth_qt001_rehearse", p_collection=item)["rerun_delta"] == 0
    with scene.unchanged(), raised("42501"):
        scene.ask(OWNER, "fn_dot_birth_qt001_rehearse", p_collection=item)


def test_no_setting_of_the_session_turns_the_writer_s_checks_off(scene: Scene, item: str) -> None:
    scene.born("item", "gone")
    run = scene.permitted(item)
    session = scene.session(OPERATOR)
    settings = ["birth.rehearsal", "birth.skip_checks", "birthdb.rehearse", "birth.force"]
    for setting in settings:
        session.execute(f"SET {setting} = 'on'".encode())
    with scene.unchanged(), refused(errors.ParityBroken):
        scene.write(run)

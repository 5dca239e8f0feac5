"""A driver of one's own: whoever holds a run may send its batches by hand, and is asked what the procedure is asked."""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
import pytest
from helpers import OPERATOR, SECOND_OPERATOR, STEWARD, Run, Scene, driven, refused, statement

from birthdb import errors

ORIGIN = "dot-birth-backfill-apply"


def send(
    conn: psycopg.Connection[Any], routine: str, arguments: Mapping[str, object], driver: LiteralString = "apply"
) -> None:
    conn.execute(driven(routine, arguments, driver), arguments)


def begin(scene: Scene, run: Run) -> psycopg.Connection[Any]:
    """Hold a run without the procedure."""
    holder = scene.session(OPERATOR)
    send(holder, "fn_birth_run_begin", run.arguments(p_batch=10, p_dot_origin=ORIGIN))
    return holder


def batch(run: Run, **changed: object) -> dict[str, object]:
    return run.arguments(p_batch_size=10, p_dry_run=False, p_execute=True) | {"p_dot_origin": ORIGIN} | changed


@pytest.mark.parametrize(
    "changed",
    [{"p_collection": "other"}, {"p_expected_delta": 19}, {"p_max_rows": 19}, {"p_dot_origin": "another"}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_batch_is_asked_for_what_the_run_began_with(scene: Scene, run: Run, changed: dict[str, object]) -> None:
    scene.collection("other", 1)
    holder = begin(scene, run)
    with scene.unchanged(), refused(errors.DeltaMismatch):
        send(holder, "fn_dot_birth_qt001_apply", batch(run, **changed))
    send(holder, "fn_dot_birth_qt001_apply", batch(run))
    assert scene.births() == 10


def test_an_identity_is_not_decided_anew_while_a_run_of_it_begins(scene: Scene, run: Run) -> None:
    change = {"p_collection": "item", "p_strategy": "synthetic_id", "p_column": "id", "p_prefix": "another-"}
    holder = scene.session(OPERATOR)
    with holder.transaction():
        begin(scene, run)
        steward = scene.send(
            scene.db.connect(STEWARD), statement("SELECT", "fn_birth_identity_classify", change), change
        )
        scene.wait_for(steward, holder.info.backend_pid)
    with refused(errors.DefinitionInUse):
        steward.end()


def test_a_batch_spends_the_permit_that_the_attempt_holds(scene: Scene, run: Run) -> None:
    holder = begin(scene, run)
    scene.revoke(run.permit_id)
    second = run.under(scene.permit(run, 20))
    with scene.unchanged(), refused(errors.PermitScope):
        send(holder, "fn_dot_birth_qt001_apply", batch(second))
    with scene.unchanged(), refused(errors.PermitNotOpen):
        send(holder, "fn_dot_birth_qt001_apply", batch(run))


def test_a_run_that_is_being_undone_writes_no_batch(scene: Scene, run: Run) -> None:
    scene.stopped_after_a_batch(run)
    undo = scene.compensable(run)
    holder = scene.session(OPERATOR)
    step = {"p_run_id": undo.run_id, "p_permit_id": undo.permit_id, "p_batch": 5}
    send(holder, "fn_dot_birth_qt001_compensate", step | {"p_step": "begin"}, "compensate")
    with scene.unchanged(), refused(errors.RunStatus):
        send(holder, "fn_dot_birth_qt001_apply", batch(undo))
    send(holder, "fn_dot_birth_qt001_compensate", step | {"p_step": "batch"}, "compensate")
    assert scene.status(run) == ("compensated", None)


def test_an_attempt_that_wrote_nothing_is_not_undone(scene: Scene, run: Run) -> None:
    holder = begin(scene, run)
    scene.execute("SELECT pg_terminate_backend(%s, 10000)", (holder.info.backend_pid,))
    scene.stop(run, by=SECOND_OPERATOR)
    scene.review(run.run_id, p_purpose="COMPENSATE")
    with scene.unchanged(), refused(errors.RunStatus):
        scene.compensate(run, by=SECOND_OPERATOR)


def test_a_batch_is_asked_for_its_permit_before_the_contract(scene: Scene, run: Run) -> None:
    holder = begin(scene, run)
    scene.revoke(run.permit_id)
    scene.execute("ALTER FUNCTION birth.fn_birth_run_write SET work_mem = '1MB'")
    with scene.unchanged(), refused(errors.PermitNotOpen):
        send(holder, "fn_dot_birth_qt001_apply", batch(run))

"""Bad input: a clear refusal and not a byte changed."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from helpers import DBA, OPERATOR, OWNER, REVIEWER, Prepared, Run, Scene, name, prepared, raised, refused
from support import Cluster

from birthdb import errors
from birthdb.errors import BirthError

NOWHERE = UUID(int=0)

#: Arguments that writer and driver share; ``batch`` is named differently in each.
MISUSE: list[tuple[dict[str, Any], type[BirthError]]] = [
    ({"p_collection": None}, errors.BadArgument),
    ({"p_collection": "nothing of the kind"}, errors.UnknownCollection),
    ({"p_collection": "other"}, errors.BadArgument),
    ({"p_run_id": None}, errors.BadArgument),
    ({"p_run_id": NOWHERE}, errors.RunUnknown),
    ({"p_permit_id": None}, errors.BadArgument),
    ({"p_permit_id": -1}, errors.PermitUnknown),
    ({"p_expected_delta": None}, errors.BadArgument),
    ({"p_expected_delta": 0}, errors.BadArgument),
    ({"p_expected_delta": -20}, errors.BadArgument),
    ({"p_max_rows": None}, errors.BadArgument),
    ({"p_max_rows": 0}, errors.BadArgument),
    ({"p_max_rows": -1}, errors.BadArgument),
    ({"batch": None}, errors.BadArgument),
    ({"batch": 0}, errors.BadArgument),
    ({"batch": -1}, errors.BadArgument),
    ({"p_dot_origin": None}, errors.BadArgument),
    ({"p_dot_origin": "  "}, errors.BadArgument),
    ({"p_dot_origin": "x" * 64}, errors.BadArgument),
    ({"p_dot_origin": "QT-002"}, errors.BadArgument),
    ({"p_dot_origin": " qt-002 "}, errors.BadArgument),
    ({"p_dot_origin": "rehearsal"}, errors.BadArgument),
]


@pytest.fixture(scope="module")
def run_template(server: Cluster, item_template: Prepared) -> Iterator[Prepared]:
    """A run that only needs to be executed, beside another collection."""

    def prepare(scene: Scene) -> Run:
        scene.collection("other", 3)
        return scene.permitted()

    with prepared(server, item_template.database, prepare) as made:
        yield made


def named(changed: dict[str, Any], batch: str) -> dict[str, Any]:
    return {batch if name == "batch" else name: value for name, value in changed.items()}


@pytest.mark.parametrize(("changed", "refusal"), MISUSE, ids=name)
def test_a_bad_argument_is_refused_by_every_routine(
    scene: Scene, run: Run, changed: dict[str, Any], refusal: type[BirthError]
) -> None:
    with scene.unchanged():
        for execute in (True, False):
            with refused(refusal):
                scene.apply(run, p_execute=execute, **named(changed, "p_batch"))
            with refused(refusal):
                scene.write(run, p_execute=execute, **named(changed, "p_batch_size"))
    assert scene.held_locks() == 0


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"p_run_id": None}, errors.BadArgument),
        ({"p_run_id": NOWHERE}, errors.RunUnknown),
        ({"p_permit_id": None}, errors.BadArgument),
        ({"p_permit_id": -1}, errors.VerdictMissing),
        ({"p_batch": None}, errors.BadArgument),
        ({"p_batch": 0}, errors.BadArgument),
        ({"p_batch": -5}, errors.BadArgument),
    ],
    ids=name,
)
def test_a_compensation_with_bad_arguments_changes_nothing(
    scene: Scene, run: Run, changed: dict[str, Any], refusal: type[BirthError]
) -> None:
    scene.apply(run)
    with scene.unchanged():
        for execute in (True, False):
            with refused(refusal):
                scene.compensate(run, p_execute=execute, **changed)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"p_max_rows": None}, errors.PermitTerms),
        ({"p_max_rows": 0}, errors.PermitTerms),
        ({"p_max_rows": -1}, errors.PermitTerms),
        ({"p_expires_at": None}, errors.PermitTerms),
        ({"p_expires_at": "infinity"}, errors.PermitTerms),
        ({"p_expires_at": "2001-01-01"}, errors.PermitTerms),
        ({"p_reason": None}, errors.PermitTerms),
        ({"p_reason": " "}, errors.PermitTerms),
        ({"p_purpose": "apply"}, errors.PermitTerms),
        ({"p_purpose": "DEATH"}, errors.PermitTerms),
        ({"p_run_id": None}, errors.RunUnknown),
        ({"p_run_id": NOWHERE}, errors.RunUnknown),
        ({"p_collection": "other"}, errors.PermitScope),
        ({"p_collection": None}, errors.PermitScope),
    ],
    ids=name,
)
def test_a_permit_with_invalid_terms_is_not_opened(
    scene: Scene, run: Run, changed: dict[str, Any], refusal: type[BirthError]
) -> None:
    scene.revoke(run.permit_id)
    with scene.unchanged(), refused(refusal):
        scene.open_permit(run.collection, run.run_id, 20, **changed)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"p_run_id": None}, errors.RunUnknown),
        ({"p_run_id": NOWHERE}, errors.RunUnknown),
        ({"p_verdict": None}, errors.VerdictMalformed),
        ({"p_verdict": "safe"}, errors.VerdictMalformed),
        ({"p_findings": None}, errors.VerdictMalformed),
        ({"p_findings": " "}, errors.VerdictMalformed),
        ({"p_findings": "..."}, errors.VerdictMalformed),
        ({"p_findings": "\u2026 .\n"}, errors.VerdictMalformed),
        ({"p_purpose": "TRANSITION"}, errors.VerdictMalformed),
        ({"p_purpose": "UNDO"}, errors.VerdictMalformed),
        ({"p_accept_orphans": None}, errors.VerdictMalformed),
        ({"p_accept_orphans": 1}, errors.VerdictMalformed),
        ({"p_accept_orphans": -1}, errors.VerdictMalformed),
        ({"p_purpose": "COMPENSATE"}, errors.RunStatus),
    ],
    ids=name,
)
def test_an_invalid_verdict_is_not_recorded(
    scene: Scene, run: Run, changed: dict[str, Any], refusal: type[BirthError]
) -> None:
    with scene.unchanged(), refused(refusal):
        scene.ask(
            REVIEWER,
            "fn_birth_review_record",
            **({"p_run_id": run.run_id, "p_verdict": "SAFE", "p_findings": "read"} | changed),
        )


@pytest.mark.parametrize(
    ("person", "routine", "arguments", "refusal"),
    [
        (REVIEWER, "fn_birth_permit_confirm", {"p_permit_id": None}, errors.PermitUnknown),
        (REVIEWER, "fn_birth_permit_confirm", {"p_permit_id": 99}, errors.PermitUnknown),
        (OWNER, "fn_birth_permit_revoke", {"p_permit_id": 99, "p_reason": "x"}, errors.PermitUnknown),
        (OWNER, "fn_birth_permit_revoke", {"p_permit_id": 1, "p_reason": " "}, errors.BadArgument),
        (OWNER, "fn_birth_permit_revoke", {"p_permit_id": 1, "p_reason": None}, errors.BadArgument),
        (OPERATOR, "fn_birth_run_stop", {"p_run_id": NOWHERE, "p_reason": "x"}, errors.RunUnknown),
        (OPERATOR, "fn_birth_run_stop", {"p_run_id": NOWHERE, "p_reason": " "}, errors.BadArgument),
        (OPERATOR, "fn_birth_run_stop", {"p_run_id": NOWHERE, "p_reason": None}, errors.BadArgument),
        (OPERATOR, "fn_birth_run_tune", {"p_run_id": None, "p_batch": 1, "p_pause_ms": 0}, errors.RunUnknown),
        (OPERATOR, "fn_birth_run_tune", {"p_run_id": NOWHERE, "p_batch": 0, "p_pause_ms": 0}, errors.BadArgument),
        (OPERATOR, "fn_birth_run_tune", {"p_run_id": NOWHERE, "p_batch": 1, "p_pause_ms": -1}, errors.BadArgument),
        (OPERATOR, "fn_birth_run_tune", {"p_run_id": NOWHERE, "p_batch": 1, "p_pause_ms": None}, errors.BadArgument),
        (OPERATOR, "fn_birth_run_tune", {"p_run_id": NOWHERE, "p_batch": 1, "p_pause_ms": 3600001}, errors.BadArgument),
        (DBA, "fn_birth_run_takeover", {"p_run_id": NOWHERE, "p_reason": "x"}, errors.RunUnknown),
        (DBA, "fn_birth_run_takeover", {"p_run_id": NOWHERE, "p_reason": ""}, errors.BadArgument),
        (DBA, "fn_birth_run_takeover", {"p_run_id": NOWHERE, "p_reason": None}, errors.BadArgument),
        (OPERATOR, "fn_dot_birth_qt001_rehearse", {"p_collection": "item", "p_max_rows": 0}, errors.BadArgument),
        (OPERATOR, "fn_dot_birth_qt001_rehearse", {"p_collection": "item", "p_max_rows": 100001}, errors.BadArgument),
        (OPERATOR, "fn_dot_birth_qt001_rehearse", {"p_collection": "item", "p_max_rows": None}, errors.BadArgument),
        (OPERATOR, "fn_dot_birth_qt001_rehearse", {"p_collection": "none", "p_max_rows": 1}, errors.UnknownCollection),
        (OPERATOR, "fn_birth_dot_freeze", {"p_dot": "none", "p_reason": "x"}, errors.DotUnknown),
        (OPERATOR, "fn_birth_dot_freeze", {"p_dot": "dot-birth-backfill-apply", "p_reason": ""}, errors.BadArgument),
        (OPERATOR, "fn_birth_dot_freeze", {"p_dot": "dot-birth-backfill-apply", "p_reason": "\n"}, errors.BadArgument),
        (DBA, "fn_birth_dot_unfreeze", {"p_dot": "dot-birth-backfill-apply", "p_reason": "\t"}, errors.BadArgument),
    ],
    ids=name,
)
def test_operations_on_missing_objects_are_refused(
    scene: Scene, run: Run, person: str, routine: str, arguments: dict[str, Any], refusal: type[BirthError]
) -> None:
    with scene.unchanged(), refused(refusal):
        scene.ask(person, routine, **arguments)


def test_a_run_that_was_not_started_can_neither_be_stopped_nor_taken_over(scene: Scene, run: Run) -> None:
    with scene.unchanged():
        with refused(errors.RunStatus):
            scene.stop(run)
        with refused(errors.RunStatus):
            scene.ask(DBA, "fn_birth_run_takeover", p_run_id=run.run_id, p_reason="x")


def test_a_done_run_is_not_applied_again(scene: Scene, run: Run) -> None:
    scene.apply(run)
    with scene.unchanged():
        with refused(errors.RunStatus):
            scene.apply(run)
        with refused(errors.RunStatus):
            scene.write(run)


def test_a_plan_older_than_the_data_is_refused(scene: Scene, run: Run) -> None:
    scene.insert("item", 21, 22)
    with scene.unchanged(), refused(errors.PlanStale):
        scene.apply(run)
    with scene.unchanged(), refused(errors.PlanStale):
        scene.write(run)


def test_a_numeric_argument_of_the_wrong_size_is_postgresql_s_own_error(scene: Scene, run: Run) -> None:
    with scene.unchanged(), raised("42883"):
        scene.apply(run, p_batch=2**40)

"""Freezing: who may, what it does, and what can never be taken back."""

import hashlib
import re

import pytest
from helpers import DBA, OPERATOR, REVIEWER, Scene, refused

from birthdb import paths
from birthdb.errors import BadArgument, DotDangerous, DotUnknown, RoleRequired

APPLY = "dot-birth-backfill-apply"


def frozen(scene: Scene, dot: str = APPLY) -> bool:
    return bool(scene.value("SELECT frozen FROM birth.v_birth_dot_status WHERE %s IN (dot_name, dot_code)", (dot,)))


def freeze(scene: Scene, dot: str = APPLY, *, by: str = OPERATOR, reason: str | None = "looks odd") -> str:
    return str(scene.ask_one(by, "fn_birth_dot_freeze", p_dot=dot, p_reason=reason)["fn_birth_dot_freeze"])


def unfreeze(scene: Scene, dot: str = APPLY, *, by: str = DBA, reason: str | None = "was fine") -> str:
    return str(scene.ask_one(by, "fn_birth_dot_unfreeze", p_dot=dot, p_reason=reason)["fn_birth_dot_unfreeze"])


@pytest.mark.parametrize("call", ["fn_dot_birth_backfill('item')", "fn_dot_birth_trigger_setup()"])
def test_a_dangerous_operation_cannot_run_even_for_a_superuser(scene: Scene, call: str) -> None:
    with refused(DotDangerous), scene.unchanged():
        scene.execute(f"SELECT birth.{call}".encode())


@pytest.mark.parametrize("dot", ["DOT-118", "DOT-119", "dot-birth-backfill", "dot-birth-trigger-setup"])
def test_the_dangerous_operations_are_frozen_by_name_and_number(scene: Scene, dot: str) -> None:
    assert frozen(scene, dot)


def test_the_safe_successors_are_not_frozen(scene: Scene) -> None:
    assert not frozen(scene)
    assert not frozen(scene, "dot-birth-backfill-plan")


@pytest.mark.parametrize("person", [OPERATOR, DBA])
def test_an_operator_can_freeze_and_only_a_dba_can_unfreeze(scene: Scene, person: str) -> None:
    assert "fn_birth_dot_unfreeze" in freeze(scene, by=person)
    assert frozen(scene)
    assert unfreeze(scene) == f"{APPLY} may run again"
    assert not frozen(scene)


def test_an_operator_cannot_unfreeze(scene: Scene) -> None:
    freeze(scene)
    with pytest.raises(Exception, match="permission denied"):
        unfreeze(scene, by=OPERATOR)
    assert frozen(scene)


def test_a_superuser_needs_membership_in_birth_dba(scene: Scene) -> None:
    scene.execute("SET SESSION AUTHORIZATION nora_nobody")
    try:
        with pytest.raises(Exception, match="permission denied"):
            scene.execute("SELECT birth.fn_birth_dot_freeze('dot-birth-backfill-apply', 'why not')")
    finally:
        scene.execute("RESET SESSION AUTHORIZATION")


def test_no_role_can_unfreeze_a_dangerous_operation(scene: Scene) -> None:
    with refused(DotDangerous), scene.unchanged():
        unfreeze(scene, "DOT-118")


def test_an_unknown_operation_cannot_be_frozen_or_unfrozen(scene: Scene) -> None:
    with scene.unchanged():
        with refused(DotUnknown):
            freeze(scene, "dot-birth-backfil-apply")
        with refused(DotUnknown):
            unfreeze(scene, "dot-birth-backfil-apply")


@pytest.mark.parametrize("reason", ["", " ", None])
def test_freezing_and_unfreezing_need_a_reason(scene: Scene, reason: str) -> None:
    with refused(BadArgument):
        freeze(scene, reason=reason)
    freeze(scene)
    with refused(BadArgument):
        unfreeze(scene, reason=reason)


def test_an_unfreeze_does_not_lift_a_concurrent_freeze(scene: Scene) -> None:
    freeze(scene)
    other = scene.db.connect(OPERATOR, autocommit=False)
    other.execute("SELECT birth.fn_birth_dot_freeze(p_dot => %s, p_reason => 'I saw it too')", (APPLY,))
    unfreeze(scene)
    other.commit()
    assert frozen(scene)


def test_unfreezing_an_unfrozen_operation_records_no_act(scene: Scene) -> None:
    with scene.unchanged():
        assert unfreeze(scene) == f"{APPLY} is not frozen"


def test_a_reviewer_cannot_freeze(scene: Scene) -> None:
    with pytest.raises(Exception, match="permission denied"):
        freeze(scene, by=REVIEWER)


def test_a_granted_execute_without_the_role_raises_role_required(scene: Scene) -> None:
    scene.execute("GRANT EXECUTE ON FUNCTION birth.fn_birth_dot_freeze(text, text) TO birth_reviewer")
    with refused(RoleRequired):
        freeze(scene, by=REVIEWER)


def test_the_recorded_old_gateway_hash_is_that_of_the_text_of_dot_119(scene: Scene) -> None:
    source = (paths.MIGRATIONS / "objects/fn_dot_birth_trigger_setup/baseline.sql").read_text(encoding="utf-8")
    (body,) = re.findall(r"AS \$fn_birth_registry_auto\$(.*?)\$fn_birth_registry_auto\$", source, re.DOTALL)
    digest = hashlib.sha256("".join(body.split()).encode()).hexdigest()
    assert (
        scene.value(
            "SELECT value FROM birth.birth_stage_anchor WHERE stage = 'stage0' AND subject = 'body.old_gateway'"
        )
        == digest
    )

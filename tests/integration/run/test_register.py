"""fn_birth_register: the public door. A dry run by default, fail-closed, and no way to write for anybody."""

from typing import Any

import pytest
from helpers import DBA, OPERATOR, OWNER, REVIEWER, STEWARD, Scene, raised, refused

from birthdb import errors
from birthdb.errors import BirthError


def register(scene: Scene, codes: list[str | None] | None, *, by: str = OPERATOR, **changed: Any) -> dict[str, int]:
    arguments: dict[str, Any] = {"p_collection": "item", "p_codes": codes, "p_dot_origin": "a test"} | changed
    return {row["outcome"]: row["codes"] for row in scene.ask(by, "fn_birth_register", **arguments)}


@pytest.fixture(autouse=True)
def _collections(scene: Scene, item: str) -> None:
    scene.collection("other", 1)
    scene.collection("exempt", 1, policy="BIRTH_EXEMPT_TEST")
    scene.collection("deferred", 1, policy="BIRTH_DEFERRED_NEEDS_REVIEW")
    scene.born("item", "item-1")
    scene.born("other", "taken")


@pytest.mark.parametrize("person", [OPERATOR, STEWARD])
def test_fn_birth_register_is_a_dry_run_by_default(scene: Scene, person: str) -> None:
    with scene.unchanged():
        assert register(scene, ["item-1", "item-2", "item-3"], by=person) == {"would_be_born": 2, "exists": 1}


def test_a_code_that_is_given_twice_counts_once(scene: Scene) -> None:
    with scene.unchanged():
        assert register(scene, ["item-2", "item-2"]) == {"would_be_born": 1, "exists": 0}


def test_an_empty_set_gives_zero_counts(scene: Scene) -> None:
    with scene.unchanged():
        assert register(scene, []) == {"would_be_born": 0, "exists": 0}


@pytest.mark.parametrize("person", [OPERATOR, STEWARD])
def test_no_caller_of_fn_birth_register_can_write(scene: Scene, person: str) -> None:
    with scene.unchanged(), raised("42501"):
        register(scene, ["item-2"], by=person, p_dry_run=False)


@pytest.mark.parametrize("person", [REVIEWER, OWNER, DBA, "nora_nobody"])
def test_other_roles_cannot_call_fn_birth_register(scene: Scene, person: str) -> None:
    with scene.unchanged(), raised("42501"):
        register(scene, ["item-2"], by=person)


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("codes", "changed", "refusal"),
    [
        (["a"], {"p_collection": "nothing of the kind"}, errors.UnknownCollection),
        (["a"], {"p_collection": None}, errors.UnknownCollection),
        (["a"], {"p_collection": "exempt"}, errors.PolicyNotRequired),
        (["a"], {"p_collection": "deferred"}, errors.PolicyNotRequired),
        (["a", None], {}, errors.CodeMissing),
        (["a", ""], {}, errors.CodeMissing),
        (["a", " \t\n"], {}, errors.CodeMissing),
        (["a", "x" * 513], {}, errors.CodeMissing),
        (["a", "é" * 257], {}, errors.CodeMissing),
        (None, {}, errors.BadArgument),
        (["a"], {"p_dot_origin": None}, errors.BadArgument),
        (["a"], {"p_dot_origin": " "}, errors.BadArgument),
    ],
    ids=str,
)
def test_a_set_with_one_refused_code_is_refused_completely(
    scene: Scene, codes: list[str | None] | None, changed: dict[str, Any], refusal: type[BirthError], dry_run: bool
) -> None:
    with scene.unchanged(), refused(refusal):
        register(scene, codes, p_dry_run=dry_run, **changed)


def test_a_null_dry_run_switch_is_refused(scene: Scene) -> None:
    with scene.unchanged(), refused(errors.BadArgument):
        register(scene, ["a"], p_dry_run=None)


def test_a_code_of_another_collection_is_refused_and_never_skipped(scene: Scene) -> None:
    with scene.unchanged(), refused(errors.CodeForeign) as caught:
        register(scene, ["item-2", "taken"])
    assert "taken" in str(caught.value.diag.message_detail)


def as_definer(scene: Scene, codes: list[str]) -> dict[str, int]:
    """Register as the owner does inside gateway and writer."""
    with scene.admin.transaction():
        scene.execute("SET LOCAL ROLE birth_definer")
        rows = scene.rows("SELECT * FROM birth.fn_birth_register('item', %s, 'a test', NULL, false)", (codes,))
    return {row["outcome"]: row["codes"] for row in rows}


def test_birth_definer_writes_what_the_dry_run_reported(scene: Scene) -> None:
    assert register(scene, ["item-1", "b", "c"]) == {"would_be_born": 2, "exists": 1}
    assert as_definer(scene, ["item-1", "b", "c"]) == {"born": 2, "exists": 1}
    assert register(scene, ["item-1", "b", "c"]) == {"would_be_born": 0, "exists": 3}


def test_a_foreign_code_rolls_the_whole_set_back(scene: Scene) -> None:
    with scene.unchanged(), refused(errors.CodeForeign):
        as_definer(scene, ["b", "taken"])


def test_codes_cannot_inject_sql(scene: Scene) -> None:
    codes = ["'; DELETE FROM birth.birth_registry; --", "NULL", "{a,b}", "$1", "%s", "\\", '"']
    assert as_definer(scene, codes) == {"born": len(codes), "exists": 0}
    found = scene.rows("SELECT entity_code FROM birth.birth_registry WHERE dot_origin = 'a test'")
    assert {row["entity_code"] for row in found} == set(codes)

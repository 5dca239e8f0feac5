"""fn_birth_register, the public door: dry by default, fail-closed, and it writes for nobody but birth_definer."""

from typing import Any

import psycopg
import pytest
from world import World

from birthdb import api, errors


@pytest.fixture
def thing(world: World) -> World:
    world.governed("(code text PRIMARY KEY)")
    world.governed("(code text PRIMARY KEY)", "other")
    world.insert(["mine"])
    world.insert(["theirs"], "other")
    return world


def door(world: World, codes: list[str | None], **arguments: Any) -> dict[str, int]:
    given = {"p_collection": "thing", "p_codes": codes, "p_dot_origin": "a test"} | arguments
    return {row["outcome"]: row["codes"] for row in api.rows(world.operator, "fn_birth_register", **given)}


def test_a_dry_run_counts_new_and_existing_births_and_writes_nothing(thing: World) -> None:
    assert door(thing, ["mine", "new", "new", "newer"]) == {"would_be_born": 2, "exists": 1}
    assert door(thing, []) == {"would_be_born": 0, "exists": 0}
    assert thing.births() == ["mine"]


@pytest.mark.parametrize("code", [None, "", " \t\n\r\f\v", "x" * 513, "é" * 257])
def test_one_invalid_code_refuses_the_whole_set(thing: World, code: str | None) -> None:
    with pytest.raises(errors.CodeMissing) as refusal:
        door(thing, ["new", code])
    assert refusal.value.sqlstate == "NB107"


def test_one_code_of_another_collection_refuses_the_whole_set(thing: World) -> None:
    with pytest.raises(errors.CodeForeign) as refusal:
        door(thing, ["new", "theirs"])
    assert refusal.value.sqlstate == "NB108"
    assert "theirs" in str(refusal.value.detail)


def test_an_unknown_collection_is_refused(thing: World) -> None:
    with pytest.raises(errors.UnknownCollection):
        door(thing, ["new"], p_collection="nothing")


@pytest.mark.parametrize("missing", ["p_codes", "p_dot_origin", "p_dry_run"])
def test_a_missing_argument_is_refused(thing: World, missing: str) -> None:
    with pytest.raises(errors.BadArgument):
        door(thing, ["new"], **{missing: None})


def test_no_role_that_may_call_fn_birth_register_can_write_with_it(thing: World) -> None:
    for person in ("olga_operator", "alice_steward"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.rows(
                thing.person(person),
                "fn_birth_register",
                p_collection="thing",
                p_codes=["new"],
                p_dot_origin="a test",
                p_dry_run=False,
            )
    assert thing.births() == ["mine"]


def test_birth_definer_writes_whole_sets_with_fn_birth_register(thing: World) -> None:
    thing.admin.execute("SET ROLE birth_definer")
    call = "SELECT outcome, codes FROM birth.fn_birth_register('thing', %s, 'a test', NULL, false)"
    assert thing.admin.execute(call.encode(), (["mine", "b", "a", "b"],)).fetchall() == [("born", 2), ("exists", 1)]
    with pytest.raises(psycopg.Error) as refusal:
        thing.admin.execute(call.encode(), (["c", "theirs"],))
    assert refusal.value.sqlstate == "NB108"
    assert thing.births() == ["a", "b", "mine"]

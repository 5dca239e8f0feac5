"""Codes that a backfill would write, for a person to look at."""

import pytest
from helpers import REVIEWER, Scene, raised, refused

from birthdb import errors


def sample(scene: Scene, collection: str = "item", by: str = REVIEWER, **arguments: object) -> list[dict[str, object]]:
    return scene.ask(by, "fn_birth_plan_sample", p_collection=collection, **arguments)


def test_the_first_the_last_and_the_longest_are_among_them(scene: Scene, item: str) -> None:
    scene.born(item, "item-1", "item-9")
    found = sample(scene, p_rows=2)
    kinds = {kind: [row["code"] for row in found if row["kind"] == kind] for kind in ("first", "last", "longest")}
    assert kinds["first"] == ["item-10", "item-11"]
    assert kinds["last"] == ["item-8", "item-7"]
    assert kinds["longest"] == ["item-10", "item-11"]
    by_chance = [row for row in found if row["kind"] == "random"]
    assert len(by_chance) == 2
    assert all(row["key"] == {"id": str(row["code"]).removeprefix("item-")} for row in found)


def test_nothing_is_left_where_every_row_is_born(scene: Scene, item: str) -> None:
    scene.apply(scene.permitted(item))
    with scene.unchanged():
        assert sample(scene) == []


@pytest.mark.parametrize("rows", [0, 101, None])
def test_a_sample_is_small(scene: Scene, item: str, rows: int | None) -> None:
    with refused(errors.BadArgument):
        sample(scene, p_rows=rows)


def test_what_cannot_be_sampled_is_refused(scene: Scene, item: str) -> None:
    with refused(errors.UnknownCollection):
        sample(scene, "none")
    scene.execute("REVOKE SELECT ON public.item FROM birth_scanner")
    with refused(errors.SourcePrivilege):
        sample(scene)
    scene.execute("GRANT SELECT ON public.item TO birth_scanner")
    scene.execute(
        "UPDATE birth.collection_registry SET birth_code_strategy = NULL, birth_code_column = NULL,"
        " birth_code_prefix = NULL, birth_code_template = NULL, birth_code_sql = NULL, birth_code_row_sql = NULL"
    )
    with refused(errors.IdentityNotEligible):
        sample(scene)
    with raised("42501"):
        sample(scene, by="nora_nobody")
